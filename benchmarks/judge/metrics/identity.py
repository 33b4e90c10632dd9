"""Identity: addresses of records joined to pods, against who truly held them then."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Names
from benchmarks.judge.proposal import Proposal
from datasets.generator import Truth
from synth.edges.place import Places
from synth.flows import FlowBatch
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.policy.address import pack_address, parse_address
from synth.sources import load
from synth.sources.files import find_files
from synth.sources.sniff import units

MICROS = 1_000_000
ALWAYS = 1 << 62
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Joins:
    """Ends of records that one pod held throughout: joined to its workload, to another, to none."""

    right: int = 0
    wrong: int = 0
    unresolved: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.right + self.wrong + self.unresolved

    def __add__(self, other: "Joins") -> "Joins":
        """Return the sum."""
        return Joins(
            self.right + other.right, self.wrong + other.wrong, self.unresolved + other.unresolved
        )


@dataclass(frozen=True, slots=True, eq=False)
class Holders:
    """Who truly held an address: by address, starts and ends in microseconds, and workloads."""

    starts: Mapping[bytes, Ints]
    ends: Mapping[bytes, Ints]
    workloads: Mapping[bytes, Sequence[str]]

    @classmethod
    def of(cls, truth: Truth) -> "Holders":
        """Return the holders of the truth."""
        rows: dict[bytes, list[tuple[int, int, str]]] = defaultdict(list)
        columns = (truth.holdings.column(name).to_pylist() for name in ("address", "since"))
        rest = (truth.holdings.column(name).to_pylist() for name in ("until", "workload"))
        for address, since, until, workload in zip(*columns, *rest, strict=True):
            key = pack_address(parse_address(str(ip_address(address))))
            end = ALWAYS if until is None else until * MICROS
            rows[key].append((since * MICROS, end, workload))
        held = {key: sorted(some) for key, some in rows.items()}
        return cls(
            {key: np.array([one[0] for one in some], np.int64) for key, some in held.items()},
            {key: np.array([one[1] for one in some], np.int64) for key, some in held.items()},
            {key: [one[2] for one in some] for key, some in held.items()},
        )

    def of_all(self, address: bytes, start: Ints, end: Ints) -> list[str]:
        """Return who alone held the address throughout each stretch; empty if nobody did."""
        starts, ends = self.starts[address], self.ends[address]
        at = np.searchsorted(starts, start, side="right") - 1
        safe = np.maximum(at, 0)
        alone = (at >= 0) & (end < ends[safe])
        following = np.minimum(safe + 1, len(starts) - 1)
        alone &= (following == safe) | (starts[following] > end)
        before = np.maximum.accumulate(np.append(-ALWAYS, ends[:-1]))[safe]
        alone &= before <= start
        names = self.workloads[address]
        return [names[i] if sure else "" for i, sure in zip(safe, alone, strict=True)]


def measure_joins(prepared: Prepared) -> Joins:
    """Return the joins of all records to learn from, as the readers make them."""
    world, holders = prepared.plain, Holders.of(prepared.truth)
    total = Joins()
    for unit in units(find_files([str(world.logs)]), None, ()):
        for batch in load(unit.source).read(unit):
            total += count_joins(batch, world.learnt.inventory, world.names, holders)
    return total


def count_joins(batch: FlowBatch, inventory: Inventory, names: Names, holders: Holders) -> Joins:
    """Return the joins of the batch: of both ends of each record."""
    places, table = Places(inventory, batch), batch.table
    if not table.num_rows:
        return Joins()
    start, end = (
        table.column(name).cast(pa.int64()).to_numpy(zero_copy_only=False)
        for name in ("start", "end")
    )
    placed = [(name, places.place(table.column(name)).endpoint) for name in ("src", "dst")]
    said = [_word(one, names) for one in places.endpoints]
    total = Joins()
    for name, numbers in placed:
        column = table.column(name)
        codes = column.indices.to_numpy(zero_copy_only=False)
        for code, address in enumerate(column.dictionary.to_pylist()):
            if address not in holders.starts:
                continue
            rows = np.flatnonzero(codes == code)
            true = holders.of_all(address, start[rows], end[rows])
            total += _count(true, [said[number] for number in numbers[rows].tolist()])
    return total


def _word(endpoint: Endpoint, names: Names) -> str | None:
    """Return the workload that the endpoint claims; None if it claims none."""
    unresolved = endpoint.kind in (Kind.AMBIGUOUS, Kind.UNHELD)
    return None if unresolved else names.of_endpoint(endpoint)


def _count(true: Sequence[str], said: Sequence[str | None]) -> Joins:
    pairs = [(one, word) for one, word in zip(true, said, strict=True) if one]
    right = sum(one == word for one, word in pairs)
    unresolved = sum(word is None for _, word in pairs)
    return Joins(right, len(pairs) - right - unresolved, unresolved)


_kept = lru_cache(maxsize=2)(measure_joins)


def correct(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the share of joins that are right; None of the oracle, whose owners are others."""
    joins = _kept(prepared)
    return joins.right / joins.total if joins.total and not proposal.repaired else None


def wrong(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the share of joins that name another workload, instead of none."""
    joins = _kept(prepared)
    return joins.wrong / joins.total if joins.total and not proposal.repaired else None
