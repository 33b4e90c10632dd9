"""What only the whole capture tells: undecided pairs oriented by rungs 4 and 6 to 8, once.

Before that, what came late of connections joins the edges of their openings (``lateness``).

Settling comes after merging: what a part of the capture cannot tell, another may. Settled edges
are not merged again.
"""

import numpy as np
from numpy.typing import NDArray

from synth.direction import encode, looks_ephemeral
from synth.edges.groups import Columns, group
from synth.edges.lateness import join_late
from synth.edges.merge import trim
from synth.edges.schema import Edges
from synth.flows import Rung

FAN_IN = 3
"""Client ports that one server port must meet before fan-in is evidence."""
FIRST_UNREGISTERED = 1024
_PORT_BITS = 16
_PORT = (1 << _PORT_BITS) - 1
MIRRORED = (
    ("from_client", "from_server"),
    ("heard_client", "heard_server"),
    ("packets_out", "packets_back"),
    ("bytes_out", "bytes_back"),
    ("least_client", "least_server"),
    ("greatest_client", "greatest_server"),
    ("client", "server"),
)
"""Columns that change places when a pair turns out to run the other way."""

Told = tuple[NDArray[np.bool_], NDArray[np.bool_]]
"""bool[n] twice: whether something tells that the near end of a pair, or the far end, listens."""


def settle(edges: Edges) -> Edges:
    """Return the edges with every pair oriented that some rung can orient.

    A pair for which rungs disagree, or none applies, stays undecided. A pair that is oriented may
    leave another end with fewer ports met, so it goes on until nothing changes.
    """
    edges = join_late(edges)
    while True:
        rows = np.flatnonzero(~edges.decided)
        rung, backwards = _judged(edges, rows)
        told = rung > 0
        if not told.any():
            return edges
        columns = {name: values.copy() for name, values in edges.columns.items()}
        _orient(columns, rows[told], rung[told], backwards[told])
        edges = trim(Edges(edges.endpoints, edges.files, edges.half_day_base, **group(columns)))


def _judged(edges: Edges, rows: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return, for each undecided row, the first rung that tells, and whether it runs backwards."""
    pairs = edges.take(rows)
    proven = _proven_servers(edges)
    rung = np.zeros(len(rows), np.uint8)
    backwards = np.zeros(len(rows), np.bool_)
    known = _proven(pairs, proven)
    open_ = ~(known[0] & known[1])
    for step, (near, far) in (
        (Rung.PROVEN_SERVER, known),
        (Rung.DEGREE, _fan_in(pairs)),
        (Rung.EPHEMERAL, _outside_ephemeral(pairs, proven)),
        (Rung.REGISTERED, _registered(pairs)),
    ):
        told = open_ & (near != far)
        rung[told] = step
        backwards[told] = near[told]
        open_ &= ~told
    return rung, backwards


def _proven_servers(edges: Edges) -> NDArray[np.int64]:
    """Return the codes of the endpoints, protocols and ports that rungs 1 to 3 told of."""
    best = edges.rung
    rows = edges.decided & (best >= Rung.FLAGS) & (best <= Rung.REPORTED)
    server = edges.server[rows].astype(np.int64)
    return np.unique(encode(server, edges.protocol[rows], edges.port[rows]))


def _proven(pairs: Edges, proven: NDArray[np.int64]) -> Told:
    """Return whether the near and the far end were proven servers on their port elsewhere."""
    near = encode(pairs.client.astype(np.int64), pairs.protocol, pairs.client_port)
    far = encode(pairs.server.astype(np.int64), pairs.protocol, pairs.port)
    near_known = np.isin(near, proven) & (pairs.client_port > 0)
    return near_known, np.isin(far, proven) & (pairs.port > 0)


def _fan_in(pairs: Edges) -> Told:
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


def _outside_ephemeral(pairs: Edges, proven: NDArray[np.int64]) -> Told:
    """Return which end's port no client of default settings would use, where only one is so.

    The fold has already forgotten a port that looks ephemeral beside one that does not. It may
    have been one that its end serves: an end proven to serve such a port tells nothing here.
    """
    serving = np.unique(proven[looks_ephemeral(proven & _PORT)] >> _PORT_BITS)
    near_serves, far_serves = (
        np.isin(end.astype(np.int64) << 8 | pairs.protocol, serving)
        for end in (pairs.client, pairs.server)
    )
    near = (pairs.client_port > 0) & ~looks_ephemeral(pairs.client_port) & (pairs.port == 0)
    far = (pairs.port > 0) & ~looks_ephemeral(pairs.port) & (pairs.client_port == 0)
    return near & ~far_serves, far & ~near_serves


def _registered(pairs: Edges) -> Told:
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
    _mirror(columns, turned, MIRRORED)
    # Within one node, both ends record as one observer, and the fold calls that the server.
    apart = turned[~columns["same_node"][turned]]
    _mirror(columns, apart, (("opened_at_client", "opened_at_server"),))
    columns["port"][turned] = columns["client_port"][turned]
    columns["client_port"][rows] = 0
    columns["client_seen"][rows] = columns["client"][rows]
    columns["decided"][rows] = True
    columns["rungs"][rows, rung] = columns["records"][rows]
    columns["rungs"][rows, 0] = 0
    columns["answered"][rows] += columns["heard_server"][rows]


def _mirror(columns: Columns, rows: NDArray[np.int64], pairs: tuple[tuple[str, str], ...]) -> None:
    for one, other in pairs:
        kept = columns[one][rows]
        columns[one][rows] = columns[other][rows]
        columns[other][rows] = kept
