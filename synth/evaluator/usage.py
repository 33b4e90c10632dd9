"""What policies are used for: the rules that admit traffic, and the policies that see none."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.admits import admissions
from synth.evaluator.bits import Mask
from synth.evaluator.compile import Compiled
from synth.evaluator.sides import RuleRef
from synth.evaluator.traffic import Traffic
from synth.policy.model import AddressPeer, Direction, PodPeer, Policy, PolicySet, Rule


@dataclass(frozen=True, slots=True)
class RuleUse:
    """A rule, and how many edges and records it admits; what several admit counts for each."""

    ref: RuleRef
    rule: Rule
    edges: int
    records: int

    @property
    def used(self) -> bool:
        """Whether the rule admits any traffic."""
        return self.edges > 0


def rule_uses(
    policies: PolicySet, compiled: Compiled, traffic: Traffic, records: NDArray[np.int64]
) -> tuple[RuleUse, ...]:
    """Return the use of every rule, in the order of policies, ingress first.

    Of an ambiguous end, a rule that admits any candidate is used.
    """
    return tuple(
        sorted(
            (
                use
                for direction in Direction
                for use in _side_uses(policies, compiled, traffic, records, direction)
            ),
            key=lambda use: (use.ref.namespace, use.ref.policy, use.ref.direction != "Ingress"),
        )
    )


def _side_uses(
    policies: PolicySet,
    compiled: Compiled,
    traffic: Traffic,
    records: NDArray[np.int64],
    direction: Direction,
) -> Iterator[RuleUse]:
    found = admissions(compiled, traffic, direction)
    written = {policy.key: policy.rules(direction) or () for policy in policies}
    edges = np.bincount(found.rule, minlength=len(found.refs))
    held = np.zeros(len(found.refs), np.int64)
    np.add.at(held, found.rule, records[found.row])
    for number, ref in enumerate(found.refs):
        rule = written[ref.namespace, ref.policy][ref.index]
        yield RuleUse(ref, rule, int(edges[number]), int(held[number]))


def isolated_ends(compiled: Compiled, direction: Direction) -> Mask:
    """Return bool[concrete endpoints]: whether some policy isolates it in the direction."""
    isolated: Mask = compiled.sides[direction].group[compiled.class_of] >= 0
    return isolated


def isolating_policies(
    compiled: Compiled, ends: NDArray[np.integer], direction: Direction
) -> frozenset[tuple[str, str]]:
    """Return the policies (namespace, name) that isolate any of these endpoints."""
    side = compiled.sides[direction]
    concrete = [compiled.choices[one] for one in np.unique(ends).tolist()]
    classes = compiled.class_of[np.concatenate([*concrete, np.zeros(0, np.int32)])]
    groups = np.unique(side.group[classes])
    return frozenset(
        side.names[one] for group in groups if group >= 0 for one in side.policies[group]
    )


def subjects(traffic: Traffic, direction: Direction) -> NDArray[np.int32]:
    """Return the endpoints that are, or of undecided rows may be, the direction's subject."""
    subject, other = traffic.client, traffic.server
    if direction is Direction.INGRESS:
        subject, other = other, subject
    return np.unique(np.concatenate([subject, other[~traffic.decided]]))


def breadth(rule: Rule) -> tuple[str, ...]:
    """Return in what the rule knows no bounds: peers, ports, or both.

    >>> breadth(Rule())
    ('everyone', 'every port')
    """
    peers = [_wide(peer) for peer in rule.peers] or ["everyone"]
    ports = [f"every {one.protocol} port" for one in rule.ports.ranges if one.every]
    every = ["every port"] if rule.ports.unrestricted else ports
    return tuple(dict.fromkeys([*filter(None, peers), *every]))


def _wide(peer: PodPeer | AddressPeer) -> str:
    if isinstance(peer, AddressPeer):
        return f"every address of {peer.block}" if not peer.block.cidr.prefixlen else ""
    everywhere = peer.namespaces is not None and peer.namespaces.everything
    return str(peer) if everywhere and peer.pods.everything else ""


def rules_of(policy: Policy) -> Iterator[tuple[RuleRef, Rule]]:
    """Yield the rules of the policy with their names, ingress first."""
    for direction in Direction:
        for index, rule in enumerate(policy.rules(direction) or ()):
            yield RuleRef(*policy.key, direction, index), rule
