"""The peer terms that name an endpoint, as the subject of a rule sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.learner.model import Role
from synth.learner.networks import within
from synth.policy.address import IpBlock, Network, parse_network
from synth.policy.model import AddressPeer, Peer, PodPeer
from synth.policy.selector import Selector

NAMESPACE_NAME = "kubernetes.io/metadata.name"
DERIVED_NODE_PREFIX = {4: 24, 6: 64}
"""Node subnets, where nobody declares them, are taken to be of this size around each node."""


@dataclass(frozen=True, slots=True)
class Peers:
    """Names endpoints as peers: pods by their role, nodes by subnet, addresses exactly."""

    role_of: Mapping[tuple[str, str], Role]
    """Namespace and workload key → role."""
    nodes: tuple[Network, ...]

    @classmethod
    def of(cls, inventory: Inventory, roles: Sequence[Role]) -> "Peers":
        """Return the names of the inventory's endpoints."""
        role_of = {(role.namespace, key): role for role in roles for key in role.workloads}
        return cls(role_of, node_subnets(inventory))

    def name(self, endpoint: Endpoint, namespace: str) -> tuple[Peer, ...]:
        """Return the peer terms of the endpoint for a policy of the namespace.

        Empty if it cannot be named: pods whose role has no exact selector, or that have none. An
        ambiguous endpoint is all of its candidates, save those of workloads that are gone.
        """
        if endpoint.kind is Kind.AMBIGUOUS:
            return self._name_all(endpoint.candidates, namespace)
        if endpoint.kind is Kind.POD:
            role = self.role_of.get((endpoint.namespace, endpoint.workload))
            return () if role is None else pod_peer(role, namespace)
        if endpoint.kind is Kind.NODE:
            return tuple(AddressPeer(IpBlock(one)) for one in self._subnets(endpoint))
        if endpoint.kind is Kind.ADDRESS:
            return (AddressPeer(IpBlock(parse_network(endpoint.address))),)
        return ()

    def _name_all(self, candidates: Sequence[Endpoint], namespace: str) -> tuple[Peer, ...]:
        present = [
            one
            for one in candidates
            if one.kind is not Kind.POD or (one.namespace, one.workload) in self.role_of
        ]
        named = [self.name(one, namespace) for one in present]
        peers = {peer for some in named for peer in some} if all(named) else set()
        return tuple(sorted(peers, key=lambda peer: peer.sort_key))

    def _subnets(self, endpoint: Endpoint) -> tuple[Network, ...]:
        if not endpoint.address:
            return self.nodes
        address = ip_address(endpoint.address)
        around = tuple(one for one in self.nodes if address in one)
        if any(one.num_addresses == 1 for one in around):
            # What runs on this node's network today may run on another's tomorrow.
            same = (one for one in self.nodes if one.version == address.version)
            return tuple(one for one in same if one.num_addresses == 1)
        return around or (parse_network(endpoint.address),)


def pod_peer(role: Role, namespace: str) -> tuple[Peer, ...]:
    """Return the role as a peer in a policy of the namespace; empty if it has no selector."""
    if role.selector is None:
        return ()
    if role.namespace == namespace:
        return (PodPeer(role.selector),)
    return (PodPeer(role.selector, Selector.equal({NAMESPACE_NAME: role.namespace})),)


def node_subnets(inventory: Inventory) -> tuple[Network, ...]:
    """Return the subnets of the nodes: as declared, else the /24 (/64) around each node.

    None of them is inside another. Where pods live in such a /24, a policy that admits it would
    admit them, so there the node stands for itself alone.
    """
    own = (pod for pod in inventory.pods if not pod.host_network)
    shared = {_around(address) for pod in own for address in pod.addresses}
    around = {parse_network(one) for one in inventory.ranges.nodes} or {
        parse_network(address) if _around(address) in shared else _around(address)
        for node in inventory.nodes
        for address in node.addresses
    }
    widest = (one for one in around if not any(within(one, other) for other in around - {one}))
    return tuple(sorted(widest, key=_order))


def _around(address: str) -> Network:
    prefix = DERIVED_NODE_PREFIX[ip_address(address).version]
    return ip_network(f"{address}/{prefix}", strict=False)


def _order(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen
