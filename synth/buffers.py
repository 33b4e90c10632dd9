"""Arrow arrays as NumPy arrays or texts and back, from buffer to buffer.

The conversions of pyarrow itself import pandas, which takes a third of a second.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_DTYPES = {
    pa.int8(): np.int8,
    pa.int16(): np.int16,
    pa.int32(): np.int32,
    pa.int64(): np.int64,
    pa.uint8(): np.uint8,
    pa.uint16(): np.uint16,
    pa.uint32(): np.uint32,
    pa.uint64(): np.uint64,
}
_ADDRESS_SIZE = 16
_NARROW = pa.types.is_string, pa.types.is_binary
_WIDE = pa.types.is_large_string, pa.types.is_large_binary


def read_values(array: pa.Array) -> NDArray[Any]:
    """Return [n]: integers, times (as int64) or bools; whatever memory holds where one is null."""
    if pa.types.is_boolean(array.type):
        return _read_bits(array)
    dtype = np.dtype(_DTYPES.get(array.type, np.int64))
    if not len(array):
        return np.zeros(0, dtype)
    return np.frombuffer(array.buffers()[1], dtype, len(array), array.offset * dtype.itemsize)


def read_nulls(array: pa.Array) -> NDArray[np.bool_]:
    """Return bool[n]: whether there is no value."""
    if not array.null_count:
        return np.zeros(len(array), np.bool_)
    return _read_bits(array.is_null())


def read_texts(array: pa.Array) -> list[object]:
    """Return the values as bytes, or None: text need not be UTF-8."""
    wide = any(test(array.type) for test in _WIDE)
    if array.null_count or not len(array) or not (wide or any(one(array.type) for one in _NARROW)):
        values: list[object] = array.cast(pa.large_binary()).to_pylist()
        return values
    _, places, data = array.buffers()
    size = 8 if wide else 4
    ends = np.frombuffer(places, f"i{size}", len(array) + 1, array.offset * size).tolist()
    text = data.to_pybytes() if data else b""
    return [text[start:end] for start, end in pairwise(ends)]


def make_numbers(
    values: NDArray[Any], kind: pa.DataType, missing: NDArray[np.bool_] | None = None
) -> pa.Array:
    """Return integers, of the type's own width, or bools; null where missing."""
    valid = None if missing is None or not missing.any() else _make_bits(~missing)
    if pa.types.is_boolean(kind):
        data = _make_bits(values)
    else:
        data = pa.py_buffer(np.ascontiguousarray(values, _DTYPES[kind]))
    return pa.Array.from_buffers(kind, len(values), [valid, data])


def make_addresses(values: Sequence[bytes]) -> pa.FixedSizeBinaryArray:
    """Return the addresses, of 16 bytes each."""
    kind = pa.binary(_ADDRESS_SIZE)
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(b"".join(values))])


def _read_bits(array: pa.Array) -> NDArray[np.bool_]:
    if not len(array):
        return np.zeros(0, np.bool_)
    octets = np.frombuffer(array.buffers()[1], np.uint8)
    end = array.offset + len(array)
    return np.unpackbits(octets, count=end, bitorder="little")[array.offset :].view(np.bool_)


def _make_bits(values: NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values.astype(np.bool_, copy=False), bitorder="little"))
