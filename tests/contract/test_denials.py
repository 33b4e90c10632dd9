"""What holds for every format of denial logs."""

import gzip
import random
from pathlib import Path

import pytest

from synth.errors import InputError
from synth.flows import FlowBatch, Initiator, Outcome, Rung
from synth.ledger import Ledger
from synth.sources.denials import DENIALS, load
from synth.sources.denials.sniff import choose
from synth.sources.interface import Head
from tests.sources.denials.samples import KEPT, SAMPLES, Sample

by_name = pytest.mark.parametrize("sample", SAMPLES, ids=lambda one: one.name)


def read(path: Path, content: bytes) -> tuple[FlowBatch, ...]:
    path.write_bytes(content)
    return tuple(choose(str(path)).read(str(path)))


def rows(batches: tuple[FlowBatch, ...]) -> list[dict[str, object]]:
    return [row for batch in batches for row in batch.table.to_pylist()]


def outcomes(batches: tuple[FlowBatch, ...]) -> dict[str, int]:
    total = Ledger.sum(one.skipped for one in batches)
    return {**total.counts, KEPT: sum(one.table.num_rows for one in batches)}


def test_every_format_has_samples_and_says_what_it_is() -> None:
    assert {one.name for one in SAMPLES} == set(DENIALS)
    for name in DENIALS:
        assert name == load(name).NAME
        assert load(name).DESCRIPTION


@by_name
def test_it_is_recognised_and_by_the_first_line_alone(sample: Sample, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(sample.text)
    assert sample.name == choose(str(path)).NAME
    first = sample.lines[0][0].encode()
    assert load(sample.name).recognises(Head("log", first))
    earlier = list(DENIALS)[: list(DENIALS).index(sample.name)]
    assert not any(load(name).recognises(Head("log", sample.text)) for name in earlier)


@by_name
def test_every_line_has_its_outcome(sample: Sample, tmp_path: Path) -> None:
    expected: dict[str, int] = {}
    for outcome in sample.outcomes:
        expected[outcome] = expected.get(outcome, 0) + 1
    assert outcomes(read(tmp_path / "log", sample.text)) == expected


@by_name
def test_rows_are_lines_and_columns_are_canonical(sample: Sample, tmp_path: Path) -> None:
    (batch,) = read(tmp_path / "log", sample.text)
    kept = [at for at, outcome in enumerate(sample.outcomes, 1) if outcome == KEPT]
    table = batch.table
    assert table.column("row").to_pylist() == kept
    assert set(table.column("outcome").to_pylist()) == {Outcome.DENIED}
    told = zip(table.column("initiator").to_pylist(), table.column("rung").to_pylist(), strict=True)
    assert set(told) <= {
        (Initiator.UNKNOWN, Rung.NONE),
        (Initiator.SRC, Rung.FLAGS),
        (Initiator.SRC, Rung.REPORTED),
    }
    examples = [one for some in batch.skipped.examples.values() for one in some]
    for one in examples:
        assert sample.lines[one.row - 1][0].startswith(one.text[:40])


@by_name
def test_compressed_or_with_other_line_ends_it_is_the_same(sample: Sample, tmp_path: Path) -> None:
    plain = read(tmp_path / "log", sample.text)
    for content in (
        gzip.compress(sample.text),
        sample.text.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + sample.text,
        sample.text.rstrip(b"\n"),
    ):
        other = read(tmp_path / "log", content)
        assert outcomes(other) == outcomes(plain)
        assert rows(other) == rows(plain)


@by_name
def test_damaged_files_end_in_counts_or_one_error(sample: Sample, tmp_path: Path) -> None:
    chance = random.Random(sample.name)  # noqa: S311 - not for secrets
    for _ in range(60):
        content = bytearray(sample.text)
        for _ in range(chance.randrange(1, 30)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        lines = sum(1 for line in bytes(content).split(b"\n") if line.strip())
        try:
            batches = read(tmp_path / "log", bytes(content))
        except InputError:
            continue
        assert sum(one.records for one in batches) == lines


@by_name
def test_nothing_readable_is_one_error(sample: Sample, tmp_path: Path) -> None:
    bad = next(line for line, outcome in sample.lines if outcome.startswith("malformed"))
    path = tmp_path / "log"
    path.write_text(f"{bad}\n{bad}\n")
    with pytest.raises(InputError, match="at least one is readable"):
        tuple(load(sample.name).read(str(path)))


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\0\1\2", b'{"a": 1}\n', b"[1, 2]\n"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        choose(str(path))
    assert len(caught.value.faults) == 1


def test_a_long_line_and_deep_json_are_malformed(tmp_path: Path) -> None:
    good = SAMPLES[0].lines[0][0]
    deep = '{"flow":' + "[" * 50_000
    wide = '{"flow":{"verdict":"' + "x" * 70_000 + '"}}'
    found = outcomes(read(tmp_path / "log", f"{good}\n{deep}\n{wide}\n".encode()))
    assert found == {KEPT: 1, "malformed: unreadable line": 1, "malformed: line too long": 1}
