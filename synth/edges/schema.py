"""Edges: one row for each set of connections with one key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import IntFlag
from operator import attrgetter
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.flows import Rung
from synth.inventory.endpoint import Endpoint

RUNGS = len(Rung)


class Source(IntFlag):
    """The kinds of logs that an edge was seen in: what they cannot show differs."""

    VPC = 1
    CONNTRACK = 2
    INTERFACES = 4
    """VPC flow logs that name interfaces, which hide the pods behind them."""


KEY: Mapping[str, type[np.generic]] = {
    "client": np.int32,
    "client_seen": np.int32,
    "server": np.int32,
    "protocol": np.uint8,
    "client_port": np.uint16,
    "port": np.uint16,
    "decided": np.bool_,
    "same_node": np.bool_,
    "same_pod": np.bool_,
}
"""Column → dtype of what tells edges apart."""

MEASURES: Mapping[str, tuple[type[np.generic], np.ufunc]] = {
    "records": (np.int64, np.add),
    "answered": (np.int64, np.add),
    "failed": (np.int64, np.add),
    "denied": (np.int64, np.add),
    "from_client": (np.int64, np.add),
    "from_server": (np.int64, np.add),
    "heard_client": (np.int64, np.add),
    "heard_server": (np.int64, np.add),
    "opened_at_client": (np.int64, np.add),
    "opened_at_server": (np.int64, np.add),
    "opened_unplaced": (np.int64, np.add),
    "packets_out": (np.int64, np.add),
    "packets_back": (np.int64, np.add),
    "bytes_out": (np.int64, np.add),
    "bytes_back": (np.int64, np.add),
    "first": (np.int64, np.minimum),
    "last": (np.int64, np.maximum),
    "least_client": (np.uint64, np.minimum),
    "greatest_client": (np.uint64, np.maximum),
    "least_server": (np.uint64, np.minimum),
    "greatest_server": (np.uint64, np.maximum),
    "least_connection": (np.uint64, np.minimum),
    "greatest_connection": (np.uint64, np.maximum),
    "sources": (np.uint8, np.bitwise_or),
}
"""Column → dtype, and the commutative, associative operation that merges two edges of one key."""

NEVER = np.iinfo(np.int64).max
"""``first`` of an edge whose records carry no time; its ``last`` is ``-NEVER``."""


_ORDER = attrgetter(*(one.name for one in fields(Endpoint)))


def sort_endpoints(endpoints: Iterable[Endpoint]) -> list[Endpoint]:
    """Return the endpoints in their order, each once; much faster than ``sorted``.

    Runs that are in order already are merged, not sorted again.
    """
    return sorted(dict.fromkeys(endpoints), key=_ORDER)


@dataclass(frozen=True)
class Edges:
    """Edges of a capture, n rows in the order of their keys, with the endpoints they connect.

    Columns are arrays of length n (dtypes in ``KEY`` and ``MEASURES``); endpoint columns hold
    numbers into ``endpoints``, which is sorted and unique.

    | column | meaning |
    |---|---|
    | client, server | who opened, who listened |
    | client_seen | the peer that the server's enforcement sees; differs under masquerade |
    | protocol, port | IANA number; the server's port |
    | decided | False: an undecided pair, client and server are merely its two ends |
    | client_port | the other end's port of an undecided pair, 0 where it cannot be a server's |
    | same_node, same_pod | both ends on one node; one pod talking to itself |
    | records | log records that folded into the edge |
    | answered, failed, denied | records that show an answer; a failure; a filter's refusal |
    | from_client, from_server | one-way records, by their sender |
    | heard_* | records that tell no outcome, by who sent what they count as forward |
    | opened_* | openings by where they were recorded: see ``connections`` |
    | packets_*, bytes_* | as measured, out: client to server; 0 where never measured |
    | first, last | microseconds since 1970 UTC; ``NEVER`` and ``-NEVER`` without times |
    | least_*, greatest_* | hashes of pods and connections; equal: there was only one |
    | sources | bits of ``Source`` |
    | rungs | int64[n, 9]: records by the rung that told their direction |
    | half_days | uint64[n, w]: bit b of the row is half-day ``half_day_base + b`` since 1970 |
    | asked | endpoint asked for before DNAT (the smallest, if several); -1: none |
    | example | int64[n]: number of the file in ``files`` << 40 | row of the first record |
    """

    endpoints: tuple[Endpoint, ...]
    files: tuple[str, ...]
    half_day_base: int
    client: NDArray[np.int32]
    client_seen: NDArray[np.int32]
    server: NDArray[np.int32]
    protocol: NDArray[np.uint8]
    client_port: NDArray[np.uint16]
    port: NDArray[np.uint16]
    decided: NDArray[np.bool_]
    same_node: NDArray[np.bool_]
    same_pod: NDArray[np.bool_]
    records: NDArray[np.int64]
    answered: NDArray[np.int64]
    failed: NDArray[np.int64]
    denied: NDArray[np.int64]
    from_client: NDArray[np.int64]
    from_server: NDArray[np.int64]
    heard_client: NDArray[np.int64]
    heard_server: NDArray[np.int64]
    opened_at_client: NDArray[np.int64]
    opened_at_server: NDArray[np.int64]
    opened_unplaced: NDArray[np.int64]
    packets_out: NDArray[np.int64]
    packets_back: NDArray[np.int64]
    bytes_out: NDArray[np.int64]
    bytes_back: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    least_client: NDArray[np.uint64]
    greatest_client: NDArray[np.uint64]
    least_server: NDArray[np.uint64]
    greatest_server: NDArray[np.uint64]
    least_connection: NDArray[np.uint64]
    greatest_connection: NDArray[np.uint64]
    sources: NDArray[np.uint8]
    rungs: NDArray[np.int64]
    half_days: NDArray[np.uint64]
    asked: NDArray[np.int32]
    example: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """Return no edges."""
        columns: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in KEY.items()}
        columns |= {name: np.zeros(0, dtype) for name, (dtype, _) in MEASURES.items()}
        return cls(
            endpoints=(),
            files=(),
            half_day_base=0,
            rungs=np.zeros((0, RUNGS), np.int64),
            half_days=np.zeros((0, 0), np.uint64),
            asked=np.zeros(0, np.int32),
            example=np.zeros(0, np.int64),
            **columns,
        )

    def __len__(self) -> int:
        """Return the number of edges."""
        return len(self.client)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, np.ndarray)}

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_]) -> Self:
        """Return the edges of these rows, over the same endpoints and files."""
        taken = {name: values[rows] for name, values in self.columns.items()}
        return type(self)(
            endpoints=self.endpoints, files=self.files, half_day_base=self.half_day_base, **taken
        )

    @property
    def connections(self) -> NDArray[np.int64]:
        """int64[n]: connections at one canonical observer; -1 where that cannot be known."""
        placed = np.maximum(self.opened_at_client, self.opened_at_server)
        unknown = (self.opened_unplaced > 0) | (placed == 0)
        return np.where(unknown, -1, placed)

    @property
    def single_connection(self) -> NDArray[np.bool_]:
        """bool[n]: whether all records belong to one connection."""
        return np.asarray(self.least_connection == self.greatest_connection)

    @property
    def rung(self) -> NDArray[np.uint8]:
        """uint8[n]: the best rung of direction evidence; 0 for an undecided pair."""
        known = self.rungs[:, 1:] > 0
        best = np.where(known.any(axis=1), known.argmax(axis=1) + 1, 0)
        return best.astype(np.uint8)

    def example_of(self, row: int) -> tuple[str, int]:
        """Return file and row (from 1) of the first record of the edge."""
        value = int(self.example[row])
        return self.files[value >> 40], value & ((1 << 40) - 1)
