"""Greedy cover: the learner's roles and accepted edges, its rules by the simplest set cover."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.judge.case import Prepared
from benchmarks.judge.learners import run, to_proposal
from benchmarks.judge.proposal import Proposal
from synth.learner.model import Answer, Subject
from synth.policy.model import Direction, Peer, Policy, PolicySet, Rule
from synth.policy.ports import NamedPort, PortRange, PortSet

Term = PortRange | NamedPort
Cells = Mapping[Peer, frozenset[Term]]


def cover_greedily(cells: Cells) -> tuple[Rule, ...]:
    """Return rules: again and again the product of peers and ports with the most new cells.

    Products tried are, for each peer, its ports with all peers that have them all.
    """
    left = {(peer, term) for peer, terms in cells.items() for term in terms}
    products = [
        (tuple(peer for peer, own in cells.items() if terms <= own), terms)
        for terms in sorted(set(cells.values()), key=str)
    ]
    rules = []
    while left:
        peers, terms = max(
            products,
            key=lambda one: len(left & {(peer, term) for peer in one[0] for term in one[1]}),
        )
        rules.append(Rule(peers, PortSet.of(*terms)))
        left -= {(peer, term) for peer in peers for term in terms}
    return tuple(sorted(rules, key=lambda rule: rule.sort_key))


def size_of(rules: Sequence[Rule]) -> int:
    """Return 1 a rule, 1 a peer, 1 a port term."""
    return sum(1 + len(rule.peers) + len(rule.ports.terms) for rule in rules)


def propose_greedy(prepared: Prepared) -> Proposal:
    """Return the learner's policies with rules by greedy cover; declared openings stay."""
    began, world = time.perf_counter(), prepared.plain
    result = run(world, assume=Answer.REFUSE)
    covered = {
        (str(one.role), one.direction): (cover_greedily(_cells(one)), one)
        for one in result.learned.subjects
    }
    role_of = {
        (role.namespace, result.learned.policy_of[str(role)]): str(role)
        for role in result.learned.roles
        if str(role) in result.learned.policy_of
    }

    def again(policy: Policy, direction: Direction) -> tuple[Rule, ...] | None:
        if policy.rules(direction) is None:
            return None
        rules, subject = covered[role_of[policy.key], direction]
        return (*rules, *(one.rule for one in subject.rules if one.declared))

    policies = PolicySet.of(
        replace(one, ingress=again(one, Direction.INGRESS), egress=again(one, Direction.EGRESS))
        for one in result.learned.policies
    )
    return replace(
        to_proposal("greedy", world, result, began),
        policies=policies,
        sizes=tuple((size_of(rules), one.optimum) for rules, one in covered.values()),
    )


def _cells(subject: Subject) -> Cells:
    found: dict[Peer, set[Term]] = defaultdict(set)
    for one in subject.rules:
        if not one.declared:
            for peer in one.rule.peers:
                found[peer].update(one.rule.ports.terms)
    return {peer: frozenset(terms) for peer, terms in found.items()}
