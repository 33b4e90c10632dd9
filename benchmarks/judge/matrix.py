"""Which cases are judged: windows, scales, logs, with attacks and without, and seeds.

| matrix | for | cases |
|---|---|---|
| ``small`` | every ``make test`` | 8 |
| ``daily`` | a change of the learner, three seeds | 30 |
| ``full`` | published figures, if one has the days | 840 |
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from benchmarks.judge.case import Case
from datasets.generator import ATTACKS, Options

CONNECTIONS: Final = {2_000: 400_000}
"""Connections a day; by default 1,000 a workload, of which 35 days fill no common disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Days to learn from by scale, in workloads; ``ahead`` days to judge on; how many seeds.

    Every window of one seed shows the same cluster. ``reruns`` has each case learned again, for
    what compares runs; ``contestants`` are all where none is named.
    """

    name: str
    windows: tuple[tuple[int, tuple[float, ...]], ...]
    logs: tuple[str, ...] = ("conntrack",)
    attacked: tuple[bool, ...] = (False, True)
    ahead: float = 7
    seeds: int
    first: int = 1
    reruns: bool = False
    contestants: tuple[str, ...] = ()

    def cases(self) -> Iterator[Case]:
        """Yield the cases, small ones first; a run cut short has all seeds of those it has."""
        seeds = range(self.first, self.first + self.seeds)
        for scale, windows in self.windows:
            for days, logs, attacked, seed in product(windows, self.logs, self.attacked, seeds):
                options = Options(
                    seed=seed,
                    workloads=scale,
                    days=days,
                    ahead=self.ahead,
                    connections=CONNECTIONS.get(scale),
                    formats=tuple(sorted({logs, "conntrack"})),
                    codec="snappy",
                    attacks=ATTACKS if attacked else (),
                )
                yield Case(options, logs=logs, reruns=self.reruns)

    def seeded(self, seeds: int | None, first: int | None) -> "Matrix":
        """Return the matrix with so many seeds from this one on; its own where None."""
        return replace(self, seeds=seeds or self.seeds, first=first or self.first)


WINDOWS: Final = (0.25, 1, 3, 7, 14, 21, 28)
MATRICES: Final = {
    one.name: one
    for one in (
        Matrix(
            name="small",
            windows=((20, (1, 3)),),
            ahead=2,
            seeds=2,
            reruns=True,
            contestants=("synth", "oracle"),
        ),
        Matrix(name="daily", windows=((20, (1, 3, 7, 0.25)), (200, (1,))), seeds=3),
        Matrix(name="full", windows=tuple((one, WINDOWS) for one in (20, 200, 2_000)), seeds=20),
    )
}
