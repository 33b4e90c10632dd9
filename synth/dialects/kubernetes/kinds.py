"""Which of many objects are NetworkPolicies, which are policies of other kinds, which neither."""

from collections.abc import Iterator
from dataclasses import dataclass

from synth.dialects.kubernetes.names import is_dns_label, is_subdomain
from synth.dialects.kubernetes.nodes import Faults, Node
from synth.dialects.kubernetes.validate import API_VERSION, DEFAULT_NAMESPACE, KIND

NOT_POLICIES = frozenset({"IPAddress", "Ingress", "IngressClass", "ServiceCIDR"})
"""The other kinds of ``networking.k8s.io/v1``."""

OTHER_KINDS = frozenset(
    {
        ("crd.antrea.io", KIND),
        ("crd.nsx.vmware.com", "SecurityPolicy"),
        ("crd.projectcalico.org", KIND),
        ("k8s.ovn.org", "EgressFirewall"),
        ("projectcalico.org", KIND),
        ("security.istio.io", "AuthorizationPolicy"),
        ("vpcresources.k8s.aws", "SecurityGroupPolicy"),
    }
)
"""Policies of other APIs, by group; besides, every kind that ends in NetworkPolicy is one."""


@dataclass(frozen=True, slots=True, order=True)
class OtherPolicy:
    """A policy that another API defines: it is named, not evaluated.

    ``namespace`` is empty if the object names none.
    """

    group: str
    kind: str
    namespace: str
    name: str
    file: str

    def __str__(self) -> str:
        """Return ``cilium.io CiliumNetworkPolicy shop/db``."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.group} {self.kind} {where}{self.name}"


@dataclass(frozen=True, slots=True)
class Found:
    """One object that is no list: its fields, its place in the file, and the file."""

    value: dict[object, object]
    number: str
    file: str

    @property
    def kind(self) -> str:
        """The kind, empty if the object has none."""
        return _text(self.value.get("kind"))

    @property
    def group(self) -> str:
        """The API group, empty for the core group and if the object has none."""
        return _group(self.value)

    @property
    def key(self) -> tuple[str, str]:
        """Namespace (empty if missing) and name; both empty if one of them is invalid."""
        metadata = self.value.get("metadata")
        about = metadata if isinstance(metadata, dict) else {}
        namespace, name = about.get("namespace") or "", about.get("name")
        if not isinstance(namespace, str) or not isinstance(name, str):
            return "", ""
        valid = is_subdomain(name) and (not namespace or is_dns_label(namespace))
        return (namespace, name) if valid else ("", "")

    @property
    def owner(self) -> str:
        """The object as messages name it: ``file.yaml: shop/db``, or its number in the file."""
        namespace, name = self.key
        place = f"{namespace or DEFAULT_NAMESPACE}/{name}" if name else self.number
        return f"{self.file}: {place}"

    @property
    def is_policy(self) -> bool:
        """Whether the object is, or is meant to be, a NetworkPolicy of Kubernetes itself."""
        if self.value.get("apiVersion") == API_VERSION:
            return self.kind not in NOT_POLICIES
        meant = self.kind.lower() in ("networkpolicy", "networkpolicies")
        return meant and not self.is_other

    @property
    def is_other(self) -> bool:
        """Whether the object is a policy of another API."""
        if (self.group, self.kind) in OTHER_KINDS:
            return True
        return self.kind.endswith(KIND) and self.kind != KIND and "." in self.group


def find_objects(document: object, number: int, file: str, faults: Faults) -> Iterator[Found]:
    """Return an iterator over the objects of the document, lists opened, in the order written.

    What is no object at all (a list of patches, the values of a template) is passed over.
    """
    waiting: list[tuple[object, str]] = [(document, f"document {number}")]
    while waiting:
        value, place = waiting.pop()
        if not isinstance(value, dict):
            continue
        if not _text(value.get("kind")).endswith("List"):
            yield Found(value, place, file)
            continue
        waiting.extend(reversed(_list_items(value, place, file, faults)))


def _list_items(
    value: dict[object, object], place: str, file: str, faults: Faults
) -> list[tuple[object, str]]:
    items = value.get("items")
    if items is None:
        return []
    node = Node(items, f"{file}: {place}", faults, "items")
    kind = _text(value.get("kind")).removesuffix("List")
    if not isinstance(items, list):
        if kind in ("", KIND):
            node.refuse("a list")
        return []
    implied = {"apiVersion": value.get("apiVersion"), "kind": kind} if kind else {}
    return [
        ({**implied, **item} if isinstance(item, dict) else item, f"{place} items[{index}]")
        for index, item in enumerate(items)
    ]


def other_policy(found: Found) -> OtherPolicy:
    """Return what can be said of the policy of another API."""
    namespace, name = found.key
    return OtherPolicy(found.group, found.kind, namespace, name or found.number, found.file)


def _group(value: dict[object, object]) -> str:
    group, slash, _ = _text(value.get("apiVersion")).rpartition("/")
    return group if slash else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
