"""NetworkPolicies as rules of nftables: a network plugin of the tests' own.

Written from the API's definition; it shares no code with synth, nor with the reference of the
tests. Policies are what PyYAML makes of their text.

====================  ==========================================================================
chain                 does
====================  ==========================================================================
``forward``           lets replies through; asks the chains of the client, then of the server
``egress-<pod>``      of an isolated pod of this node: returns what a rule admits, ends the rest
``ingress-<pod>``     the same, of what is opened towards the pod
====================  ==========================================================================

All that is not isolated passes. What a node sends to its own pods passes no ``forward`` hook.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

TABLE: Final = "inet wall"
ENDS: Final = {
    "reject": ("meta l4proto tcp reject with tcp reset", "reject"),
    "drop": ("drop",),
}
"""How what no rule admits ends; reject tells the client at once."""
_FAMILY: Final = {4: "ip", 6: "ip6"}
_SET_TYPE: Final = {4: "ipv4_addr", 6: "ipv6_addr"}
_PEERS: Final = {"ingress": "from", "egress": "to"}
_FAR_END: Final = {"ingress": "saddr", "egress": "daddr"}

Object = dict[str, Any]
Labels = dict[str, str]


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod; its ports are (name, protocol, number)."""

    name: str
    namespace: str
    labels: Labels
    addresses: tuple[str, ...]
    ports: tuple[tuple[str, str, int], ...]
    node: str
    host_network: bool = False
    phase: str = "Running"

    @property
    def subject_to_policies(self) -> bool:
        """Whether policies select it: it has an address of its own, and has not ended."""
        return not self.host_network and self.phase not in ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pods that policies may select, and the namespaces' labels."""

    pods: tuple[Pod, ...]
    namespaces: Mapping[str, Labels]

    @classmethod
    def of(cls, pods: Iterable[Pod], namespaces: Mapping[str, Labels]) -> Cluster:
        """Return the cluster; each namespace gets the label with its name."""
        names = {*namespaces, *(pod.namespace for pod in pods)}
        labels = {
            name: {**namespaces.get(name, {}), "kubernetes.io/metadata.name": name}
            for name in sorted(names)
        }
        return cls(tuple(pod for pod in pods if pod.subject_to_policies), labels)


@dataclass(frozen=True, slots=True)
class Match:
    """Part of a rule; a family of 0 is any."""

    text: str = ""
    family: int = 0

    def both(self, other: Match) -> Match | None:
        """Return what both match; None if no packet can."""
        if self.family and other.family and self.family != other.family:
            return None
        return Match(f"{self.text} {other.text}".strip(), self.family or other.family)


def translate(
    policies: Sequence[Object], cluster: Cluster, node: str, end: str = "reject"
) -> list[str]:
    """Return the commands that make a node enforce the policies in place of those before them."""
    lines = [f"add table {TABLE}", f"delete table {TABLE}", f"add table {TABLE}"]
    hook = "type filter hook forward priority filter ; policy accept ;"
    lines.append(f"add chain {TABLE} forward {{ {hook} }}")
    lines.append(f"add rule {TABLE} forward ct state established,related accept")
    for direction, near in (("egress", "saddr"), ("ingress", "daddr")):
        for pod in cluster.pods:
            chosen = [one for one in policies if isolates(one, pod, direction)]
            if pod.node == node and chosen:
                lines += _chain(pod, chosen, direction, cluster, end)
                lines += [
                    f"add rule {TABLE} forward {_address(near, one).text} "
                    f"jump {direction}-{pod.name}"
                    for one in pod.addresses
                ]
    return lines


def isolates(policy: Object, pod: Pod, direction: str) -> bool:
    """Return whether the policy isolates the pod in the direction."""
    if policy["metadata"].get("namespace", "default") != pod.namespace:
        return False
    selector = policy["spec"].get("podSelector")
    return direction in list_directions(policy["spec"]) and fits(selector, pod.labels)


def list_directions(spec: Object) -> list[str]:
    """Return the directions in force; by default ingress, and egress if it has a rule."""
    if spec.get("policyTypes"):
        return [one.lower() for one in spec["policyTypes"]]
    return ["ingress", "egress"] if spec.get("egress") else ["ingress"]


def fits(selector: Object | None, labels: Labels) -> bool:
    """Return whether the labels fit every term of the selector; an empty one fits all."""
    selector = selector or {}
    equal = all(
        labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items()
    )
    return equal and all(fits_term(term, labels) for term in selector.get("matchExpressions") or ())


