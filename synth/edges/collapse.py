"""Outside addresses and port pairs kept few, by a function of the key alone.

Whatever keeps the k smallest hashes of a set is the same for any order and any split: an item
that is not among the k smallest of a part is not among those of the whole either.
"""

import hashlib
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.edges.merge import group, trim
from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind

ADDRESSES_KEPT = 256
"""Outside addresses kept exactly for each server and port, and for each client and port."""
PORT_PAIRS_KEPT = 64
"""Port pairs kept for each undecided pair of endpoints and protocol."""
PREFIX = {4: 16, 6: 32}
"""The fixed prefixes that all further addresses fold into, by family."""


@dataclass(frozen=True, slots=True)
class _Outsiders:
    """By endpoint number: whether it is one outside address, its hash, its prefix's number."""

    exact: NDArray[np.bool_]
    order: NDArray[np.uint64]
    prefix: NDArray[np.int32]


def collapse(edges: Edges) -> Edges:
    """Return the edges with no more outside addresses and port pairs than are kept exactly."""
    columns = edges.columns
    changed = _collapse_ports(edges, columns)
    endpoints = list(edges.endpoints)
    if sum(map(_exact, endpoints)) > ADDRESSES_KEPT:
        outsiders = _outsiders(endpoints)
        for end in ("client", "server"):
            changed |= _collapse_end(columns, end, outsiders)
    if not changed:
        return edges
    ranks = {one: at for at, one in enumerate(sorted(endpoints))}
    renumbered = np.array([ranks[one] for one in endpoints], np.int32)
    for name in ("client", "client_seen", "server"):
        columns[name] = renumbered[columns[name]]
    columns["asked"] = np.where(columns["asked"] < 0, -1, renumbered[columns["asked"]])
    whole = Edges(tuple(sorted(endpoints)), edges.files, edges.half_day_base, **group(columns))
    return trim(whole)


def _outsiders(endpoints: list[Endpoint]) -> _Outsiders:
    """Return the table of outside addresses; their prefixes are added to ``endpoints``."""
    number = {one: at for at, one in enumerate(endpoints)}
    given = list(endpoints)
    prefix = [_prefix(one, number, endpoints) if _exact(one) else -1 for one in given]
    added = len(endpoints) - len(given)
    return _Outsiders(
        exact=np.array([_exact(one) for one in endpoints], np.bool_),
        order=np.array([_hash(one.address) for one in endpoints], np.uint64),
        prefix=np.array(prefix + [-1] * added, np.int32),
    )


def _exact(endpoint: Endpoint) -> bool:
    return endpoint.kind is Kind.ADDRESS and "/" not in endpoint.address


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _prefix(endpoint: Endpoint, number: dict[Endpoint, int], endpoints: list[Endpoint]) -> int:
    network = ip_network(endpoint.address)
    around = network.supernet(new_prefix=PREFIX[network.version])
    wide = Endpoint(Kind.ADDRESS, address=str(around))
    if wide not in number:
        number[wide] = len(endpoints)
        endpoints.append(wide)
    return number[wide]


def _collapse_end(columns: dict[str, NDArray[Any]], end: str, outsiders: _Outsiders) -> bool:
    """Fold the outside addresses beyond the kept ones at one end; return whether any was."""
    rows = np.flatnonzero(outsiders.exact[columns[end]])
    peer = columns["server" if end == "client" else "client"][rows]
    port = columns["port"][rows]
    protocol, address = columns["protocol"][rows], columns[end][rows]
    crowd = np.stack([peer, protocol, port], axis=1).astype(np.int64)
    _, which = np.unique(crowd, axis=0, return_inverse=True)
    far = _beyond(which.ravel(), outsiders.order[address], address, ADDRESSES_KEPT)
    if not far.any():
        return False
    columns[end] = _replaced(columns[end], rows[far], address[far], outsiders.prefix)
    if end == "client":
        seen = columns["client_seen"]
        columns["client_seen"] = _replaced(seen, rows[far], address[far], outsiders.prefix)
    return True


def _replaced(
    column: NDArray[np.int32],
    rows: NDArray[np.integer[Any]],
    address: NDArray[np.int32],
    prefix: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Return the column with these rows' addresses, where it holds them, made prefixes."""
    replaced = column.copy()
    replaced[rows] = np.where(column[rows] == address, prefix[address], column[rows])
    return replaced


def _beyond(
    crowd: NDArray[np.integer[Any]],
    order: NDArray[np.uint64],
    item: NDArray[np.integer[Any]],
    kept: int,
) -> NDArray[np.bool_]:
    """Return bool[n]: rows whose item is not among the ``kept`` smallest of its crowd."""
    position = np.lexsort((item, order, crowd))
    crowds, items = crowd[position], item[position]
    new_crowd = np.ones(len(position), np.bool_)
    new_crowd[1:] = crowds[1:] != crowds[:-1]
    fresh = new_crowd.copy()
    fresh[1:] |= items[1:] != items[:-1]
    count = np.cumsum(fresh)
    starts = np.flatnonzero(new_crowd)
    before = np.repeat(count[starts] - 1, np.diff([*starts, len(position)]))
    far = np.empty(len(position), np.bool_)
    far[position] = count - before > kept
    return far


def _collapse_ports(edges: Edges, columns: dict[str, NDArray[Any]]) -> bool:
    """Forget the ports of undecided pairs beyond the kept ones; return whether any was."""
    rows = np.flatnonzero(~edges.decided & (edges.client_port > 0) & (edges.port > 0))
    if len(rows) <= PORT_PAIRS_KEPT:
        return False
    pair = edges.client_port[rows].astype(np.int64) << 16 | edges.port[rows]
    ends = np.stack([edges.client[rows], edges.server[rows], edges.protocol[rows]], axis=1)
    _, which = np.unique(ends.astype(np.int64), axis=0, return_inverse=True)
    order = (pair.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) & np.uint64(2**64 - 1)
    far = _beyond(which.ravel(), order, pair, PORT_PAIRS_KEPT)
    columns["client_port"] = edges.client_port.copy()
    columns["port"] = edges.port.copy()
    columns["client_port"][rows[far]] = 0
    columns["port"][rows[far]] = 0
    return bool(far.any())
