"""Whether every learned part of the ready policies is needed."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synth.edges.merge import trim
from synth.edges.schema import Edges
from synth.evaluator.members import members
from synth.inventory.model import Inventory
from synth.learner.model import Learned, Screen, Screening
from synth.policy.model import Direction, Policy, PolicySet
from synth.proof.irredundance import Redundancy, declared_rules, redundant
from synth.proof.results import Need

MOST_TERMS = 2_000
"""Up to this size of all ready policies, every part of them is tried."""


def find_need(learned: Learned, edges: Edges, inventory: Inventory) -> Need:
    """Return what of the ready policies could go, if they are not too large to try every part."""
    terms = sum(map(size_of, learned.policies))
    if terms > MOST_TERMS:
        return Need(terms)
    return Need(terms, tuple(sorted(_redundant(learned, edges, inventory))))


def size_of(policy: Policy) -> int:
    """Return the size of the policy: 1 a rule, 1 a peer term, 1 a port term."""
    rules = [rule for direction in Direction for rule in policy.rules(direction) or ()]
    return sum(1 + len(rule.peers) + len(rule.ports.terms) for rule in rules)


def _redundant(learned: Learned, edges: Edges, inventory: Inventory) -> Iterator[Redundancy]:
    """Yield what could go; policies that share no pod are judged apart, on their own edges."""
    declared, labels = declared_rules(learned), inventory.namespace_labels
    accepted = learned.screening.is_(Screen.ACCEPTED)
    unsure = [number for number, one in enumerate(edges.endpoints) if one.candidates]
    for policies, picked in _groups(learned.policies, edges):
        ends = [*picked, *unsure]
        near = np.isin(edges.client, ends) | np.isin(edges.server, ends)
        rows = np.flatnonzero(accepted & near)
        own = trim(edges.take(rows)) if len(rows) else Edges.empty()
        yield from redundant(policies, own, _of_rows(learned.screening, rows), labels, declared)


def _of_rows(screening: Screening, rows: NDArray[np.int64]) -> Screening:
    return replace(
        screening,
        status=screening.status[rows],
        reason=screening.reason[rows],
        ruled=screening.ruled[rows],
        asks=screening.asks[rows],
    )


def _groups(policies: PolicySet, edges: Edges) -> list[tuple[PolicySet, frozenset[int]]]:
    """Return the policies in sets that share no pod with each other, and the pods of each."""
    groups: list[tuple[list[Policy], set[int]]] = []
    group_of: dict[int, int] = {}
    for policy in policies:
        picked = set(members(policy.pods, policy.namespace, edges.endpoints).tolist())
        whole, pods = [policy], picked
        for number in sorted({group_of[at] for at in picked if at in group_of}):
            whole, pods = [*groups[number][0], *whole], groups[number][1] | pods
            groups[number] = ([], set())
        group_of.update(dict.fromkeys(pods, len(groups)))
        groups.append((whole, pods))
    return [(PolicySet.of(some), frozenset(pods)) for some, pods in groups if some]