def fits_term(term: Object, labels: Labels) -> bool:
    """Return whether the labels fit one expression."""
    key, values = term["key"], term.get("values") or ()
    return {
        "In": key in labels and labels.get(key) in values,
        "NotIn": key not in labels or labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[term["operator"]]


def _chain(
    pod: Pod, policies: Sequence[Object], direction: str, cluster: Cluster, end: str
) -> Iterator[str]:
    """Yield the commands of the chain that judges what the pod opens, or what is opened to it."""
    chain = f"{direction}-{pod.name}"
    yield f"add chain {TABLE} {chain}"
    number = 0
    for policy in policies:
        for rule in policy["spec"].get(direction) or ():
            for far in match_peers(rule, policy, direction, cluster):
                name = f"{chain}-{number}"
                number += 1
                yield from _name_set(far, name)
                for port in match_ports(rule, pod, direction, cluster):
                    match = _shorten(far, name).both(port)
                    if match:
                        yield f"add rule {TABLE} {chain} {match.text} return"
    for how in ENDS[end]:
        yield f"add rule {TABLE} {chain} {how}"


def match_peers(rule: Object, policy: Object, direction: str, cluster: Cluster) -> Iterator[Match]:
    """Yield what matches the peers; no peer at all, or an empty list, is everybody."""
    peers = rule.get(_PEERS[direction])
    field = _FAR_END[direction]
    if not peers:
        yield Match()
    for peer in peers or ():
        if "ipBlock" in peer:
            yield match_block(peer["ipBlock"], field)
        else:
            yield from _match_pods(list_pods(peer, policy, cluster), field)


def match_block(block: Object, field: str) -> Match:
    """Return what matches the block's addresses but the excepted, whoever has them."""
    network = _network(block["cidr"])
    family = _FAMILY[network.version]
    apart = [f"{family} {field} != {_network(one)}" for one in block.get("except") or ()]
    return Match(" ".join((f"{family} {field} {network}", *apart)), network.version)


def list_pods(peer: Object, policy: Object, cluster: Cluster) -> list[Pod]:
    """Return the pods of a peer; without a namespaceSelector those of the policy's namespace."""
    own = policy["metadata"].get("namespace", "default")
    spaces = peer.get("namespaceSelector")
    return [
        pod
        for pod in cluster.pods
        if (
            fits(spaces, cluster.namespaces[pod.namespace])
            if spaces is not None
            else pod.namespace == own
        )
        and fits(peer.get("podSelector"), pod.labels)
    ]


def match_ports(rule: Object, pod: Pod, direction: str, cluster: Cluster) -> Iterator[Match]:
    """Yield what matches the ports; no port at all, or an empty list, is every port."""
    if not rule.get("ports"):
        yield Match()
    for port in rule.get("ports") or ():
        protocol, number = port.get("protocol", "TCP"), port.get("port")
        if isinstance(number, str):
            called = list_called(pod, direction, cluster)
            yield from match_named(number, protocol, called)
        elif number is None:
            yield Match(f"meta l4proto {protocol.lower()}")
        else:
            last = port.get("endPort", number)
            shown = number if last == number else f"{number}-{last}"
            yield Match(f"{protocol.lower()} dport {shown}")


def list_called(pod: Pod, direction: str, cluster: Cluster) -> Sequence[Pod]:
    """Return the pods that may be the called one: they say what a named port is."""
    return (pod,) if direction == "ingress" else cluster.pods


def match_named(name: str, protocol: str, called: Iterable[Pod]) -> Iterator[Match]:
    """Yield what matches the named port of each pod that has it."""
    for pod in called:
        for own, of, number in pod.ports:
            if (own, of) == (name, protocol):
                for address in pod.addresses:
                    match = _address("daddr", address)
                    yield Match(f"{match.text} {of.lower()} dport {number}", match.family)


def _address(field: str, address: str) -> Match:
    version = ip_address(address).version
    return Match(f"{_FAMILY[version]} {field} {address}", version)


def _network(cidr: str) -> IPv4Network | IPv6Network:
    """Return the network; bits beyond its length mean nothing."""
    return ip_network(cidr, strict=False)


def _match_pods(pods: Sequence[Pod], field: str) -> Iterator[Match]:
    """Yield what matches the pods' addresses: a set a family, and nothing where there is none."""
    addresses = sorted({ip_address(one) for pod in pods for one in pod.addresses}, key=str)
    for version, family in _FAMILY.items():
        some = ", ".join(str(one) for one in addresses if one.version == version)
        if some:
            yield Match(f"{family} {field} {{ {some} }}", version)


def _name_set(match: Match, name: str) -> Iterator[str]:
    """Yield the commands of the named set that takes the place of addresses in braces."""
    _, brace, elements = match.text.partition("{")
    if brace:
        kind = _SET_TYPE[match.family]
        yield f"add set {TABLE} {name} {{ type {kind} ; elements = {{{elements} ; }}"


def _shorten(match: Match, name: str) -> Match:
    """Return the match with the name of its set, if it has one."""
    head, brace, _ = match.text.partition("{")
    return Match(f"{head}@{name}", match.family) if brace else match
