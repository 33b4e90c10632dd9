"""Row groups of a Parquet file as columns under a format's field names."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth.errors import Fault, InputError
from synth.sources.columns import cells, is_plain, is_text, text_of
from synth.sources.files import open_file, reading
from synth.sources.interface import Unit
from synth.sources.raw import Raw
from synth.sources.sieve import Sieve

BATCH_ROWS = 500_000
WHOLE_ROWS = 1_000_000
"""A row group of more rows is read in pieces."""
_IP2STR = "Export addresses as text (ulogd: the IP2STR filter)."


@dataclass(frozen=True, slots=True)
class Outline:
    """What the footer of a Parquet file tells: column names, and the rows of each row group."""

    columns: tuple[str, ...]
    rows: tuple[int, ...]


def read_outline(path: str) -> Outline:
    """Return the outline of the file.

    Raises
    ------
    InputError
        If the file is no whole Parquet file.

    """
    with reading(path), open_file(path) as source, pq.ParquetFile(source) as file:
        metadata = file.metadata
        rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return Outline(tuple(file.schema_arrow.names), tuple(rows))


def read_parquet(
    unit: Unit, fields: Mapping[str, str], addresses: Collection[str]
) -> Iterator[Raw]:
    """Yield the unit's rows, of the columns in ``fields`` (field → column) only.

    Text is read as a dictionary. The fields named in ``addresses`` must be text.

    Raises
    ------
    InputError
        If a column has a type that its field cannot have, or the file is corrupt.

    """
    with reading(unit.path):
        source = open_file(unit.path)
    with source:
        with reading(unit.path):
            schema = pq.read_schema(source)
        _refuse_types(unit.path, schema, fields, addresses)
        coded = [name for name in fields.values() if is_text(schema.field(name).type)]
        with reading(unit.path):
            file = pq.ParquetFile(source, read_dictionary=coded, page_checksum_verification=True)
        rows = _rows_before(file, unit)
        for table in _tables(unit, file, sorted(fields.values())):
            yield _raw(unit, table, fields, rows)
            rows += table.num_rows


def _rows_before(file: pq.ParquetFile, unit: Unit) -> int:
    """Return how many rows of the file come before the unit."""
    metadata = file.metadata
    return sum(metadata.row_group(group).num_rows for group in range(unit.row_group or 0))


def _refuse_types(
    path: str, schema: pa.Schema, fields: Mapping[str, str], addresses: Collection[str]
) -> None:
    faults = []
    for field, name in fields.items():
        kind = schema.field(name).type
        if not is_plain(kind):
            faults.append(Fault(path, f"text or numbers in column {name!r}", str(kind)))
        elif field in addresses and not (is_text(kind) or pa.types.is_null(kind)):
            faults.append(Fault(path, f"addresses as text in column {name!r}", str(kind), _IP2STR))
    if faults:
        raise InputError(*faults)


def _tables(unit: Unit, file: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    groups = range(file.num_row_groups) if unit.row_group is None else [unit.row_group]
    for group in groups:
        if file.metadata.row_group(group).num_rows > WHOLE_ROWS:
            yield from _pieces(unit, file, group, columns)
            continue
        with reading(unit.path):
            table = file.read_row_group(group, columns=columns, use_threads=False)
            batches = _combined(table)
        yield from batches


def _pieces(
    unit: Unit, file: pq.ParquetFile, group: int, columns: list[str]
) -> Iterator[pa.RecordBatch]:
    batches = file.iter_batches(BATCH_ROWS, row_groups=[group], columns=columns, use_threads=False)
    while True:
        with reading(unit.path):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


def _combined(table: pa.Table) -> list[pa.RecordBatch]:
    whole = table.unify_dictionaries().combine_chunks()
    return [
        batch
        for start in range(0, whole.num_rows, BATCH_ROWS)
        for batch in whole.slice(start, BATCH_ROWS).combine_chunks().to_batches()
    ]


def _raw(unit: Unit, table: pa.RecordBatch, fields: Mapping[str, str], before: int) -> Raw:
    columns = {field: table.column(name) for field, name in fields.items()}

    def text(row: int) -> str:
        record = table.slice(row, 1)
        return " ".join(
            f"{name}={text_of(cell)}"
            for name in record.schema.names
            for cell in cells(record.column(name))
        )

    rows = np.arange(before + 1, before + 1 + table.num_rows, dtype=np.int64)
    return Raw(unit.path, unit.source, rows, columns, Sieve(table.num_rows), text)
