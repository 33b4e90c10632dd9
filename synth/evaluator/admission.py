"""The kernel: which queries (group, peer class, port class) some rule of the group admits.

Queries of one group and one port class form a pair. What a pair admits is one row of bits over the
peer classes, the union of the rows of the rules that are open at its port: a pair with many
queries gets its row, off which they are read; the queries of others are compared with the rules
of their group. Nothing grows with endpoints squared, and equal queries cost next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Bits, Mask
from synth.evaluator.sides import Lists, Side, Tables

CELLS = 1 << 24
"""How many comparisons, or bytes of rows, are held at a time."""
QUERY_COST = 128
"""What comparing a query with a rule costs, in bytes of a rule's row."""
DENSE = 1 << 25
"""Up to how many pairs are numbered by a table instead of by sorting."""
Numbers = NDArray[np.int32]
Longs = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries to one direction, int32[n] each: subject group (-1: none), peer and port class."""

    group: Numbers
    peer: Numbers
    port: Numbers

    def __len__(self) -> int:
        """Return n."""
        return len(self.group)

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_] | slice) -> Self:
        """Return these queries."""
        return replace(self, group=self.group[rows], peer=self.peer[rows], port=self.port[rows])

    def by_group(self) -> Iterator[tuple[int, Longs]]:
        """Yield each group that occurs, with the numbers of its queries."""
        asked = np.flatnonzero(self.group >= 0)
        order = asked[np.argsort(self.group[asked], kind="stable")]
        group = self.group[order]
        cuts = [*np.flatnonzero(np.diff(group, prepend=-1)).tolist(), len(group)]
        for low, high in pairwise(cuts):
            yield int(group[low]), order[low:high]


def admit(side: Side, tables: Tables, queries: Queries) -> Mask:
    """Return bool[n]: whether some rule of the query's group holds both its peer and its port."""
    found = np.zeros(len(queries), np.bool_)
    asked = np.flatnonzero(queries.group >= 0)
    own = queries if len(asked) == len(queries) else queries.take(asked)
    pairs, pair = _number_pairs(own, len(side.rules.first) - 1, tables.ports.columns)
    many = np.bincount(pair, minlength=len(pairs)) * QUERY_COST >= tables.peers.packed.shape[1]
    answers = np.zeros(len(own), np.bool_)
    for part in _blocks(np.flatnonzero(many), tables.peers.packed.shape[1]):
        row_of = np.full(len(pairs), -1, np.int32)
        row_of[part] = np.arange(len(part), dtype=np.int32)
        row, rows = row_of[pair], _rows(side, tables, pairs[part])
        if len(part) == len(pairs):
            answers = rows.at(row, own.peer)
        else:
            here = np.flatnonzero(row >= 0)
            answers[here] = rows.at(row[here], own.peer[here])
    few = np.flatnonzero(~many[pair])
    if len(few):
        answers[few] = _compare(side, tables, own.take(few))
    found[asked] = answers
    return found


def matches(side: Side, tables: Tables, rules: Numbers, queries: Queries) -> Mask:
    """Return bool[len(rules), n]: which rule holds the peer and the port of which query."""
    among = tables.peers.at(side.peers[rules, None], queries.peer[None, :])
    return among & tables.ports.at(side.ports[rules, None], queries.port[None, :])


def slices(rules: int, queries: int) -> Iterator[slice]:
    """Yield slices of queries that keep rules times queries within ``CELLS``."""
    step = max(1, CELLS // max(1, rules))
    return (slice(low, low + step) for low in range(0, queries, step))


def _number_pairs(queries: Queries, groups: int, ports: int) -> tuple[NDArray[np.int64], Numbers]:
    """Return the pairs that occur, group * ports + port, sorted; and the place of each query's."""
    if groups * ports > DENSE:
        pair = queries.group.astype(np.int64) * ports + queries.port
        pairs, inverse = np.unique(pair, return_inverse=True)
        return pairs, inverse.astype(np.int32)
    pair = queries.group * np.int32(ports) + queries.port
    occurs = np.zeros(groups * ports, np.bool_)
    occurs[pair] = True
    places = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(occurs), places[pair]


def _blocks(pairs: Longs, width: int) -> Iterator[Longs]:
    step = max(1, CELLS // max(1, width))
    return (pairs[low : low + step] for low in range(0, len(pairs), step))


def _rows(side: Side, tables: Tables, pairs: Longs) -> Bits:
    """Return Bits[len(pairs), C]: the peers that each pair admits."""
    group, port = np.divmod(pairs, tables.ports.columns)
    place, rule = spread(side.rules, group)
    holds = tables.ports.at(side.ports[rule], port[place])
    place, rule = place[holds], rule[holds]
    packed = np.zeros((len(pairs), tables.peers.packed.shape[1]), np.uint8)
    for part in _at_ends(place, max(1, CELLS // max(1, packed.shape[1]))):
        begin = np.flatnonzero(np.diff(place[part], prepend=-1))
        words = tables.peers.packed[side.peers[rule[part]]].view(np.uint64)
        merged = np.bitwise_or.reduceat(words, begin, axis=0)
        packed[place[part][begin]] = merged.view(np.uint8)
    return Bits(packed, tables.peers.columns)


def _at_ends(place: Longs, step: int) -> Iterator[slice]:
    """Yield slices of about ``step``, each of which ends where a run of equal places does."""
    low = 0
    while low < len(place):
        high = min(low + step, len(place))
        high = int(np.searchsorted(place, place[high - 1], side="right"))
        yield slice(low, high)
        low = high


def _compare(side: Side, tables: Tables, queries: Queries) -> Mask:
    found = np.zeros(len(queries), np.bool_)
    sizes = np.diff(side.rules.first)[queries.group]
    ends = np.cumsum(sizes)
    low = 0
    while low < len(queries):
        # As many queries as fit, and at least one.
        limit = (ends[low - 1] if low else 0) + CELLS
        high = max(low + 1, int(np.searchsorted(ends, limit, side="right")))
        place, rule = spread(side.rules, queries.group[low:high])
        place += low
        among = tables.peers.at(side.peers[rule], queries.peer[place])
        holds = among & tables.ports.at(side.ports[rule], queries.port[place])
        found[place[holds]] = True
        low = high
    return found


def spread(rules: Lists, groups: NDArray[np.integer[Any]]) -> tuple[Longs, Numbers]:
    """Return the rules of these groups, one after the other, and the place of each's group."""
    first, sizes = rules.first[groups], np.diff(rules.first)[groups]
    place = np.repeat(np.arange(len(groups)), sizes)
    turn = np.arange(len(place)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return place, rules.numbers[first[place] + turn]
