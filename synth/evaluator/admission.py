"""The kernel: which queries (group, peer class, port class) some rule of the group admits.

Queries are taken group by group. With few of them, each is compared with the group's rules; with
many, the group's plane, port classes by peer classes, is worked out once and they are read off it.
Either way nothing grows with endpoints squared, and equal queries cost next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Mask
from synth.evaluator.sides import Side, Tables

CELLS = 1 << 22
"""How many comparisons, or cells of a plane, are held at a time."""
ROW_COST = 1 << 13
"""What starting a row of a plane costs, in comparisons of a rule and a query."""
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Queries:
    """Queries to one direction, int32[n] each: subject group (-1: none), peer and port class."""

    group: Numbers
    peer: Numbers
    port: Numbers

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_] | slice) -> Self:
        """Return these queries."""
        return replace(self, group=self.group[rows], peer=self.peer[rows], port=self.port[rows])

    def by_group(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each group that occurs, with the numbers of its queries."""
        asked = np.flatnonzero(self.group >= 0)
        group = self.group[asked]
        # Sorting 16 bits is a radix sort, eight times as fast.
        narrow = group.astype(np.uint16) if group.max(initial=0) < 1 << 16 else group
        order = asked[np.argsort(narrow, kind="stable")]
        group = self.group[order]
        cuts = [*np.flatnonzero(np.diff(group, prepend=-1)).tolist(), len(group)]
        for low, high in pairwise(cuts):
            yield int(group[low]), order[low:high]


def admit(side: Side, tables: Tables, queries: Queries) -> Mask:
    """Return bool[n]: whether some rule of the query's group holds both its peer and its port."""
    found = np.zeros(len(queries.group), np.bool_)
    for group, rows in queries.by_group():
        rules = side.rules[group]
        own = queries.take(rows)
        planes = np.flatnonzero(np.bincount(own.port))
        plane_cost = len(planes) * (ROW_COST + len(rules) * tables.peers.columns // 64)
        if len(rules) * len(rows) <= plane_cost:
            found[rows] = _compare(side, tables, rules, own)
        else:
            found[rows] = _read_off(side, tables, rules, own)
    return found


def matches(side: Side, tables: Tables, rules: Numbers, queries: Queries) -> Mask:
    """Return bool[len(rules), n]: which rule holds the peer and the port of which query."""
    among = tables.peers.at(side.peers[rules, None], queries.peer[None, :])
    return among & tables.ports.at(side.ports[rules, None], queries.port[None, :])


def slices(rules: int, queries: int) -> Iterator[slice]:
    """Yield slices of queries that keep rules times queries within ``CELLS``."""
    step = max(1, CELLS // max(1, rules))
    return (slice(low, low + step) for low in range(0, queries, step))


def _compare(side: Side, tables: Tables, rules: Numbers, queries: Queries) -> Mask:
    found = np.zeros(len(queries.peer), np.bool_)
    for part in slices(len(rules), len(found)):
        found[part] = matches(side, tables, rules, queries.take(part)).any(axis=0)
    return found


def _read_off(side: Side, tables: Tables, rules: Numbers, queries: Queries) -> Mask:
    found = np.zeros(len(queries.peer), np.bool_)
    planes = np.flatnonzero(np.bincount(queries.port))
    step = max(1, CELLS // tables.peers.columns)
    for low in range(0, len(planes), step):
        part = planes[low : low + step]
        plane = np.stack([_row(side, tables, rules, port) for port in part])
        row_of = np.full(int(planes[-1]) + 1, -1, np.int64)
        row_of[part] = np.arange(len(part))
        row = row_of[queries.port]
        found |= (row >= 0) & plane[row, queries.peer]
    return found


def _row(side: Side, tables: Tables, rules: Numbers, port: np.int64) -> Mask:
    open_rules = rules[tables.ports.at(side.ports[rules], np.full(1, port))]
    return tables.peers.union(side.peers[open_rules])
