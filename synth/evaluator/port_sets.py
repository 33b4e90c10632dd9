"""Sets of ports by number, for many pairs at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synth.policy.ports import PortSet

Numbers = NDArray[np.uint16 | np.int32]
NARROW = 1 << 16
"""Up to so many sets, two bytes hold a number."""
PAIRS = 1 << 18
"""How many pairs are looked at one by one, at a time."""


@dataclass(frozen=True, slots=True)
class PortSets:
    """The sets found so far, each as the cells it holds; number 0 is no cell, number 1 is all."""

    cells: tuple[PortSet, ...]
    numbers: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, cells: Sequence[PortSet]) -> "PortSets":
        """Return the sets of these cells, none found but the empty one and the whole."""
        none = np.zeros((1, len(cells)), np.bool_)
        return cls(tuple(cells), {_packed(none).tobytes(): 0, _packed(~none).tobytes(): 1})

    def number(self, tables: NDArray[np.uint8], columns: int) -> Numbers:
        """Return [rows, columns]: the number of each pair's set.

        ``tables`` is uint8[cells, rows, w]: of each cell, the pairs whose set holds it, packed.
        """
        some, every = np.bitwise_or.reduce(tables), np.bitwise_and.reduce(tables)
        numbers = np.unpackbits(every, axis=1, count=columns, bitorder="little").astype(np.int32)
        mixed = np.unpackbits(some & ~every, axis=1, count=columns, bitorder="little")
        pairs = np.flatnonzero(mixed)
        for low in range(0, len(pairs), PAIRS):
            row, column = np.divmod(pairs[low : low + PAIRS], columns)
            numbers[row, column] = self._number(_packed(_held(tables, row, column)))
        return numbers.astype(np.uint16) if len(self.numbers) <= NARROW else numbers

    def found(self) -> tuple[PortSet, ...]:
        """Return the sets by number."""
        return tuple(self._set(code) for code in self.numbers)

    def _number(self, codes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return int64[n]: the number of each code, a row of 64 cells a word."""
        alike = np.zeros(len(codes), np.int64)
        for word in codes.T:
            values, inverse = np.unique(word, return_inverse=True)
            _, alike = np.unique(alike * len(values) + inverse, return_inverse=True)
        if not len(codes):
            return alike
        _, first = np.unique(alike, return_index=True)
        numbers = [
            self.numbers.setdefault(code.tobytes(), len(self.numbers)) for code in codes[first]
        ]
        return np.array(numbers, np.int64)[alike]

    def _set(self, code: bytes) -> PortSet:
        held = np.unpackbits(np.frombuffer(code, np.uint8), bitorder="little")[: len(self.cells)]
        chosen = np.flatnonzero(held).tolist()
        return PortSet(tuple(one for cell in chosen for one in self.cells[cell].ranges))


def _held(
    tables: NDArray[np.uint8], row: NDArray[np.int64], column: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return bool[n, cells]: which cells the set of each of these pairs holds."""
    at = row * tables.shape[2] + (column >> 3)
    bit = np.uint8(1) << (column & 7).astype(np.uint8)
    held = np.empty((len(row), len(tables)), np.bool_)
    for cell, table in enumerate(tables):
        held[:, cell] = table.ravel()[at] & bit != 0
    return held


def _packed(held: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return the rows packed, padded to words."""
    octets = np.packbits(held, axis=1, bitorder="little")
    padded = np.zeros((len(octets), max(1, -(-octets.shape[1] // 8)) * 8), np.uint8)
    padded[:, : octets.shape[1]] = octets
    return padded.view(np.uint64)
