"""Outside addresses and port pairs kept few, by a function of the key alone.

Whatever keeps the k smallest hashes of a set is the same for any order and any split: an item
that is not among the k smallest of a part is not among those of the whole either. So that this
holds for every step, no crowd is made of what another step may still change:

| crowd | items kept |
|---|---|
| an end that is not outside, protocol, port | outside addresses at the other end |
| protocol and port, where both ends are outside | pairs of addresses |
| an undecided pair of ends, after those, and protocol | pairs of ports |

The first two know no port where a pair is undecided.
"""

import hashlib
from functools import lru_cache
from ipaddress import ip_network

import numpy as np
from numpy.typing import NDArray

from synth.edges.groups import Columns, group, number_values
from synth.edges.merge import trim
from synth.edges.schema import Edges, sort_endpoints
from synth.inventory.endpoint import Endpoint, Kind

ADDRESSES_KEPT = 256
"""Outside addresses kept exactly for each server and port, and for each client and port."""
PORT_PAIRS_KEPT = 64
"""Port pairs kept for each undecided pair of endpoints and protocol."""
PREFIX = {4: 16, 6: 32}
"""The fixed prefixes that all further addresses fold into, by family."""

_OUTSIDE = Kind.ADDRESS, Kind.UNHELD
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_NO_PORT = 1 << 16


def collapse(edges: Edges) -> Edges:
    """Return the edges with no more outside addresses and port pairs than are kept exactly.

    An address beyond those becomes a prefix; ports beyond those are forgotten.
    """
    columns = edges.columns
    endpoints = list(edges.endpoints)
    changed = _collapse_addresses(columns, endpoints)
    changed |= _collapse_ports(columns)
    if not changed:
        return edges
    ranks = {one: at for at, one in enumerate(sort_endpoints(endpoints))}
    renumbered = np.array([*(ranks[one] for one in endpoints), -1], np.int32)
    for name in ("client", "client_seen", "server", "asked"):
        columns[name] = renumbered[columns[name]]
    return trim(Edges(tuple(ranks), edges.files, edges.half_day_base, **group(columns)))


def _collapse_addresses(columns: Columns, endpoints: list[Endpoint]) -> bool:
    """Fold outside addresses into prefixes, added to ``endpoints``; return whether any was."""
    outside = np.array([one.kind in _OUTSIDE for one in endpoints], np.bool_)
    exact = np.array([_is_exact(one) for one in endpoints], np.bool_)
    client, server = columns["client"], columns["server"]
    far = {
        "client": _beyond_one(columns, endpoints, exact[client] & ~outside[server], "client"),
        "server": _beyond_one(columns, endpoints, exact[server] & ~outside[client], "server"),
    }
    both = _beyond_both(columns, endpoints, exact[client] & exact[server])
    rows = {end: np.flatnonzero(some | both) for end, some in far.items()}
    if not any(map(len, rows.values())):
        return False
    seen = rows["client"][columns["client_seen"][rows["client"]] == client[rows["client"]]]
    for end, some in (("client_seen", seen), *rows.items()):
        columns[end] = _widened(columns[end], some, endpoints)
    return True


def _beyond_one(
    columns: Columns, endpoints: list[Endpoint], among: NDArray[np.bool_], end: str
) -> NDArray[np.bool_]:
    """Return bool[n]: rows whose address at this end is beyond those that are kept."""
    peer = columns["server" if end == "client" else "client"]
    place = peer.astype(np.int64) << 32 | _crowd_port(columns)
    return _beyond_kept(among, place, (columns[end],), endpoints)


