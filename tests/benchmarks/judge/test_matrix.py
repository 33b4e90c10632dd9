"""Which cases a matrix holds."""

from benchmarks.judge.matrix import MATRICES
from datasets.generator import ATTACKS


def test_the_full_matrix_is_windows_by_scales_by_contamination_by_seeds() -> None:
    cases = list(MATRICES["full"].cases())
    assert len(cases) == 7 * 3 * 2 * 20
    options = [case.options for case in cases]
    assert {one.days for one in options} == {0.25, 1, 3, 7, 14, 21, 28}
    assert {one.workloads for one in options} == {20, 200, 2_000}
    assert {one.attacks for one in options} == {(), ATTACKS}
    assert {one.seed for one in options} == {*range(1, 21)}
    assert {one.ahead for one in options} == {7}


def test_names_tell_cases_apart() -> None:
    for matrix in MATRICES.values():
        names = [case.name for case in matrix.cases()]
        assert len({*names}) == len(names)


def test_other_seeds_leave_everything_else_alone() -> None:
    matrix = MATRICES["daily"].seeded(2, 400)
    assert {case.options.seed for case in matrix.cases()} == {400, 401}
    assert matrix.windows == MATRICES["daily"].windows
    assert MATRICES["daily"].seeded(None, None) == MATRICES["daily"]


def test_a_run_cut_short_has_all_seeds_of_a_case() -> None:
    first = list(MATRICES["daily"].cases())[:3]
    assert len({case.options.seed for case in first}) == 3
    assert len({(case.options.workloads, case.options.days) for case in first}) == 1


def test_the_small_matrix_is_small_and_has_both_kinds() -> None:
    cases = list(MATRICES["small"].cases())
    assert len(cases) <= 8
    assert {bool(case.options.attacks) for case in cases} == {False, True}
    assert {case.options.workloads for case in cases} == {20}
    assert all(case.reruns for case in cases)
