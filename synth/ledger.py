"""Outcome → count: where every record went, with a few examples of each outcome."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EXAMPLES_KEPT = 3


@dataclass(frozen=True, slots=True, order=True)
class Example:
    """A record that met an outcome: file, row (1 is the first line or row), and what it held."""

    file: str
    row: int
    text: str = ""

    def __str__(self) -> str:
        """Return ``file:row`` and, where known, the text."""
        return f"{self.file}:{self.row} {self.text}".rstrip()


@dataclass(frozen=True, slots=True)
class Ledger:
    """Counts by outcome, and up to ``EXAMPLES_KEPT`` examples of each, the first by file and row.

    Ledgers add: the sum does not depend on order, so units of input may be read in any order.

    >>> a = Ledger.of("no-data", 2, Example("b.log", 7))
    >>> (a + Ledger.of("no-data", 1, Example("a.log", 1))).counts
    {'no-data': 3}
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, outcome: str, count: int, *examples: Example) -> "Ledger":
        """Return a ledger of one outcome; an outcome that nothing met is left out."""
        if not count:
            return cls()
        kept = tuple(sorted(examples)[:EXAMPLES_KEPT])
        return cls({outcome: count}, {outcome: kept} if kept else {})

    @classmethod
    def sum(cls, ledgers: Iterable["Ledger"]) -> "Ledger":
        """Return the sum of the ledgers."""
        total = cls()
        for ledger in ledgers:
            total += ledger
        return total

    def __add__(self, other: "Ledger") -> "Ledger":
        """Return the outcomes of both, counted together."""
        outcomes = sorted({*self.counts, *other.counts})
        counts = {name: self.counts.get(name, 0) + other.counts.get(name, 0) for name in outcomes}
        found = {
            name: (*self.examples.get(name, ()), *other.examples.get(name, ())) for name in outcomes
        }
        examples = {
            name: tuple(sorted(set(some))[:EXAMPLES_KEPT]) for name, some in found.items() if some
        }
        return Ledger(counts, examples)

    @property
    def total(self) -> int:
        """The number of records counted."""
        return sum(self.counts.values())
