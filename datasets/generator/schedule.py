"""When connections are opened: steady ones by the slice, by the day all with a time of their own.

| pattern | on a day |
|---|---|
| steady | Poisson, its rate swinging with the client's time of day |
| bursty | six bursts of ten minutes, in the mean, that hold all of the rate |
| hourly … monthly | one turn, of a few connections within half a minute |
| failover | in one day of twenty, twenty minutes |
| cron | within the run of the CronJob's pod |
"""

from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.generator.attacks import ANSWERED, ANYBODY, Calls
from datasets.generator.edges import (
    BURSTY,
    BY_CRON,
    DAILY,
    FAILOVER,
    GROUPS,
    HOURLY,
    MONTHLY,
    PATTERNS,
    STEADY,
    WEEKLY,
)
from datasets.generator.life import BITS
from datasets.generator.options import DAY, START, Options
from datasets.generator.runs import turns
from datasets.generator.seeds import Floats, Ints, luck, stream
from datasets.generator.world import World

_BURSTS, _BURST = 6, 600
_TURN = 30
_FAILOVERS, _FAILOVER = 1 / 20, 1200


def slice_seconds(options: Options) -> int:
    """Return how long a slice of time is: a divisor of an hour, 250,000 connections at most."""
    a_day = options.connections_a_day if options.records is None else options.records / options.days
    most = 250_000 / max(a_day / DAY, 1e-9)
    return next((one for one in (3600, 1800, 900, 600, 300, 120) if one <= most), 60)


def steady_calls(world: World, start: int, end: int) -> Calls:
    """Return the steady connections of a slice; each group of edges has draws of its own."""
    edges, options = world.edges, world.options
    rate = edges.rate / DAY * _swing(world, (start + end) / 2)
    rate = np.where(edges.pattern == STEADY, rate, 0)
    whole = np.clip(np.minimum(edges.until, end) - np.maximum(edges.since, start), 0, None)
    parts = []
    for group in np.unique(edges.group).tolist():
        rng = stream(options.seed, f"steady {GROUPS[group]}", start)
        rows = np.flatnonzero(edges.group == group)
        count = rng.poisson(rate[rows] * whole[rows])
        which = np.repeat(rows, count)
        first = np.maximum(edges.since[which], start)
        time = first + (rng.random(len(which)) * whole[which]).astype(np.int64)
        parts.append((which, time))
    return _calls(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _calls(edge: Ints, time: Ints) -> Calls:
    anybody = np.full(len(edge), ANYBODY)
    return Calls(edge, time, anybody, anybody, np.full(len(edge), ANSWERED))


def _swing(world: World, time: float) -> Floats:
    """Return float64[edges]: load as a multiple of its mean; each client peaks at its own hour."""
    client = world.edges.client
    hour = 11 + 6 * luck(world.options.seed, "peak", client + len(world.pools))
    phase = 2 * pi * ((time - START) / DAY - hour / 24)
    return np.asarray(1 + world.options.diurnal * np.cos(phase))


def timed_calls(world: World, day: int) -> Calls:
    """Return the day's connections of every edge that is not steady, attacks included, by time."""
    edges, begin = world.edges, START + day * DAY
    parts = [_bursts(world, day), _failovers(world, day), _by_cron(world, day)]
    parts += [_by_turns(world, day, pattern) for pattern in (HOURLY, DAILY, WEEKLY, MONTHLY)]
    edge, time = (np.concatenate(part) for part in zip(*parts, strict=True))
    alive = (time >= edges.since[edge]) & (time < edges.until[edge]) & (time < begin + DAY)
    order = np.argsort(time[alive], kind="stable")
    return _calls(edge[alive][order], time[alive][order])


def _spread(
    rng: np.random.Generator,
    edge: Ints,
    episode: tuple[Ints, NDArray[np.floating[Any]] | float],
    count: Ints,
) -> tuple[Ints, Ints]:
    """Return edge and time of each connection of the episodes (start and length)."""
    start, length = episode
    which = np.repeat(np.arange(len(edge)), count)
    lengths = np.broadcast_to(np.asarray(length, np.float64), edge.shape)
    return edge[which], start[which] + (rng.random(len(which)) * lengths[which]).astype(np.int64)


def _bursts(world: World, day: int) -> tuple[Ints, Ints]:
    rng = stream(world.options.seed, "bursts", day)
    rows = np.flatnonzero(world.edges.pattern == BURSTY)
    edge = np.repeat(rows, rng.poisson(_BURSTS, len(rows)))
    start = START + day * DAY + rng.integers(0, DAY, len(edge))
    length = rng.exponential(_BURST, len(edge))
    count = rng.poisson(world.edges.rate[edge] / _BURSTS)
    return _spread(rng, edge, (start, length), count)


def _failovers(world: World, day: int) -> tuple[Ints, Ints]:
    rows = np.flatnonzero(world.edges.pattern == FAILOVER)
    numbers = _ids(world, rows)
    edge = rows[luck(world.options.seed, "failover", numbers, np.full(len(rows), day)) < _FAILOVERS]
    rng = stream(world.options.seed, "failovers", day)
    start = START + day * DAY + rng.integers(0, DAY - _FAILOVER, len(edge))
    return _spread(rng, edge, (start, _FAILOVER), 5 + rng.poisson(20, len(edge)))


def _ids(world: World, rows: Ints) -> Ints:
    """Return int64[n]: numbers of edges that do not depend on what other edges there are."""
    return world.edges.client[rows] << 32 | world.edges.server[rows] << 16 | world.edges.port[rows]


def _by_turns(world: World, day: int, pattern: int) -> tuple[Ints, Ints]:
    name = PATTERNS[pattern]
    rows = np.flatnonzero(world.edges.pattern == pattern)
    which, second = turns(world.options.seed, name, _ids(world, rows), day)
    rng = stream(world.options.seed, f"turns {name}", day)
    return _spread(rng, rows[which], (second, _TURN), 1 + rng.poisson(3, len(which)))


def _by_cron(world: World, day: int) -> tuple[Ints, Ints]:
    """Return the connections of the day's runs: each calls all servers of its workload."""
    edges, pods, begin = world.edges, world.pods, START + day * DAY
    rows = np.flatnonzero(edges.pattern == BY_CRON)
    slots = pods.slots.first[edges.client[rows]]
    low, high = (
        np.searchsorted(pods.key, slots << BITS | second) for second in (begin, begin + DAY)
    )
    edge = np.repeat(rows, high - low)
    first = np.repeat(low - np.concatenate([[0], np.cumsum(high - low)[:-1]]), high - low)
    pod = first + np.arange(len(edge)) if len(edge) else edge
    rng = stream(world.options.seed, "cron", day)
    start, length = pods.start[pod] + 3, (pods.end - pods.start)[pod] - 8.0
    return _spread(rng, edge, (start, length), 1 + rng.poisson(4, len(edge)))
