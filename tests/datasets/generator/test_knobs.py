"""Each knob changes what it should, and only that."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from datasets.generator import ATTACKS, Options, changed, generate
from datasets.generator.edges import DNS, OF_USERS, OUTSIDE, PATTERNS, PEERS
from datasets.generator.world import World, make_world

BASE = Options(workloads=60, days=2, connections=3_000, codec="snappy", formats=("vpc",), gaps=0)


def share(flags: Any) -> float:  # noqa: ANN401 - an array or a list
    return float(np.mean(flags))


def pattern(name: str) -> Callable[[World], float]:
    return lambda world: share(world.edges.pattern == PATTERNS.index(name))


def group(number: int) -> Callable[[World], float]:
    return lambda world: float((world.edges.group == number).sum())


def of_workloads(test: Callable[[Any], object]) -> Callable[[World], float]:
    return lambda world: share([bool(test(one)) for one in world.workloads])


KNOBS: dict[str, tuple[float, float, Callable[[World], float]]] = {
    "bursty": (0, 0.5, pattern("bursty")),
    "hourly": (0, 0.3, pattern("hourly")),
    "daily": (0, 0.3, pattern("daily")),
    "weekly": (0, 0.3, pattern("weekly")),
    "monthly": (0, 0.3, pattern("monthly")),
    "failover": (0, 0.3, pattern("failover")),
    "kept_open": (0, 0.5, lambda world: share(world.edges.kept[world.edges.group == 0])),
    "cron_jobs": (0, 0.3, of_workloads(lambda one: one.kind == "CronJob")),
    "rollouts": (0, 0.9, lambda world: float(world.pods.version.max())),
    "restarts": (0, 0.9, lambda world: float(len(world.pods))),
    "hot": (0, 0.3, lambda world: float(len(world.pods))),
    "births": (0, 0.1, lambda world: float(len(world.workloads) - 61)),
    "deaths": (0, 0.1, of_workloads(lambda one: one.until < 1 << 33)),
    "edge_churn": (0, 0.01, lambda world: share(world.edges.until < 1 << 33)),
    "twins": (0, 0.3, lambda world: float(61 - len({one.role for one in world.workloads}))),
    "near_twins": (0, 0.3, of_workloads(lambda one: one.name.endswith("-b"))),
    "blue_green": (0, 0.9, of_workloads(lambda one: one.coloured)),
    "missing_labels": (0, 0.9, of_workloads(lambda one: dict(one.labels).get("team"))),
    "misleading_labels": (
        0,
        0.9,
        of_workloads(
            lambda one: (
                len(one.selector) == 2
                and one.selector[0][1] != one.name
                and one.selector[0][0] == "app"
            )
        ),
    ),
    "part_of": (0, 0.9, of_workloads(lambda one: "app.kubernetes.io/part-of" in dict(one.labels))),
    "references": (0, 0.9, lambda world: share(world.edges.named)),
    "undeclared_ports": (
        0,
        0.9,
        of_workloads(lambda one: one.ports and one.name != "coredns" and not one.ports[0].declared),
    ),
    "udp": (0, 0.5, lambda world: share(world.edges.protocol[world.edges.group == 0] == 17)),
    "one_way": (0, 0.5, of_workloads(lambda one: one.one_way)),
    "peers": (0, 0.9, group(PEERS)),
    "ephemeral_ports": (0, 0.9, lambda world: share(world.edges.port == 50051)),
    "cdn": (0, 0.5, group(OUTSIDE)),
    "exposed": (0, 0.4, group(OF_USERS)),
    "strangers": (0, 0.1, lambda world: float((world.edges.client < 0).sum())),
    "dns": (0, 1, group(DNS)),
}
OFF = {"near_twins": 0, "twins": 0, "part_of": 0, "peers": 0, "cdn": 0, "partners": 0, "births": 0}


@pytest.mark.parametrize("knob", KNOBS)
def test_a_knob_turns_something_on_and_off(knob: str) -> None:
    off, on, measure = KNOBS[knob]
    base = changed(BASE, **{**OFF, "exposed": 0})
    measured = [measure(make_world(changed(base, **{knob: value}))) for value in (off, on)]
    if knob not in ("restarts", "hot"):
        assert measured[0] == 0
    assert measured[1] > measured[0]


def test_one_namespace_in_so_many_has_a_single_workload() -> None:
    world = make_world(changed(BASE, workloads=200, lone_namespaces=0.5, births=0))
    sizes = Counter(one.namespace for one in world.workloads if one.number < 200)
    assert sum(size == 1 for size in sizes.values()) >= 10


def test_addresses_are_not_given_again_before_their_time() -> None:
    for seconds in (5, 600):
        options = changed(BASE, restarts=0.9, reuse=1, reuse_after=seconds)
        pods = make_world(options).pods
        order = np.lexsort((pods.start, pods.address))
        same = pods.address[order][1:] == pods.address[order][:-1]
        gaps = (pods.start[order][1:] - pods.end[order][:-1])[same]
        assert gaps.min() >= seconds
        assert gaps.min() < seconds + 600


@pytest.mark.parametrize(
    "knob",
    [
        "missing_labels",
        *(
            pytest.param(one, marks=pytest.mark.slow)
            for one in ("misleading_labels", "part_of", "references", "undeclared_ports")
        ),
    ],
)
def test_labels_and_declarations_leave_the_logs_alone(tmp_path: Path, knob: str) -> None:
    assert logs(tmp_path, "off", changed(BASE, **{knob: 0})) == logs(
        tmp_path, "on", changed(BASE, **{knob: 0.9})
    )


def test_attacks_leave_benign_records_alone(tmp_path: Path) -> None:
    without, attacked = logs(tmp_path, "off"), logs(tmp_path, "on", changed(BASE, attacks=ATTACKS))
    assert without <= attacked
    assert attacked.total() - without.total() > 500


@pytest.mark.parametrize(
    "knobs", [{"loss": 0.3}, pytest.param({"missing_side": 0.4}, marks=pytest.mark.slow)]
)
def test_loss_takes_records_away_and_adds_none(tmp_path: Path, knobs: dict[str, float]) -> None:
    whole, lossy = logs(tmp_path, "off"), logs(tmp_path, "on", changed(BASE, **knobs))
    assert lossy <= whole
    assert 0.45 < lossy.total() / whole.total() < 0.85


@pytest.mark.slow
def test_skew_moves_times_only(tmp_path: Path) -> None:
    right, skewed = (
        logs(tmp_path, name, changed(BASE, skew=skew), without=("start", "end"))
        for name, skew in (("off", 0), ("on", 300))
    )
    assert right == skewed
    assert logs(tmp_path, "again", changed(BASE, skew=300)) != logs(tmp_path, "still")


@pytest.mark.slow
def test_load_swings_over_the_day(tmp_path: Path) -> None:
    even, swinging = (
        hours(tmp_path / str(swing), changed(BASE, diurnal=swing)) for swing in (0, 0.9)
    )
    assert even.max() < 2 * even.min()
    assert swinging.max() > 4 * swinging.min()


def hours(folder: Path, options: Options) -> Any:  # noqa: ANN401 - an array
    generate(changed(options, bursty=0, cron_jobs=0), folder)
    starts = [pq.read_table(path, columns=["start"], partitioning=None) for path in parquet(folder)]
    seconds = np.concatenate([np.asarray(one.column(0)) for one in starts])
    return np.bincount(seconds // 3600 % 24, minlength=24)


def parquet(folder: Path) -> list[Path]:
    return sorted((folder / "vpc").rglob("*.parquet"))


def logs(
    folder: Path, name: str, options: Options = BASE, without: tuple[str, ...] = ()
) -> Counter[Any]:
    """Return the records, each as often as it is there."""
    generate(options, folder / name)
    found = Counter[Any]()
    for path in parquet(folder / name):
        table = pq.read_table(path, partitioning=None).drop_columns(list(without))
        found.update(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return found
