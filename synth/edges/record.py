"""The columns of a batch as NumPy arrays, each converted once."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.buffers import read_nulls, read_values
from synth.edges.place import NEVER
from synth.edges.schema import Source
from synth.flows import FlowBatch

SOURCES = {"vpc": Source.VPC, "conntrack": Source.CONNTRACK, "denials": Source(0)}


class Record:
    """The columns of a batch as NumPy arrays; nulls become 0."""

    def __init__(self, batch: FlowBatch, start: int, size: int) -> None:
        """Take so many rows of the batch's table, copying nothing."""
        self.table = batch.table.slice(start, size)
        self.source = SOURCES[batch.source.partition("-")[0]]
        self.source |= Source.INTERFACES if batch.interfaces else Source(0)
        self._read: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the column of this name."""
        if name not in self._read:
            self._read[name] = self._filled(name, 0)
        return self._read[name]

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def coded(self, name: str) -> pa.DictionaryArray:
        """Return the column of this name, still dictionary-coded."""
        return self.table.column(name)

    def is_missing(self, name: str) -> bool:
        """Return whether the column holds nulls only."""
        return bool(self.table.column(name).null_count == self.table.num_rows)

    @property
    def times(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and last microsecond; ``NEVER`` and ``-NEVER`` where there is none."""
        return self._filled("start", NEVER), self._filled("end", -NEVER)

    def _filled(self, name: str, value: int) -> NDArray[Any]:
        column = self.table.column(name)
        values = read_values(column)
        if not column.null_count:
            return values
        filled = values.copy()
        filled[read_nulls(column)] = value
        return filled
