"""The verdict of every record, crossed with what the screen said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from synth.ledger import Ledger


class Verdict(StrEnum):
    """What the policies say of a record."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Denial:
    """An edge that the policies deny."""

    source: str
    destination: str
    protocol: str
    port: int
    records: int
    example: str
    reason: str
    screening: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Counts of records by verdict and screening, and the denied edges, most records first.

    ``matrix`` maps verdict → screening word → records. ``skipped`` are the records that no edge
    holds, by reason. ``allowed + denied + undetermined + skipped`` is ``records``.
    """

    matrix: Mapping[Verdict, Mapping[str, int]]
    denials: tuple[Denial, ...] = ()
    skipped: Ledger = field(default_factory=Ledger)

    def count(self, verdict: Verdict, screening: str | None = None) -> int:
        """Return the records with the verdict (and the screening)."""
        row = self.matrix.get(verdict, {})
        return sum(row.values()) if screening is None else row.get(screening, 0)

    @property
    def records(self) -> int:
        """All records read."""
        return sum(self.count(verdict) for verdict in Verdict) + self.skipped.total

    @property
    def blocked(self) -> int:
        """Accepted records that would be denied."""
        return self.count(Verdict.DENIED, "accepted")
