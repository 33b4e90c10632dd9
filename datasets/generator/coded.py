"""Arrow columns of text, coded by number."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

WORD = pa.dictionary(pa.int32(), pa.utf8())


def words(codes: NDArray[Any], texts: list[str]) -> pa.Array:
    """Return the texts of the codes; null for those below 0."""
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts))


def constant(size: int, text: str) -> pa.Array:
    """Return the same text so many times."""
    return words(np.zeros(size, np.int32), [text])


def compact(codes: NDArray[Any], texts: pa.Array) -> pa.Array:
    """Return the texts of the codes, with a dictionary of those that occur."""
    occurs = np.zeros(len(texts), np.bool_)
    occurs[codes] = True
    number = np.cumsum(occurs, dtype=np.int32) - np.int32(1)
    used = texts.take(pa.array(np.flatnonzero(occurs)))
    return pa.DictionaryArray.from_arrays(pa.array(number[codes]), used)
