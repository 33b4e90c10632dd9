"""The judge's report, as JSON for programs and as markdown for people."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from benchmarks.judge.contestants import CONTESTANTS, ORACLE
from benchmarks.judge.matrix import Matrix
from benchmarks.judge.metrics import METRICS, Metric
from benchmarks.judge.results import SCHEMA, Finished
from benchmarks.judge.statistics import summarise
from benchmarks.judge.summary import Group, contestants_of, line_of, scales_of, windows_of
from benchmarks.judge.tables import NONE, show, show_interval, table

LEARNERS: Final = ("synth", "synth-ready", ORACLE)
JUDGED: Final = LEARNERS[0]
BEGIN: Final = "<!-- begin: make judge -->"
END: Final = "<!-- end: make judge -->"
HEAD: Final = ("metric", "unit", "target", *LEARNERS, f"worst of {JUDGED}", "met")


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was judged of which matrix, and by which version of the code."""

    matrix: Matrix
    version: str
    finished: tuple[Finished, ...]
    asked: int


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as a JSON value; ``groups`` by window, ``scales`` over all windows."""
    finished = report.finished
    scales = scales_of(finished)
    return {
        "schema": SCHEMA,
        "version": report.version,
        "matrix": asdict(report.matrix),
        "cases": {"asked": report.asked, "finished": len(finished)},
        "metrics": [
            {"name": one.name, "unit": one.unit, "better": str(one.better)}
            | {"target": one.target, "told": one.told}
            for one in METRICS
        ],
        "scales": [_group(finished, one) for one in scales],
        "groups": [
            _group(finished, one) for scale in scales for one in windows_of(finished, scale)
        ],
    }


def _group(finished: Sequence[Finished], group: Group) -> dict[str, Any]:
    return asdict(group) | {
        "contestants": {
            name: {
                one.name: asdict(line)
                for one in METRICS
                if (line := line_of(finished, group, name, one)) is not None
            }
            for name in contestants_of(finished)
        }
    }


def to_markdown(report: Report) -> str:
    """Return the report as markdown."""
    parts = ["# The judge's table", _preface(report)]
    for scale in scales_of(report.finished):
        parts += _scale(report.finished, scale)
    return "\n\n".join(parts) + "\n"


def insert(report: str, page: str) -> str:
    """Return the page with the report, one level deeper, between its two marks.

    Raises
    ------
    ValueError
        If the page lacks a mark.

    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected the lines {BEGIN} and {END}. Got a page without them instead.")
    deeper = re.sub(r"^#", "##", report, flags=re.MULTILINE)
    return f"{before}{begin}\n\n{deeper}\n{end}{after}"


def _preface(report: Report) -> str:
    matrix = report.matrix
    seeds = {one.case.options.seed for one in report.finished}
    chance = getattr(summarise([float(one) for one in sorted(seeds)]), "chance", 0.0)
    span = f"{matrix.first} to {matrix.first + matrix.seeds - 1}" if seeds else "none"
    return (
        f"Matrix `{matrix.name}`: {len(report.finished)} of {report.asked} cases, seeds {span}, "
        f"code {report.version[:12]}.\n\n"
        "Each figure is the median over seeds of what the cases of a seed have as their median. "
        "In brackets stands the interval between order statistics that holds the true median with "
        f"a chance of at least 95 %; {len(seeds)} seeds "
        + (f"give {chance:.1%}" if chance >= 0.95 else f"give {chance:.0%} only: their range")
        + ". *Worst* is the worst case; *met* counts cases that meet the target. "
        f"{NONE} means that the figure has no meaning there."
    )


def _scale(finished: Sequence[Finished], scale: Group) -> Iterator[str]:
    windows = windows_of(finished, scale)
    days = sorted({one.days for one in windows if one.days is not None})
    title = f"{scale.workloads:,} workloads, logs of {scale.logs}"
    yield f"## {title}"
    told = ", ".join(_window(one) for one in days)
    yield f"Windows of {told}; without attacks and with all of them."
    yield table(HEAD, [_row(finished, scale, one) for one in METRICS], left=2)
    others = [one for one in contestants_of(finished) if one not in LEARNERS]
    if others:
        yield f"### {title}: {JUDGED} beside baselines"
        yield table(
            ("metric", JUDGED, *others),
            _said([_medians(finished, scale, one, (JUDGED, *others)) for one in METRICS]),
        )
    for attacked in sorted({bool(one.attacked) for one in windows}):
        chosen = [one for one in windows if one.attacked == attacked]
        yield f"### {title}: {JUDGED} by window, {'under attack' if attacked else 'no attacks'}"
        yield table(
            ("metric", *(_window(one.days or 0) for one in chosen)),
            _said([_over_windows(finished, chosen, one) for one in METRICS]),
        )


def _row(finished: Sequence[Finished], scale: Group, metric: Metric) -> list[str]:
    lines = {name: line_of(finished, scale, name, metric) for name in LEARNERS}
    judged = lines[JUDGED]
    return [
        metric.name,
        metric.unit,
        show_target(metric),
        *(show_interval(one.summary if one else None) for one in lines.values()),
        show(judged.worst if judged else None),
        f"{judged.met}/{judged.cases}" if judged and judged.met is not None else NONE,
    ]


def _medians(
    finished: Sequence[Finished], scale: Group, metric: Metric, names: Sequence[str]
) -> list[str]:
    lines = [line_of(finished, scale, name, metric) for name in names]
    return [metric.name, *(show(one.summary.median if one else None) for one in lines)]


def _over_windows(
    finished: Sequence[Finished], windows: Sequence[Group], metric: Metric
) -> list[str]:
    lines = [line_of(finished, one, JUDGED, metric) for one in windows]
    return [metric.name, *(show(one.summary.median if one else None) for one in lines)]


def _said(rows: Sequence[list[str]]) -> list[list[str]]:
    """Return the rows that hold any figure."""
    return [row for row in rows if {*row[1:]} != {NONE}]


def show_target(metric: Metric) -> str:
    """Return the target with its sign: ``≤ 0.05``; ``0`` where nothing is lower."""
    if metric.target is None:
        return NONE
    sign = "≤" if metric.better == "lower" else "≥"
    return "0" if metric.target == 0 and sign == "≤" else f"{sign} {show(metric.target)}"


def _window(days: float) -> str:
    return f"{days:g} d" if days >= 1 else f"{days * 24:g} h"


def contestants_table() -> str:
    """Return who is judged, as a markdown table."""
    return table(
        ("contestant", "does"), [(one.name, one.told) for one in CONTESTANTS.values()], left=2
    )


def metrics_table() -> str:
    """Return what is measured, as a markdown table."""
    head = ("metric", "unit", "target", "what")
    rows = [(one.name, one.unit, show_target(one), one.told) for one in METRICS]
    return table(head, rows, left=4)
