"""Small awkward clusters with policies and flows, drawn from a seed alone.

Uniform random worlds say little: hardly an answer in them depends on a rule. These are bent
towards the cases that implementations get wrong: few labels over several namespaces, empty values
and missing keys, one port name with several numbers, defaults left out, empty lists, borders of
port ranges and blocks, host-network and finished pods, pods to themselves, own nodes, masquerade.

Every policy is one that an API server accepts, every pod value has an address of its own, and the
only strings that are also a pod's address are those of nodes with a host-network pod. A dual-stack
pod is two values with one name. A port name may stand twice in ``Pod.ports``: the entries belong
to different containers.
"""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.reference import NAMESPACE_NAME, Endpoint, Flow, Labels, Pod

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]

NAMESPACES = ("default", "shop", "bank", "tools")
NAMESPACE_LABELS = {"env": ("prod", "dev", ""), "team": ("a", "b")}
POD_LABELS = {
    "app": ("web", "api", ""),
    "tier": ("front", ""),
    "example.com/track": ("stable", "canary"),
}
PORTS = (
    ("http", "TCP", 80),
    ("http", "TCP", 8080),
    ("http", "TCP", 8000),
    ("http", "UDP", 80),
    ("dns", "UDP", 53),
    ("dns", "TCP", 53),
    ("dns", "UDP", 5353),
    ("sig", "SCTP", 3868),
    ("sig", "TCP", 3868),
    ("", "TCP", 443),
)
PROTOCOLS = ("TCP", "UDP", "SCTP")
TYPES = (None, (), ("Ingress",), ("Egress",), ("Ingress", "Egress"), ("Egress", "Ingress"))
RANGES = ((1, 79), (80, 80), (80, 90), (53, 8000), (8000, 8080), (443, 65535), (65535, 65535))
NODES = {"n1": ("192.168.0.1", "fd00:1::1"), "n2": ("192.168.0.6", "fd00:1::6")}
# Blocks and, for each, what may be cut out: parts of pod ranges, nodes, networks outside.
BLOCKS = {
    "0.0.0.0/0": ("10.0.0.0/8", "10.0.1.4/30", "203.0.113.0/24"),
    "10.0.0.0/8": ("10.0.1.0/24", "10.0.1.4/30", "10.0.2.1/32", "10.0.1.0/25"),
    "10.0.1.0/29": ("10.0.1.2/31", "10.0.1.3/32", "10.0.1.4/30"),
    "10.0.2.0/29": ("10.0.2.0/30", "10.0.2.2/32"),
    "10.0.2.1/29": ("10.0.2.5/30",),  # host bits: the server masks them
    "192.168.0.0/29": ("192.168.0.0/30", "192.168.0.6/32"),
    "203.0.113.0/24": ("203.0.113.64/26", "203.0.113.255/32"),
    "198.51.100.7/32": (),
    "::ffff:10.0.1.0/125": ("::ffff:10.0.1.2/127",),
    "10.96.0.0/12": (),
    "::/0": ("fd00:10::/64", "2001:db8::/32"),
    "fd00:10::/64": ("fd00:10::1:0/125", "fd00:10::2:2/127"),
    "2001:db8::/120": ("2001:db8::80/121",),
    "fd00:1::/64": ("fd00:1::6/128",),
}
SERVICES = {4: ("10.96.0.1", "10.0.1.20"), 6: ("fd00:96::1", "fd00:10::1:e")}
SERVED = 0.1
"""The share of the flows to pods that ask for a Service."""
FAR_AWAY = ("8.8.8.8", "169.254.169.254", "2001:4860::8", "::ffff:203.0.113.9")


@dataclass(frozen=True, slots=True)
class World:
    """A cluster, its policies as YAML would load them, and what happened in it."""

    policies: list[Document]
    namespaces: dict[str, Labels]
    pods: list[Pod]
    flows: list[Flow]


