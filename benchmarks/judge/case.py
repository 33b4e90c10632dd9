"""A case: a made-up cluster whose truth is known, on disk, read again by the real readers.

| folder | holds |
|---|---|
| ``made`` | what the generator wrote: the days to learn from, and ``ahead``, the days after |
| ``benign`` | the same days to learn from without attacks, for the oracle; only if there are any |
| ``repaired`` | the cluster files, with an owner and a label for each true role: see ``repair`` |
"""

import json
import re
import shutil
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks.judge.names import Names
from benchmarks.judge.repair import repair_cluster
from benchmarks.judge.world import World
from datasets.generator import Options, Truth, changed, generate, read_truth

_DAY = re.compile(r"\d{4}[-/]\d\d[-/]\d\d")


@dataclass(frozen=True, slots=True)
class Case:
    """What to make, and which of its logs to learn from.

    ``judged_on`` are the logs of the days ahead: those of conntrack see what leaves the cluster.
    ``reruns``: learn again, to measure determinism and stability.
    """

    options: Options
    logs: str = "conntrack"
    judged_on: str = "conntrack"
    reruns: bool = False

    @property
    def name(self) -> str:
        """A short name: ``w20-d3-s1``, ``w200-d0.25-s7-attacked-vpc``."""
        options = self.options
        name = f"w{options.workloads}-d{options.days:g}-s{options.seed}"
        name += "-attacked" if options.attacks else ""
        return name if self.logs == "conntrack" else f"{name}-{self.logs}"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A case on disk. ``plain`` and ``repaired`` are its cluster as it is, and as it should be."""

    case: Case
    folder: Path
    truth: Truth
    without_last_day: bool = False

    @cached_property
    def yesterday(self) -> "Prepared | None":
        """The case as it was a day before learning ended; None if there is one day only."""
        if not self._earlier_logs.exists():
            return None
        return replace(self, without_last_day=True)

    @property
    def _earlier_logs(self) -> Path:
        return self.folder / "yesterday" / self.case.logs

    @cached_property
    def plain(self) -> World:
        """The cluster as its owners wrote it; what every contestant but the oracle is given."""
        made = self.folder / "made"
        return World(
            cluster=made / "cluster",
            cluster_ahead=made / "ahead" / "cluster",
            logs=self._earlier_logs if self.without_last_day else made / self.case.logs,
            logs_ahead=made / "ahead" / self.case.judged_on,
            names=Names.of(self.truth),
        )

    @cached_property
    def repaired(self) -> World:
        """The same with true roles as owners, and labels that name them; without attacks."""
        repaired, plain = self.folder / "repaired", self.plain
        benign = self.folder / "benign" / self.case.logs
        return World(
            cluster=repaired / "cluster",
            cluster_ahead=repaired / "ahead" / "cluster",
            logs=benign if self.case.options.attacks else plain.logs,
            logs_ahead=plain.logs_ahead,
            names=Names.of(self.truth, by_role=True),
        )


def prepare(case: Case, folder: Path) -> Prepared:
    """Return the case, made in the folder unless it is there already.

    Raises
    ------
    ValueError
        If the folder holds another case, or no day to judge on is asked for.

    """
    if case.options.ahead <= 0:
        raise ValueError(f"{case.name}: expected a day ahead to judge on. Got none instead.")
    made = folder / "made"
    if not made.exists():
        _make(case.options, made)
    truth = read_truth(made)
    wanted = json.loads(json.dumps(asdict(case.options)))
    if json.loads(json.dumps(dict(truth.options))) != wanted:
        raise ValueError(f"{folder}: expected {case.name} with the same options. Got another case.")
    benign = folder / "benign"
    if case.options.attacks and not benign.exists():
        _make(changed(case.options, attacks=(), ahead=0, formats=(case.logs,)), benign)
    for part in ("cluster", "ahead/cluster"):
        if not (folder / "repaired" / part).exists():
            repair_cluster(made / part, folder / "repaired" / part, truth)
    if case.reruns and not (folder / "yesterday").exists():
        link_earlier_days(made / case.logs, folder / "yesterday" / case.logs)
    return Prepared(case, folder, truth)


def link_earlier_days(source: Path, target: Path) -> None:
    """Link the log files of all days but the last below ``target``."""
    day_of = {
        path: found[0]
        for path in sorted(source.rglob("*.parquet"))
        if (found := _DAY.search(str(path.relative_to(source))))
    }
    days = sorted({re.sub(r"\D", "", day) for day in day_of.values()})
    target.parent.mkdir(parents=True, exist_ok=True)
    for path, day in day_of.items():
        if re.sub(r"\D", "", day) != days[-1]:
            link = target / path.relative_to(source)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.hardlink_to(path)


def _make(options: Options, folder: Path) -> None:
    """Generate into the folder, which is there only when it is whole."""
    making = folder.with_name(f"{folder.name}-in-the-making")
    shutil.rmtree(making, ignore_errors=True)
    generate(options, making)
    making.rename(folder)
