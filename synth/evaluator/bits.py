"""Tables of bits, eight to a byte: what lets rules by endpoints fit into memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def pack(mask: Mask) -> NDArray[np.uint8]:
    """Return the mask as a row of ``Bits``."""
    return np.packbits(mask, bitorder="little")


@dataclass(frozen=True, slots=True)
class Bits:
    """A table bool[rows, columns], packed into uint8[rows, ceil(columns / 8)]."""

    packed: NDArray[np.uint8]
    columns: int

    @classmethod
    def blank(cls, rows: int, columns: int) -> Self:
        """Return a table of zeros."""
        return cls(np.zeros((rows, (columns + 7) // 8), np.uint8), columns)

    @classmethod
    def of(cls, rows: Sequence[NDArray[np.uint8]], columns: int) -> Self:
        """Return the table of packed rows."""
        width = (columns + 7) // 8
        return cls(np.array(rows, np.uint8).reshape(len(rows), width), columns)

    def at(self, rows: NDArray[np.integer[Any]], columns: NDArray[np.integer[Any]]) -> Mask:
        """Return the bits of these cells; rows and columns broadcast against each other."""
        octets = self.packed[rows, columns >> 3]
        found: Mask = (octets >> (columns & 7).astype(np.uint8) & 1).astype(np.bool_)
        return found

    def union(self, rows: NDArray[np.integer[Any]]) -> Mask:
        """Return bool[columns]: what any of the rows holds."""
        merged = np.bitwise_or.reduce(self.packed[rows], axis=0)
        return np.unpackbits(merged, count=self.columns, bitorder="little").view(np.bool_)