def world(seed: int, *, edges: int) -> World:
    """Return the world of this seed, with so many flows."""
    rng = random.Random(seed)  # noqa: S311 - chosen for being repeatable
    names = rng.sample(NAMESPACES, rng.randint(2, len(NAMESPACES)))
    namespaces: dict[str, Labels] = {name: _namespace_labels(rng, name) for name in names}
    pods = _pods(rng, names)
    policies = _policies(rng, names)
    traffic = _Traffic(rng, pods, policies)
    return World(policies, namespaces, pods, [traffic.flow() for _ in range(edges)])


# -- the cluster


def _labels(
    rng: random.Random, choices: dict[str, tuple[str, ...]], missing: float
) -> dict[str, str]:
    """Return a value for each key, save for those left out with this chance."""
    return {key: rng.choice(values) for key, values in choices.items() if rng.random() >= missing}


def _namespace_labels(rng: random.Random, name: str) -> dict[str, str]:
    labels = _labels(rng, NAMESPACE_LABELS, missing=0.35)
    return labels | ({NAMESPACE_NAME: name} if rng.random() < 0.5 else {})


def _pods(rng: random.Random, namespaces: list[str]) -> list[Pod]:
    pods = []
    for index in range(rng.randint(6, 11)):
        node = rng.choice(list(NODES))
        four, six = f"10.0.{node[1:]}.{index}", f"fd00:10::{node[1:]}:{index:x}"
        addresses = rng.choices([(four,), (four, six), (six,)], [6, 4, 1])[0]
        # As in StatefulSets: one name in several namespaces, never twice in one.
        name = (namespaces[index % len(namespaces)], f"pod-{index // len(namespaces)}")
        pods += _pod(rng, name, node, addresses)
    for node, addresses in NODES.items():
        if rng.random() < 0.4:
            agents = _pod(rng, (rng.choice(namespaces), f"agent-{node}"), node, addresses)
            pods += [replace(agent, host_network=True) for agent in agents]
    return pods


def _pod(
    rng: random.Random, name: tuple[str, str], node: str, addresses: tuple[str, ...]
) -> list[Pod]:
    """Return one pod, once for each of its addresses."""
    labels = _labels(rng, POD_LABELS, missing=0.35)
    ports = tuple(rng.sample(PORTS, rng.randint(0, 4)))
    phase = rng.choices(["Running", "Pending", "Succeeded", "Failed"], [88, 2, 5, 5])[0]
    return [Pod(*name, labels, address, ports, node, phase=phase) for address in addresses]


# -- the policies


