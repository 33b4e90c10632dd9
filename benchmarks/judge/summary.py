"""From the figures of cases to medians with intervals.

Only seeds are independent: the windows of one seed show one cluster. So whatever sums up several
windows takes the median of each seed first.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.judge.metrics import Metric
from benchmarks.judge.results import Finished
from benchmarks.judge.statistics import Summary, summarise


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """Cases that differ in their seed only; ``days`` or ``attacked`` is None where all are in."""

    workloads: int
    logs: str
    days: float | None = None
    attacked: bool | None = None

    def holds(self, one: Finished) -> bool:
        """Return whether the case belongs to the group."""
        options = one.case.options
        return (
            (self.workloads, self.logs) == (options.workloads, one.case.logs)
            and self.days in (None, options.days)
            and self.attacked in (None, bool(options.attacks))
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of one contestant over the cases of a group.

    ``summary`` is of the seeds' medians; ``worst`` is the worst case; ``met`` cases of ``cases``
    met the target, which is None where there is no target.
    """

    summary: Summary
    worst: float
    cases: int
    met: int | None


def scales_of(finished: Iterable[Finished]) -> list[Group]:
    """Return a group for each scale and kind of logs."""
    return sorted({Group(one.case.options.workloads, one.case.logs) for one in finished})


def windows_of(finished: Iterable[Finished], scale: Group) -> list[Group]:
    """Return the groups of a scale by window, without attacks and with them."""
    found = {
        (one.case.options.days, bool(one.case.options.attacks))
        for one in finished
        if scale.holds(one)
    }
    return [Group(scale.workloads, scale.logs, *one) for one in sorted(found)]


def contestants_of(finished: Iterable[Finished]) -> list[str]:
    """Return the names of all contestants, in the order in which they were judged."""
    return list(dict.fromkeys(name for one in finished for name in one.figures))


def line_of(
    finished: Iterable[Finished], group: Group, contestant: str, metric: Metric
) -> Line | None:
    """Return the metric's line; none where it has no value in any case."""
    by_seed = values_by_seed(finished, group, contestant, metric.name)
    summary = summarise([median(some) for some in by_seed.values()])
    if summary is None:
        return None
    values = [value for some in by_seed.values() for value in some]
    return Line(
        summary=summary,
        worst=worst_of(values, metric),
        cases=len(values),
        met=None if metric.target is None else sum(map(metric.meets, values)),
    )


def values_by_seed(
    finished: Iterable[Finished], group: Group, contestant: str, metric: str
) -> Mapping[int, list[float]]:
    """Return seed → the metric's values in the cases of the group that have one."""
    found = defaultdict[int, list[float]](list)
    for one in finished:
        value = one.figures.get(contestant, {}).get(metric)
        if group.holds(one) and value is not None:
            found[one.case.options.seed].append(value)
    return found


def worst_of(values: Sequence[float], metric: Metric) -> float:
    """Return the highest value of a metric that should be low, or the lowest of the other kind."""
    return max(values) if metric.better == "lower" else min(values)
