"""Pods over time: who lives when, on which node, and under which address.

A *slot* is one replica's place in a workload: pods follow each other in it, at a rollout, a
restart, or a run of a CronJob. What happens on a day depends on that day alone, so that a longer
span begins like a shorter one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets.generator.options import DAY, HOUR, START, Options
from datasets.generator.runs import turns
from datasets.generator.seeds import Ints, luck, stream
from datasets.generator.workloads import CRON_JOB, PERIODS, Workload

GAP, SURGE, LEAST_LIFE = 5, 20, 180
"""Seconds between a pod and the next after a restart; of both at a rollout; of a pod at least."""
_STAGGER = 7
BITS = 34
_RESTART, _ROLLOUT = 0, 1


@dataclass(frozen=True, slots=True)
class Slots:
    """Arrays by slot: its workload, and its place among the replicas; ``first`` by workload."""

    workload: Ints
    place: Ints
    first: Ints


@dataclass(frozen=True, slots=True)
class Pods:
    """Arrays by pod, sorted by slot, then start; seconds, half-open; NEVER: no end.

    ``version`` counts the rollouts of its workload before it. ``node`` and ``address`` are codes.
    """

    slot: Ints
    workload: Ints
    start: Ints
    end: Ints
    version: Ints
    node: Ints
    address: Ints
    addresses: int
    """How many there are for pods, used or not."""
    key: Ints
    """Slot and start in one number, sorted."""
    slots: Slots

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.slot)

    def at(self, slot: Ints, time: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Return int64[n], the pod in each slot at the time; and bool[n], whether there is one.

        One that begins or ends within two seconds does not talk.
        """
        found = np.searchsorted(self.key, slot << BITS | (time - 2), side="right") - 1
        found = np.maximum(found, 0)
        return found, (self.slot[found] == slot) & (time + 2 < self.end[found])


@dataclass(frozen=True, slots=True)
class Lives:
    """Pods before they have a place: arrays as in ``Pods``; ``partner`` is a slot or -1."""

    slot: Ints
    start: Ints
    end: Ints
    version: Ints


def make_slots(workloads: list[Workload]) -> Slots:
    """Return the slots of all workloads, in their order."""
    replicas = np.array([one.replicas for one in workloads])
    first = np.concatenate([[0], np.cumsum(replicas)])
    workload = np.repeat(np.arange(len(workloads)), replicas)
    return Slots(workload, np.arange(len(workload)) - first[workload], first)


def make_lives(options: Options, workloads: list[Workload], slots: Slots) -> Lives:
    """Return every pod's life, sorted by slot, then start."""
    days = -(-(options.end - START) // DAY)
    cron = np.array([one.kind == CRON_JOB for one in workloads])
    changes = [_changes(options, workloads, slots, day) for day in range(days)]
    running = _running(workloads, slots, cron, changes)
    runs = [_runs(options, workloads, slots, day) for day in range(days)]
    parts = [running, *runs]
    columns = [np.concatenate([getattr(one, name) for one in parts]) for name in Lives.__slots__]
    order = np.lexsort((columns[1], columns[0]))
    kept = order[columns[1][order] < options.end]
    return Lives(*(column[kept] for column in columns))


def _changes(options: Options, workloads: list[Workload], slots: Slots, day: int) -> Ints:
    """Return int64[3, k]: slot, second and kind of what ends one pod and begins the next."""
    begin = START + day * DAY
    numbers = np.arange(len(workloads))
    today = np.full(len(workloads), day)
    rolled = numbers[luck(options.seed, "rollout", numbers, today) < options.rollouts]
    hour = 8 + 10 * luck(options.seed, "rollout hour", rolled, np.full(len(rolled), day))
    sizes = slots.first[rolled + 1] - slots.first[rolled]
    of_rollouts = np.repeat(slots.first[rolled], sizes) + _counted(sizes)
    at = np.repeat(begin + (hour * HOUR).astype(np.int64), sizes) + _STAGGER * _counted(sizes)
    rolling = np.stack([of_rollouts, at, np.full(len(at), _ROLLOUT)])
    every = np.arange(len(slots.workload))
    again = every[luck(options.seed, "restart", every, np.full(len(every), day)) < options.restarts]
    second = luck(options.seed, "restart second", again, np.full(len(again), day)) * DAY
    restarting = np.stack([again, begin + second.astype(np.int64), np.full(len(again), _RESTART)])
    return np.concatenate([rolling, restarting, _hot(options, slots, day)], axis=1)


def _counted(sizes: Ints) -> Ints:
    """Return 0, 1, 2 … for each size, one after the other."""
    ends = np.cumsum(sizes)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - sizes, sizes)


