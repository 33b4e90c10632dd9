"""Folding files on threads: the same for any number of threads and any order of units."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest

from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.engines import local
from synth.engines.local import Folded, fold_units
from synth.errors import Fault, InputError
from synth.flows import FlowBatch
from synth.ledger import Example, Ledger
from synth.sources.interface import Unit
from tests.edges.strategies import (
    ADDRESSES,
    API,
    CLUSTER,
    WEB1,
    Line,
    assert_same,
    batch,
    folded,
    syn,
)

Files = dict[str, list[FlowBatch]]


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Files:
    """Files in memory: a source that yields the batches of a unit's path."""
    held: Files = {}

    def read(unit: Unit) -> Iterator[FlowBatch]:
        yield from held[unit.path]

    monkeypatch.setattr(local, "load", lambda _: SimpleNamespace(read=read))
    return held


def units(files: Files) -> list[Unit]:
    return [Unit(path, "vpc-text") for path in files]


def run(some: Sequence[Unit], threads: int = 1) -> Folded:
    return fold_units(some, CLUSTER, threads, lambda *_: None)


def fill(files: Files, count: int = 12) -> int:
    """Fill so many files with records and skipped ones; return how many."""
    random = Random(1)  # noqa: S311 - repeatable
    total = 0
    for number in range(count):
        path = f"{number:02}.log"
        files[path] = []
        for part in range(random.randrange(4)):
            some = [
                syn(random.choice(ADDRESSES), random.choice(ADDRESSES), 80, row=100 * part + row)
                for row in range(1, random.randrange(2, 30))
            ]
            skipped = Ledger.of("no-data", part, Example(path, part + 1))
            files[path].append(batch(some, file=path, skipped=skipped))
            total += len(some) + part
    return total


def test_every_record_is_counted_once(files: Files) -> None:
    total = fill(files)

    result = run(units(files))

    assert result.edges.records.sum() + result.skipped.total == total
    assert sum(result.records.values()) == total
    assert set(result.records) == {path for path, some in files.items() if some}


@pytest.mark.parametrize("threads", [0, 1, 2, 4])
def test_threads_and_order_make_no_difference(files: Files, threads: int) -> None:
    fill(files)
    wanted = run(units(files))
    shuffled = units(files)
    Random(threads).shuffle(shuffled)  # noqa: S311 - any order does

    result = run(shuffled, threads)

    assert_same(result.edges, wanted.edges)
    assert result.skipped == wanted.skipped
    assert result.records == wanted.records


@pytest.mark.parametrize("held", [0, 1, 7])
def test_merging_early_makes_no_difference(
    files: Files, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(files)
    wanted = run(units(files))

    monkeypatch.setattr(local, "ROWS_HELD", held)

    assert_same(run(units(files), 2).edges, wanted.edges)


def test_the_result_is_that_of_merging_the_parts(files: Files) -> None:
    files["a.log"] = [batch([syn(WEB1, API, 80)], file="a.log")]
    files["b.log"] = [batch([syn(WEB1, API, 80)], file="b.log")]

    parts = [folded(syn(WEB1, API, 80), file=file) for file in files]

    assert_same(run(units(files)).edges, merge(parts))


def test_no_units_are_no_edges(files: Files) -> None:
    result = run(units(files))

    assert_same(result.edges, Edges.empty())
    assert result.skipped == Ledger()


def test_row_groups_of_one_file_count_together(files: Files) -> None:
    files["a.parquet"] = [batch([Line(), Line(row=2)], file="a.parquet")]
    unit = Unit("a.parquet", "vpc-parquet", row_group=0)

    result = run([unit, replace(unit, row_group=1)], 2)

    assert result.records == {"a.parquet": 4}


def test_progress_is_told_in_order(files: Files) -> None:
    fill(files, 5)
    told: list[tuple[str, int, int]] = []

    fold_units(units(files), CLUSTER, 3, lambda *step: told.append(step))

    assert told == [("reading", done, 5) for done in range(1, 6)]


@pytest.mark.parametrize("threads", [1, 3])
def test_a_bad_unit_stops_the_reading(
    files: Files, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(files)
    read: list[str] = []

    def fail(unit: Unit) -> Iterator[FlowBatch]:
        read.append(unit.path)
        if unit.path == "03.log":
            raise InputError(Fault(unit.path, "a log", "nothing"))
        yield from files[unit.path]

    monkeypatch.setattr(local, "load", lambda _: SimpleNamespace(read=fail))

    with pytest.raises(InputError, match=r"03\.log"):
        run(units(files), threads)
    assert len(read) < len(files) or threads > 1


def test_only_so_many_units_are_under_way(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(files, 30)
    begun: list[str] = []
    ahead: list[int] = []

    def read(unit: Unit) -> Iterator[FlowBatch]:
        begun.append(unit.path)
        yield from files[unit.path]

    monkeypatch.setattr(local, "load", lambda _: SimpleNamespace(read=read))
    fold_units(units(files), CLUSTER, 2, lambda _, done, __: ahead.append(len(begun) - done))

    assert max(ahead) <= 4
