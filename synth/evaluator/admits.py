"""The rules and policies behind verdicts: read off the same tables, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.admission import Queries, matches, slices, spread
from synth.evaluator.compile import Compiled, Namespaces, compile_policies
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.rows import ask, expand
from synth.evaluator.sides import Lists, RuleRef, Side, Tables
from synth.evaluator.traffic import Traffic
from synth.policy.model import Direction, PolicySet

__all__ = ["Admissions", "RuleRef", "admissions", "admitting", "isolating", "isolators"]

Chosen = NDArray[np.integer[Any]] | Sequence[int]


@dataclass(frozen=True, slots=True)
class Admissions:
    """Which rule admits which row: m pairs, sorted by row and then by rule, each once.

    ``row`` is int64[m], a position in the rows asked for; ``rule`` is int32[m], into ``refs``,
    which holds all rules of the direction.
    """

    row: NDArray[np.int64]
    rule: NDArray[np.int32]
    refs: tuple[RuleRef, ...]


def admitting(  # noqa: PLR0913 - a question has these six parts
    policies: PolicySet,
    traffic: Traffic,
    namespaces: Namespaces,
    rows: Chosen,
    direction: Direction,
    *,
    options: Options = DEFAULT,
) -> list[tuple[RuleRef, ...]]:
    """Return for each of the rows all rules that admit it in the direction, sorted.

    A row that is let through without rules (its side is not isolated, a pod to itself, a node to
    its own pod), or whose direction is undecided, has none. Of an ambiguous end, the rules that
    admit any candidate count.
    """
    compiled = compile_policies(policies, traffic.endpoints, namespaces, options)
    found = admissions(compiled, traffic.take(np.asarray(rows, np.int64)), direction)
    admitted: list[list[RuleRef]] = [[] for _ in rows]
    for row, rule in zip(found.row.tolist(), found.rule.tolist(), strict=True):
        admitted[row].append(found.refs[rule])
    return [tuple(refs) for refs in admitted]


def isolating(  # noqa: PLR0913 - a question has these six parts
    policies: PolicySet,
    traffic: Traffic,
    namespaces: Namespaces,
    rows: Chosen,
    direction: Direction,
    *,
    options: Options = DEFAULT,
) -> list[tuple[tuple[str, str], ...]]:
    """Return for each of the rows the policies (namespace, name) that isolate its subject, sorted.

    The subject is the client for egress and the server for ingress, any candidate of it if it is
    ambiguous, and of an undecided row either end.
    """
    compiled = compile_policies(policies, traffic.endpoints, namespaces, options)
    return isolators(compiled, traffic.take(np.asarray(rows, np.int64)), direction)


def admissions(compiled: Compiled, traffic: Traffic, direction: Direction) -> Admissions:
    """Return all pairs of a row of the traffic and a rule that admits it in the direction."""
    side = compiled.sides[direction]
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    queries = ask(compiled, rows, direction).queries
    asked = np.flatnonzero(queries.group >= 0)
    first, query = _distinct(queries.take(asked), compiled.sure)
    place, rule = spread(_admitting(side, compiled.sure, queries.take(asked[first])), query)
    width = max(1, len(side.refs))
    row, rule = np.divmod(np.unique(rows.origin[asked[place]] * width + rule), width)
    return Admissions(row, rule.astype(np.int32), side.refs)


def _distinct(queries: Queries, tables: Tables) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first of the queries of each kind, and of each query the number of its kind."""
    pair = queries.group.astype(np.int64) * tables.peers.columns + queries.peer
    triple = pair * tables.ports.columns + queries.port
    _, first, query = np.unique(triple, return_index=True, return_inverse=True)
    return first, query


def _admitting(side: Side, tables: Tables, queries: Queries) -> Lists:
    """Return the rules that admit each of the queries, ascending."""
    width = max(1, len(side.refs))
    pairs = [np.zeros(0, np.int64)]
    for group, members in queries.by_group():
        rules = side.rules[group]
        for part in slices(len(rules), len(members)):
            own = members[part]
            rule, place = np.nonzero(matches(side, tables, rules, queries.take(own)))
            pairs.append(own[place] * width + rules[rule])
    query, rule = np.divmod(np.sort(np.concatenate(pairs)), width)
    return Lists(np.searchsorted(query, np.arange(len(queries) + 1)), rule.astype(np.int32))


def isolators(
    compiled: Compiled, traffic: Traffic, direction: Direction
) -> list[tuple[tuple[str, str], ...]]:
    """Return for each row of the traffic the policies that ``isolating`` means."""
    side = compiled.sides[direction]

    @cache
    def of_endpoint(endpoint: int) -> frozenset[tuple[str, str]]:
        groups = side.group[compiled.class_of[compiled.choices[endpoint]]]
        numbers = {one for group in groups if group >= 0 for one in side.policies[group].tolist()}
        return frozenset(side.names[number] for number in numbers)

    subject, other = traffic.client, traffic.server
    if direction is Direction.INGRESS:
        subject, other = other, subject
    ends = zip(subject.tolist(), other.tolist(), traffic.decided.tolist(), strict=True)
    return [
        tuple(sorted(of_endpoint(one) | (frozenset() if decided else of_endpoint(another))))
        for one, another, decided in ends
    ]