def _hot(options: Options, slots: Slots, day: int) -> Ints:
    """Return the changes of pods that swap their addresses, two by two, 2 to 23 times a day."""
    pairs = hot_pairs(options, slots)
    times = 2 + (luck(options.seed, "hot", pairs[0]) * 22).astype(np.int64)
    which = np.repeat(np.arange(len(times)), times)
    rng = stream(options.seed, "hot", day)
    second = START + day * DAY + rng.integers(60, DAY - 60, len(which)) // 60 * 60
    both = np.concatenate([pairs[0][which], pairs[1][which]])
    return np.stack([both, np.tile(second, 2), np.full(len(both), _RESTART)])


def hot_pairs(options: Options, slots: Slots) -> Ints:
    """Return int64[2, k]: slots of different workloads that will swap addresses."""
    size = int(slots.first[options.workloads])
    count = round(options.hot * size / 2)
    order = stream(options.seed, "hot pairs").permutation(size)
    pairs = np.stack([order[:count], order[count : 2 * count]])
    return pairs[:, slots.workload[pairs[0]] != slots.workload[pairs[1]]]


def _running(
    workloads: list[Workload], slots: Slots, cron: NDArray[np.bool_], changes: list[Ints]
) -> Lives:
    """Return the lives of pods that are meant to run on."""
    every = np.flatnonzero(~cron[slots.workload])
    since, until = (
        np.array([getattr(one, name) for one in workloads])[slots.workload]
        for name in ("since", "until")
    )
    first = np.stack([every, since[every] + slots.place[every], np.full(len(every), _RESTART)])
    whole = np.concatenate([first, *changes], axis=1)
    slot, time = whole[0], whole[1]
    within = (time >= since[slot]) & (time < until[slot] - LEAST_LIFE) & ~cron[slots.workload[slot]]
    whole = whole[:, within]
    whole = whole[:, np.lexsort((whole[1], whole[0]))]
    same = np.append(False, whole[0][1:] == whole[0][:-1])
    near = same & (np.diff(whole[1], prepend=0) < LEAST_LIFE)
    slot, time, kind = whole[:, ~near]
    same = np.append(slot[1:] == slot[:-1], False)
    start = time + np.where((kind == _RESTART) & np.append(False, same[:-1]), GAP, 0)
    after = np.append(time[1:], 0) + SURGE * (np.append(kind[1:], 0) == _ROLLOUT)
    end = np.where(same, after, until[slot])
    rolled = np.cumsum(kind == _ROLLOUT)
    begin = np.maximum.accumulate(
        np.where(np.append(True, slot[1:] != slot[:-1]), np.arange(len(slot)), 0)
    )
    version = rolled - (rolled - (kind == _ROLLOUT))[begin]
    return Lives(slot, start, end, version)


def _runs(options: Options, workloads: list[Workload], slots: Slots, day: int) -> Lives:
    """Return the lives of the pods that CronJobs start on the day: one to ten minutes each."""
    parts = []
    for period in PERIODS:
        some = np.array([one.number for one in workloads if one.period == period], np.int64)
        which, second = turns(options.seed, period, some, day)
        numbers = some[which]
        length = 60 + 540 * luck(options.seed, "run", numbers, second)
        since, until = (
            np.array([getattr(workloads[one], name) for one in numbers.tolist()], np.int64)
            for name in ("since", "until")
        )
        alive = (second > since) & (second + 600 < until)
        parts.append(
            np.stack([slots.first[numbers], second, second + length.astype(np.int64)])[:, alive]
        )
    slot, start, end = np.concatenate(parts, axis=1)
    return Lives(slot, start, end, np.zeros(len(slot), np.int64))
