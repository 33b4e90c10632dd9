"""Tables of bits, eight to a byte: what lets rules by endpoints fit into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Row = int
"""A row of bits as one number, column i its i-th bit: a hundred times a row meets or joins another
in the time that NumPy takes for one call."""

WORD = 8
"""A row's octets are a multiple of this, so that a row is read 64 bits at a time."""


def octets(columns: int) -> int:
    """Return how many octets a row of so many bits takes."""
    return (columns + 8 * WORD - 1) // (8 * WORD) * WORD


def pack(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as a row of ``Bits``."""
    packed = np.zeros(octets(len(mask)), np.uint8)
    bits = np.packbits(mask, bitorder="little")
    packed[: len(bits)] = bits
    return packed


def row_of(mask: Mask) -> Row:
    """Return the mask as one number."""
    return int.from_bytes(np.packbits(mask, bitorder="little").tobytes(), "little")


def columns_of(row: Row) -> NDArray[np.int64]:
    """Return the columns that the row holds, ascending."""
    held = np.frombuffer(row.to_bytes(-(-row.bit_length() // 8), "little"), np.uint8)
    some = np.flatnonzero(held)
    place, bit = np.nonzero(np.unpackbits(held[some, None], axis=1, bitorder="little"))
    return some[place] * 8 + bit


@dataclass(frozen=True, slots=True)
class Bits:
    """A table bool[rows, columns], packed into uint8[rows, octets(columns)]."""

    packed: NDArray[np.uint8]
    columns: int

    @classmethod
    def blank(cls, rows: int, columns: int) -> Self:
        """Return a table of zeros."""
        return cls(np.zeros((rows, octets(columns)), np.uint8), columns)

    @classmethod
    def of(cls, rows: Sequence[NDArray[np.uint8]], columns: int) -> Self:
        """Return the table of packed rows."""
        return cls(np.array(rows, np.uint8).reshape(len(rows), octets(columns)), columns)

    @classmethod
    def of_rows(cls, rows: Sequence[Row], columns: int) -> Self:
        """Return the table of rows that are numbers."""
        width = octets(columns)
        whole = b"".join(row.to_bytes(width, "little") for row in rows)
        return cls(np.frombuffer(whole, np.uint8).reshape(len(rows), width), columns)

    def at(self, rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]]) -> Mask:
        """Return the bits of these cells; rows and columns broadcast against each other."""
        held = self.packed[rows, columns >> 3]
        found: Mask = (held >> (columns & 7).astype(np.uint8) & np.uint8(1)).view(np.bool_)
        return found

    def union(self, rows: NDArray[np.integer[Any]]) -> Mask:
        """Return bool[columns]: what any of the rows holds."""
        merged = np.bitwise_or.reduce(self.packed[rows], axis=0)
        return np.unpackbits(merged, count=self.columns, bitorder="little").view(np.bool_)
