"""Pods over time: sightings of one pod → stretches in which its labels did not change.

| what ends a pod | its end |
|---|---|
| it is Succeeded or Failed | when its last container ended; it keeps podIP, but holds it no more |
| a DELETED event | the deletion timestamp, or the last time known of it if that is later |
| it was last seen being deleted | the same, or the next list without it |
| a later list does not hold it | that list's time, or when another pod at its address ran |
| nothing | unbounded |

A pod begins at its start time, however late it was first seen. Between the start of one pod and
the end of the one before at an address both may hold it: such records are ambiguous. Times are in
whole seconds as Kubernetes prints them; whoever looks up a record adds its own slack.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from synth.inventory.model import Pod
from synth.inventory.pods import FINISHED, SeenPod
from synth.inventory.sightings import UNDATED, Dump, Sighting

Seen = tuple[Sighting, SeenPod]


@dataclass(frozen=True, slots=True)
class Life:
    """All sightings of one pod, and when it ended (None: not known to have)."""

    seen: tuple[Seen, ...]
    end: int | None
    missed: bool
    """Whether ``end`` is only when it was missed: it may have ended any time before."""

    @property
    def last(self) -> SeenPod:
        """The last sighting."""
        return self.seen[-1][1]

    @property
    def start(self) -> int | None:
        """When it began; None where no sighting says."""
        return min((pod.start for _, pod in self.seen if pod.start is not None), default=None)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address it was seen with."""
        return tuple(sorted({one for _, pod in self.seen for one in pod.addresses}))


def find_lives(dump: Dump) -> list[Life]:
    """Return the life of each pod, sorted by namespace, name and first sighting."""
    by_pod: dict[tuple[str, str, str], list[Seen]] = {}
    for sighting, pod in dump.of(SeenPod):
        key = (sighting.namespace, sighting.name, sighting.uid)
        by_pod.setdefault(key, []).append((sighting, pod))
    ordered = sorted(by_pod.items(), key=lambda item: (item[0][:2], item[1][0][0].order))
    lives = [Life(tuple(seen), *_find_end(seen, dump)) for _, seen in ordered]
    return _end_before_successors(lives)


def split_life(life: Life, workload: str) -> Iterator[Pod]:
    """Return the pod once for each stretch of time with the same labels, ports and addresses."""
    stretches = _find_stretches(life)
    pieces = [
        (since, _earlier(after, life.end), sighting, pod)
        for (since, sighting, pod), after in zip(stretches, _next_starts(stretches), strict=True)
    ]
    lasting = [piece for piece in pieces if not _is_empty(*piece[:2])]
    for start, end, sighting, pod in lasting or pieces[:1]:
        yield Pod(
            namespace=sighting.namespace,
            name=sighting.name,
            uid=sighting.uid or f"{sighting.namespace}/{sighting.name}",
            workload=workload,
            labels=pod.labels,
            ports=pod.spec.ports,
            node=pod.node,
            addresses=pod.addresses,
            host_network=pod.spec.host_network,
            start=start,
            end=end,
        )


def count_clashes(dump: Dump) -> tuple[int, int]:
    """Return how many addresses of how many pods one list shows as held by several live pods."""
    holders: dict[tuple[str, int, str], set[tuple[str, str, str]]] = {}
    for sighting, pod in dump.of(SeenPod):
        if sighting.list_number >= 0 and pod.live and pod.deletion is None:
            for address in pod.addresses:
                where = (sighting.file, sighting.list_number, address)
                who = (sighting.namespace, sighting.name, sighting.uid)
                holders.setdefault(where, set()).add(who)
    shared = {where: pods for where, pods in holders.items() if len(pods) > 1}
    return len({where[2] for where in shared}), len(set[object]().union(*shared.values()))


def _find_end(seen: list[Seen], dump: Dump) -> tuple[int | None, bool]:
    """Return the end, and whether it is only the time at which the pod was missed."""
    finished = [_find_finish(*pair) for pair in seen if pair[1].phase in FINISHED]
    if finished:
        return min((time for time in finished if time is not None), default=None), False
    deleted = [pair for pair in seen if pair[0].deleted]
    sighting, pod = (deleted or seen)[-1]
    missed = dump.missed_at(sighting)
    if not deleted and pod.deletion is None:
        return missed, missed is not None
    known = (sighting.newest, _dated(sighting) if pod.deletion is None else pod.deletion)
    end = max((time for time in known if time is not None), default=missed)
    return (end if missed is None or end is None else min(end, missed)), False


def _find_finish(sighting: Sighting, pod: SeenPod) -> int | None:
    """Return when the pod finished; one that never ran (evicted), the last time it tells."""
    return sighting.newest if pod.finished is None else pod.finished


def _dated(sighting: Sighting) -> int | None:
    return None if sighting.time == UNDATED else sighting.time


def _end_before_successors(lives: list[Life]) -> list[Life]:
    """Return the lives; a missed pod ends at latest when a pod after it ran at its address."""
    runs: dict[str, list[tuple[int, int]]] = {}
    for number, life in enumerate(lives):
        first_run = min(
            (p.first_run for _, p in life.seen if p.first_run is not None), default=None
        )
        for address in life.addresses:
            if first_run is not None:
                runs.setdefault(address, []).append((first_run, number))
    return [_end_before(life, number, runs) for number, life in enumerate(lives)]


def _end_before(life: Life, number: int, runs: Mapping[str, list[tuple[int, int]]]) -> Life:
    if not life.missed or life.end is None:
        return life
    last_seen = life.seen[-1][0].time
    times = [
        time
        for address in life.last.addresses
        for time, other in runs.get(address, ())
        if other != number and time > last_seen
    ]
    return Life(life.seen, min([*times, life.end]), missed=True)


def _find_stretches(life: Life) -> list[tuple[int | None, Sighting, SeenPod]]:
    """Return since when each state held; a pod that has no address yet holds none."""
    with_address = [pair for pair in life.seen if pair[1].addresses]
    seen = with_address or list(life.seen[-1:])
    stretches = [(life.start, *seen[0])]
    for (_, before), (sighting, pod) in pairwise(seen):
        if _state(before) != _state(pod):
            stretches.append((_dated(sighting), sighting, pod))
    return stretches


def _state(pod: SeenPod) -> tuple[object, ...]:
    return pod.labels, pod.spec.ports, pod.node, pod.addresses, pod.spec.host_network


def _next_starts(stretches: list[tuple[int | None, Sighting, SeenPod]]) -> list[int | None]:
    return [*(since for since, _, _ in stretches[1:]), None]


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _is_empty(start: int | None, end: int | None) -> bool:
    return start is not None and end is not None and end <= start
