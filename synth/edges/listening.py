"""Which spots declare to listen on which port, answered for all records of a batch at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.direction import Listeners

_PORTS = 1 << 16
_PROTOCOLS = 1 << 8
_LARGEST_TABLE = 1 << 26


@dataclass(frozen=True, slots=True)
class Listening:
    """A table of bool: one row for each endpoint that listens, one column for each port.

    ``row`` is int64[s], by spot: where its endpoint's row of the table begins. ``plane`` is
    int32[256], by protocol: where its part of ``column`` begins, which is int32, by port. Row
    and column 0 are those of endpoints and ports that nobody declared. Where the table would be
    too large, it is empty, and ``cells`` are the sorted places that it would hold.
    """

    row: NDArray[np.int64]
    plane: NDArray[np.int32]
    column: NDArray[np.int32]
    table: NDArray[np.bool_]
    cells: NDArray[np.int64]

    @classmethod
    def of(cls, listeners: Listeners, endpoint: NDArray[np.int32], endpoints: int) -> "Listening":
        """Return the table; ``endpoint`` is int32[s], -1 for none, by spot."""
        who, rows = np.unique(listeners.codes >> 24, return_inverse=True)
        ports, columns = np.unique(listeners.codes & 0xFFFFFF, return_inverse=True)
        width = len(ports) + 1
        row = np.zeros(endpoints + 1, np.int64)
        row[who] = np.arange(1, len(who) + 1) * width
        protocols, planes = np.unique(ports >> 16, return_inverse=True)
        plane = np.zeros(_PROTOCOLS, np.int32)
        plane[protocols] = np.arange(1, len(protocols) + 1) * _PORTS
        column = np.zeros((len(protocols) + 1) * _PORTS, np.int32)
        column[(planes + 1) * _PORTS + (ports & 0xFFFF)] = np.arange(1, width)
        cells = np.sort((rows + 1) * width + columns + 1)
        size = (len(who) + 1) * width
        table = np.zeros(size if size <= _LARGEST_TABLE else 0, np.bool_)
        if len(table):
            table[cells] = True
        return cls(row[endpoint], plane, column, table, cells)

    def holds(
        self, spot: NDArray[np.intp], protocol: NDArray[np.uint8], port: NDArray[np.uint16]
    ) -> NDArray[np.bool_]:
        """Return bool[n]: whether what is at the spot declares to listen on the port."""
        at = self.plane.take(protocol)
        at += port
        cell = self.row.take(spot)
        cell += self.column.take(at)
        if len(self.table):
            return self.table.take(cell)
        place = np.searchsorted(self.cells, cell).clip(max=len(self.cells) - 1)
        return np.asarray(self.cells[place] == cell)
