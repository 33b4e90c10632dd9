"""Undecided pairs oriented by what the whole capture knows: rungs 4 and 6 to 8, once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.direction import encode, looks_ephemeral
from synth.edges.merge import Columns, group, trim
from synth.edges.schema import Edges
from synth.flows import Rung

FAN_IN = 3
"""Client ports that one server port must meet before fan-in is evidence."""
FIRST_UNREGISTERED = 1024
MIRRORED = (
    ("from_client", "from_server"),
    ("packets_out", "packets_back"),
    ("bytes_out", "bytes_back"),
    ("least_client", "least_server"),
    ("greatest_client", "greatest_server"),
    ("opened_at_client", "opened_at_server"),
    ("client", "server"),
)
"""Columns that change places when a pair turns out to run the other way."""


def settle(edges: Edges) -> Edges:
    """Return the edges with every pair oriented that some rung can orient.

    A pair for which rungs disagree, or none applies, stays undecided.
    """
    rows = np.flatnonzero(~edges.decided)
    if not len(rows):
        return edges
    rung, backwards = _judged(edges, rows)
    columns = {name: values.copy() for name, values in edges.columns.items()}
    _orient(columns, rows[rung > 0], rung[rung > 0], backwards[rung > 0])
    return trim(Edges(edges.endpoints, edges.files, edges.half_day_base, **group(columns)))


def _judged(edges: Edges, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return, for each undecided row, the first rung that tells, and whether it runs backwards."""
    pairs = edges.take(rows)
    rung = np.zeros(len(rows), np.uint8)
    backwards = np.zeros(len(rows), np.bool_)
    for step, near, far in (
        (Rung.PROVEN_SERVER, *_proven(edges, pairs)),
        (Rung.DEGREE, *_fan_in(pairs)),
        (Rung.EPHEMERAL, *_outside_ephemeral(pairs)),
        (Rung.REGISTERED, *_registered(pairs)),
    ):
        conflict = near & far & (step == Rung.PROVEN_SERVER)
        told = (rung == 0) & (near != far)
        rung[told] = step
        backwards[told] = near[told]
        rung[conflict] = _CONFLICT
    rung[rung == _CONFLICT] = 0
    return rung, backwards


_CONFLICT = 255


def _proven(edges: Edges, pairs: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the near and the far end were proven servers on their port elsewhere."""
    best = edges.rung
    rows = edges.decided & (best >= Rung.FLAGS) & (best <= Rung.REPORTED)
    server = edges.server[rows].astype(np.int64)
    proven = np.unique(encode(server, edges.protocol[rows], edges.port[rows]))
    near = encode(pairs.client.astype(np.int64), pairs.protocol, pairs.client_port)
    far = encode(pairs.server.astype(np.int64), pairs.protocol, pairs.port)
    near_known = np.isin(near, proven) & (pairs.client_port > 0)
    return near_known, np.isin(far, proven) & (pairs.port > 0)


def _fan_in(pairs: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether many ports met the near end's port, and few the other's; and the reverse."""
    both = (pairs.client_port > 0) & (pairs.port > 0)
    near = _met(pairs.client, pairs.client_port, pairs, pairs.server, pairs.port)
    far = _met(pairs.server, pairs.port, pairs, pairs.client, pairs.client_port)
    near_fans = both & (near >= FAN_IN) & (far <= FAN_IN - 1)
    far_fans = both & (far >= FAN_IN) & (near <= FAN_IN - 1)
    return near_fans, far_fans


def _met(
    end: NDArray[np.int32],
    port: NDArray[np.uint16],
    pairs: Edges,
    peer: NDArray[np.int32],
    peer_port: NDArray[np.uint16],
) -> NDArray[np.int64]:
    """Return how many different peers and ports met this end's port, for each pair."""
    here = encode(end.astype(np.int64), pairs.protocol, port)
    there = encode(peer.astype(np.int64), pairs.protocol, peer_port)
    meetings = np.unique(np.stack([here, there], axis=1), axis=0)
    ends, counts = np.unique(meetings[:, 0], return_counts=True)
    return np.asarray(counts[np.searchsorted(ends, here)], dtype=np.int64)


def _outside_ephemeral(pairs: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which end's port no client of default settings would use, where only one is so.

    The fold has already forgotten a port that looks ephemeral beside one that does not.
    """
    near = (pairs.client_port > 0) & ~looks_ephemeral(pairs.client_port) & (pairs.port == 0)
    far = (pairs.port > 0) & ~looks_ephemeral(pairs.port) & (pairs.client_port == 0)
    return near, far


def _registered(pairs: Edges) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    near = (pairs.client_port > 0) & (pairs.client_port < FIRST_UNREGISTERED)
    far = (pairs.port > 0) & (pairs.port < FIRST_UNREGISTERED)
    return near, far


def _orient(
    columns: Columns,
    rows: NDArray[np.int64],
    rung: NDArray[np.uint8],
    backwards: NDArray[np.bool_],
) -> None:
    turned = rows[backwards]
    for one, other in MIRRORED:
        kept = columns[one][turned].copy()
        columns[one][turned] = columns[other][turned]
        columns[other][turned] = kept
    columns["port"][turned] = columns["client_port"][turned]
    columns["client_port"][rows] = 0
    columns["client_seen"][rows] = columns["client"][rows]
    columns["decided"][rows] = True
    columns["rungs"][rows, rung] = columns["records"][rows]
    columns["rungs"][rows, 0] = 0
    columns["answered"][rows] += _replies(columns, rows)


def _replies(columns: Columns, rows: NDArray[np.int64]) -> NDArray[Any]:
    """Return the one-way records of the server that show an answer, now that it is known."""
    unspoken = columns["failed"][rows] + columns["denied"][rows]
    return np.asarray(np.maximum(columns["from_server"][rows] - unspoken, 0))
