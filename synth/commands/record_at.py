"""One record of a log by its number, read as the whole log is read."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth.buffers import read_values
from synth.errors import Fault, InputError
from synth.flows import FlowBatch, validate
from synth.ledger import Ledger
from synth.sources import load
from synth.sources.blocks import read_blocks
from synth.sources.files import open_file, reading
from synth.sources.interface import Head, Unit
from synth.sources.sniff import units as find_units

TEXT_SHOWN = 4_000
_HEADED = "vpc-text"
"""The one format whose lines mean what a line before them says."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record: a batch that holds it alone, or the outcome under which it was skipped."""

    path: str
    row: int
    format: str
    text: str
    batch: FlowBatch | None = None
    skipped: str = ""


def find_record(path: str, row: int, source: str | None, fields: Sequence[str]) -> Found:
    """Return the record of the line (text) or row (Parquet), from 1.

    Raises
    ------
    InputError
        If the file has no such line or row, or cannot be read.

    """
    units = find_units([path], source, fields)
    parquet = units[0].row_group is not None if units else False
    text, alone = (_parquet_row if parquet else _text_line)(path, row, units)
    format_ = units[0].source
    for batch in _batches(units):
        rows = read_values(batch.table.column("row"))
        at = np.flatnonzero(rows == row)
        if len(at):
            table = batch.table.slice(int(at[0]), 1)
            opened = None if batch.opened is None else batch.opened.slice(int(at[0]), 1)
            one = validate(replace(batch, table=table, skipped=Ledger(), opened=opened))
            return Found(path, row, format_, text, batch=one)
        if len(rows) and rows[-1] > row:
            break
    return Found(path, row, format_, text, skipped=_outcome(alone, units[0], parquet=parquet))


def _batches(units: Sequence[Unit]) -> Iterator[FlowBatch]:
    for unit in units:
        try:
            yield from load(unit.source).read(unit)
        except InputError:
            return  # the whole file is not readable, but what each line is has been told


def _outcome(alone: bytes | pa.Table, unit: Unit, *, parquet: bool) -> str:
    """Return why the record, read by itself, becomes no flow."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / Path(unit.path).name.removesuffix(".gz"))
        if isinstance(alone, bytes):
            Path(path).write_bytes(alone)
        else:
            pq.write_table(alone, path)
        one = replace(unit, path=path, row_group=0 if parquet else None)
        counts = Ledger.sum(batch.skipped for batch in _batches([one])).counts
    return next(iter(counts), "not-a-record")


def _text_line(path: str, row: int, units: Sequence[Unit]) -> tuple[str, bytes]:
    """Return the line, and what a file must hold for it to be read alone."""
    header, lines = b"", 0
    headed = any(unit.source == _HEADED for unit in units)
    for block in read_blocks(path):
        split = block.data.split(b"\n")[:-1]
        if headed:
            header = _last_header(split[: max(row - block.line, 0)]) or header
        if block.line <= row < block.line + len(split):
            line = split[row - block.line]
            if not line.strip() or (headed and _is_header(line)):
                what = "an empty line" if not line.strip() else "a header"
                raise InputError(Fault(f"{path}:{row}", "a record", what))
            return line.decode(errors="replace")[:TEXT_SHOWN], header + line + b"\n"
        lines = block.line + len(split) - 1
    raise InputError(Fault(f"{path}:{row}", f"a line of 1 to {lines:,}", f"{row:,}"))


def _last_header(lines: Sequence[bytes]) -> bytes:
    for line in reversed(lines):
        if line[:1].isalpha() and _is_header(line):
            return line + b"\n"
    return b""


def _is_header(line: bytes) -> bool:
    return load(_HEADED).recognises(Head("", line))


def _parquet_row(path: str, row: int, units: Sequence[Unit]) -> tuple[str, pa.Table]:
    """Return the row in words, and as a table of its own."""
    before = 0
    with reading(path), open_file(path) as source, pq.ParquetFile(source) as file:
        for unit in units:
            group = unit.row_group or 0
            size = file.metadata.row_group(group).num_rows
            if before < row <= before + size:
                table = file.read_row_group(group, use_threads=False).slice(row - before - 1, 1)
                values = table.to_pylist()[0]
                words = [f"{name}={value}" for name, value in values.items() if value is not None]
                return " ".join(words)[:TEXT_SHOWN], table
            before += size
    raise InputError(Fault(f"{path}:{row}", f"a row of 1 to {before:,}", f"{row:,}"))
