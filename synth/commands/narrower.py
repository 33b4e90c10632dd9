"""What rules admitted that others do not, whatever words either uses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from synth.evaluator.members import members
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Labels
from synth.inventory.volatile import without_volatile
from synth.learner.networks import overlap, within
from synth.learner.selectors import selects
from synth.policy.address import IpBlock, Network
from synth.policy.model import AddressPeer, Peer, PodPeer, Policy, Rule
from synth.policy.ports import PortSet
from synth.policy.selector import Selector

Picked = frozenset[tuple[str, int]]
"""Classes of pods: namespace, and number in it."""


@dataclass(frozen=True)
class Pods:
    """Every class of pods that is there, and those that templates would make, by namespace."""

    by_namespace: Mapping[str, Sequence[Endpoint]]
    namespace_labels: Mapping[str, Mapping[str, str]]
    known: dict[tuple[str, Selector], Picked] = field(default_factory=dict)

    @classmethod
    def of(cls, inventory: Inventory) -> "Pods":
        """Return the pods of the inventory."""
        live = [one for one in inventory.pods if one.end is None]
        there = [(one.namespace, one.workload, one.labels) for one in live]
        made = [
            (one.namespace, one.key, one.template_labels)
            for one in inventory.workloads
            if one.exists and one.template_labels is not None
        ]
        found: dict[str, set[Endpoint]] = defaultdict(set)
        for namespace, workload, labels in (*there, *made):
            kept: Labels = without_volatile(labels, inventory.mentioned)
            found[namespace].add(Endpoint(Kind.POD, namespace, workload, kept))
        ordered = {namespace: sorted(some) for namespace, some in found.items()}
        return cls(ordered, inventory.namespace_labels)

    def of_policy(self, policy: Policy) -> Picked:
        """Return the pods that the policy is about."""
        return self._members(policy.pods, policy.namespace)

    def of_peer(self, peer: PodPeer, namespace: str) -> Picked:
        """Return the pods that the peer names in a policy of the namespace."""
        if peer.namespaces is None:
            return self._members(peer.pods, namespace)
        some = (
            self._members(peer.pods, name)
            for name in self.by_namespace
            if selects(peer.namespaces, self.namespace_labels.get(name, {}))
        )
        return frozenset().union(*some)

    def names(self, picked: Picked) -> tuple[str, ...]:
        """Return the names of the workloads, sorted."""
        return tuple(sorted({self.by_namespace[name][at].name for name, at in picked}))

    def _members(self, selector: Selector, namespace: str) -> Picked:
        key = namespace, selector
        if key not in self.known:
            picked = members(selector, namespace, self.by_namespace.get(namespace, ()))
            self.known[key] = frozenset((namespace, number) for number in picked.tolist())
        return self.known[key]


def lost_rules(
    before: Iterable[Rule], after: Sequence[Rule], namespace: str, pods: Pods
) -> Iterator[Rule]:
    """Yield what the rules admitted before and do not after, one peer at a time."""
    for rule in before:
        if rule.everyone:
            ports = _minus(rule.ports, (one.ports for one in after if one.everyone))
            if ports:
                yield replace(rule, ports=ports)
        for peer in rule.peers:
            ports = _lost_ports(peer, rule.ports, after, (namespace, pods))
            if ports:
                yield Rule((peer,), ports)


def _lost_ports(
    peer: Peer, ports: PortSet, after: Sequence[Rule], world: tuple[str, Pods]
) -> PortSet:
    """Return the ports on which some of the peer is admitted no longer."""
    left = _minus(ports, (one.ports for one in after if one.everyone or peer in one.peers))
    if not left:
        return left
    if isinstance(peer, AddressPeer):
        terms = (PortSet.of(one) for one in left.terms)
        lost = (one for one in terms if _cut_off(peer.block, after, one))
        return PortSet.of(*(term for one in lost for term in one.terms))
    return _lost_to_pods(peer, left, after, world)


def _lost_to_pods(
    peer: PodPeer, ports: PortSet, after: Sequence[Rule], world: tuple[str, Pods]
) -> PortSet:
    """Return the ports on which a pod is admitted no longer; of a peer without pods, all."""
    namespace, pods = world
    picked = pods.of_peer(peer, namespace)
    admitted = [
        (pods.of_peer(one, namespace), rule.ports)
        for rule in after
        for one in rule.peers
        if isinstance(one, PodPeer)
    ]
    if not picked:
        return ports
    lost = PortSet()
    for pod in sorted(picked):
        lost |= _minus(ports, (some for others, some in admitted if pod in others))
    return lost


def _cut_off(block: IpBlock, after: Sequence[Rule], ports: PortSet) -> bool:
    """Return whether some address of the block is in no block of the rules on these ports."""
    left = _without_holes([block.cidr], block.excepts)
    for rule in after:
        if ports <= rule.ports:
            for other in rule.peers:
                if isinstance(other, AddressPeer):
                    left = _outside(left, other.block)
    return bool(left)


def _outside(networks: Sequence[Network], block: IpBlock) -> list[Network]:
    """Return what of the networks the block does not hold."""
    holes = [
        one if within(one, hole) else hole
        for one in networks
        for hole in block.excepts
        if overlap(one, hole)
    ]
    return [*_without_holes(networks, [block.cidr]), *holes]


def _without_holes(networks: Iterable[Network], holes: Iterable[Network]) -> list[Network]:
    left = list(networks)
    for hole in holes:
        left = [piece for one in left for piece in _pieces(one, hole)]
    return left


def _pieces(network: Network, hole: Network) -> Iterable[Network]:
    if not overlap(network, hole):
        return (network,)
    if within(network, hole):
        return ()
    return network.address_exclude(hole)  # type: ignore[arg-type]


def _minus(ports: PortSet, others: Iterable[PortSet]) -> PortSet:
    for other in others:
        ports -= other
    return ports
