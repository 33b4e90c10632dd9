"""Declared openings: what must be admitted though a log may never show it, listed apart."""

from collections.abc import Sequence
from dataclasses import dataclass

from synth.inventory.listeners import exposed_ports, service_listeners
from synth.inventory.model import Inventory, Service
from synth.learner.model import Role, RuleEvidence
from synth.learner.peers import Peers, node_subnets, pod_peer
from synth.learner.system import NODE_LOCAL_DNS, dns_services
from synth.policy.address import IpBlock, Network, parse_network
from synth.policy.model import AddressPeer, Peer, Rule
from synth.policy.ports import PortRange, PortSet, Protocol

_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class Openings:
    """The declared openings of a cluster."""

    inventory: Inventory
    peers: Peers

    def egress(self, role: Role) -> tuple[RuleEvidence, ...]:
        """Return what an isolated role must still be able to open: the cluster's DNS."""
        found: dict[Role, PortSet] = {}
        names = {(service.namespace, service.name) for service in dns_services(self.inventory)}
        for service, (namespace, workload, protocol, port) in service_listeners(self.inventory):
            server = self.peers.role_of.get((namespace, workload))
            if (service.namespace, service.name) in names and server is not None:
                wanted = PortSet.port(_PROTOCOLS[protocol], port)
                found[server] = found.get(server, PortSet()) | wanted
        rules = [
            RuleEvidence(Rule(peer, ports), declared="cluster DNS")
            for server, ports in found.items()
            if (peer := pod_peer(server, role.namespace))
        ]
        return tuple(sorted([*rules, *self._node_local_dns()], key=_order))

    def ingress(self, role: Role) -> tuple[RuleEvidence, ...]:
        """Return what an isolated role must still admit: users of Services declared exposed."""
        shown = exposed_ports(self.inventory)
        rules = [
            self._exposed(service, protocol, port)
            for workload in role.workloads
            for service, protocol, port in shown.get((role.namespace, workload), ())
        ]
        return tuple(sorted(rules, key=_order))

    def _exposed(self, service: Service, protocol: int, port: int) -> RuleEvidence:
        peers = self._users(service)
        rule = Rule(peers, PortSet((PortRange(_PROTOCOLS[protocol], port, port),)))
        widened = sum(peer.block.size for peer in peers if isinstance(peer, AddressPeer))
        name = f"users of Service {service.namespace}/{service.name}"
        return RuleEvidence(rule, declared=name, widened=widened)

    def _users(self, service: Service) -> tuple[Peer, ...]:
        """Return the declared clients: source ranges, else the world but the pod ranges.

        Under ``externalTrafficPolicy: Cluster`` they arrive as nodes, so those are added.
        """
        wide = service.source_ranges or _world(self.inventory)
        blocks = [_without_pods(parse_network(one), self.inventory) for one in wide]
        if service.external_traffic_policy == "Cluster":
            blocks += [IpBlock(one) for one in node_subnets(self.inventory)]
        return tuple(AddressPeer(block) for block in blocks)

    def _node_local_dns(self) -> tuple[RuleEvidence, ...]:
        runs = any(one.name == "node-local-dns" for one in self.inventory.workloads)
        if not runs:
            return ()
        peers = (IpBlock.parse(f"{NODE_LOCAL_DNS}/32"), *map(IpBlock, self.peers.nodes))
        ports = PortSet.port(Protocol.TCP, 53) | PortSet.port(Protocol.UDP, 53)
        rule = Rule(tuple(map(AddressPeer, peers)), ports)
        return (RuleEvidence(rule, declared="NodeLocal DNSCache"),)


def _world(inventory: Inventory) -> tuple[str, ...]:
    families = {parse_network(one).version for one in inventory.ranges.pods}
    addresses = [":" in one for pod in inventory.pods for one in pod.addresses]
    six = 6 in families or any(addresses)  # noqa: PLR2004 - the family
    return ("0.0.0.0/0", "::/0") if six else ("0.0.0.0/0",)


def _without_pods(network: Network, inventory: Inventory) -> IpBlock:
    ranges = [parse_network(one) for one in inventory.ranges.pods]
    holes = [
        one
        for one in ranges
        if one.version == network.version
        and one != network
        and int(network.network_address) <= int(one.network_address)
        and int(one.broadcast_address) <= int(network.broadcast_address)
    ]
    return IpBlock(network, tuple(holes))


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
        cidr = peer.block.cidr
        inside = wide.block.contains(cidr.network_address)
        return inside and wide.block.contains(cidr.broadcast_address)
    return wide == peer
