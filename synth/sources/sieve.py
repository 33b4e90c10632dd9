"""Where each record of a batch goes: into the table, or under the first outcome that it met."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synth.ledger import EXAMPLES_KEPT, Example, Ledger
from synth.sources.columns import Rows

Bools = npt.NDArray[np.bool_]

NO_DATA = "no-data"
SKIP_DATA = "skip-data"
NO_POLICY_SEMANTICS = "no-policy-semantics"
GROUP = "multicast-or-broadcast"
LOOPBACK = "loopback"
NOT_A_RECORD = "not-a-record"
MALFORMED = "malformed: "
"""Followed by the reason."""
TEXT_KEPT = 120


class Sieve:
    """Drops rows under outcomes; a row stays with the first outcome that takes it."""

    def __init__(self, size: int) -> None:
        self._fate = np.zeros(size, np.uint8)
        self._outcomes: list[str] = []

    @property
    def kept(self) -> Bools:
        """bool[n], whether no outcome has taken the row."""
        return np.asarray(self._fate == 0)

    @property
    def rows(self) -> Rows:
        """What picks the kept rows of a column."""
        kept = self.kept
        return slice(None) if kept.all() else np.flatnonzero(kept)

    def drop(self, outcome: str, rows: Bools) -> None:
        """Take the rows, unless they are taken already, under the outcome."""
        if rows.any():
            self._outcomes.append(outcome)
            self._fate[rows & self.kept] = len(self._outcomes)

    def ledger(self, example: Callable[[int], Example]) -> Ledger:
        """Return the outcomes' counts, with the first rows of each as examples."""
        return Ledger.sum(
            Ledger.of(outcome, len(rows), *(example(int(row)) for row in rows[:EXAMPLES_KEPT]))
            for number, outcome in enumerate(self._outcomes, 1)
            for rows in [np.flatnonzero(self._fate == number)]
        )
