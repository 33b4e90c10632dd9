"""Cases whose figures are made up, so that nothing is judged."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.judge.case import Case
from benchmarks.judge.measure import CaseError
from benchmarks.judge.metrics import Metric
from benchmarks.judge.metrics.metric import Better
from benchmarks.judge.results import Finished
from datasets.generator import ATTACKS, Options

LOW = Metric("low", "share", Better.LOWER, 0.1, lambda *_: 0.0)
HIGH = Metric("high", "index", Better.HIGHER, 0.9, lambda *_: 0.0)


def a_case(seed: int = 1, days: float = 1, *, attacked: bool = False, workloads: int = 20) -> Case:
    attacks = ATTACKS if attacked else ()
    return Case(Options(seed=seed, days=days, ahead=1, workloads=workloads, attacks=attacks))


def finished(case: Case, **metrics: float | None) -> Finished:
    return Finished(case, {"synth": metrics, "oracle": {"low": 0.0}}, 1.0)


@dataclass
class FakeJudge:
    """Remembers what it judged; ``failing`` seeds fail, and ``odd`` ones have no number."""

    failing: frozenset[int] = frozenset()
    odd: frozenset[int] = frozenset()
    judged: list[str] = field(default_factory=list)

    def __call__(self, case: Case, folder: Path) -> Finished:
        (folder / "logs").write_text("large")
        self.judged.append(case.name)
        time.sleep(0.01)
        if case.options.seed in self.failing:
            raise CaseError(f"{case.name}: no luck")
        value = float("nan") if case.options.seed in self.odd else case.options.seed / 10
        return finished(case, low=value, high=None)
