"""What a plugin ignores or refuses of given policies, rule by rule."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from synth.cni.addresses import Held, listed
from synth.cni.claims import Feature, Value
from synth.cni.recognise import Recognised
from synth.cni.shortfall import Place, Shortfall
from synth.inventory.model import Inventory, Service
from synth.policy.address import IpBlock
from synth.policy.model import AddressPeer, Direction, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import Protocol

MOST_PORTS: Final = 24
"""How many ports of a rule the AWS VPC CNI takes, the one plugin known to have such a limit."""
_FAMILIES: Final = {4: "IPv4", 6: "IPv6"}


@dataclass(frozen=True, slots=True)
class Written:
    """A rule at its place."""

    place: Place
    direction: Direction
    rule: Rule

    @property
    def blocks(self) -> tuple[IpBlock, ...]:
        """The ipBlocks of the rule."""
        return tuple(one.block for one in self.rule.peers if isinstance(one, AddressPeer))


Use = Callable[[Written, Held], Iterator[tuple[Feature, str]]]
"""Yields the features that a rule uses, each with the words for what uses it."""


def review(
    found: Recognised, policies: PolicySet, inventory: Inventory
) -> tuple[tuple[Shortfall, ...], tuple[Feature, ...]]:
    """Return what the plugin would not do as written, and the used features nobody knows about.

    If nothing is enforced at all, that is the only shortfall.
    """
    if found.profile is None or not len(policies):
        return (), ()
    enforces = found.claim(Feature.ENFORCES)
    whole = Shortfall(Place(), "what all policies say", enforces)
    if enforces.value is Value.NO:
        return (whole,), ()
    used = list(_uses(policies, Held.of(inventory), inventory))
    short = [
        Shortfall(place, what, found.claim(feature))
        for place, feature, what in used
        if found.claim(feature).value in (_BAD[feature], Value.PARTLY)
    ]
    unsure = {
        feature for _, feature, _ in used if found.claim(feature).value is Value.UNKNOWN
    } - _ONE_PLUGIN_ONLY
    first = (whole,) if enforces.value is Value.PARTLY else ()
    return (*first, *dict.fromkeys(short)), tuple(one for one in Feature if one in unsure)


_BAD: Final = dict.fromkeys(Feature, Value.NO) | {Feature.RULE_LIMITS: Value.YES}
"""The answer that makes a use of the feature a shortfall."""

_ONE_PLUGIN_ONLY: Final = frozenset(
    {Feature.RULE_LIMITS, Feature.BARE_PODS, Feature.AFTER_DNAT, Feature.SELECTORS}
)
"""Features that only a plugin with an oddity of its own has claims about."""


def _uses(
    policies: PolicySet, held: Held, inventory: Inventory
) -> Iterator[tuple[Place, Feature, str]]:
    for policy in policies:
        if not policy.pods.everything:
            yield Place(str(policy)), Feature.SELECTORS, f"the selector {policy.pods}"
        if policy.egress is not None:
            yield Place.of(policy, Direction.EGRESS), Feature.EGRESS, "egress"
        for written in _written(policy):
            for use in USES:
                for feature, what in use(written, held):
                    yield written.place, feature, what
    yield from _cluster_uses(policies, inventory)


def _written(policy: Policy) -> Iterator[Written]:
    for direction in Direction:
        for index, rule in enumerate(policy.rules(direction) or ()):
            yield Written(Place.of(policy, direction, index), direction, rule)


def _named_ports(written: Written, _held: Held) -> Iterator[tuple[Feature, str]]:
    if written.rule.ports.names:
        names = ", ".join(map(str, written.rule.ports.names))
        if written.direction is Direction.INGRESS:
            yield Feature.NAMED_PORTS_INGRESS, f"the named port {names}"
        else:
            yield Feature.NAMED_PORTS_EGRESS, f"the named port {names}"


def _ranges(written: Written, _held: Held) -> Iterator[tuple[Feature, str]]:
    some = [one for one in written.rule.ports.ranges if one.first < one.last and not one.every]
    if some and not written.rule.ports.unrestricted:
        yield Feature.END_PORT, f"the range {', '.join(map(str, some))} (as endPort)"


def _sctp(written: Written, _held: Held) -> Iterator[tuple[Feature, str]]:
    terms = [one for one in written.rule.ports.terms if one.protocol is Protocol.SCTP]
    if terms and not written.rule.ports.unrestricted:
        yield Feature.SCTP, ", ".join(map(str, terms))


def _blocks(written: Written, held: Held) -> Iterator[tuple[Feature, str]]:
    for block in written.blocks:
        yield Feature.IP_BLOCK, f"the ipBlock {block}"
        if block.excepts:
            yield Feature.EXCEPT, f"the except {', '.join(map(str, block.excepts))} of {block.cidr}"
        if held.versions and block.cidr.version not in held.versions:
            family = _FAMILIES[block.cidr.version]
            yield Feature.DUAL_STACK, f"the {family} block {block}, with no {family} pod,"
        if len(held.versions) > 1:
            yield Feature.DUAL_STACK, f"the block {block}, with pods of both families,"


def _holders(written: Written, held: Held) -> Iterator[tuple[Feature, str]]:
    for block in written.blocks:
        for feature, what in (
            (Feature.IP_BLOCK_PODS, held.pods.inside(block)),
            (Feature.IP_BLOCK_NODES, held.nodes.inside(block)),
        ):
            if what:
                yield feature, what


def _many_ports(written: Written, _held: Held) -> Iterator[tuple[Feature, str]]:
    count = len(written.rule.ports.terms)
    if count > MOST_PORTS:
        yield Feature.RULE_LIMITS, f"the number of ports, {count},"


USES: Final[tuple[Use, ...]] = (_named_ports, _ranges, _sctp, _blocks, _holders, _many_ports)


def _cluster_uses(
    policies: PolicySet, inventory: Inventory
) -> Iterator[tuple[Place, Feature, str]]:
    """Yield what no single rule is to blame for."""
    moved = [f"{one.namespace}/{one.name}" for one in inventory.services if _moves_port(one)]
    to_pods = any(
        isinstance(peer, PodPeer)
        for policy in policies
        for rule in policy.egress or ()
        for peer in rule.peers
    )
    if moved and to_pods:
        what = f"calls through Services whose port is not the container's ({listed(moved)})"
        yield Place(), Feature.AFTER_DNAT, what
    bare = sorted(
        f"{pod.namespace}/{pod.name}"
        for pod in inventory.pods
        if pod.end is None and not pod.host_network and pod.workload.startswith("Pod/")
    )
    if bare:
        yield Place(), Feature.BARE_PODS, f"pods without an owner ({listed(bare)})"


def _moves_port(service: Service) -> bool:
    """Return whether the Service is known to answer on another port than its pods."""
    if not service.selector or not service.addresses:
        return False
    return any(isinstance(one.target, int) and one.target != one.port for one in service.ports)
