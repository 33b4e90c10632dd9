"""Tables of bits turned over, rows into columns, without unpacking them."""

import numpy as np
from numpy.typing import NDArray

CHUNK = 1 << 13
"""How many squares are flipped at a time: what a processor keeps at hand."""
_STEPS = (
    (np.uint64(7), np.uint64(0x00AA00AA00AA00AA)),
    (np.uint64(14), np.uint64(0x0000CCCC0000CCCC)),
    (np.uint64(28), np.uint64(0x00000000F0F0F0F0)),
)
"""Swaps single bits, then pairs, then fours across the diagonal of a square of eight by eight."""


def flip(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return uint8[8 * w, ceil(n / 8)]: bit (i, j) of uint8[n, w] as bit (j, i).

    Bits are packed as in ``Bits``, little end first.

    >>> flip(np.array([[1], [3]], np.uint8))[:3].tolist()
    [[3], [2], [0]]
    """
    rows, width = packed.shape
    height = -(-rows // 8)
    if rows != 8 * height:
        packed = np.concatenate([packed, np.zeros((8 * height - rows, width), np.uint8)])
    squares = np.ascontiguousarray(packed.reshape(height, 8, width).transpose(2, 0, 1))
    words = squares.reshape(-1).view("<u8")
    for low in range(0, len(words), CHUNK):
        _flip_squares(words[low : low + CHUNK])
    return squares.transpose(0, 2, 1).reshape(8 * width, height)


def _flip_squares(words: NDArray[np.uint64]) -> None:
    """Flip each square of eight by eight in place."""
    swapped = np.empty_like(words)
    for distance, mask in _STEPS:
        np.right_shift(words, distance, out=swapped)
        swapped ^= words
        swapped &= mask
        words ^= swapped
        swapped <<= distance
        words ^= swapped
