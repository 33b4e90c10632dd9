"""What a log format's module offers, and the values that it is given."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from synth.flows import FlowBatch


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, enough to tell its format.

    ``text`` holds the first 64 kB, decompressed; it is empty for Parquet. ``columns`` holds the
    column names of a Parquet file, and is None for any other file.
    """

    path: str
    text: bytes = b""
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of input that is read at once, by one worker: a row group, or a whole text file.

    ``fields`` is the layout of a log that has no header.
    """

    path: str
    source: str
    row_group: int | None = None
    fields: tuple[str, ...] = ()


class Source(Protocol):
    """A log format; its module is the implementation."""

    NAME: str
    DESCRIPTION: str
    PARQUET: bool
    """Whether the format is a layout of Parquet files, otherwise of text."""
    WANTED: tuple[str, ...]
    """What learning wants of this format, under the names that ``found`` returns."""

    def recognises(self, head: Head) -> bool:
        """Return whether the file is of this format."""
        ...

    def found(self, head: Head, fields: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the fields that the file holds, as the format spells them."""
        ...

    def read(self, unit: Unit) -> Iterator[FlowBatch]:
        """Yield the records of the unit, each counted once, at most 500,000 in a batch.

        Raises
        ------
        InputError
            If the unit cannot be read as this format.

        """
        ...
