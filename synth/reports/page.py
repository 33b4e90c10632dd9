"""A report before it is text: sections of prose, items, tables and commands."""

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

MOST_ROWS = 100
"""How many rows of a table people are shown; JSON holds all."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


class Tone(Enum):
    """How prose should strike the reader; colour where there is colour."""

    PLAIN = auto()
    GOOD = auto()
    BAD = auto()
    QUIET = auto()


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Items:
    """A list; ``numbered`` where the reader may want to speak of an item."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """The heading of a column; numbers stand to the right."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings; ``total``: the last row sums up the others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines of a unified diff."""

    lines: tuple[str, ...]


Block = Prose | Items | Table | Commands | Patch


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below; ``folded``: detail that a web page hides at first."""

    title: str
    blocks: tuple[Block, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report; sections without blocks are left out."""

    title: str
    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        """Drop the empty sections."""
        kept = tuple(section for section in self.sections if section.blocks)
        object.__setattr__(self, "sections", kept)


def shortened(table: Table, most: int = MOST_ROWS) -> tuple[Block, ...]:
    """Return the table with at most so many rows besides a sum, and how many more there are."""
    rows, sums = (table.rows[:-1], table.rows[-1:]) if table.total else (table.rows, ())
    more = len(rows) - most
    if more <= 0:
        return (table,)
    told = f"{more:,} more {'row' if more == 1 else 'rows'}; --format json lists all."
    return replace(table, rows=(*rows[:most], *sums)), Prose(told, Tone.QUIET)


def clean(text: str) -> str:
    r"""Return the text on one line, without signs that steer a terminal or reorder a line.

    >>> clean("a\x1b[31m red\nb")
    'a[31m red b'
    """
    return _UNSEEN.sub("", re.sub(r"[\n\t]", " ", text))
