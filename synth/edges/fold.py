"""Records folded into edges: one batch becomes a small table, and the batch is forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

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
from synth.edges.merge import Columns, group, trim
from synth.edges.place import NEVER, Placed, Places
from synth.edges.schema import RUNGS, Edges
from synth.flows import FlowBatch, Outcome, Vantage
from synth.inventory.endpoint import Kind
from synth.inventory.model import Inventory

HALF_DAY = 12 * 3600 * 1_000_000
SOURCE_BITS = {"vpc": 1, "conntrack": 2}


@dataclass(frozen=True, slots=True)
class _Ends:
    """The two ends of every record, by what they did: opened (or first end), listened."""

    client: Placed
    server: Placed
    client_port: NDArray[np.uint16]
    port: NDArray[np.uint16]
    swap: NDArray[np.bool_]
    decided: NDArray[np.bool_]


def fold(batch: FlowBatch, inventory: Inventory, declared: Collection[Listener]) -> Edges:
    """Return the edges of one batch, a pure function of the batch and the inventory.

    ``declared`` are the inventory's listeners.
    """
    if not batch.table.num_rows:
        return Edges.empty()
    record = _Record(batch)
    places = Places(inventory, batch)
    src, dst = places.place(record.coded("src")), places.place(record.coded("dst"))
    seen = places.place(record.coded("seen_src")).endpoint
    asked = places.name(record.coded("asked"))
    listening = Listeners.of(places.endpoints, declared)
    orientation = _orientation(record, src, dst, listening)
    ranks = np.array(_ranks(places.endpoints), np.int32)
    ends = _ends(record, (src, dst), orientation, ranks, listening)
    columns = _key(ends, seen, places) | _measures(record, ends, orientation, inventory)
    base, columns["half_days"] = _half_days(record)
    columns["asked"] = asked
    return collapse(_edges(columns, places, ranks, batch.file, base))


class _Record:
    """The columns of a batch as NumPy arrays; nulls become 0."""

    def __init__(self, batch: FlowBatch) -> None:
        self.batch = batch
        self.table = batch.table

    def __getitem__(self, name: str) -> NDArray[Any]:
        column = self.table.column(name)
        if column.null_count:
            column = column.fill_null(0)
        return np.asarray(column.to_numpy(zero_copy_only=False))

    def coded(self, name: str) -> pa.DictionaryArray:
        return self.table.column(name)


def _orientation(record: _Record, src: Placed, dst: Placed, listening: Listeners) -> Orientation:
    protocol = record["protocol"]
    return orient(
        record["initiator"],
        record["rung"],
        may_be_late_answer(protocol, record["outcome"], record["bidirectional"]),
        listening.holds(src.endpoint, protocol, record["src_port"]),
        listening.holds(dst.endpoint, protocol, record["dst_port"]),
    )


def _ranks(endpoints: tuple[Any, ...]) -> list[int]:
    """Return each endpoint's number in the sorted order of all."""
    number = {one: at for at, one in enumerate(sorted(set(endpoints)))}
    return [number[one] for one in endpoints]


def _ends(
    record: _Record,
    placed: tuple[Placed, Placed],
    orientation: Orientation,
    ranks: NDArray[np.int32],
    listening: Listeners,
) -> _Ends:
    src, dst = placed
    src_port, dst_port = record["src_port"], record["dst_port"]
    decided = orientation.rung > 0
    first, second = ranks[src.endpoint], ranks[dst.endpoint]
    backwards = (first > second) | ((first == second) & (src_port > dst_port))
    swap = np.where(decided, orientation.swap, backwards)
    client, server = _swapped(src, dst, swap), _swapped(dst, src, swap)
    client_port = np.where(swap, dst_port, src_port).astype(np.uint16)
    port = np.where(swap, src_port, dst_port).astype(np.uint16)
    protocol = record["protocol"]
    near = looks_ephemeral(client_port) & ~listening.holds(client.endpoint, protocol, client_port)
    far = looks_ephemeral(port) & ~listening.holds(server.endpoint, protocol, port)
    client_port = np.where(decided | (near & ~far), 0, client_port).astype(np.uint16)
    port = np.where(~decided & far & ~near, 0, port).astype(np.uint16)
    return _Ends(client, server, client_port, port, swap, decided)


def _swapped(one: Placed, other: Placed, swap: NDArray[np.bool_]) -> Placed:
    return Placed(
        np.where(swap, other.endpoint, one.endpoint),
        np.where(swap, other.node, one.node),
        np.where(swap, other.member, one.member),
    )


def _key(ends: _Ends, seen: NDArray[np.int32], places: Places) -> Columns:
    client, server = ends.client, ends.server
    forward = (seen >= 0) & ends.decided & ~ends.swap
    pods = np.array([one.kind is Kind.POD for one in places.endpoints], np.bool_)
    both = pods[client.endpoint] & pods[server.endpoint]
    return {
        "client": client.endpoint,
        "client_seen": np.where(forward, seen, client.endpoint).astype(np.int32),
        "server": server.endpoint,
        "client_port": ends.client_port,
        "port": ends.port,
        "decided": ends.decided,
        "same_node": (client.node >= 0) & (client.node == server.node),
        "same_pod": both & (client.member != 0) & (client.member == server.member),
    }


