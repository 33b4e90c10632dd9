"""conntrack entries in Parquet: one column a field, under any of the usual names."""

from collections.abc import Iterator

from synth.flows import FlowBatch
from synth.sources.conntrack_record import (
    ADDRESSES,
    SPELLINGS,
    WANTED,
    interpret,
    is_layout,
    map_fields,
)
from synth.sources.interface import Head, Unit
from synth.sources.names import squeeze
from synth.sources.parquet import read_outline, read_parquet
from synth.sources.pickup import Pickups

__all__ = ["DESCRIPTION", "NAME", "PARQUET", "WANTED", "found", "read", "recognises"]

NAME = "conntrack-parquet"
DESCRIPTION = "Linux conntrack entries or events, Parquet"
PARQUET = True


def recognises(head: Head) -> bool:
    """Return whether the columns hold the two tuples of conntrack entries."""
    return head.columns is not None and is_layout(head.columns)


def found(head: Head, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the columns hold."""
    return tuple(SPELLINGS.get(squeeze(name), name) for name in head.columns or fields)


def read(unit: Unit) -> Iterator[FlowBatch]:
    """Yield the rows of the row group.

    Raises
    ------
    InputError
        If the file is corrupt, or lacks a column that every record needs.

    """
    fields = map_fields(unit.path, read_outline(unit.path).columns)
    pickups = Pickups()
    for raw in read_parquet(unit, fields, ADDRESSES):
        yield interpret(raw, pickups)
