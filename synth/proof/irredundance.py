"""Whether every part of the learned rules is needed: nothing can go without denying something."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges
from synth.evaluator.compile import Namespaces
from synth.evaluator.members import members
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.learner.model import Learned, Screen, Screening
from synth.policy.model import Direction, Policy, PolicySet, Rule
from synth.policy.ports import PortSet

Declared = Mapping[tuple[str, str, Direction], frozenset[Rule]]
"""Namespace, policy name and direction → rules that are declared, and so exempt."""


@dataclass(frozen=True, slots=True, order=True)
class Redundancy:
    """A part of a policy that could be taken away: a rule, or a peer or port term of one.

    ``rule`` is the rule's number in its direction; ``part`` names what is redundant.
    """

    policy: str
    direction: Direction
    rule: int
    part: str

    def __str__(self) -> str:
        """Return ``shop/web Ingress rule 0: TCP 80``."""
        return f"{self.policy} {self.direction} rule {self.rule}: {self.part}"


def redundant(
    policies: PolicySet,
    edges: Edges,
    screening: Screening,
    namespaces: Namespaces,
    declared: Declared | None = None,
) -> tuple[Redundancy, ...]:
    """Return every rule, peer and port term whose removal denies no accepted edge.

    Each direction is judged alone, on the edges that its own side admits: what the other side
    would deny is no reason to keep a rule. Rules in ``declared`` are neither judged nor removed.
    Evidence whose pods carried labels of the past counts for nothing.
    """
    wanted = Traffic.of(edges.take(screening.is_(Screen.ACCEPTED) & edges.decided))
    found: list[Redundancy] = []
    for policy in policies:
        near = [one for one in policies if one.namespace == policy.namespace and one != policy]
        for direction in Direction:
            exempt = (declared or {}).get((*policy.key, direction), frozenset())
            traffic = wanted.take(_concerned(policy, direction, wanted))
            judge = _Judge(traffic, namespaces, direction)
            whole = judge.admitted([*near, policy])
            for rule, part, smaller in _smaller(policy, direction, exempt):
                if not (whole & ~judge.admitted([*near, smaller])).any():
                    found.append(Redundancy(str(policy), direction, rule, part))
    return tuple(sorted(found))


def declared_rules(learned: Learned) -> Declared:
    """Return the rules that were declared, of the learned policies."""
    return {
        (one.role.namespace, learned.policy_of[str(one.role)], one.direction): frozenset(
            evidence.rule for evidence in one.rules if evidence.declared
        )
        for one in learned.subjects
    }


@dataclass(frozen=True, slots=True)
class _Judge:
    traffic: Traffic
    namespaces: Namespaces
    direction: Direction

    def admitted(self, policies: Iterable[Policy]) -> NDArray[np.bool_]:
        """Return bool[n]: the rows that this direction's side lets through."""
        verdicts = evaluate(PolicySet.of(policies), self.traffic, self.namespaces)
        ingress = self.direction is Direction.INGRESS
        return verdicts.ingress_allowed if ingress else verdicts.egress_allowed


def _concerned(policy: Policy, direction: Direction, traffic: Traffic) -> NDArray[np.bool_]:
    """Return bool[n]: the rows on whose side pods of the policy stand, or may stand."""
    picked = members(policy.pods, policy.namespace, traffic.endpoints)
    some = [number for number, one in enumerate(traffic.endpoints) if one.candidates]
    side = traffic.server if direction is Direction.INGRESS else traffic.client
    return np.isin(side, [*picked.tolist(), *some])


def _smaller(
    policy: Policy, direction: Direction, exempt: frozenset[Rule]
) -> Iterator[tuple[int, str, Policy]]:
    """Yield each way to make the policy smaller: rule number, what goes, the policy then."""
    rules = policy.rules(direction) or ()
    for number, rule in enumerate(rules):
        if rule in exempt:
            continue
        rest = rules[:number], rules[number + 1 :]
        yield number, f"all of {rule}", _with(policy, direction, (*rest[0], *rest[1]))
        for part, smaller in _parts(rule):
            yield number, part, _with(policy, direction, (*rest[0], smaller, *rest[1]))


def _parts(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield the rule without each of its peers and port terms, as far as others are left."""
    for peer in rule.peers if len(rule.peers) > 1 else ():
        left = tuple(one for one in rule.peers if one != peer)
        yield str(peer), replace(rule, peers=left)
    terms = rule.ports.terms
    for term in terms if len(terms) > 1 else ():
        ports = PortSet.of(*(one for one in terms if one != term))
        yield str(term), replace(rule, ports=ports)


def _with(policy: Policy, direction: Direction, rules: tuple[Rule, ...]) -> Policy:
    if direction is Direction.INGRESS:
        return replace(policy, ingress=rules)
    return replace(policy, egress=rules)
