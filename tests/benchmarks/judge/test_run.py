"""Runs that continue: what is finished is kept, what is broken is judged again."""

import json
import time
from pathlib import Path

import pytest

from benchmarks.judge.case import Case
from benchmarks.judge.measure import CaseError, measure_apart, to_case
from benchmarks.judge.results import (
    Finished,
    case_of,
    cell_path,
    checked,
    read_finished,
    write_finished,
)
from benchmarks.judge.run import BusyError, Outcome, Way, _only_run, run_cases
from tests.benchmarks.judge.made_figures import FakeJudge, a_case, finished

CASES = [a_case(seed) for seed in (1, 2, 3)]


def run(out: Path, judge: FakeJudge, version: str = "v1") -> Outcome:
    return run_cases(CASES, out, version, Way(workers=2, measure=judge))


def cells(out: Path) -> list[Path]:
    return sorted((out / "cells").iterdir())


def test_every_case_is_judged_once_and_returned_in_order(tmp_path: Path) -> None:
    judge = FakeJudge()
    outcome = run(tmp_path, judge)
    assert sorted(judge.judged) == [case.name for case in CASES]
    assert [one.case for one in outcome.finished] == CASES
    assert [one.figures["synth"]["low"] for one in outcome.finished] == [0.1, 0.2, 0.3]
    assert outcome.failures == ()


def test_a_rerun_judges_nothing_and_returns_the_same(tmp_path: Path) -> None:
    first, again = FakeJudge(), FakeJudge()
    one, two = run(tmp_path, first), run(tmp_path, again)
    assert again.judged == []
    assert [x.figures for x in one.finished] == [x.figures for x in two.finished]


def test_another_version_of_the_code_is_judged_anew(tmp_path: Path) -> None:
    run(tmp_path, FakeJudge())
    again = FakeJudge()
    run(tmp_path, again, version="v2")
    assert len(again.judged) == 3
    assert len(cells(tmp_path)) == 6


def cut(text: str) -> str:
    return text[: len(text) // 2]


def alter(text: str) -> str:
    return text.replace('"low": 0.1', '"low": 0.0')


def swap(_: str) -> str:
    return "[]"


@pytest.mark.parametrize("spoil", [cut, alter, swap, lambda _: "", lambda _: '{"body": 1}'])
def test_a_spoilt_file_is_judged_again(tmp_path: Path, spoil: object) -> None:
    assert callable(spoil)
    run(tmp_path, FakeJudge())
    path = cells(tmp_path)[0]
    whole = path.read_text()
    path.write_text(spoil(whole))
    again = FakeJudge()
    run(tmp_path, again)
    assert again.judged == [CASES[0].name]
    assert path.read_text() == whole


def test_a_file_of_another_case_is_not_believed(tmp_path: Path) -> None:
    run(tmp_path, FakeJudge())
    paths = cells(tmp_path)
    paths[0].write_bytes(paths[1].read_bytes())
    again = FakeJudge()
    run(tmp_path, again)
    assert again.judged == [CASES[0].name]


def test_a_case_that_fails_is_told_and_leaves_the_others(tmp_path: Path) -> None:
    outcome = run(tmp_path, FakeJudge(failing=frozenset({2})))
    assert outcome.failures == (f"{CASES[1].name}: no luck",)
    assert [one.case for one in outcome.finished] == [CASES[0], CASES[2]]
    again = FakeJudge()
    assert len(run(tmp_path, again).finished) == 3
    assert again.judged == [CASES[1].name]


def test_a_figure_that_is_no_number_fails_its_case(tmp_path: Path) -> None:
    outcome = run(tmp_path, FakeJudge(odd=frozenset({3})))
    assert "synth: low: expected a finite number or none. Got nan instead." in outcome.failures[0]
    assert len(cells(tmp_path)) == 2


@pytest.mark.parametrize("value", [float("inf"), "1", [1.0]])
def test_only_finite_numbers_are_figures(value: object) -> None:
    with pytest.raises(ValueError, match="expected a finite number"):
        checked({"synth": {"low": value}})


def test_nothing_but_figures_is_left(tmp_path: Path) -> None:
    (tmp_path / "work" / "of-a-killed-run").mkdir(parents=True)
    run(tmp_path, FakeJudge())
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]
    assert sorted(left) == cells(tmp_path)
    assert not (tmp_path / "work" / "of-a-killed-run").exists()


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    with _only_run(tmp_path), pytest.raises(BusyError, match="expected no other run"):
        run(tmp_path, FakeJudge())
    assert len(run(tmp_path, FakeJudge()).finished) == 3


def test_when_time_is_up_no_case_begins_and_none_fails(tmp_path: Path) -> None:
    judge = FakeJudge()
    outcome = run_cases(CASES, tmp_path, "v1", Way(1, time.monotonic() - 1, measure=judge))
    assert (judge.judged, outcome.finished, outcome.failures) == ([], (), ())


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    way = Way(1, tell=lambda *one: told.append(one), measure=FakeJudge(failing=frozenset({1})))
    run_cases(CASES, tmp_path, "v1", way)
    assert [one[0] for one in told] == [0, 1, 2, 3]
    assert {one[1] for one in told} == {3}


def test_options_choose_the_file(tmp_path: Path) -> None:
    same = cell_path(tmp_path, a_case(1), "v1")
    assert same == cell_path(tmp_path, a_case(1), "v1")
    others = [
        a_case(2),
        a_case(1, attacked=True),
        a_case(1, days=2),
        Case(a_case(1).options, "vpc"),
    ]
    paths = {cell_path(tmp_path, one, "v1") for one in others}
    assert len({same, *paths, cell_path(tmp_path, a_case(1), "v2")}) == 6


def test_a_case_survives_json() -> None:
    case = Case(a_case(3, attacked=True).options, logs="vpc", reruns=True)
    assert to_case(json.loads(json.dumps(case_of(case)))) == case


def test_figures_survive_the_disk(tmp_path: Path) -> None:
    one = finished(CASES[0], low=1 / 3, high=None)
    write_finished(tmp_path / "x.json", one)
    read = read_finished(tmp_path / "x.json", CASES[0])
    assert isinstance(read, Finished)
    assert read.figures == one.figures


def test_a_case_that_cannot_be_made_is_told_in_a_line(tmp_path: Path) -> None:
    case = Case(a_case().options, logs="nothing-like-it")
    with pytest.raises(CaseError, match=r"^w20-d1-s1-nothing-like-it: .+") as caught:
        measure_apart(case, tmp_path)
    assert "\n" not in str(caught.value)
