"""What is counted of the records that fold into each edge."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.edges.groups import Columns, Groups, number_values
from synth.edges.place import NEVER, Placed
from synth.edges.schema import RUNGS
from synth.flows import FlowBatch, Outcome, Vantage
from synth.inventory.model import Inventory

HALF_DAY = 12 * 3600 * 1_000_000
SOURCE_BITS = {"vpc": 1, "conntrack": 2}
INTERFACE_BIT = 4
_WORD = 64


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of every record, by what they did: opened (or first end), listened.

    ``swap`` is bool[n]: the record's src is ``server``. The rest are columns of edges, except for
    ``connection``, uint64[n]: a hash of the two addresses and ports, the same from either end.
    """

    client: Placed
    server: Placed
    client_port: NDArray[np.uint16]
    port: NDArray[np.uint16]
    swap: NDArray[np.bool_]
    decided: NDArray[np.bool_]
    rung: NDArray[np.uint8]
    connection: NDArray[np.uint64]


class Record:
    """The columns of a batch as NumPy arrays; nulls become 0."""

    def __init__(self, batch: FlowBatch) -> None:
        """Take the batch's table."""
        self.table = batch.table
        self.source_bits = SOURCE_BITS[batch.source.partition("-")[0]]
        self.source_bits |= INTERFACE_BIT if batch.interfaces else 0

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the column of this name."""
        column = self.table.column(name)
        if column.null_count:
            column = column.fill_null(0)
        return np.asarray(column.to_numpy(zero_copy_only=False))

    def coded(self, name: str) -> pa.DictionaryArray:
        """Return the column of this name, still dictionary-coded."""
        return self.table.column(name)

    @property
    def times(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last microsecond; ``NEVER`` and ``-NEVER`` where there is none."""
        start, end = self.table.column("start"), self.table.column("end")
        missing = start.is_null().to_numpy(zero_copy_only=False)
        return np.where(missing, NEVER, _integers(start)), np.where(missing, -NEVER, _integers(end))


def measure(record: Record, ends: Ends, groups: Groups, inventory: Inventory) -> Columns:
    """Return the measures of each group of records, and its rungs and example."""
    rungs = groups.tally(ends.rung, RUNGS)
    start, end = record.times
    return {
        "records": rungs.sum(axis=1),
        **_outcomes(record, ends, groups),
        **_openings(record, ends, groups, inventory),
        **_sums(record, ends, groups, "packets"),
        **_sums(record, ends, groups, "bytes"),
        "first": groups.reduce(np.minimum, start),
        "last": groups.reduce(np.maximum, end),
        **_extremes("client", ends.client.member, groups),
        **_extremes("server", ends.server.member, groups),
        **_extremes("connection", ends.connection, groups),
        "sources": np.full(len(groups.one), record.source_bits, np.uint8),
        "rungs": rungs,
        "example": groups.reduce(np.minimum, record["row"]),
    }


def half_days(record: Record, groups: Groups) -> tuple[int, NDArray[np.uint64]]:
    """Return the base, a multiple of 64, and uint64[g, w]: the half-days in which records began."""
    start, _ = record.times
    timed = start != NEVER
    if not timed.any():
        return 0, np.zeros((len(groups.one), 0), np.uint64)
    number = start[timed] // HALF_DAY
    base = int(number.min()) // _WORD * _WORD
    words = (int(number.max()) - base) // _WORD + 1
    place = groups.of[timed] * (words * _WORD) + (number - base)
    codes, count = number_values(place)
    distinct = np.empty(count, np.int64)
    distinct[codes] = place
    days = np.zeros(len(groups.one) * words, np.uint64)
    bits = np.uint64(1) << (distinct % _WORD).astype(np.uint64)
    np.bitwise_or.at(days, distinct // _WORD, bits)
    return base, days.reshape(-1, words)


def _outcomes(record: Record, ends: Ends, groups: Groups) -> Columns:
    both_ways = record["bidirectional"]
    kinds = record["outcome"] << 2 | ends.swap.astype(np.uint8) << 1 | both_ways.astype(np.uint8)
    # One axis each: outcome, whether the server sent it, whether it stands for both directions.
    count = groups.tally(kinds, len(Outcome) * 4).reshape(-1, len(Outcome), 2, 2)
    heard = count[:, Outcome.UNKNOWN].sum(axis=2)
    replies = np.where(ends.decided[groups.one], heard[:, 1], 0)
    return {
        "answered": count[:, Outcome.ANSWERED].sum(axis=(1, 2)) + replies,
        "failed": count[:, Outcome.FAILED].sum(axis=(1, 2)),
        "denied": count[:, Outcome.DENIED].sum(axis=(1, 2)),
        "from_client": count[:, :, 0, 0].sum(axis=1),
        "from_server": count[:, :, 1, 0].sum(axis=1),
        "heard_client": heard[:, 0],
        "heard_server": heard[:, 1],
    }


def _openings(record: Record, ends: Ends, groups: Groups, inventory: Inventory) -> Columns:
    """Return the openings by the side that recorded them; both at once counts as the server's."""
    vantage = record["vantage"]
    near = vantage == np.where(ends.swap, Vantage.AT_DST, Vantage.AT_SRC).astype(np.uint8)
    far = vantage == np.where(ends.swap, Vantage.AT_SRC, Vantage.AT_DST).astype(np.uint8)
    if record.coded("observer").null_count < len(vantage):
        observer = _observer_node(record, inventory)
        far |= (observer >= 0) & (observer == ends.server.node)
        near |= (observer >= 0) & (observer == ends.client.node)
    side = far.astype(np.uint8) << 1 | near
    count = groups.tally(record["opening"].astype(np.uint8) << 2 | side, 8)
    return {
        "opened_at_client": count[:, 0b101],
        "opened_at_server": count[:, 0b110] + count[:, 0b111],
        "opened_unplaced": count[:, 0b100],
    }


def _observer_node(record: Record, inventory: Inventory) -> NDArray[np.int32]:
    column = record.coded("observer")
    names = {node.name: number for number, node in enumerate(inventory.nodes)}
    numbers = [names.get(name, -1) for name in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*numbers, -1], np.int32)[codes])


def _sums(record: Record, ends: Ends, groups: Groups, what: str) -> Columns:
    """Return the sums of a counter, out (from the client) and back."""
    cells = groups.of * 2 + ends.swap
    total = np.zeros((len(groups.one), 2), np.int64)
    for name, forward in ((f"fwd_{what}", True), (f"rev_{what}", False)):
        if record.table.column(name).null_count == len(cells):
            continue
        sums = np.zeros(total.size, np.int64)
        np.add.at(sums, cells, record[name].astype(np.int64))
        total += sums.reshape(-1, 2) if forward else sums.reshape(-1, 2)[:, ::-1]
    return {f"{what}_out": total[:, 0].copy(), f"{what}_back": total[:, 1].copy()}


def _extremes(name: str, hashes: NDArray[np.uint64], groups: Groups) -> Columns:
    return {
        f"least_{name}": groups.reduce(np.minimum, hashes),
        f"greatest_{name}": groups.reduce(np.maximum, hashes),
    }



def _integers(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False))
