"""Arrow arrays as NumPy arrays and back, over the same memory.

The conversions of pyarrow itself import pandas, which takes a third of a second.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_DTYPES = {
    pa.uint8(): np.uint8,
    pa.uint16(): np.uint16,
    pa.int32(): np.int32,
    pa.uint64(): np.uint64,
}


def read_values(array: pa.Array) -> NDArray[Any]:
    """Return [n]: integers, times (as int64) or bools; whatever memory holds where one is null."""
    if pa.types.is_boolean(array.type):
        return _read_bits(array.buffers()[1], array.offset, len(array))
    dtype = np.dtype(_DTYPES.get(array.type, np.int64))
    if not len(array):
        return np.zeros(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)


def read_nulls(array: pa.Array) -> NDArray[np.bool_]:
    """Return bool[n]: whether there is no value."""
    if not array.null_count:
        return np.zeros(len(array), np.bool_)
    return read_values(array.is_null())


def as_arrow(values: NDArray[np.int64]) -> pa.Array:
    """Return the values as an Arrow array."""
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.int64(), len(values), [None, buffer])


def _read_bits(buffer: pa.Buffer, offset: int, size: int) -> NDArray[np.bool_]:
    if not size:
        return np.zeros(0, np.bool_)
    octets = np.frombuffer(buffer, np.uint8)
    return np.unpackbits(octets, count=offset + size, bitorder="little")[offset:].view(np.bool_)
