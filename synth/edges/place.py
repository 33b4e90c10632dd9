"""The endpoints of a batch's addresses, at the times of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from synth.buffers import read_nulls, read_values
from synth.edges.groups import number_values
from synth.flows import FlowBatch
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.locate import (
    Span,
    locate_rows,
    locate_throughout,
    number_owners,
    outside,
    read_address,
    resolve,
)
from synth.inventory.model import Inventory, Placement

NEVER = np.iinfo(np.int64).max

_outside = lru_cache(maxsize=1 << 16)(outside)


@dataclass(frozen=True, slots=True)
class Spots:
    """What addresses were at some time; arrays of length n + 1, the last for a missing address.

    ``endpoint`` int32: its number. ``node`` int32: the number of the node it was on, ``member``
    uint64: the hash of the pod. -1, -1 and 0 where unknown. ``address`` int32: the number of
    the address.
    """

    endpoint: NDArray[np.int32]
    node: NDArray[np.int32]
    member: NDArray[np.uint64]
    address: NDArray[np.int32]


class Places:
    """The spots and the endpoints met in one batch: the inventory's, then those found on the way.

    Numbers are only good within the batch; ``endpoints`` and ``addresses`` list them in order.
    Spots are far fewer than records: one for each address that stays what it is throughout the
    batch, and one for each thing that any other address was.
    """

    def __init__(self, inventory: Inventory, batch: FlowBatch) -> None:
        """Take the batch's times, widened by the slack of its source.

        A connection's ends are who held their addresses when it was opened.
        """
        self._inventory = inventory
        self._found: dict[Endpoint, int] = {}
        self._address: dict[bytes, int] = {}
        self._parts: list[Spots] = []
        self._size = 0
        self._known: list[tuple[pa.Array, _Addresses]] = []
        table = batch.table
        starts = pc.min_max(table.column("start").cast(pa.int64())).as_py()
        self._starts = starts["min"], starts["max"]
        held = (table.column("start"), table.column("end"))
        if batch.opened is not None:
            held = (batch.opened.column("first"), batch.opened.column("last"))
        self._start = _micros(held[0], -NEVER, -int(batch.early))
        self._end = _micros(held[1], NEVER, int(batch.late))
        self._span = Span.of(self._start, self._end)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint by number."""
        return (*self._inventory.endpoints, *self._found)

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """Every address by number."""
        return tuple(self._address)

    @property
    def spots(self) -> Spots:
        """Every spot by number."""
        parts = [*self._parts, _NOWHERE]
        columns = (
            np.concatenate([getattr(part, name) for part in parts]) for name in Spots.__slots__
        )
        return Spots(*columns)

    @property
    def starts(self) -> tuple[int, int]:
        """The first and last start of a record, without slack; ``NEVER`` where none has a time."""
        first, last = self._starts
        return (NEVER, NEVER) if first is None else (first, last)

    def place(self, column: pa.DictionaryArray) -> "Placed":
        """Return where the addresses of the column were at the times of the records."""
        if column.null_count == len(column):
            return Placed(np.full(len(column), -1, np.int32), self)
        addresses = self._placed_throughout(column)
        codes = _codes(column, addresses.folded)
        spot = codes + np.int32(addresses.first) if addresses.first else codes
        if addresses.settled.all():
            return Placed(np.where(codes < 0, -1, spot) if column.null_count else spot, self)
        moving = np.append(~addresses.settled, np.False_)[codes]
        if column.null_count:
            spot = np.where(codes < 0, np.int32(-1), spot)
        rows = np.flatnonzero(moving)
        spot = spot.copy()
        spot[rows] = self._placed_in_time(addresses, codes[rows], rows)
        return Placed(spot, self)

    def name(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Return int32[n]: the endpoints of addresses that belong to no pod; -1 for null."""
        if column.null_count == len(column):
            return np.full(len(column), -1, np.int32)
        addresses, codes = distinct(column)
        numbers = [self._number(_outside(self._inventory, one)) for one in addresses]
        return np.array([*numbers, -1], np.int32)[codes]

    def _placed_throughout(self, column: pa.DictionaryArray) -> "_Addresses":
        """Return the addresses of the column's dictionary, with a spot for each."""
        for dictionary, known in self._known:
            if dictionary.equals(column.dictionary):
                return known
        values, folded = _distinct_values(column.dictionary)
        search = self._inventory.search
        owner = number_owners(search, values)
        whole, settled = locate_throughout(search, owner, self._span)
        numbers = [self._address.setdefault(one, len(self._address)) for one in values]
        address = np.array(numbers, np.int32)
        known = _Addresses(values, folded, address, owner, settled, self._size)
        # The other addresses have spots as well, which no record is at.
        self._add(whole, address, settled)
        self._known.append((column.dictionary, known))
        return known

    def _placed_in_time(
        self, addresses: "_Addresses", codes: NDArray[np.int32], rows: NDArray[np.intp]
    ) -> NDArray[np.int32]:
        """Return int32[n]: the spots of these rows, each looked up at its own time."""
        search = self._inventory.search
        # In the order of their addresses, the rows look in one place after the other.
        order = np.argsort(codes.astype(np.uint16), kind="stable")
        rows, codes = rows[order], codes[order]
        at = locate_rows(search, addresses.owner[codes], self._start[rows], self._end[rows])
        held = at.first >= 0
        # A holding is of one address; where there is none, the address itself is the answer.
        run = np.where(held, at.first.astype(np.int64) << 32 | at.last, -1 - codes.astype(np.int64))
        which, count = number_values(run)
        one = np.empty(count, np.intp)
        one[which] = np.arange(len(which))
        first = self._size
        some = Placement(at.first[one], at.last[one])
        self._add(some, addresses.number[codes[one]], np.ones(count, np.bool_))
        spot = np.empty(len(rows), np.int32)
        spot[order] = first + which
        return spot

    def _add(
        self, placement: Placement, address: NDArray[np.int32], wanted: NDArray[np.bool_]
    ) -> None:
        """Add a spot for each address, of no endpoint where none is wanted."""
        inventory = self._inventory
        last = placement.last
        held = wanted & (placement.first >= 0)
        endpoint = np.full(len(last), -1, np.int32)
        at = np.flatnonzero(wanted)
        some = Placement(placement.first[at], last[at])
        endpoint[at] = self._resolve(some, address[at])
        held &= endpoint < len(inventory.endpoints)
        single = held & (placement.first == last)
        member = np.zeros(len(last), np.uint64)
        member[held] = inventory.holding_member[last[held]]
        node = np.full(len(last), -1, np.int32)
        node[single] = inventory.holding_node[last[single]]
        self._parts.append(Spots(endpoint, node, member, address))
        self._size += len(last)

    def _resolve(self, placement: Placement, address: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return int32[n]: the endpoints of the addresses, found on the way where need be."""
        found = resolve(self._inventory, placement)
        endpoint, inventory, addresses = found.endpoint.copy(), self._inventory, self.addresses
        rows = np.flatnonzero(endpoint < 0)
        endpoint[rows] = [
            self._number(
                _outside(inventory, addresses[at])
                if number == -1
                else _ambiguous(inventory, addresses[at], found.candidates[-2 - number])
            )
            for at, number in zip(address[rows].tolist(), endpoint[rows].tolist(), strict=True)
        ]
        return endpoint

    def _number(self, endpoint: Endpoint) -> int:
        return self._found.setdefault(endpoint, len(self._inventory.endpoints) + len(self._found))


@dataclass(frozen=True, slots=True)
class Placed:
    """One address column, placed: ``spot`` is int32[n], -1 where the column was null."""

    spot: NDArray[np.int32]
    places: Places

    @property
    def endpoint(self) -> NDArray[np.int32]:
        """int32[n]: numbers of endpoints; -1 where there is none."""
        return np.asarray(self.places.spots.endpoint[self.spot])

    @property
    def node(self) -> NDArray[np.int32]:
        """int32[n]: numbers of nodes; -1 where it is not known."""
        return np.asarray(self.places.spots.node[self.spot])

    @property
    def member(self) -> NDArray[np.uint64]:
        """uint64[n]: hashes of pods; 0 where it is not known."""
        return np.asarray(self.places.spots.member[self.spot])


@dataclass(frozen=True, slots=True)
class _Addresses:
    """The distinct values of a dictionary, and where their spots begin.

    ``folded`` is int32[m], the value at each of m places of the dictionary, or None if none is
    repeated; ``number``, ``owner`` and ``settled`` are of the values.
    """

    values: tuple[bytes, ...]
    folded: NDArray[np.int32] | None
    number: NDArray[np.int32]
    owner: NDArray[np.int64]
    settled: NDArray[np.bool_]
    first: int


_NOWHERE = Spots(
    np.array([-1], np.int32),
    np.array([-1], np.int32),
    np.zeros(1, np.uint64),
    np.array([-1], np.int32),
)


@lru_cache(maxsize=1 << 16)
def _ambiguous(inventory: Inventory, address: bytes, candidates: Sequence[int]) -> Endpoint:
    # Both the candidates and the inventory's endpoints are in order.
    ends = tuple(inventory.endpoints[number] for number in candidates)
    return Endpoint(Kind.AMBIGUOUS, address=read_address(address)[2], candidates=ends)


def distinct(column: pa.DictionaryArray) -> tuple[tuple[bytes, ...], NDArray[np.int32]]:
    """Return the distinct addresses of the column, and int32[n] codes into them; -1 for null."""
    values, folded = _distinct_values(column.dictionary)
    return values, _codes(column, folded)


def _distinct_values(
    dictionary: pa.Array,
) -> tuple[tuple[bytes, ...], NDArray[np.int32] | None]:
    """Return the distinct values; and int32[m] of them at each place, None if all are distinct."""
    start, data = dictionary.offset * 16, dictionary.buffers()[1]
    octets = data.to_pybytes()[start : start + 16 * len(dictionary)] if data else b""
    values = [octets[at : at + 16] for at in range(0, len(octets), 16)]
    unique = {value: at for at, value in enumerate(dict.fromkeys(values))}
    if len(unique) == len(values):
        return tuple(values), None
    return tuple(unique), np.array([unique[value] for value in values], np.int32)


def _codes(column: pa.DictionaryArray, folded: NDArray[np.int32] | None) -> NDArray[np.int32]:
    """Return int32[n]: each row's value; -1 for null."""
    codes: NDArray[np.int32] = read_values(column.indices)
    if column.null_count:
        codes = np.where(read_nulls(column.indices), np.int32(-1), codes)
    return codes if folded is None else np.append(folded, np.int32(-1)).take(codes)


def _micros(column: pa.Array, missing: int, slack: int) -> NDArray[np.int64]:
    known: NDArray[Any] = read_values(column)
    if slack:
        known = known + slack
    return np.where(read_nulls(column), missing, known) if column.null_count else known
