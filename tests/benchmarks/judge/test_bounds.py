"""Regressions of quality are noticed, and so is a metric that is not measured any more."""

from benchmarks.judge.bounds import BOUNDS, Bound, find_regressions, read_bounds
from benchmarks.judge.matrix import MATRICES
from benchmarks.judge.metrics import METRICS
from tests.benchmarks.judge.made_figures import HIGH, LOW, a_case, finished

BOUND = (Bound("low", "worst", 2, 0.1, 0.1), Bound("high", "median", 2, 0.9, 0.85))
GOOD = [finished(a_case(1), low=0.1, high=0.9), finished(a_case(2), low=0.0, high=0.86)]
EXACT = {
    *("replay blocked", "replay disputed", "inexact selectors", "fast-scan learned"),
    *("slow-scan learned", "beacon learned", "invented", "joins wrong", "determinism"),
}
"""What is right or wrong, with nothing between."""


def judge(*done: object) -> list[str]:
    return find_regressions(done, BOUND, (LOW, HIGH))  # type: ignore[arg-type]


def test_what_was_measured_passes() -> None:
    assert judge(*GOOD) == []


def test_one_bad_case_breaks_a_bound_of_the_worst() -> None:
    bad = finished(a_case(2), low=0.1001, high=0.86)
    assert judge(GOOD[0], bad) == [
        "low: expected at most 0.1 (worst of 2 cases). Got 0.1 instead; it was 0.1."
    ]


def test_the_median_breaks_its_bound_downwards_where_high_is_better() -> None:
    bad = [finished(a_case(seed), low=0.0, high=0.8) for seed in (1, 2)]
    assert [line.split(":")[0] for line in judge(*bad)] == ["high"]
    better = [finished(a_case(seed), low=0.0, high=1.0) for seed in (1, 2)]
    assert judge(*better) == []


def test_what_is_not_measured_does_not_pass() -> None:
    gone = [finished(a_case(1), low=0.1, high=None), GOOD[1]]
    assert judge(*gone) == ["high: expected a value in 2 cases. Got 1 instead."]
    assert len(find_regressions(GOOD, BOUND, (LOW,))) == 1
    assert len(judge()) == 2


def test_the_bounds_on_disk_are_of_metrics_that_exist_and_hold_what_was_measured() -> None:
    metrics, bounds = {one.name: one for one in METRICS}, read_bounds()
    assert {one.metric for one in bounds} <= {*metrics}
    assert len({(one.metric, one.over) for one in bounds}) == len(bounds)
    cases = len(list(MATRICES["small"].cases()))
    for one in bounds:
        assert one.over in {"worst", "median"}
        assert 0 < one.cases <= cases
        lower = metrics[one.metric].better == "lower"
        assert one.measured <= one.bound if lower else one.measured >= one.bound


def test_what_must_be_exact_has_a_bound_without_a_margin() -> None:
    exact = {one.metric: one for one in read_bounds() if one.over == "worst"}
    assert {*exact} >= EXACT
    assert all(exact[name].bound == exact[name].measured for name in EXACT)
    assert BOUNDS.name == "bounds.json"
