"""Medians, and intervals of medians by order statistics.

The interval is exact and assumes nothing of the distribution: between the k-th smallest and the
k-th largest of n independent values lies the true median with the chance that a fair coin, thrown
n times, shows each side at least k times. The largest k whose chance is 95 % is taken. Fewer than
six values have none; their smallest and largest are given instead, with the chance these have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median
from typing import Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of values, and the interval that holds the true one with this chance."""

    values: int
    median: float
    low: float
    high: float
    chance: float


def summarise(values: Sequence[float], confidence: float = CONFIDENCE) -> Summary | None:
    """Return median and interval of independent values; none where there is no value."""
    if not values:
        return None
    ordered = sorted(values)
    depth = interval_depth(len(ordered), confidence)
    return Summary(
        values=len(ordered),
        median=float(median(ordered)),
        low=ordered[depth - 1],
        high=ordered[-depth],
        chance=chance_at(len(ordered), depth),
    )


def interval_depth(count: int, confidence: float = CONFIDENCE) -> int:
    """Return the k of the narrowest interval of at least this confidence; 1 where none has it."""
    depths = range(1, count // 2 + 1)
    return max((one for one in depths if chance_at(count, one) >= confidence), default=1)


def chance_at(count: int, depth: int) -> float:
    """Return how likely the true median is between the ``depth``-th smallest and largest."""
    outside = sum(comb(count, one) for one in range(depth))
    return max(0.0, 1 - outside / float(2 ** (count - 1)))