def _policies(rng: random.Random, namespaces: list[str]) -> list[Document]:
    """Return a few policies; names repeat over namespaces, never within one."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"policy-{index}", "namespace": namespace},
            "spec": _spec(rng, namespaces),
        }
        for namespace in namespaces
        for index in range(rng.choice([1, 2, 3, 3, 4]))
    ]


def _spec(rng: random.Random, namespaces: list[str]) -> Document:
    """Return a spec whose rules and policyTypes need not agree."""
    shapes = [("ingress",), ("egress",), ("ingress", "egress"), ()]
    directions = rng.choices(shapes, [4, 4, 4, 1])[0]
    spec = _optional(rng, "podSelector", _selector(rng, POD_LABELS), missing=0.15)
    if rng.random() < 0.5:
        types = rng.choice(TYPES)
        spec["policyTypes"] = None if types is None else list(types)
    for direction, peers in (("ingress", "from"), ("egress", "to")):
        if direction in directions:
            rules = [_rule(rng, peers, namespaces) for _ in range(rng.choice([1, 2, 2, 3]))]
            spec |= _optional(rng, direction, rules, missing=0.03)
    return spec


def _optional(rng: random.Random, key: str, value: Any, *, missing: float) -> Document:  # noqa: ANN401 - any JSON
    """Return the field, or now and then none of it: left out, null, empty."""
    if rng.random() >= missing:
        return {key: value}
    nothing: list[Document] = [{}, {key: None}, {key: type(value)()}]
    return rng.choice(nothing)


def _rule(rng: random.Random, key: str, namespaces: list[str]) -> Document:
    if rng.random() < 0.04:
        return {}
    peers = [_peer(rng, namespaces) for _ in range(rng.choice([1, 2, 2, 3]))]
    ports = [_port(rng) for _ in range(rng.choice([1, 2, 3]))]
    return _optional(rng, key, peers, missing=0.25) | _optional(rng, "ports", ports, missing=0.35)


def _peer(rng: random.Random, namespaces: list[str]) -> Document:
    pods = {"podSelector": _selector(rng, POD_LABELS)}
    spaces = {"namespaceSelector": _namespace_selector(rng, namespaces)}
    shapes: list[Document] = [
        pods,
        spaces,
        spaces | pods,
        pods | {"namespaceSelector": None},
        {"ipBlock": _block(rng)},
    ]
    return rng.choices(shapes, [5, 4, 4, 1, 7])[0]


def _namespace_selector(rng: random.Random, namespaces: list[str]) -> Document:
    if rng.random() < 0.7:
        return _selector(rng, NAMESPACE_LABELS)
    return _selector(rng, {NAMESPACE_NAME: tuple(namespaces)})


def _selector(rng: random.Random, choices: dict[str, tuple[str, ...]]) -> Document:
    """Return a selector of few terms, in one of the two spellings or in both."""
    key = rng.choice(list(choices))
    equal = {"matchLabels": {key: rng.choice(choices[key])}}
    terms = {"matchExpressions": [_term(rng, choices) for _ in range(rng.choice([1, 1, 2]))]}
    hollow: Document = {"matchLabels": None, "matchExpressions": []}
    shapes: list[Document] = [{}, hollow, equal, terms, equal | terms]
    return rng.choices(shapes, [2, 1, 6, 7, 2])[0]


def _term(rng: random.Random, choices: dict[str, tuple[str, ...]]) -> Document:
    key = rng.choice(list(choices))
    operator = rng.choices(["In", "NotIn", "Exists", "DoesNotExist"], [3, 4, 2, 3])[0]
    if operator in ("Exists", "DoesNotExist"):
        return {"key": key, "operator": operator}
    count = rng.randint(1, min(2, len(choices[key])))
    return {"key": key, "operator": operator, "values": rng.sample(choices[key], count)}


def _port(rng: random.Random) -> Document:
    name, protocol, number = rng.choice(PORTS)
    first, last = rng.choice(RANGES)
    shapes: list[Document] = [
        {},
        {"port": number},
        {"port": name or "absent"},
        {"port": first, "endPort": last},
    ]
    item = rng.choices(shapes, [1, 4, 4, 5])[0]
    protocol = protocol if rng.random() < 0.6 else "TCP"
    named = protocol != "TCP" or rng.random() < 0.4
    return item | ({"protocol": protocol} if named else {})


def _block(rng: random.Random) -> Document:
    cidr = rng.choice(list(BLOCKS))
    holes = rng.sample(BLOCKS[cidr], rng.randint(0, min(2, len(BLOCKS[cidr]))))
    return {"cidr": cidr} | ({"except": holes} if holes or rng.random() < 0.5 else {})


# -- the traffic


def _version(endpoint: Endpoint) -> int:
    """Return the family of the address; a mapped address is one of IPv4."""
    address = endpoint if isinstance(endpoint, str) else endpoint.address
    return 4 if "." in address else 6


def _external_addresses(policies: list[Document], pods: list[Pod]) -> list[str]:
    """Return far addresses, and those on both sides of every block's edges that no pod holds."""
    held = {pod.address for pod in pods}
    found = dict.fromkeys(FAR_AWAY)
    for text in _blocks(policies):
        block = ipaddress.ip_network(text, strict=False)
        first, last = int(block.network_address), int(block.broadcast_address)
        for number in (first - 1, first, last, last + 1):
            if 0 < number < 2**block.max_prefixlen - 1:
                address = type(block.network_address)(number)
                found[str(getattr(address, "ipv4_mapped", None) or address)] = None
    return [address for address in found if address not in held]


def _rules(policies: list[Document]) -> Iterator[Document]:
    for policy in policies:
        for direction in ("ingress", "egress"):
            yield from policy["spec"].get(direction) or ()


