"""Clusters of 2,000 workloads against the figures published for large fleets."""

from functools import lru_cache
from math import exp

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import spearmanr

from datasets.generator.options import DAY, NEVER, START, Options
from datasets.generator.seeds import stream
from datasets.generator.tails import replica_counts, shares
from datasets.generator.topology import Topology, make_topology

SEEDS = (1, 2, 3)
SIZE = 2_000
each_seed = pytest.mark.parametrize(
    "seed", [SEEDS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in SEEDS[1:])]
)


@lru_cache
def topology(seed: int) -> Topology:
    """Return the graph, without the near duplicates that are copied into it, and newcomers."""
    return make_topology(
        Options(workloads=SIZE, seed=seed, twins=0, near_twins=0, births=0, deaths=0)
    )


@each_seed
def test_replicas_have_the_median_and_singles_stated_and_a_cap(seed: int) -> None:
    replicas = topology(seed).replicas[:SIZE]
    assert 7 <= np.median(replicas) <= 9
    assert abs((replicas == 1).mean() - 0.09) < 0.02
    assert replicas.max() == 30


def test_replicas_without_a_cap_have_the_tail_stated() -> None:
    normal = np.array([1.0, 1.5, 2.0, 2.5])
    drawn = replica_counts(ndtr(normal), 10**9)
    assert np.allclose(drawn, [exp(2.86 + 2.47 * one) for one in normal], rtol=0.01)


@each_seed
def test_fan_in(seed: int) -> None:
    found = topology(seed).fan_in[:SIZE]
    assert abs((found == 0).mean() - 0.39) < 0.01
    logs = np.log(found[found > 0])
    assert abs(logs.std() - 1.45) < 0.2
    assert abs(logs.mean() - 1.46) < 0.35  # the body is scaled to what callers open
    assert abs(np.sort(found)[::-1][: SIZE // 100].sum() / found.sum() - 0.67) < 0.06


@each_seed
def test_the_largest_hubs_fall_as_one_over_their_rank(seed: int) -> None:
    hubs = np.sort(topology(seed).fan_in)[::-1][: SIZE // 100]
    free = hubs < hubs[0] * 0.8  # the first ones have nearly every caller there is
    rank = np.arange(1, len(hubs) + 1)[free]
    slope = np.polyfit(np.log(rank), np.log(hubs[free]), 1)[0]
    assert abs(slope + 1.0) < 0.25  # room for callers ends before the last ones


@each_seed
def test_fan_out(seed: int) -> None:
    found = topology(seed).fan_out[:SIZE]
    assert abs((found == 0).mean() - 0.15) < 0.01
    logs = np.log(found[found > 0])
    assert abs(logs.mean() - 1.78) < 0.1
    assert abs(logs.std() - 1.28) < 0.12


@each_seed
def test_much_called_workloads_have_more_replicas(seed: int) -> None:
    found = topology(seed)
    assert abs(spearmanr(found.fan_in[:SIZE], found.replicas[:SIZE])[0] - 0.55) < 0.05


@each_seed
def test_nobody_is_silent_calls_itself_or_is_called_twice(seed: int) -> None:
    found = topology(seed)
    pairs = np.stack([found.client, found.server])
    assert not (found.client == found.server).any()
    assert np.unique(pairs, axis=1).shape == pairs.shape
    assert (found.fan_in[:SIZE] + found.fan_out[:SIZE] > 0).all()


@pytest.mark.parametrize(("size", "low", "high"), [(20, 0.08, 0.2), (200, 0.02, 0.04)])
def test_density_falls_with_size(size: int, low: float, high: float) -> None:
    for seed in SEEDS:
        found = make_topology(Options(workloads=size, seed=seed, births=0))
        assert low < len(found.client) / size**2 < high
    assert len(topology(1).client) / SIZE**2 == pytest.approx(0.0057, abs=0.0005)


def test_density_can_be_had_as_stated() -> None:
    found = make_topology(Options(workloads=SIZE, density=0.0017, births=0, twins=0, near_twins=0))
    assert len(found.client) / SIZE**2 == pytest.approx(0.0017, rel=0.001)


@each_seed
@pytest.mark.parametrize("edges", [20, 50, 400])
def test_rarity_of_callers_with_many_edges(seed: int, edges: int) -> None:
    drawn = shares(stream(seed, "test"), edges)
    assert (drawn < 1e-2).mean() == pytest.approx(0.60, abs=1 / edges + 1e-9)
    assert (drawn < 1e-3).mean() == pytest.approx(0.24, abs=1 / edges + 1e-9)
    assert drawn.max() <= 1


@each_seed
def test_workloads_come_and_go_at_the_rates_stated(seed: int) -> None:
    found = make_topology(Options(workloads=SIZE, seed=seed, days=60))
    new = (found.since >= START).sum() / 60 / SIZE
    gone = (found.until < NEVER).sum() / 60 / SIZE
    assert new == pytest.approx(0.0027, rel=0.2)
    assert gone == pytest.approx(0.0010, rel=0.35)
    assert found.until[found.until < NEVER].max() < START + 60 * DAY
