"""What AWS writes of connections: up to four records each, one way at one interface a time.

An interface shows its own primary address in place of its pods' (``srcaddr``, ``dstaddr``);
``pkt-*`` are the packet's own. What stays within a node passes no interface. A Service's address
was exchanged for a pod's before. ``start`` and ``end`` are the bounds of the interface's window
of 60 seconds, not the packets' times.

| connection | request | reply |
|---|---|---|
| TCP, opened and closed within the window | 3 (SYN, FIN) | 19 (SYN-ACK, FIN) |
| TCP, opened | 2 | 18 |
| TCP, older | 0 | 0 |
| refused | 2 | 4 (RST; one packet of 40 bytes) |
| silent, rejected | 2 | none |
| UDP | 0 | 0, if anything answers |
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.generator.attacks import REFUSED, SILENT
from datasets.generator.seeds import Ints, luck, stream
from datasets.generator.talks import Talks
from datasets.generator.workloads import TCP
from datasets.generator.world import World

Columns = dict[str, NDArray[Any]]
WINDOW = 60
EGRESS, INGRESS = 0, 1
_SYN, _SYN_ACK, _RST, _FIN = 2, 18, 4, 1


def vpc_records(world: World, talks: Talks, purpose: str, number: int) -> Columns:
    """Return the records that were not lost; addresses and interfaces are codes."""
    rng = stream(world.options.seed, f"vpc {purpose}", number)
    legs = [_leg(talks)]
    front = np.flatnonzero(
        (talks.asked >= world.book.nodes_at) & (talks.asked < world.book.outside_at)
    )
    if len(front):
        legs.append(_front(world, talks.where(front)))
    parts = [
        _seen(world, leg, rng, at_client=at_client, reply=reply)
        for leg in legs
        for at_client in (True, False)
        for reply in (False, True)
    ]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kept = _kept(world, whole, purpose, number)
    return whole if kept is None else {name: values[kept] for name, values in whole.items()}


def _leg(talks: Talks) -> Columns:
    return {
        "src": talks.client_seen,
        "dst": talks.server,
        "src_port": talks.seen_port,
        "dst_port": talks.port,
        "src_node": talks.client_node,
        "dst_node": talks.server_node,
        "protocol": talks.protocol,
        "time": talks.time,
        "opened": talks.opened,
        "outcome": talks.outcome,
        "rejected": talks.rejected,
    }


def _front(world: World, talks: Talks) -> Columns:
    """Return the way of users to the node at which they arrive."""
    return _leg(talks) | {
        "src": talks.client,
        "src_port": talks.client_port,
        "dst": talks.asked,
        "dst_port": talks.asked_port,
        "src_node": np.full(len(talks), -1),
        "dst_node": talks.asked - world.book.nodes_at,
    }


def _seen(
    world: World, leg: Columns, rng: np.random.Generator, *, at_client: bool, reply: bool
) -> Columns:
    """Return the records of one way at the interfaces of one end's nodes."""
    own = leg["src_node" if at_client else "dst_node"]
    shown = (own >= 0) & (leg["src_node"] != leg["dst_node"])
    if reply:
        shown &= leg["outcome"] != SILENT
    rows = np.flatnonzero(shown)
    leg = {name: values[rows] for name, values in leg.items()}
    interface = own[rows]
    src, dst = ("dst", "src") if reply else ("src", "dst")
    outgoing = at_client != reply
    primary = world.book.nodes_at + interface
    flags, packets, size = _substance(leg, rng, reply=reply)
    start = _window(world, leg["time"], interface)
    return {
        "interface": interface,
        "srcaddr": primary if outgoing else leg[src],
        "dstaddr": leg[dst] if outgoing else primary,
        "pkt_srcaddr": leg[src],
        "pkt_dstaddr": leg[dst],
        "srcport": leg[f"{src}_port"],
        "dstport": leg[f"{dst}_port"],
        "protocol": leg["protocol"],
        "packets": packets,
        "bytes": size,
        "start": start,
        "end": start + WINDOW - 1,
        "tcp_flags": flags,
        "way": np.full(len(rows), EGRESS if outgoing else INGRESS, np.int8),
        "rejected": leg["rejected"],
    }


def _substance(leg: Columns, rng: np.random.Generator, *, reply: bool) -> tuple[Ints, Ints, Ints]:
    """Return flags, packets and bytes."""
    rows = len(leg["time"])
    finished = rng.random(rows) < 0.8
    packets = rng.integers(1, 60, rows)
    opening = (_SYN_ACK if reply else _SYN) + _FIN * finished
    flags = np.where(leg["opened"] & (leg["protocol"] == TCP), opening, 0)
    vain = np.flatnonzero(
        (leg["outcome"] == REFUSED) | ((leg["outcome"] == SILENT) & (leg["protocol"] == TCP))
    )
    size = packets * rng.integers(64, 1_400, rows)
    flags[vain] = _RST if reply else _SYN
    packets[vain], size[vain] = 1, 40 if reply else 44
    return flags, packets, size


def _window(world: World, time: Ints, interface: Ints) -> Ints:
    """Return int64[n]: when the window began; each interface has a phase of its own."""
    phase = (luck(world.options.seed, "phase of window", np.arange(world.nodes)) * WINDOW).astype(
        np.int64
    )
    late = phase[interface]
    shifted = time + world.skew[interface] if world.options.skew else time
    return np.asarray((shifted - late) // WINDOW * WINDOW + late)


def _kept(world: World, records: Columns, purpose: str, number: int) -> Ints | None:
    """Return the rows of records that were not lost; None if all were kept."""
    options = world.options
    if not options.loss and not options.missing_side:
        return None
    rng = stream(options.seed, f"loss {purpose}", number)
    kept = rng.random(len(records["start"])) >= options.loss
    return np.flatnonzero(kept & world.heard[records["interface"]])


def by_minute(world: World, parts: list[Columns], number: int, most: int | None) -> Columns:
    """Return the records of all parts by minute, in any order within it; at most so many."""
    records = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rng = stream(world.options.seed, "order", number)
    order = rng.permutation(len(records["start"]))[:most]
    minute = records["start"][order] // WINDOW
    minute = (minute - minute.min()).astype(np.int16) if len(order) else minute
    order = order[np.argsort(minute, kind="stable")]
    return {name: values[order] for name, values in records.items()}
