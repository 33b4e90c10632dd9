"""The endpoints of a batch's addresses, at the times of its records."""

from collections.abc import Sequence
from dataclasses import dataclass
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
        addresses, codes = distinct(column)
        known = codes >= 0
        rows = np.flatnonzero(known)
        spots = locate(self._inventory, addresses, codes[rows], self._start[rows], self._end[rows])
        endpoint = np.full(len(codes), -1, np.int32)
        node = np.full(len(codes), -1, np.int32)
        member = np.zeros(len(codes), np.uint64)
        endpoint[rows] = self._resolve(addresses, codes[rows], spots)
        certain = spots.first >= 0
        sure, last = rows[certain], spots.last[certain]
        settled = endpoint[sure] < len(self._inventory.endpoints)
        node[sure[settled]] = self._inventory.holding_node[last[settled]]
        member[sure[settled]] = self._inventory.holding_member[last[settled]]
        blurred = spots.first != spots.last
        node[rows[blurred]] = -1
        return Placed(endpoint, node, member)

    def name(self, column: pa.DictionaryArray) -> NDArray[np.int32]:
        """Return int32[n]: the endpoints of addresses that belong to no pod; -1 for null."""
        addresses, codes = distinct(column)
        numbers = [self._number(outside(self._inventory, one)) for one in addresses]
        return np.array([*numbers, -1], np.int32)[codes]

    def _resolve(
        self, addresses: Sequence[bytes], codes: NDArray[np.int32], spots: Placement
    ) -> NDArray[np.int32]:
        found = resolve(self._inventory, spots)
        nobody = found.endpoint == -1
        outsiders = np.full(len(addresses), -1, np.int32)
        for code in np.unique(codes[nobody]):
            outsiders[code] = self._number(outside(self._inventory, addresses[code]))
        endpoint = np.where(nobody, outsiders[codes], found.endpoint)
        for number, candidates in enumerate(found.candidates):
            several = found.endpoint == -2 - number
            for code in np.unique(codes[several]):
                rows = several & (codes == code)
                endpoint[rows] = self._ambiguous(addresses[code], candidates)
        return endpoint.astype(np.int32)

    def _ambiguous(self, address: bytes, candidates: Sequence[int]) -> int:
        ends = sorted({self._inventory.endpoints[number] for number in candidates})
        text = str(unpack_address(address))
        return self._number(Endpoint(Kind.AMBIGUOUS, address=text, candidates=tuple(ends)))

    def _number(self, endpoint: Endpoint) -> int:
        return self._found.setdefault(endpoint, len(self._inventory.endpoints) + len(self._found))


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
