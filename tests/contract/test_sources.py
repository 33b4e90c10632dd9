"""What every log format promises; a new one is tested by being in the table."""

import gzip
from pathlib import Path

import pytest

from synth.errors import InputError
from synth.flows import SCHEMA, validate
from synth.sources import SOURCES, blocks, load
from synth.sources.describe import describe
from synth.sources.sniff import choose, sniff, units
from tests.sources.samples import ledger_of, read, rows_of, without_file, write_sample

pytestmark = pytest.mark.parametrize("name", SOURCES)
RECORDS = 4


def test_the_module_says_what_it_is(name: str) -> None:
    source = load(name)
    assert name == source.NAME
    assert source.DESCRIPTION
    assert source.__doc__


def test_it_recognises_its_own_sample_and_no_other(name: str, tmp_path: Path) -> None:
    heads = {other: sniff(str(write_sample(other, tmp_path))) for other in SOURCES}
    recognised = [other for other, head in heads.items() if load(name).recognises(head)]
    assert recognised == [name]


def test_batches_are_in_the_canonical_schema(name: str, tmp_path: Path) -> None:
    for batch in read(write_sample(name, tmp_path)):
        assert validate(batch) is batch
        assert batch.table.schema.equals(SCHEMA)
        assert batch.source == name


def test_every_record_is_counted_once(name: str, tmp_path: Path) -> None:
    batches = read(write_sample(name, tmp_path))
    assert sum(batch.records for batch in batches) == RECORDS
    assert sum(batch.table.num_rows for batch in batches) == 2
    assert ledger_of(batches).counts["malformed: port not 0 to 65535"] == 1


def test_skipped_records_come_with_an_example(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    ledger = ledger_of(read(path))
    assert set(ledger.examples) == set(ledger.counts)
    for some in ledger.examples.values():
        for example in some:
            assert example.file == str(path)
            assert 0 < len(example.text) <= 120


def test_row_numbers_point_at_the_record(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    rows = [row["row"] for row in rows_of(read(path))]
    lines = {"conntrack-text": [1, 3], "vpc-text": [2, 3]}
    assert rows == lines.get(name, [1, 2])


def test_units_are_row_groups_or_the_whole_file(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    groups = [unit.row_group for unit in units([str(path)])]
    assert groups == ([0, 1] if load(name).PARQUET else [None])


def test_the_name_of_the_file_does_not_matter(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    odd = path.rename(tmp_path / "node1.log.gz.parquet.txt")
    assert choose(str(odd)) == name


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_the_size_of_blocks_does_not_matter(
    name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_sample(name, tmp_path)
    whole = read(path)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    pieces = read(path)
    assert rows_of(pieces) == rows_of(whole)
    assert ledger_of(pieces) == ledger_of(whole)


def test_compressed_reads_as_plain(name: str, tmp_path: Path) -> None:
    if load(name).PARQUET:
        return
    path = write_sample(name, tmp_path)
    plain = read(path)
    packed = path.with_suffix(".gz")
    half = len(path.read_bytes()) // 2
    data = path.read_bytes()
    packed.write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]))
    assert rows_of(read(packed)) == rows_of(plain)
    assert without_file(ledger_of(read(packed))) == without_file(ledger_of(plain))


def test_truncated_is_one_error(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    data = path.read_bytes()
    if not load(name).PARQUET:
        data = gzip.compress(data)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_it_can_be_insisted_on(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    assert choose(str(path), name) == name
    assert choose(str(path), name.split("-", maxsplit=1)[0]) == name


def test_it_can_be_described(name: str, tmp_path: Path) -> None:
    path = write_sample(name, tmp_path)
    (found,) = describe([str(path)])
    assert (found.source, found.records, found.flows) == (name, RECORDS, 2)
    assert found.first is not None
    assert found.last is not None
    assert found.first < found.last
    assert found.missing == ()
    assert found.skipped == ledger_of(read(path))