def _blocks(policies: list[Document]) -> Iterator[str]:
    """Yield every block and hole."""
    for rule in _rules(policies):
        for peer in rule.get("from") or rule.get("to") or ():
            if "ipBlock" in peer:
                yield peer["ipBlock"]["cidr"]
                yield from peer["ipBlock"].get("except", ())


def ports_of(policies: list[Document]) -> list[tuple[str, int]]:
    """Return protocols and ports: those of pods, and both sides of every range's borders."""
    found = dict.fromkeys((protocol, number) for _, protocol, number in PORTS)
    for rule in _rules(policies):
        for item in rule.get("ports") or ():
            first = item.get("port")
            if isinstance(first, int):
                last = item.get("endPort", first)
                for port in (first - 1, first, last, last + 1):
                    if 1 <= port <= 65535:
                        found[item.get("protocol", "TCP"), port] = None
    return list(found)


class _Traffic:
    """The flows of one cluster; both ends of each have addresses of one family."""

    def __init__(self, rng: random.Random, pods: list[Pod], policies: list[Document]) -> None:
        self._rng = rng
        self._ports = ports_of(policies)
        outside = _external_addresses(policies, pods)
        self._pods = {v: [pod for pod in pods if _version(pod) == v] for v in (4, 6)}
        self._outside = {v: [text for text in outside if _version(text) == v] for v in (4, 6)}
        self._versions = [v for v in (4, 4, 4, 6) if self._pods[v]]

    def flow(self) -> Flow:
        """Return the next flow."""
        version = self._rng.choice(self._versions)
        client, server = self._ends(version)
        protocol, port = self._port(server)
        own_node = isinstance(server, Pod) and _address(client) in NODES[server.node]
        to_node = isinstance(client, Pod) and _address(server) in NODES[client.node]
        seen = client if own_node or to_node else self._seen(client, server)
        flow = Flow(client, seen, server, protocol, port, same_node=own_node, to_node=to_node)
        return self._through_a_service(flow, version)

    def _through_a_service(self, flow: Flow, version: int) -> Flow:
        """Return the flow, of some as if the client had asked for a Service."""
        if not isinstance(flow.server, Pod) or flow.same_node or self._rng.random() >= SERVED:
            return flow
        asked = self._rng.choice(SERVICES[version])
        return replace(flow, asked=asked, asked_port=self._rng.choice(self._ports)[1])

    def _ends(self, version: int) -> tuple[Endpoint, Endpoint]:
        """Return client and server: of 100 flows, so many of each shape."""
        one = self._rng.choice(self._pods[version])
        other = self._rng.choice([pod for pod in self._pods[version] if pod is not one] or [one])
        outside = self._rng.choice(self._outside[version])
        node = NODES[one.node][version == 6]
        shapes: list[tuple[Endpoint, Endpoint]] = [
            (one, other),
            (outside, one),
            (one, outside),
            (one, one),
            (node, one),
            (one, node),
        ]
        return self._rng.choices(shapes, [55, 18, 16, 3, 5, 3])[0]

    def _port(self, server: Endpoint) -> tuple[str, int]:
        """Return often a port that the server declares, else one of a border, or any."""
        declared = server.ports if isinstance(server, Pod) else ()
        if declared and self._rng.random() < 0.5:
            _, protocol, port = self._rng.choice(declared)
        else:
            protocol, port = self._rng.choice(self._ports)
        swapped = self._rng.random() < 0.08
        return (self._rng.choice(PROTOCOLS) if swapped else protocol), port

    def _seen(self, client: Endpoint, server: Endpoint) -> Endpoint:
        """Return the client, or now and then another node that masquerades it."""
        if isinstance(server, str) or self._rng.random() >= 0.08:
            return client
        other = next(node for node in NODES if node != server.node)
        address = NODES[other][_version(client) == 6]
        hosts = [pod for pod in self._pods[_version(client)] if pod.address == address]
        seen: list[Endpoint] = [address, *hosts]
        return self._rng.choice(seen)


def _address(endpoint: Endpoint) -> str:
    return endpoint if isinstance(endpoint, str) else endpoint.address
