"""What is counted of the records that fold into each cell: one edge, alike in all that is told."""

import numpy as np
from numpy.typing import NDArray

from synth.buffers import read_nulls, read_values
from synth.edges.ends import Ends
from synth.edges.groups import Columns, Groups
from synth.edges.place import NEVER, Spots
from synth.edges.record import Record
from synth.edges.schema import RUNGS
from synth.edges.setting import Setting
from synth.flows import Outcome, Vantage
from synth.inventory.model import Inventory

HALF_DAY = 12 * 3600 * 1_000_000
_WORD = 64

# The bits of what is told of one record, from the lowest.
_OUTCOME, _SWAP, _BOTH_WAYS, _OPENING, _FAR, _NEAR, SAME_NODE, SAME_POD = 4, *range(6, 13)
TOLD_BITS = 13


def tell(record: Record, ends: Ends, setting: Setting) -> NDArray[np.uint16]:
    """Return uint16[n]: what each record tells that is counted or of its edge's key, in bits."""
    near, far = _vantages(record, ends, setting)
    told = ends.rung.astype(np.uint16)
    for bit, values in (
        (_OUTCOME, record["outcome"]),
        (_SWAP, ends.swap),
        (_BOTH_WAYS, record["bidirectional"]),
        (_OPENING, record["opening"]),
        (_FAR, far),
        (_NEAR, near),
        (SAME_NODE, _is_same(setting.spots.node, ends)),
        (SAME_POD, _is_same(setting.pod, ends)),
    ):
        told |= values.astype(np.uint16) << bit
    return told


def measure(
    record: Record, ends: Ends, cells: Groups, told: NDArray[np.uint16], spots: Spots
) -> Columns:
    """Return the measures of each cell, and its rungs and example; ``told`` is that of each."""
    count = np.bincount(cells.of, minlength=len(cells.one))
    rungs = np.zeros((len(count), RUNGS), np.int64)
    rungs[np.arange(len(count)), told & 0xF] = count
    start, end = record.times
    return {
        "records": count,
        **_outcomes(told, count),
        **_openings(told, count),
        **_sums(record, cells, told, "packets"),
        **_sums(record, cells, told, "bytes"),
        "first": cells.reduce(np.minimum, start),
        "last": cells.reduce(np.maximum, end),
        **_extremes("client", spots.member.take(ends.client), cells),
        **_extremes("server", spots.member.take(ends.server), cells),
        **_extremes("connection", ends.connection, cells),
        "sources": np.full(len(count), record.source, np.uint8),
        "rungs": rungs,
        "example": cells.reduce(np.minimum, record["row"]),
    }


def find_days(first: int, last: int) -> tuple[int, int]:
    """Return the base, a multiple of 64, and words of 64 half-days for these microseconds."""
    if first == NEVER:
        return 0, 0
    base = first // HALF_DAY // _WORD * _WORD
    return base, (last // HALF_DAY - base) // _WORD + 1


def half_days(record: Record, cells: Groups, base: int, words: int) -> NDArray[np.uint64]:
    """Return uint64[c, words]: the half-days from ``base`` in which records began."""
    start, _ = record.times
    of = cells.of
    if record.table.column("start").null_count:
        timed = start != NEVER
        start, of = start[timed], of[timed]
    days = np.zeros((len(cells.one), words), np.uint64)
    if not len(start):
        return days
    first, last = (int(one) // HALF_DAY - base for one in (start.min(), start.max()))
    if first == last:
        days[of, first // _WORD] = 1 << first % _WORD
        return days
    number = start // HALF_DAY - base
    bits = np.uint64(1) << (number % _WORD).astype(np.uint64)
    np.bitwise_or.at(days.reshape(-1), of * words + number // _WORD, bits)
    return days


def _outcomes(told: NDArray[np.uint16], count: NDArray[np.int64]) -> Columns:
    outcome, swap = told >> _OUTCOME & 3, _bit(told, _SWAP)
    one_way, unknown = ~_bit(told, _BOTH_WAYS), outcome == Outcome.UNKNOWN
    reply = unknown & swap & (told & 0xF > 0)
    return {
        "answered": count * ((outcome == Outcome.ANSWERED) | reply),
        "failed": count * (outcome == Outcome.FAILED),
        "denied": count * (outcome == Outcome.DENIED),
        "from_client": count * (one_way & ~swap),
        "from_server": count * (one_way & swap),
        "heard_client": count * (unknown & ~swap),
        "heard_server": count * (unknown & swap),
    }


def _openings(told: NDArray[np.uint16], count: NDArray[np.int64]) -> Columns:
    """Return the openings by the side that recorded them; both at once counts as the server's."""
    opening, near, far = (_bit(told, one) for one in (_OPENING, _NEAR, _FAR))
    return {
        "opened_at_client": count * (opening & near & ~far),
        "opened_at_server": count * (opening & far),
        "opened_unplaced": count * (opening & ~near & ~far),
    }


def _bit(told: NDArray[np.uint16], bit: int) -> NDArray[np.bool_]:
    return np.asarray(told >> bit & 1 != 0)


def _vantages(
    record: Record, ends: Ends, setting: Setting
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return bool[n] twice: whether the record was made at the client, and at the server."""
    vantage = record["vantage"]
    at_src, at_dst = vantage == Vantage.AT_SRC, vantage == Vantage.AT_DST
    near = (at_src & ~ends.swap) | (at_dst & ends.swap)
    far = (at_src & ends.swap) | (at_dst & ~ends.swap)
    if not record.is_missing("observer"):
        node, observer = setting.spots.node, _observer_node(record, setting.inventory)
        far |= (observer >= 0) & (observer == node[ends.server])
        near |= (observer >= 0) & (observer == node[ends.client])
    return near, far


def _is_same(place: NDArray[np.int32], ends: Ends) -> NDArray[np.bool_]:
    """Return bool[n]: whether both ends are at one place; what is not known is never the same."""
    other = np.where(place < 0, np.int32(-2), place)
    return np.asarray(place.take(ends.client) == other.take(ends.server))


def _observer_node(record: Record, inventory: Inventory) -> NDArray[np.int32]:
    column = record.coded("observer")
    names = {node.name: number for number, node in enumerate(inventory.nodes)}
    numbers = [names.get(name, -1) for name in column.dictionary.to_pylist()]
    codes = np.where(read_nulls(column.indices), -1, read_values(column.indices))
    return np.asarray(np.array([*numbers, -1], np.int32)[codes])


def _sums(record: Record, cells: Groups, told: NDArray[np.uint16], what: str) -> Columns:
    """Return the sums of a counter, out (from the client) and back."""
    swap = _bit(told, _SWAP)
    forward, reverse = (
        np.zeros(len(swap), np.int64)
        if record.is_missing(name)
        else cells.reduce(np.add, record[name].view(np.int64))
        for name in (f"fwd_{what}", f"rev_{what}")
    )
    return {
        f"{what}_out": np.where(swap, reverse, forward),
        f"{what}_back": np.where(swap, forward, reverse),
    }


def _extremes(name: str, hashes: NDArray[np.uint64], cells: Groups) -> Columns:
    return {
        f"least_{name}": cells.reduce(np.minimum, hashes),
        f"greatest_{name}": cells.reduce(np.maximum, hashes),
    }
