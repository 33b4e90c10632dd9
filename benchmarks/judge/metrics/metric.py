"""What a metric is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal


class Better(StrEnum):
    """Which way a metric is better."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of a proposal; ``measure`` takes the case, the proposal and the oracle's.

    It is None where the figure has no meaning: no attack, no such contestant, no rerun asked for.
    """

    name: str
    unit: str
    better: Better
    target: float | None
    measure: Callable[[Prepared, Proposal, Proposal], float | None]
    told: str = ""

    def meets(self, value: float) -> bool:
        """Return whether the value meets the target; one without a target always does."""
        if self.target is None:
            return True
        return value <= self.target if self.better is Better.LOWER else value >= self.target
