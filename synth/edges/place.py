"""The endpoints of a batch's addresses, at the times of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.flows import FlowBatch
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.locate import locate, outside, resolve
from synth.inventory.model import Inventory, Placement
from synth.policy.address import unpack_address

NEVER = np.iinfo(np.int64).max

_outside = lru_cache(maxsize=1 << 16)(outside)


@dataclass(frozen=True, slots=True)
class Placed:
    """One address column, placed; arrays of length n.

    ``endpoint`` int32: its number, -1 where the column was null. ``node`` int32: the number of
    the node it was on, ``member`` uint64: the hash of the pod; -1 and 0 where unknown.
    """

    endpoint: NDArray[np.int32]
    node: NDArray[np.int32]
    member: NDArray[np.uint64]


class Places:
    """The endpoints met in one batch: the inventory's, then those found on the way.

    Numbers are only good within the batch; ``endpoints`` lists them in order.
    """

    def __init__(self, inventory: Inventory, batch: FlowBatch) -> None:
        """Take the batch's times, widened by the slack of its source."""
        self._inventory = inventory
        self._found: dict[Endpoint, int] = {}
        table = batch.table
        self._start = _micros(table.column("start"), -NEVER, -int(batch.early))
        self._end = _micros(table.column("end"), NEVER, int(batch.late))

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint by number."""
        return (*self._inventory.endpoints, *self._found)

    def place(self, column: pa.DictionaryArray) -> Placed:
        """Return where the addresses of the column were at the times of the records."""
        if column.null_count == len(column):
            return _nowhere(len(column))
        addresses, codes = distinct(column)
        if not column.null_count:
            return self._placed(addresses, codes, self._start, self._end)
        rows = np.flatnonzero(codes >= 0)
        some = self._placed(addresses, codes[rows], self._start[rows], self._end[rows])
        whole = _nowhere(len(codes))
        whole.endpoint[rows] = some.endpoint
        whole.node[rows] = some.node
        whole.member[rows] = some.member
        return whole

    def _placed(
        self,
        addresses: Sequence[bytes],
        codes: NDArray[np.int32],
        start: NDArray[np.int64],
        end: NDArray[np.int64],
    ) -> Placed:
        placed = _nowhere(len(codes))
        if not len(codes):
            return placed
        spots = locate(self._inventory, addresses, codes, start, end)
        endpoint = self._resolve(addresses, codes, spots)
        held = (spots.first >= 0) & (endpoint < len(self._inventory.endpoints))
        single = held & (spots.first == spots.last)
        last = spots.last
        placed.member[held] = self._inventory.holding_member[last[held]]
        placed.node[single] = self._inventory.holding_node[last[single]]
        return Placed(endpoint, placed.node, placed.member)

    def name(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Return int32[n]: the endpoints of addresses that belong to no pod; -1 for null."""
        if column.null_count == len(column):
            return _nowhere(len(column)).endpoint
        addresses, codes = distinct(column)
        numbers = [self._number(_outside(self._inventory, one)) for one in addresses]
        return np.array([*numbers, -1], np.int32)[codes]

    def _resolve(
        self, addresses: Sequence[bytes], codes: NDArray[np.int32], spots: Placement
    ) -> NDArray[np.int32]:
        found = resolve(self._inventory, spots)
        endpoint = found.endpoint.copy()
        rows = np.flatnonzero(endpoint < 0)
        # One number for each address and what it resolved to: they are few, the rows are many.
        pairs, which = np.unique(
            (found.endpoint[rows].astype(np.int64) << 32) | codes[rows], return_inverse=True
        )
        numbers = [
            self._unheld(addresses[pair & 0xFFFFFFFF], found.candidates, -2 - (pair >> 32))
            for pair in pairs.tolist()
        ]
        endpoint[rows] = np.array(numbers, np.int32)[which]
        return endpoint

    def _unheld(self, address: bytes, candidates: Sequence[Sequence[int]], number: int) -> int:
        if number < 0:
            return self._number(_outside(self._inventory, address))
        return self._ambiguous(address, candidates[number])

    def _ambiguous(self, address: bytes, candidates: Sequence[int]) -> int:
        ends = sorted({self._inventory.endpoints[number] for number in candidates})
        text = str(unpack_address(address))
        return self._number(Endpoint(Kind.AMBIGUOUS, address=text, candidates=tuple(ends)))

    def _number(self, endpoint: Endpoint) -> int:
        return self._found.setdefault(endpoint, len(self._inventory.endpoints) + len(self._found))


def _nowhere(size: int) -> Placed:
    return Placed(
        endpoint=np.full(size, -1, np.int32),
        node=np.full(size, -1, np.int32),
        member=np.zeros(size, np.uint64),
    )


def distinct(column: pa.DictionaryArray) -> tuple[tuple[bytes, ...], NDArray[np.int32]]:
    """Return the distinct addresses of the column, and int32[n] codes into them; -1 for null."""
    values = column.dictionary.to_pylist()
    unique = {value: at for at, value in enumerate(dict.fromkeys(values))}
    folded = np.array([unique[value] for value in values] or [-1], np.int32)
    codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return tuple(unique), np.where(codes < 0, -1, folded[codes]).astype(np.int32)


def _micros(column: pa.Array, missing: int, slack: int) -> NDArray[np.int64]:
    values = column.cast(pa.int64())
    known = values.fill_null(0).to_numpy(zero_copy_only=False)
    gone: NDArray[Any] = values.is_null().to_numpy(zero_copy_only=False)
    return np.where(gone, missing, known + slack)