def _measures(
    record: _Record, ends: _Ends, orientation: Orientation, inventory: Inventory
) -> Columns:
    ones = np.ones(len(ends.swap), np.int64)
    outcome, both_ways = record["outcome"], record["bidirectional"]
    replies = ~both_ways & ends.decided & ends.swap & (outcome == Outcome.UNKNOWN)
    start, end = _times(record)
    packets, bytes_ = _counters(record, ends.swap, "packets"), _counters(record, ends.swap, "bytes")
    connection = _connection(record)
    rungs = np.zeros((len(ones), RUNGS), np.int64)
    rungs[np.arange(len(ones)), orientation.rung] = 1
    return {
        "protocol": record["protocol"],
        "records": ones,
        "answered": ((outcome == Outcome.ANSWERED) | replies).astype(np.int64),
        "failed": (outcome == Outcome.FAILED).astype(np.int64),
        "denied": (outcome == Outcome.DENIED).astype(np.int64),
        "from_client": (~both_ways & ~ends.swap).astype(np.int64),
        "from_server": (~both_ways & ends.swap).astype(np.int64),
        **_openings(record, ends, inventory),
        "packets_out": packets[0],
        "packets_back": packets[1],
        "bytes_out": bytes_[0],
        "bytes_back": bytes_[1],
        "first": start,
        "last": end,
        "least_client": ends.client.member,
        "greatest_client": ends.client.member,
        "least_server": ends.server.member,
        "greatest_server": ends.server.member,
        "least_connection": connection,
        "greatest_connection": connection,
        "sources": np.full(len(ones), _source_bit(record.batch.source), np.uint8),
        "rungs": rungs,
        "example": record["row"],
    }


def _source_bit(source: str) -> int:
    return SOURCE_BITS[source.partition("-")[0]]


def _times(record: _Record) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    column = record.table.column("start")
    missing = column.is_null().to_numpy(zero_copy_only=False)
    start = np.where(missing, NEVER, _integers(column))
    return start, np.where(missing, -NEVER, _integers(record.table.column("end")))


def _integers(column: pa.Array) -> NDArray[np.int64]:
    return np.asarray(column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False))


def _counters(
    record: _Record, swap: NDArray[np.bool_], what: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    forward = record[f"fwd_{what}"].astype(np.int64)
    backward = record[f"rev_{what}"].astype(np.int64)
    return np.where(swap, backward, forward), np.where(swap, forward, backward)


def _openings(record: _Record, ends: _Ends, inventory: Inventory) -> Columns:
    """Return the openings by the side that recorded them; both at once counts as the server's."""
    opening = record["opening"].astype(np.bool_)
    vantage = record["vantage"]
    near = vantage == np.where(ends.swap, Vantage.AT_DST, Vantage.AT_SRC)
    far = vantage == np.where(ends.swap, Vantage.AT_SRC, Vantage.AT_DST)
    observer = _observer_node(record, inventory)
    far |= (observer >= 0) & (observer == ends.server.node)
    near |= (observer >= 0) & (observer == ends.client.node)
    return {
        "opened_at_client": (opening & near & ~far).astype(np.int64),
        "opened_at_server": (opening & far).astype(np.int64),
        "opened_unplaced": (opening & ~near & ~far).astype(np.int64),
    }


def _observer_node(record: _Record, inventory: Inventory) -> NDArray[np.int32]:
    column = record.table.column("observer")
    names = {node.name: number for number, node in enumerate(inventory.nodes)}
    numbers = [names.get(name, -1) for name in column.dictionary.to_pylist()]
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*numbers, -1], np.int32)[codes])


def _connection(record: _Record) -> NDArray[np.uint64]:
    """Return uint64[n]: a hash of the two addresses and ports, the same from either end."""
    src = _address_hash(record.coded("src"), record["src_port"])
    dst = _address_hash(record.coded("dst"), record["dst_port"])
    return src + dst


def _address_hash(column: pa.DictionaryArray, port: NDArray[np.uint16]) -> NDArray[np.uint64]:
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


def _half_days(record: _Record) -> tuple[int, NDArray[np.uint64]]:
    start, _ = _times(record)
    known = start != NEVER
    if not known.any():
        return 0, np.zeros((len(start), 0), np.uint64)
    number = start[known] // HALF_DAY
    base = int(number.min()) // 64 * 64
    words = (int(number.max()) - base) // 64 + 1
    days = np.zeros((len(start), words), np.uint64)
    shift = number - base
    days[np.flatnonzero(known), shift // 64] = np.uint64(1) << (shift % 64).astype(np.uint64)
    return base, days


def _edges(
    columns: Columns, places: Places, ranks: NDArray[np.int32], file: str, base: int
) -> Edges:
    for name in ("client", "client_seen", "server"):
        columns[name] = ranks[columns[name]]
    asked = columns["asked"]
    columns["asked"] = np.where(asked < 0, -1, ranks[asked]).astype(np.int32)
    endpoints = tuple(sorted(set(places.endpoints)))
    return trim(Edges(endpoints, (file,), base, **group(columns)))
