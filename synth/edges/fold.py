"""Records folded into edges: one batch becomes a small table, and the batch is forgotten."""

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.direction import (
    Listener,
    Listeners,
    Orientation,
    looks_ephemeral,
    may_be_late_answer,
    orient,
)
from synth.edges.collapse import collapse
from synth.edges.groups import Columns, Groups, smallest_asked
from synth.edges.measures import Ends, Record, half_days, measure
from synth.edges.merge import trim
from synth.edges.place import Placed, Places
from synth.edges.schema import KEY, Edges, sort_endpoints
from synth.flows import FlowBatch, Initiator
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory


def fold(batch: FlowBatch, inventory: Inventory, declared: Collection[Listener]) -> Edges:
    """Return the edges of one batch, a pure function of the batch and the inventory.

    ``declared`` are the inventory's listeners.
    """
    if not batch.table.num_rows:
        return Edges.empty()
    record = Record(batch)
    places = Places(inventory, batch)
    src, dst = places.place(record.coded("src")), places.place(record.coded("dst"))
    seen = places.place(record.coded("seen_src")).endpoint
    asked = places.name(record.coded("asked"))
    endpoints = places.endpoints
    used, ranks = _ranked(endpoints, (src.endpoint, dst.endpoint, seen, asked))
    listening = Listeners.of(endpoints, declared)
    ends = _ends(record, (src, dst), ranks, listening)
    key = _key(record, ends, seen, endpoints)
    for name in ("client", "client_seen", "server"):
        key[name] = ranks[key[name]]
    groups = Groups.by_key(key)
    columns = {name: key[name][groups.one] for name in KEY}
    columns |= measure(record, ends, groups, inventory)
    base, columns["half_days"] = half_days(record, groups)
    columns["asked"] = smallest_asked(groups, ranks[asked])
    return collapse(trim(Edges(used, (batch.file,), base, **columns)))


def _ranked(
    endpoints: Sequence[Endpoint], columns: Sequence[NDArray[np.int32]]
) -> tuple[tuple[Endpoint, ...], NDArray[np.int32]]:
    """Return the endpoints in use, sorted; and each endpoint's number among them.

    The numbers are int32[len(endpoints) + 1]; the last, which -1 takes, is -1.
    """
    in_use = np.zeros(len(endpoints) + 1, np.bool_)
    for column in columns:
        in_use[column] = True
    numbers = np.flatnonzero(in_use[:-1]).tolist()
    used = tuple(sort_endpoints(endpoints[number] for number in numbers))
    place = {endpoint: at for at, endpoint in enumerate(used)}
    ranks = np.full(len(endpoints) + 1, -1, np.int32)
    ranks[numbers] = [place[endpoints[number]] for number in numbers]
    return used, ranks


def _orientation(record: Record, src: Placed, dst: Placed, listening: Listeners) -> Orientation:
    protocol, initiator = record["protocol"], record["initiator"]
    late = may_be_late_answer(protocol, record["outcome"], record["bidirectional"])
    rows = np.flatnonzero((initiator == Initiator.UNKNOWN) | late)
    src_listens, dst_listens = np.zeros((2, len(protocol)), np.bool_)
    for listens, end, port in ((src_listens, src, "src_port"), (dst_listens, dst, "dst_port")):
        listens[rows] = listening.holds(end.endpoint[rows], protocol[rows], record[port][rows])
    return orient(initiator, record["rung"], late, src_listens, dst_listens)


def _ends(
    record: Record,
    placed: tuple[Placed, Placed],
    ranks: NDArray[np.int32],
    listening: Listeners,
) -> Ends:
    src, dst = placed
    src_port, dst_port = record["src_port"], record["dst_port"]
    orientation = _orientation(record, src, dst, listening)
    decided = orientation.rung > 0
    swap = np.where(decided, orientation.swap, _is_backwards(record, placed, ranks))
    client, server = _swapped(src, dst, swap), _swapped(dst, src, swap)
    ports = _telling_ports(record, (client, server), swap, ~decided, listening)
    return Ends(
        client=client,
        server=server,
        client_port=ports[0],
        port=ports[1],
        swap=swap,
        decided=decided,
        rung=orientation.rung,
        connection=_hash(record.coded("src"), src_port) + _hash(record.coded("dst"), dst_port),
    )


def _is_backwards(
    record: Record, placed: tuple[Placed, Placed], ranks: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return bool[n]: whether src comes after dst, by endpoint, then port, then address."""
    first, second = (ranks[one.endpoint] for one in placed)
    src_port, dst_port = record["src_port"], record["dst_port"]
    same = np.asarray(first == second)
    backwards: NDArray[np.bool_] = (first > second) | (same & (src_port > dst_port))
    rows = np.flatnonzero(same & (src_port == dst_port))
    src, dst = (record.coded(name).take(pa.array(rows)).to_pylist() for name in ("src", "dst"))
    backwards[rows] = [one > other for one, other in zip(src, dst, strict=True)]
    return backwards


def _telling_ports(
    record: Record,
    ends: tuple[Placed, Placed],
    swap: NDArray[np.bool_],
    undecided: NDArray[np.bool_],
    listening: Listeners,
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Return the ports of client and server, 0 for one that a client was given by its system.

    Of an undecided pair that is a port that looks ephemeral and is not declared, beside one of
    which this is not so.
    """
    src_port, dst_port = record["src_port"], record["dst_port"]
    ports = np.where(swap, dst_port, src_port), np.where(swap, src_port, dst_port)
    rows = np.flatnonzero(undecided)
    protocol = record["protocol"][rows]
    near, far = (
        looks_ephemeral(port[rows]) & ~listening.holds(end.endpoint[rows], protocol, port[rows])
        for end, port in zip(ends, ports, strict=True)
    )
    ports[0][~undecided] = 0
    ports[0][rows[near & ~far]] = 0
    ports[1][rows[far & ~near]] = 0
    return ports


def _swapped(one: Placed, other: Placed, swap: NDArray[np.bool_]) -> Placed:
    return Placed(
        np.where(swap, other.endpoint, one.endpoint),
        np.where(swap, other.node, one.node),
        np.where(swap, other.member, one.member),
    )


def _key(
    record: Record, ends: Ends, seen: NDArray[np.int32], endpoints: Sequence[Endpoint]
) -> Columns:
    client, server = ends.client, ends.server
    forward = (seen >= 0) & ends.decided & ~ends.swap
    pods = np.array([one.kind is Kind.POD for one in endpoints], np.bool_)
    both = pods[client.endpoint] & pods[server.endpoint]
    return {
        "client": client.endpoint,
        "client_seen": np.where(forward, seen, client.endpoint),
        "server": server.endpoint,
        "protocol": record["protocol"],
        "client_port": ends.client_port,
        "port": ends.port,
        "decided": ends.decided,
        "same_node": (client.node >= 0) & (client.node == server.node),
        "same_pod": both & (client.member != 0) & (client.member == server.member),
    }


def _hash(column: pa.DictionaryArray, port: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """Return uint64[n]: a hash of the address and the port."""
    words = np.frombuffer(b"".join(column.dictionary.to_pylist()), ">u8").reshape(-1, 2)
    halves = words.astype(np.uint64)
    address = _mixed(halves[:, 0] ^ _mixed(halves[:, 1]))
    codes = column.indices.to_numpy(zero_copy_only=False)
    return _mixed(address[codes] + port.astype(np.uint64))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the values scattered over 64 bits (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
