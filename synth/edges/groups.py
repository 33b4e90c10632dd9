"""Rows grouped by the key of edges, without sorting the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.buffers import make_numbers, read_values
from synth.edges.schema import KEY, MEASURES

Columns = dict[str, NDArray[Any]]

NO_ENDPOINT = np.iinfo(np.int32).max
_LARGEST = 1 << 62


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a key: integers[n] from 0 to ``size`` - 1."""

    values: NDArray[Any]
    size: int

    @classmethod
    def packed(cls, values: NDArray[Any], size: int) -> Self:
        """Return the values, of which few of the many that there could be occur, numbered."""
        occurs = np.zeros(size, np.bool_)
        occurs[values] = True
        number = np.cumsum(occurs) - 1
        return cls(number.astype(np.uint16).take(values), int(number[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Groups:
    """n rows in g groups of one key each.

    ``of`` is int64[n], the group of each row; ``one`` is int64[g], some row of each group.
    """

    of: NDArray[np.int64]
    one: NDArray[np.int64]

    @classmethod
    def by_key(cls, columns: Columns) -> Self:
        """Return the groups of rows that are equal in every column of ``KEY``, in their order."""
        packed = _packed(columns)
        found, count = _numbered(packed)
        one = np.empty(count, np.int64)
        one[found] = np.arange(len(found))
        order = np.lexsort(tuple(part[one] for part in reversed(packed)))
        place = np.empty(count, np.int64)
        place[order] = np.arange(count)
        return cls(place[found], one[order])

    @classmethod
    def by_parts(cls, parts: Sequence[Part]) -> Self:
        """Return the groups of rows that are equal in every part, in no order that means much."""
        whole, room = np.zeros(len(parts[0].values), np.int64), 1
        for part in parts:
            if room * part.size > _LARGEST:
                whole, room = number_values(whole)
            if part.size > 1:
                whole *= part.size
                whole += part.values
                room *= part.size
        of, count = number_values(whole)
        one = np.empty(count, np.int64)
        one[of] = np.arange(len(of))
        return cls(of, one)

    def reduce(self, operation: np.ufunc, values: NDArray[Any]) -> NDArray[Any]:
        """Return [g]: the values of each group's rows, put together; [g, k] for [n, k]."""
        result = values[self.one] if operation is not np.add else np.zeros_like(values[self.one])
        if values.ndim == 1:
            operation.at(result, self.of, values)
            return result
        for column in range(values.shape[1]):
            result[:, column] = self.reduce(operation, np.ascontiguousarray(values[:, column]))
        return result


def group(columns: Columns) -> Columns:
    """Return the columns with rows of one key added up, in the order of the keys."""
    groups = Groups.by_key(columns)
    grouped = {name: values[groups.one] for name, values in columns.items()}
    if len(groups.one) == len(groups.of):
        return grouped
    for name, (_, operation) in MEASURES.items():
        grouped[name] = groups.reduce(operation, columns[name])
    grouped["rungs"] = groups.reduce(np.add, columns["rungs"])
    grouped["half_days"] = groups.reduce(np.bitwise_or, columns["half_days"])
    grouped["asked"] = smallest_asked(groups, columns["asked"])
    grouped["example"] = groups.reduce(np.minimum, columns["example"])
    return grouped


def smallest_asked(groups: Groups, asked: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return int32[g]: the smallest endpoint asked for, -1 where none was."""
    known = np.where(asked < 0, NO_ENDPOINT, asked).astype(np.int32)
    least = groups.reduce(np.minimum, known)
    return np.where(least == NO_ENDPOINT, -1, least).astype(np.int32)


def number_values(values: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return int64[n], equal numbers from 0 for equal values, and how many there are."""
    coded = make_numbers(values, pa.int64()).dictionary_encode()
    return read_values(coded.indices).astype(np.int64), len(coded.dictionary)


def _packed(columns: Columns) -> tuple[NDArray[np.int64], ...]:
    """Return the key in three columns, which sort as the columns of ``KEY`` do."""
    wide = {name: columns[name].astype(np.int64) for name in KEY}
    flags = wide["decided"] << 2 | wide["same_node"] << 1 | wide["same_pod"]
    return (
        wide["client"] << 32 | wide["client_seen"],
        wide["server"] << 24 | wide["protocol"] << 16 | wide["client_port"],
        wide["port"] << 3 | flags,
    )


def _numbered(parts: tuple[NDArray[np.int64], ...]) -> tuple[NDArray[np.int64], int]:
    """Return int64[n], equal numbers for rows equal in all parts, and how many there are."""
    number, count = number_values(parts[0])
    for part in parts[1:]:
        more, several = number_values(part)
        number, count = number_values(number * several + more)
    return number, count
