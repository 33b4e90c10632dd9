"""Edges written, read, and merged with another day's."""

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.edges.merge import merge
from synth.edges.parquet import Terms, is_edges, read_edges, read_terms, write_edges
from synth.edges.schema import Edges
from synth.errors import InputError
from synth.ledger import Example, Ledger
from tests.edges.strategies import (
    API,
    DAY,
    DB,
    NOON,
    SERVICE,
    WEB1,
    Line,
    assert_same,
    folded,
    lines,
    syn,
    tracked,
)

SKIPPED = Ledger.of("no-data", 2, Example("a.log", 7, "2 - - NODATA")) + Ledger.of("loopback", 1)


def read_back(edges: Edges, skipped: Ledger = SKIPPED) -> tuple[Edges, Ledger]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "edges.parquet"
        write_edges(edges, skipped, path)
        assert is_edges(path)
        return read_edges(path)


@settings(max_examples=60)
@given(st.lists(lines(), max_size=20))
def test_what_was_written_is_read(some: Sequence[Line]) -> None:
    edges = folded(*some)

    found, skipped = read_back(edges)

    assert_same(found, edges)
    assert skipped == SKIPPED


def test_no_edges_are_read_as_none() -> None:
    found, skipped = read_back(Edges.empty(), Ledger())

    assert_same(found, Edges.empty())
    assert skipped == Ledger()


@settings(max_examples=30)
@given(st.lists(lines(), min_size=1, max_size=10), st.lists(lines(), min_size=1, max_size=10))
def test_files_of_two_days_merge_to_what_one_reading_gives(
    one: Sequence[Line], other: Sequence[Line]
) -> None:
    parts = [folded(*one, file="mon.log"), folded(*other, file="tue.log", source="conntrack-text")]

    assert_same(merge([read_back(part)[0] for part in parts]), merge(parts))


def test_days_and_years_apart() -> None:
    edges = folded(
        *(syn(WEB1, DB, 80, start=NOON + day * DAY, end=NOON + day * DAY) for day in (0, 99, 700))
    )

    assert_same(read_back(edges)[0], edges)


def test_the_same_edges_are_the_same_bytes(tmp_path: Path) -> None:
    edges = folded(syn(WEB1, DB, 3306), tracked(WEB1, API, 5000, asked=SERVICE))
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        write_edges(edges, SKIPPED, tmp_path / name / "edges.parquet")

    one, other = ((tmp_path / name / "edges.parquet").read_bytes() for name in ("one", "other"))
    assert one == other
    assert str(tmp_path).encode() not in one


def test_a_folder_named_like_a_partition_adds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "half_days_0=5" / "records=7"
    folder.mkdir(parents=True)
    edges = folded(syn(WEB1, DB, 3306))
    write_edges(edges, SKIPPED, folder / "edges.parquet")

    assert_same(read_edges(folder / "edges.parquet")[0], edges)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "edges.parquet"
    write_edges(folded(syn(WEB1, DB, 3306), syn(WEB1, API, 80)), SKIPPED, path)
    return path


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_edges(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("size", [0, 3, 50, 400, -1, -300])
def test_a_cut_file_is_refused(written: Path, size: int) -> None:
    written.write_bytes(written.read_bytes()[:size])

    refused(written)
    assert not is_edges(written)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    text, table, gone = tmp_path / "text", tmp_path / "table.parquet", tmp_path / "gone"
    text.write_text("2 123456789012 eni-1 10.0.0.1 10.0.0.2\n")
    pq.write_table(pa.table({"a": [1]}), table)

    for path in (text, table, gone, tmp_path):
        refused(path)
        assert not is_edges(path)


def test_edges_of_another_format_are_refused(written: Path) -> None:
    rewrite(written, {b"synth.edges": b"2"})

    assert "format 2" in refused(written)


@pytest.mark.parametrize(
    "changed",
    [
        {b"synth.half_day_base": b"noon"},
        {b"synth.half_day_base": b"7"},
        {b"synth.skipped": b"{"},
        {b"synth.skipped": b"[]"},
        {b"synth.skipped": b"\xff"},
    ],
)
def test_damaged_metadata_is_refused(written: Path, changed: dict[bytes, bytes]) -> None:
    rewrite(written, changed)

    refused(written)


@pytest.mark.parametrize("name", ["synth.half_day_base", "synth.skipped"])
def test_missing_metadata_is_refused(written: Path, name: str) -> None:
    table = pq.read_table(written)
    about = {key: value for key, value in table.schema.metadata.items() if key != name.encode()}
    pq.write_table(table.replace_schema_metadata(about), written)

    refused(written)


def test_terms_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "edges.parquet"
    write_edges(folded(syn(WEB1, DB, 3306)), SKIPPED, path, {"::/0", "10.0.0.0/8"}, ["job-name"])

    assert read_terms(path) == Terms(("10.0.0.0/8", "::/0"), ("job-name",))


@pytest.mark.parametrize("text", [b"", b"{", b"{}", b"[1]", b"\xff"])
def test_damaged_terms_are_refused(written: Path, text: bytes) -> None:
    rewrite(written, {b"synth.separators": text})

    with pytest.raises(InputError, match=r"Give the logs that it was made of\."):
        read_terms(written)


@pytest.mark.parametrize("name", ["synth.separators", "synth.mentioned"])
def test_missing_terms_are_refused(written: Path, name: str) -> None:
    table = pq.read_table(written)
    about = {key: value for key, value in table.schema.metadata.items() if key != name.encode()}
    pq.write_table(table.replace_schema_metadata(about), written)

    with pytest.raises(InputError, match="an older version"):
        read_terms(written)


@pytest.mark.parametrize("name", ["client", "records", "rung_flags", "asked", "example_file"])
def test_a_missing_column_is_named(written: Path, name: str) -> None:
    table = pq.read_table(written)
    pq.write_table(table.drop_columns([name]), written)

    assert name in refused(written)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("records", pa.array([1.5, 2.5])),
        ("records", pa.array([1, None])),
        ("records", pa.array(["1", "2"])),
        ("client", pa.array(["{}", "{}"])),
        ("client", pa.array(["[]", "not json"])),
        ("client", pa.array([None, None], pa.utf8())),
        ("client", pa.array([json.dumps({"kind": "ghost"})] * 2)),
        ("asked", pa.array([1, 2])),
        ("example_file", pa.array([None, "a.log"])),
    ],
)
def test_a_damaged_column_is_refused(written: Path, name: str, values: pa.Array) -> None:
    table = pq.read_table(written)
    at = table.column_names.index(name)
    pq.write_table(table.set_column(at, name, values), written)

    refused(written)


def rewrite(path: Path, changed: dict[bytes, bytes]) -> None:
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, **changed}), path)
