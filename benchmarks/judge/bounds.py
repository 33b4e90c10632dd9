"""Bounds of quality: what the learner reached once must stay reached.

``bounds.json`` maps each metric to what was measured over the cases of matrix ``small`` and to
what may come out: ``worst`` of all cases, their ``median``, and in how many cases the metric has a
value at all, so that nothing passes because it was not measured.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.judge.metrics import METRICS, Metric
from benchmarks.judge.results import Finished
from benchmarks.judge.summary import worst_of
from benchmarks.judge.tables import show

BOUNDS: Final = Path(__file__).with_name("bounds.json")
JUDGED: Final = "synth"


@dataclass(frozen=True, slots=True)
class Bound:
    """What one metric may come to; ``over`` is ``worst`` or ``median`` of ``cases`` cases."""

    metric: str
    over: str
    cases: int
    measured: float
    bound: float


def read_bounds(path: Path = BOUNDS) -> tuple[Bound, ...]:
    """Return the bounds that the file holds."""
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Bound(**one) for one in found)


def find_regressions(
    finished: Sequence[Finished], bounds: Sequence[Bound], metrics: Sequence[Metric] = METRICS
) -> list[str]:
    """Return a line for each bound that is broken, or whose metric is not measured any more."""
    known = {one.name: one for one in metrics}
    return [
        line
        for bound in bounds
        if (line := _judge(bound, known.get(bound.metric), finished)) is not None
    ]


def _judge(bound: Bound, metric: Metric | None, finished: Sequence[Finished]) -> str | None:
    if metric is None:
        return f"{bound.metric}: expected a metric of this name. Got none instead."
    values = values_of(finished, metric)
    if len(values) < bound.cases:
        return (
            f"{bound.metric}: expected a value in {bound.cases} cases. Got {len(values)} instead."
        )
    value = over(values, bound.over, metric)
    lower = metric.better == "lower"
    if value <= bound.bound if lower else value >= bound.bound:
        return None
    most = "at most" if lower else "at least"
    return (
        f"{bound.metric}: expected {most} {show(bound.bound)} ({bound.over} of {len(values)} "
        f"cases). Got {show(value)} instead; it was {show(bound.measured)}."
    )


def values_of(finished: Sequence[Finished], metric: Metric) -> list[float]:
    """Return the learner's values of the metric, of cases that have one."""
    found = (one.figures.get(JUDGED, {}).get(metric.name) for one in finished)
    return [one for one in found if one is not None]


def over(values: Sequence[float], which: str, metric: Metric) -> float:
    """Return the worst or the median of the values."""
    return worst_of(values, metric) if which == "worst" else float(median(values))
