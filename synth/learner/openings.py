"""Declared openings: what must be admitted though a log may never show it, listed apart."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from synth.inventory.listeners import exposed_ports, service_listeners
from synth.inventory.model import Inventory, Service
from synth.learner.model import Role, RuleEvidence
from synth.learner.networks import overlap, within
from synth.learner.peers import Peers, pod_peer
from synth.learner.system import (
    DNS_PORT,
    dns_listeners,
    node_local_dns,
)
from synth.learner.workloads import Key
from synth.policy.address import IpBlock, Network, parse_network
from synth.policy.model import AddressPeer, Peer, Rule
from synth.policy.ports import PortSet, Protocol

_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}
Shown = Mapping[Key, Sequence[tuple[Service, int, int]]]
"""Workload → Services with IANA protocol number and target port."""


@dataclass(frozen=True, slots=True)
class Openings:
    """The declared openings of a cluster.

    ``dns`` are the roles that serve the cluster's DNS, ``exposed`` the Services with users
    outside, ``called`` those whose callers, the API servers, a person let in.
    """

    inventory: Inventory
    peers: Peers
    dns: tuple[tuple[Role, PortSet], ...]
    exposed: Shown
    called: Shown
    caches: tuple[RuleEvidence, ...]
    """What opens the nodes' own cache of the cluster's DNS, if they run one."""

    @classmethod
    def of(cls, inventory: Inventory, peers: Peers, called: frozenset[str] = frozenset()) -> Self:
        """Return the openings; ``called`` names Services, as ``namespace/name``."""
        calls: dict[Key, list[tuple[Service, int, int]]] = defaultdict(list)
        for service, (namespace, workload, protocol, port) in service_listeners(inventory):
            if f"{service.namespace}/{service.name}" in called:
                calls[namespace, workload].append((service, protocol, port))
        return cls(
            inventory,
            peers,
            _dns(inventory, peers),
            exposed_ports(inventory),
            calls,
            _node_local_dns(inventory, peers),
        )

    def egress(self, role: Role) -> tuple[RuleEvidence, ...]:
        """Return what an isolated role must still be able to open: the cluster's DNS."""
        rules = [
            RuleEvidence(Rule(peer, ports), declared="cluster DNS")
            for server, ports in self.dns
            if (peer := pod_peer(server, role.namespace))
        ]
        return tuple(sorted([*rules, *self.caches], key=_order))

    def ingress(self, role: Role) -> tuple[RuleEvidence, ...]:
        """Return what an isolated role must still admit: users of Services declared exposed."""
        names: dict[Rule, set[str]] = defaultdict(set)
        for words, shown in (("users of", self.exposed), ("API server calls", self.called)):
            for service, protocol, port in _own(role, shown):
                ports = PortSet.port(_PROTOCOLS[protocol], port)
                rule = Rule(self._users(service), ports)
                names[rule].add(f"{words} Service {service.namespace}/{service.name}")
        rules = [
            RuleEvidence(rule, declared="; ".join(sorted(some)), widened=_addresses(rule))
            for rule, some in names.items()
        ]
        return tuple(sorted(rules, key=_order))

    def _users(self, service: Service) -> tuple[Peer, ...]:
        """Return the declared clients: source ranges, else the world but the pod ranges.

        Under ``externalTrafficPolicy: Cluster`` they arrive as nodes, so those are added.
        """
        balanced = service.type == "LoadBalancer"  # nobody else heeds source ranges
        wide = (balanced and service.source_ranges) or _world(self.inventory)
        blocks = [_without_pods(parse_network(one), self.inventory) for one in wide]
        if service.external_traffic_policy == "Cluster":
            blocks += [
                IpBlock(one)
                for one in self.peers.nodes
                if not any(_inside(one, block) for block in blocks)
            ]
        return tuple(AddressPeer(block) for block in blocks)

    def warnings(self, ingress: Sequence[RuleEvidence]) -> tuple[str, ...]:
        """Return what is missing for these rules."""
        found = []
        world = [one for one in ingress if one.declared and _whole_world(one.rule)]
        if world and not self.inventory.ranges.pods:
            found.append(
                f"the pod ranges are not known, so that {world[0].declared} are admitted together "
                "with every pod: name the ranges with --pod-cidr"
            )
        return tuple(found)


def _dns(inventory: Inventory, peers: Peers) -> tuple[tuple[Role, PortSet], ...]:
    found: dict[Key, PortSet] = {}
    for namespace, workload, protocol, port in dns_listeners(inventory):
        before = found.get((namespace, workload), PortSet())
        found[namespace, workload] = before | PortSet.port(_PROTOCOLS[protocol], port)
    return tuple(
        (peers.role_of[key], ports)
        for key, ports in sorted(found.items(), key=lambda one: one[0])
        if key in peers.role_of
    )


def _node_local_dns(inventory: Inventory, peers: Peers) -> tuple[RuleEvidence, ...]:
    caches = node_local_dns(inventory)
    if not caches:
        return ()
    blocks = (*(IpBlock.parse(f"{one}/32") for one in caches), *map(IpBlock, peers.nodes))
    ports = PortSet.port(Protocol.TCP, DNS_PORT) | PortSet.port(Protocol.UDP, DNS_PORT)
    rule = Rule(tuple(map(AddressPeer, blocks)), ports)
    return (RuleEvidence(rule, declared="NodeLocal DNSCache", widened=_addresses(rule)),)


def _own(role: Role, shown: Shown) -> Iterator[tuple[Service, int, int]]:
    for workload in role.workloads:
        yield from shown.get((role.namespace, workload), ())


def _addresses(rule: Rule) -> int:
    return sum(peer.block.size for peer in rule.peers if isinstance(peer, AddressPeer))


def _whole_world(rule: Rule) -> bool:
    blocks = [peer.block for peer in rule.peers if isinstance(peer, AddressPeer)]
    return any(block.cidr.prefixlen == 0 for block in blocks)


def _world(inventory: Inventory) -> tuple[str, ...]:
    families = {parse_network(one).version for one in inventory.ranges.pods}
    addresses = [":" in one for pod in inventory.pods for one in pod.addresses]
    six = 6 in families or any(addresses)  # noqa: PLR2004 - the family
    return ("0.0.0.0/0", "::/0") if six else ("0.0.0.0/0",)


def _without_pods(network: Network, inventory: Inventory) -> IpBlock:
    ranges = map(parse_network, inventory.ranges.pods)
    return IpBlock(network, tuple(one for one in ranges if one != network and within(one, network)))


def _order(evidence: RuleEvidence) -> tuple[object, ...]:
    return evidence.rule.sort_key


def admitting(declared: Sequence[RuleEvidence], peer: Peer, ports: PortSet) -> RuleEvidence | None:
    """Return the first declared rule that by itself admits the peer on the ports."""
    for evidence in declared:
        if ports <= evidence.rule.ports and any(_holds(one, peer) for one in evidence.rule.peers):
            return evidence
    return None


def _holds(wide: Peer, peer: Peer) -> bool:
    if isinstance(wide, AddressPeer) and isinstance(peer, AddressPeer):
        return _inside(peer.block.cidr, wide.block)
    return wide == peer


def _inside(network: Network, block: IpBlock) -> bool:
    return within(network, block.cidr) and not any(overlap(network, one) for one in block.excepts)