def _beyond_both(
    columns: Columns, endpoints: list[Endpoint], among: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return bool[n]: rows whose pair of addresses is beyond those that are kept."""
    pair = columns["client"], columns["server"]
    return _beyond_kept(among, _crowd_port(columns), pair, endpoints)


def _crowd_port(columns: Columns) -> NDArray[np.int64]:
    port = np.where(columns["decided"], columns["port"].astype(np.int64), _NO_PORT)
    return columns["protocol"].astype(np.int64) << 17 | port


def _beyond_kept(
    among: NDArray[np.bool_],
    crowd: NDArray[np.int64],
    ends: tuple[NDArray[np.int32], ...],
    endpoints: list[Endpoint],
) -> NDArray[np.bool_]:
    """Return bool[n]: rows among these whose item has too many before it in its crowd.

    An item is what stands at one end, or at both.
    """
    far = np.zeros(len(among), np.bool_)
    rows = np.flatnonzero(among)
    if len(rows) <= ADDRESSES_KEPT:
        return far
    which, _ = number_values(crowd[rows])
    large = np.bincount(which)[which] > ADDRESSES_KEPT
    rows, which = rows[large], which[large]
    order = np.zeros(len(rows), np.uint64)
    item = np.zeros(len(rows), np.int64)
    for end in ends:
        order = order * _FACTOR + _hashes(end[rows], endpoints)
        item = item << 32 | end[rows]
    far[rows] = _beyond(which, order, item, ADDRESSES_KEPT)
    return far


def _hashes(numbers: NDArray[np.int32], endpoints: list[Endpoint]) -> NDArray[np.uint64]:
    """Return uint64[n]: hashes of the endpoints' addresses."""
    distinct, which = np.unique(numbers, return_inverse=True)
    hashes = [_hash(endpoints[number].address) for number in distinct.tolist()]
    return np.array(hashes, np.uint64)[which]


def _widened(
    column: NDArray[np.int32], rows: NDArray[np.int64], endpoints: list[Endpoint]
) -> NDArray[np.int32]:
    """Return the column with these rows' addresses made prefixes, new ones added at the end."""
    wide = {(one.kind, one.address): at for at, one in enumerate(endpoints) if "/" in one.address}
    distinct, which = np.unique(column[rows], return_inverse=True)
    wider = np.zeros(len(distinct), np.int32)
    for at, exact in enumerate(distinct.tolist()):
        kind, prefix = endpoints[exact].kind, _prefix(endpoints[exact].address)
        wider[at] = wide.setdefault((kind, prefix), len(endpoints))
        if wider[at] == len(endpoints):
            endpoints.append(Endpoint(kind, address=prefix))
    widened = column.copy()
    widened[rows] = wider[which]
    return widened


def _is_exact(endpoint: Endpoint) -> bool:
    return endpoint.kind in _OUTSIDE and "/" not in endpoint.address


@lru_cache(maxsize=1 << 16)
def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _prefix(address: str) -> str:
    if ":" in address:
        return str(ip_network(address).supernet(new_prefix=PREFIX[6]))
    # Cutting the text is twenty times as fast, and a scan has many addresses of this family.
    first, second, _, _ = address.split(".")
    return f"{first}.{second}.0.0/{PREFIX[4]}"


def _beyond(
    crowd: NDArray[np.int64], order: NDArray[np.uint64], item: NDArray[np.int64], kept: int
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


def _collapse_ports(columns: Columns) -> bool:
    """Forget the ports of undecided pairs beyond the kept ones; return whether any was."""
    client_port, port = columns["client_port"], columns["port"]
    rows = np.flatnonzero(~columns["decided"] & (client_port > 0) & (port > 0))
    if len(rows) <= PORT_PAIRS_KEPT:
        return False
    ends = columns["client"][rows].astype(np.int64) << 32 | columns["server"][rows]
    which, count = number_values(ends)
    which = columns["protocol"][rows].astype(np.int64) * count + which
    pair = client_port[rows].astype(np.int64) << 16 | port[rows]
    far = rows[_beyond(which, pair.astype(np.uint64) * _FACTOR, pair, PORT_PAIRS_KEPT)]
    for name in ("client_port", "port"):
        columns[name] = columns[name].copy()
        columns[name][far] = 0
    return bool(len(far))
