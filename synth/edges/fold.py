"""Records folded into edges: one batch becomes a small table, and the batch is forgotten.

Records are first counted by cells: those of one edge that tell the same. Cells are few, so that
whatever follows from what a record tells is worked out once for each, not for each record.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from synth.direction import Listener, Listeners
from synth.edges.collapse import collapse
from synth.edges.ends import Ends, Order, find_ends
from synth.edges.groups import Columns, Groups, Part, group, number_values, smallest_asked
from synth.edges.listening import Listening
from synth.edges.measures import TOLD_BITS, half_days, measure, tell
from synth.edges.merge import trim
from synth.edges.place import Places, Spots
from synth.edges.record import Record
from synth.edges.schema import Edges, sort_endpoints
from synth.flows import FlowBatch
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory

_PORTS = 1 << 16
_SAME_NODE, _SAME_POD = TOLD_BITS, TOLD_BITS + 1


def fold(batch: FlowBatch, inventory: Inventory, declared: Collection[Listener]) -> Edges:
    """Return the edges of one batch, a pure function of the batch and the inventory.

    ``declared`` are the inventory's listeners.
    """
    if not batch.table.num_rows:
        return Edges.empty()
    record, places = Record(batch), Places(inventory, batch)
    src, dst, seen_src = (
        places.place(record.coded(name)).spot for name in ("src", "dst", "seen_src")
    )
    asked = None if record.is_missing("asked") else places.name(record.coded("asked"))
    spots, found = places.spots, places.endpoints
    endpoints, ranks = _ranked(found)
    rank = ranks[spots.endpoint]
    order = Order(rank, places.addresses)
    listening = Listening.of(Listeners.of(found, declared), spots.endpoint, len(found))
    ends = find_ends(record, (src, dst), spots, order, listening)
    seen = None if record.is_missing("seen_src") else _seen(rank, ends, seen_src)
    told = tell(record, ends, spots, inventory) | _together(ends, spots, found)
    cells = _cells(record, ends, rank, seen, told)
    columns = _keys(record, ends, rank, seen, told, cells.one)
    columns |= measure(record, ends, cells, told[cells.one], spots)
    base, columns["half_days"] = half_days(record, cells)
    columns["asked"] = (
        np.full(len(cells.one), -1, np.int32)
        if asked is None
        else smallest_asked(cells, ranks[asked])
    )
    return collapse(trim(Edges(endpoints, (batch.file,), base, **group(columns))))


def _ranked(endpoints: Sequence[Endpoint]) -> tuple[tuple[Endpoint, ...], NDArray[np.int32]]:
    """Return the endpoints, sorted; and each one's number among them.

    The numbers are int32[len(endpoints) + 1]; the last, which -1 takes, is -1.
    """
    ordered = tuple(sort_endpoints(endpoints))
    place = {endpoint: at for at, endpoint in enumerate(ordered)}
    return ordered, np.array([*map(place.__getitem__, endpoints), -1], np.int32)


def _seen(
    rank: NDArray[np.int32], ends: Ends, seen_src: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return int32[n]: the endpoint that the server's enforcement sees."""
    forward = (seen_src >= 0) & (ends.rung > 0) & ~ends.swap
    return rank.take(np.where(forward, seen_src, ends.client))


def _together(
    ends: Ends, spots: Spots, endpoints: Sequence[Endpoint]
) -> NDArray[np.uint16]:
    """Return uint16[n]: the bits that tell of both ends on one node, and of both in one pod."""
    pods = np.array([*(one.kind is Kind.POD for one in endpoints), False], np.bool_)
    known = pods[spots.endpoint] & (spots.member != 0)
    _, number = np.unique(spots.member, return_inverse=True)
    pod = np.where(known, number, -1).astype(np.int32)
    bits = np.zeros(len(ends.client), np.uint16)
    for bit, place in ((_SAME_NODE, spots.node), (_SAME_POD, pod)):
        # What is not known is never the same as anything.
        other = np.where(place < 0, np.int32(-2), place)
        same = place.take(ends.client) == other.take(ends.server)
        bits |= same.astype(np.uint16) << bit
    return bits


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
        Part.packed(told, 1 << TOLD_BITS + 2),
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
    told: NDArray[np.uint16],
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
        "same_node": told[one] >> _SAME_NODE & 1 > 0,
        "same_pod": told[one] >> _SAME_POD & 1 > 0,
    }
