"""AWS VPC flow logs in Parquet, as AWS delivers them or as other tools export them again."""

from collections.abc import Iterator

from synth.flows import FlowBatch
from synth.sources.interface import Head, Unit
from synth.sources.parquet import read_outline, read_parquet
from synth.sources.vpc_record import ADDRESSES, WANTED, found_in, interpret, is_layout, map_fields

__all__ = ["DESCRIPTION", "NAME", "PARQUET", "WANTED", "found", "read", "recognises"]

NAME = "vpc-parquet"
DESCRIPTION = "AWS VPC flow logs, Parquet"
PARQUET = True


def recognises(head: Head) -> bool:
    """Return whether the columns are those of VPC flow logs."""
    return head.columns is not None and is_layout(head.columns)


def found(head: Head, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the columns hold."""
    return found_in(head.columns or fields)


def read(unit: Unit) -> Iterator[FlowBatch]:
    """Yield the rows of the row group.

    Raises
    ------
    InputError
        If the file is corrupt, or lacks a column that every record needs.

    """
    fields = map_fields(unit.path, read_outline(unit.path).columns)
    for raw in read_parquet(unit, fields, ADDRESSES):
        yield interpret(raw)
