"""Medians and their intervals, against tables of the binomial and against drawn samples."""

import numpy as np
import pytest

from benchmarks.judge.statistics import chance_at, interval_depth, summarise


def test_no_value_has_no_summary() -> None:
    assert summarise([]) is None


def test_one_value_is_its_own_interval_and_says_nothing_of_the_median() -> None:
    found = summarise([3.0])
    assert found is not None
    assert (found.median, found.low, found.high, found.chance) == (3, 3, 3, 0)


def test_three_values_have_their_range_with_its_real_chance() -> None:
    found = summarise([5.0, 1.0, 2.0])
    assert found is not None
    assert (found.values, found.median, found.low, found.high) == (3, 2, 1, 5)
    assert found.chance == pytest.approx(0.75)  # 1 - 2 / 2^3


# Ranks of the 95 % interval of a median, as printed in tables of the sign test.
@pytest.mark.parametrize(
    ("count", "depth", "chance"),
    [(6, 1, 0.96875), (8, 1, 0.9921875), (9, 2, 0.9609375), (20, 6, 0.9586105)],
)
def test_depths_are_those_of_the_sign_test(count: int, depth: int, chance: float) -> None:
    assert interval_depth(count) == depth
    assert chance_at(count, depth) == pytest.approx(chance, abs=1e-7)


def test_twenty_values_have_the_sixth_smallest_and_the_sixth_largest() -> None:
    found = summarise([float(one) for one in range(20, 0, -1)])
    assert found is not None
    assert (found.low, found.median, found.high) == (6, 10.5, 15)


def test_the_interval_holds_the_true_median_as_often_as_it_says() -> None:
    drawn = np.random.default_rng(1).exponential(size=(2_000, 9)).tolist()
    held = 0
    for values in drawn:
        found = summarise(values)
        assert found is not None
        held += found.low <= 0.6931 <= found.high
    assert held / 2_000 == pytest.approx(0.961, abs=0.012)
