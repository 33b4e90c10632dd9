"""Fixed timers: what is learned, and when learning ends, is a matter of the clock alone.

| timer | learns a direction of an owner from |
|---|---|
| 10m | contacts until nothing new was seen for ten minutes: it counts as stable then |
| 24h | contacts of the last 24 hours |
| 30d | contacts of the last 30 days |
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.baselines.owner import name_by_owner
from benchmarks.judge.baselines.traffic import Traffic
from benchmarks.judge.baselines.write import Name, propose
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.edges.schema import Edges

SECOND = 1_000_000
STABLE = 600 * SECOND
DAY = 86_400 * SECOND


def look_back(edges: Edges, days: int) -> NDArray[np.bool_]:
    """Return bool[n]: the edges seen within the last days of the capture."""
    last = int(edges.last.max()) if len(edges) else 0
    return np.asarray(edges.last >= last - days * DAY)


def until_stable(first: Iterable[int], begin: int) -> int:
    """Return the time at which nothing new had been seen for ten minutes since ``begin``.

    >>> until_stable([5 * SECOND, 9 * 60 * SECOND, 3_600 * SECOND], 0) // SECOND
    1140
    """
    latest = begin
    for time in sorted(first):
        if time > latest + STABLE:
            break
        latest = max(latest, time)
    return latest + STABLE


def seen_before_stable(traffic: Traffic) -> NDArray[np.bool_]:
    """Return bool[n]: contacts that a direction of either end's owner saw before it was stable."""
    edges, times = traffic.edges, defaultdict[tuple[str, ...], list[tuple[int, int]]](list)
    for one in traffic.contacts(traffic.answered):
        key = one.subject.namespace, one.subject.workload, one.direction.value
        times[key].append((int(edges.first[one.row]), one.row))
    found = np.zeros(len(edges), np.bool_)
    begin = int(edges.first[traffic.answered].min()) if traffic.answered.any() else 0
    for some in times.values():
        end = until_stable((time for time, _ in some), begin)
        found[[row for time, row in some if time <= end]] = True
    return found


def propose_24h(prepared: Prepared) -> Proposal:
    """Return what a look-back of a day learns."""
    return _propose("timer-24h", prepared, lambda one: one.answered & look_back(one.edges, 1))


def propose_30d(prepared: Prepared) -> Proposal:
    """Return what a look-back of thirty days learns."""
    return _propose("timer-30d", prepared, lambda one: one.answered & look_back(one.edges, 30))


def propose_10m(prepared: Prepared) -> Proposal:
    """Return what is learned until nothing new was seen for ten minutes."""
    return _propose("timer-10m", prepared, seen_before_stable)


def _propose(
    name: str, prepared: Prepared, choose: Callable[[Traffic], NDArray[np.bool_]]
) -> Proposal:
    def chosen(traffic: Traffic) -> tuple[NDArray[np.bool_], Name]:
        return choose(traffic), name_by_owner(traffic.match_labels)

    return propose(name, prepared, chosen)
