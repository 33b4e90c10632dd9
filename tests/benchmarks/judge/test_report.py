"""Groups, lines, tables: what figures come to, on examples worked out by hand."""

import json

import pytest

from benchmarks.judge.contestants import CONTESTANTS
from benchmarks.judge.matrix import MATRICES
from benchmarks.judge.metrics import METRICS
from benchmarks.judge.report import HEAD, LEARNERS, Report, show_target, to_json, to_markdown
from benchmarks.judge.results import Finished
from benchmarks.judge.summary import Group, line_of, scales_of, windows_of
from benchmarks.judge.tables import show, show_interval, table
from tests.benchmarks.judge.made_figures import HIGH, LOW, a_case, finished

DONE = [
    finished(a_case(1, 1), low=0.0, high=1.0),
    finished(a_case(1, 3), low=0.2, high=0.8),
    finished(a_case(2, 1), low=0.0, high=None),
    finished(a_case(2, 3), low=0.0, high=0.95),
    finished(a_case(3, 1, attacked=True), low=0.5, high=0.5),
]
ALL = Group(20, "conntrack")


def test_windows_of_a_seed_count_as_one_value() -> None:
    line = line_of(DONE, ALL, "synth", LOW)
    assert line is not None
    # Medians of the seeds: 0.1, 0 and 0.5.
    assert line.summary.values == 3
    assert line.summary.median == pytest.approx(0.1)
    assert (line.summary.low, line.summary.high) == (0.0, 0.5)
    assert (line.worst, line.cases, line.met) == (0.5, 5, 3)


def test_what_should_be_high_is_worst_when_low_and_none_counts_for_nothing() -> None:
    line = line_of(DONE, ALL, "synth", HIGH)
    assert line is not None
    assert (line.worst, line.cases, line.met) == (0.5, 4, 2)


def test_a_metric_without_a_value_has_no_line() -> None:
    assert line_of(DONE, ALL, "oracle", HIGH) is None
    assert line_of(DONE, ALL, "nobody", LOW) is None
    assert line_of(DONE, Group(200, "conntrack"), "synth", LOW) is None


def test_groups_are_scales_and_windows_with_and_without_attacks() -> None:
    more = [*DONE, finished(a_case(1, workloads=200), low=0.0)]
    assert scales_of(more) == [ALL, Group(200, "conntrack")]
    assert [(one.days, one.attacked) for one in windows_of(more, ALL)] == [
        (1, False),
        (1, True),
        (3, False),
    ]
    attacked = windows_of(more, ALL)[1]
    assert [attacked.holds(one) for one in more] == [False] * 4 + [True, False]


def test_intervals_are_shown_where_they_are_wider_than_their_median() -> None:
    line = line_of(DONE, ALL, "synth", LOW)
    assert line is not None
    assert show_interval(line.summary) == "0.1 [0, 0.5]"
    assert show_interval(None) == show(None) == "-"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((0.0, "0"), (0.000123, "1.23e-4"), (0.0000996, "9.96e-5"), (0.5, "0.5"), (1.0, "1")),
        *((0.99876, "0.9988"), (0.99996, "1"), (12.34, "12.3"), (12345.6, "12,346")),
        (-0.02, "-0.02"),
    ],
)
def test_figures_are_short(value: float, text: str) -> None:
    assert show(value) == text


def test_targets_have_a_sign() -> None:
    assert (show_target(LOW), show_target(HIGH)) == ("≤ 0.1", "≥ 0.9")
    exact = next(one for one in METRICS if one.name == "inexact selectors")
    assert show_target(exact) == "0"


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("x", "1")]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def real(seed: int, value: float) -> Finished:
    """Return a case in which every contestant has this value for every metric."""
    return Finished(
        a_case(seed), {name: {one.name: value for one in METRICS} for name in CONTESTANTS}, 1.0
    )


def a_report(*done: Finished) -> Report:
    return Report(MATRICES["daily"].seeded(3, 1), "0123456789abcdef", done, 30)


def test_markdown_names_every_metric_contestant_and_what_is_missing() -> None:
    text = to_markdown(a_report(real(1, 0.25), real(2, 0.5), real(3, 0.75)))
    lines = text.splitlines()
    assert all(sum(line.startswith(f"| {one.name} |") for line in lines) == 3 for one in METRICS)
    assert all(f" {name} |" in text for name in CONTESTANTS)
    assert "3 of 30 cases, seeds 1 to 3, code 0123456789ab." in text
    assert "3 seeds give 75% only: their range" in text
    assert "| " + " | ".join(HEAD) + " |" in lines
    assert {*LEARNERS} <= {*HEAD}
    assert "0.5 [0.25, 0.75]" in text


def test_twenty_seeds_give_an_interval_of_95_percent() -> None:
    text = to_markdown(a_report(*(real(seed, seed / 100) for seed in range(1, 21))))
    assert "20 seeds give 95.9%" in text
    assert "0.105 [0.06, 0.15]" in text


def test_a_report_of_nothing_says_so() -> None:
    assert "0 of 30 cases" in to_markdown(a_report())
    assert to_json(a_report())["groups"] == []


def test_json_has_the_same_figures() -> None:
    found = json.loads(json.dumps(to_json(a_report(real(1, 0.5)))))
    assert [one["name"] for one in found["metrics"]] == [one.name for one in METRICS]
    assert found["cases"] == {"asked": 30, "finished": 1}
    group = found["groups"][0]
    assert (group["workloads"], group["days"], group["attacked"]) == (20, 1, False)
    line = group["contestants"]["synth"]["over-permission"]
    assert (line["summary"]["median"], line["worst"], line["met"]) == (0.5, 0.5, 0)
