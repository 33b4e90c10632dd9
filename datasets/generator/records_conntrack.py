"""What connection trackers write of connections: at both nodes, with the translation by Service.

| where | original tuple | reply tuple |
|---|---|---|
| the client's node | client → Service (or pod, if that was asked for) | pod → client, or the node |
| the server's node, if another | client as it arrives → pod | pod → client as it arrives |
| where users arrive (``Cluster``) | user → node's port | pod → that node |

| connection | events |
|---|---|
| TCP, opened in the capture | NEW (SYN_SENT, unreplied), DESTROY (assured, counters) |
| TCP, older | DUMP (ESTABLISHED, assured) |
| refused | NEW, DESTROY (CLOSE, replied, not assured) |
| silent | NEW, DESTROY (unreplied) |
| UDP | NEW (unreplied), DESTROY (replied if anything answered) |
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.generator.attacks import ANSWERED, REFUSED, SILENT
from datasets.generator.seeds import Ints, scramble, stream
from datasets.generator.talks import Talks
from datasets.generator.workloads import TCP
from datasets.generator.world import World

Columns = dict[str, NDArray[Any]]
NEW, DESTROY, DUMP = 0, 1, 2
NO_STATE, SYN_SENT, ESTABLISHED, TIME_WAIT, CLOSE = -1, 0, 1, 2, 3
LINGER = 10
"""Seconds for which an entry outlives its connection."""
_MOST_SECONDS = 20


def conntrack_records(world: World, talks: Talks, purpose: str, number: int) -> Columns:
    """Return the events that were not lost; addresses and nodes are codes, times microseconds."""
    rng = stream(world.options.seed, f"conntrack {purpose}", number)
    talks = talks.where(np.flatnonzero(~talks.rejected))
    views = [_at_client(talks), _at_server(talks)]
    whole = {name: np.concatenate([view[name] for view in views]) for name in views[0]}
    whole |= _substance(world, whole, rng)
    older = (whole["protocol"] == TCP) & ~whole["opened"]
    begun, old = np.flatnonzero(~older), np.flatnonzero(older)
    parts = [
        _event(whole, begun, NEW),
        _event(whole, begun, DESTROY),
        _event(whole, old, DUMP),
    ]
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kept = _kept(world, events, purpose, number)
    return {name: values[kept] for name, values in events.items()}


def by_time(parts: list[Columns]) -> Columns:
    """Return the events of all parts by time."""
    events = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((events["event"], events["node"], events["ct_id"], events["ts"]))
    return {name: values[order] for name, values in events.items()}


def _at_client(talks: Talks) -> Columns:
    talks = talks.where(np.flatnonzero(talks.client_node >= 0))
    redirected = talks.asked >= 0
    return _view(talks) | {
        "node": talks.client_node,
        "orig_src": talks.client,
        "orig_sport": talks.client_port,
        "orig_dst": np.where(redirected, talks.asked, talks.server),
        "orig_dport": np.where(redirected, talks.asked_port, talks.port),
    }


def _at_server(talks: Talks) -> Columns:
    """Return the view of the server's node, where that has not seen the client's view already."""
    apart = (talks.server_node >= 0) & (talks.client_node != talks.server_node)
    talks = talks.where(np.flatnonzero(apart))
    return _view(talks) | {
        "node": talks.server_node,
        "orig_src": talks.client_seen,
        "orig_sport": talks.seen_port,
        "orig_dst": talks.server,
        "orig_dport": talks.port,
    }


def _view(talks: Talks) -> Columns:
    return {
        "time": talks.time,
        "protocol": talks.protocol,
        "opened": talks.opened,
        "outcome": talks.outcome,
        "reply_src": talks.server,
        "reply_sport": talks.port,
        "reply_dst": talks.client_seen,
        "reply_dport": talks.seen_port,
    }


def _substance(world: World, views: Columns, rng: np.random.Generator) -> Columns:
    size = len(views["time"])
    start = views["time"] * 1_000_000 + rng.integers(0, 1_000_000, size)
    start += world.skew[views["node"]] * 1_000_000
    lasted = rng.integers(1_000, _MOST_SECONDS * 1_000_000, size)
    packets = rng.integers(1, 60, (2, size))
    vain = views["outcome"] != ANSWERED
    packets[0] = np.where(vain & (views["protocol"] == TCP), 1, packets[0])
    packets[1] = np.where(views["outcome"] == REFUSED, 1, packets[1])
    packets[1] = np.where(views["outcome"] == SILENT, 0, packets[1])
    who = ("orig_src", "orig_dst", "orig_sport", "orig_dport", "time", "node")
    return {
        "start": start,
        "stop": start + lasted,
        "orig_packets": packets[0],
        "reply_packets": packets[1],
        "size": rng.integers(60, 1_400, size),
        "ct_id": scramble(world.options.seed, "id", *(views[name] for name in who))
        & np.uint64(0xFFFFFFFF),
    }


def _event(views: Columns, rows: Ints, event: int) -> Columns:
    part = {name: values[rows] for name, values in views.items()}
    is_tcp, outcome = part["protocol"] == TCP, part["outcome"]
    late = event == DESTROY
    ended = part["stop"] + LINGER * 1_000_000
    state = np.where(outcome == REFUSED, CLOSE, np.where(outcome == SILENT, SYN_SENT, TIME_WAIT))
    state = {
        NEW: np.full(len(rows), SYN_SENT),
        DESTROY: state,
        DUMP: np.full(len(rows), ESTABLISHED),
    }[event]
    counted = np.full(len(rows), event != NEW)
    return part | {
        "event": np.full(len(rows), event),
        "ts": ended if late else part["start"],
        "dated": np.full(len(rows), late),
        "stop": ended,
        "state": np.where(is_tcp, state, NO_STATE),
        "unreplied": (outcome == SILENT) | (event == NEW),
        "assured": (outcome == ANSWERED) & (event != NEW),
        "counted": counted,
    }


def _kept(world: World, events: Columns, purpose: str, number: int) -> NDArray[np.bool_]:
    options = world.options
    kept = world.heard[events["node"]]
    if options.loss:
        lost = stream(options.seed, f"conntrack loss {purpose}", number).random(len(kept))
        kept = kept & (lost >= options.loss)
    return np.asarray(kept)
