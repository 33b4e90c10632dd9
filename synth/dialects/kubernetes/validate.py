"""One NetworkPolicy object → a Policy, with the defaults an API server fills in.

Refused is what an API server refuses when it validates strictly, and two things more, because they
are mistakes that widen: a null in a list (``ingress: [null]`` would admit everyone) and numbers
that readers of YAML disagree on. A null field is a missing field.
"""

from collections.abc import Mapping

from synth.dialects.kubernetes.names import is_dns_label, is_label_key, is_subdomain
from synth.dialects.kubernetes.nodes import Node
from synth.dialects.kubernetes.peers import read_peers
from synth.dialects.kubernetes.ports import read_ports
from synth.dialects.kubernetes.selectors import A_KEY, read_labels, read_selector
from synth.policy import Direction, Policy, PortSet, Rule, Selector

API_VERSION = "networking.k8s.io/v1"
KIND = "NetworkPolicy"
DEFAULT_NAMESPACE = "default"
MOST_ANNOTATION_BYTES = 256 * 1024

_FORMS: Mapping[str, tuple[type, str]] = {
    "generateName": (str, "a string"),
    "selfLink": (str, "a string"),
    "uid": (str, "a string"),
    "resourceVersion": (str, "a string"),
    "generation": (int, "a whole number"),
    "creationTimestamp": (str, "a string"),
    "deletionTimestamp": (str, "a string"),
    "deletionGracePeriodSeconds": (int, "a whole number"),
    "ownerReferences": (list, "a list"),
    "finalizers": (list, "a list"),
    "managedFields": (list, "a list"),
}
"""Fields that servers fill in: nothing depends on them, but an apply fails on a wrong type."""
_KNOWN_METADATA = ("name", "namespace", "labels", "annotations", *_FORMS)
_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


def read_policy(node: Node) -> Policy:
    """Return the policy; only if no fault was added is it what the object says."""
    fields = node.fields("apiVersion", "kind", "metadata", "spec", "status")
    _check_version(node, fields)
    metadata = fields.get("metadata", node.at("metadata", {}))
    about = metadata.fields(*_KNOWN_METADATA)
    spec = fields.get("spec", node.at("spec", {})).fields(
        "podSelector", "policyTypes", "ingress", "egress"
    )
    _check_forms(about)
    name, namespace = _name(metadata, about), _namespace(about)
    labels = read_labels(about["labels"]) if "labels" in about else {}
    annotations = _annotations(about["annotations"]) if "annotations" in about else {}
    pods = read_selector(spec["podSelector"]) if "podSelector" in spec else Selector()
    rules = _directions(spec)
    return Policy(
        namespace,
        name,
        pods,
        ingress=rules[Direction.INGRESS],
        egress=rules[Direction.EGRESS],
        labels=tuple(labels.items()),
        annotations=tuple(annotations.items()),
    )


def _check_version(node: Node, fields: dict[str, Node]) -> None:
    version = fields.get("apiVersion", node.at("apiVersion", None))
    if version.value == "extensions/v1beta1":
        version.refuse(API_VERSION, f"Write {API_VERSION}: the fields are the same.")
    elif version.value != API_VERSION:
        version.refuse(API_VERSION)
    kind = fields.get("kind", node.at("kind", None))
    if kind.value != KIND:
        kind.refuse(KIND)


def _check_forms(about: dict[str, Node]) -> None:
    for field, (form, expected) in _FORMS.items():
        value = about[field].value if field in about else None
        if value is not None and (not isinstance(value, form) or isinstance(value, bool)):
            about[field].refuse(expected)


def _name(metadata: Node, about: dict[str, Node]) -> str:
    node = about.get("name", metadata.at("name", ""))
    name = node.text() or ""
    if isinstance(node.value, str) and not is_subdomain(name):
        node.refuse("a name of at most 253 lower-case letters, digits, '-' and '.'")
    return name


def _namespace(about: dict[str, Node]) -> str:
    if "namespace" not in about:
        return DEFAULT_NAMESPACE
    namespace = about["namespace"].text()
    if namespace and not is_dns_label(namespace):
        about["namespace"].refuse("a name of at most 63 lower-case letters, digits and '-'")
    return namespace or DEFAULT_NAMESPACE


def _annotations(node: Node) -> dict[str, str]:
    texts = {key: str(value.value) for key, value in node.texts()}
    for key in texts:
        if not is_label_key(key.lower()):
            node.refuse(A_KEY, got=repr(key[:100]))
    size = sum(len(part.encode()) for pair in texts.items() for part in pair)
    if size > MOST_ANNOTATION_BYTES:
        node.refuse(f"at most {MOST_ANNOTATION_BYTES} bytes of annotations", got=str(size))
    return dict(sorted(texts.items()))


def _directions(spec: dict[str, Node]) -> dict[Direction, tuple[Rule, ...] | None]:
    """Return the rules by direction; None where the policy does not isolate.

    Rules of a direction that is not in force are checked all the same.
    """
    rules = {
        direction: _rules(spec[field], direction) if (field := direction.lower()) in spec else ()
        for direction in Direction
    }
    listed = _policy_types(spec["policyTypes"]) if "policyTypes" in spec else set()
    default = {Direction.INGRESS, *([Direction.EGRESS] if _has_rules(spec) else [])}
    in_force = listed or default
    return {way: rules[way] if way in in_force else None for way in Direction}


def _has_rules(spec: dict[str, Node]) -> bool:
    return "egress" in spec and bool(spec["egress"].value)


def _policy_types(node: Node) -> set[Direction]:
    items = node.items()
    if len(items) > len(Direction):
        node.refuse("at most two policyTypes")
        return set()
    for item in items:
        if item.value not in tuple(Direction):
            item.refuse("Ingress or Egress")
    return {Direction(str(item.value)) for item in items if item.value in tuple(Direction)}


def _rules(node: Node, direction: Direction) -> tuple[Rule, ...]:
    return tuple(_rule(item, _PEERS[direction]) for item in node.items())


def _rule(node: Node, peers: str) -> Rule:
    fields = node.fields(peers, "ports")
    admitted = read_peers(fields[peers]) if peers in fields else ()
    return Rule(admitted, read_ports(fields["ports"]) if "ports" in fields else PortSet.every())
