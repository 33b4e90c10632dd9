"""Records folded into edges: one batch becomes a small table, and the batch is forgotten.

Records are first counted by cells: those of one edge that tell the same. Cells are few, so that
whatever follows from what a record tells is worked out once for each, not for each record.
"""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from synth.direction import Listener
from synth.edges.collapse import collapse
from synth.edges.ends import Ends, find_ends
from synth.edges.groups import Columns, Groups, Part, group, number_values, smallest_asked
from synth.edges.measures import (
    SAME_NODE,
    SAME_POD,
    TOLD_BITS,
    find_days,
    half_days,
    measure,
    tell,
)
from synth.edges.merge import trim
from synth.edges.place import Places
from synth.edges.record import Record
from synth.edges.schema import Edges
from synth.edges.setting import Setting
from synth.flows import FlowBatch
from synth.inventory.model import Inventory

SLICE_ROWS = 1 << 17
"""Records that are counted at a time: their columns fit into the processor's cache."""
_PORTS = 1 << 16

Spotted = dict[str, NDArray[np.int32]]
"""Column → int32[n], the spots of its addresses, -1 for none; of ``asked``, the endpoints."""


def fold(batch: FlowBatch, inventory: Inventory, declared: Collection[Listener]) -> Edges:
    """Return the edges of one batch, a pure function of the batch and the inventory.

    ``declared`` are the inventory's listeners.
    """
    size = batch.table.num_rows
    if not size:
        return Edges.empty()
    places = Places(inventory, batch)
    spotted = {
        name: places.place(batch.table.column(name)).spot for name in ("src", "dst", "seen_src")
    }
    spotted["asked"] = places.name(batch.table.column("asked"))
    setting = Setting.of(places, inventory, declared)
    base, words = find_days(*places.starts)
    parts = []
    for start in range(0, size, SLICE_ROWS):
        here = {name: spots[start : start + SLICE_ROWS] for name, spots in spotted.items()}
        parts.append(_count(Record(batch, start, SLICE_ROWS), here, setting, (base, words)))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return collapse(trim(Edges(setting.endpoints, (batch.file,), base, **group(whole))))


def _count(record: Record, spotted: Spotted, setting: Setting, days: tuple[int, int]) -> Columns:
    """Return the columns of edges, one row a cell of these records."""
    src, dst = (spotted[name].astype(np.intp) for name in ("src", "dst"))
    ends = find_ends(record, (src, dst), setting)
    seen = None if record.is_missing("seen_src") else _seen(setting, ends, spotted["seen_src"])
    told = tell(record, ends, setting)
    cells = _cells(record, ends, setting.rank, seen, told)
    one = cells.one
    columns = _keys(record, ends, setting.rank, seen, one)
    columns |= {"same_node": told[one] >> SAME_NODE & 1 > 0}
    columns |= {"same_pod": told[one] >> SAME_POD & 1 > 0}
    columns |= measure(record, ends, cells, told[one], setting.spots)
    columns["half_days"] = half_days(record, cells, *days)
    columns["asked"] = (
        np.full(len(one), -1, np.int32)
        if record.is_missing("asked")
        else smallest_asked(cells, setting.ranks[spotted["asked"]])
    )
    return columns


def _seen(setting: Setting, ends: Ends, seen_src: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return int32[n]: the endpoint that the server's enforcement sees."""
    forward = (seen_src >= 0) & (ends.rung > 0) & ~ends.swap
    return setting.rank.take(np.where(forward, seen_src, ends.client))


def _cells(
    record: Record,
    ends: Ends,
    rank: NDArray[np.int32],
    seen: NDArray[np.int32] | None,
    told: NDArray[np.uint16],
) -> Groups:
    """Return the groups of records that are of one edge, and tell the same."""
    count = int(rank.max()) + 1
    parts = [
        Part(rank.take(ends.client), count),
        Part(rank.take(ends.server), count),
        _port_part(ends),
        Part.packed(told, 1 << TOLD_BITS),
        Part.packed(record["protocol"], 1 << 8),
    ]
    return Groups.by_parts(parts if seen is None else [*parts, Part(seen, count)])


def _port_part(ends: Ends) -> Part:
    """Return the port; for an undecided pair, whose rung tells it apart, the pair of ports."""
    rows = np.flatnonzero(ends.client_port)
    if not len(rows):
        return Part(ends.port, _PORTS)
    pairs = ends.client_port[rows].astype(np.int64) << 16 | ends.port[rows]
    which, several = number_values(pairs)
    ports = ends.port.astype(np.int32)
    ports[rows] = _PORTS + which
    return Part(ports, _PORTS + several)


def _keys(
    record: Record,
    ends: Ends,
    rank: NDArray[np.int32],
    seen: NDArray[np.int32] | None,
    one: NDArray[np.int64],
) -> Columns:
    """Return the key of each cell, ``one`` being some record of it."""
    client = rank[ends.client[one]]
    return {
        "client": client,
        "client_seen": client if seen is None else seen[one],
        "server": rank[ends.server[one]],
        "protocol": record["protocol"][one],
        "client_port": ends.client_port[one],
        "port": ends.port[one],
        "decided": ends.rung[one] > 0,
    }
