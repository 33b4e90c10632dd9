"""Connections that were already open when the tracker first saw them, followed to their end."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.uint64]

MOST_OPEN = 1 << 20
"""With more of them open at once, only connections seen from their SYN are trusted."""


class Pickups:
    """The keys of the picked-up connections that are still open, at this place in the unit."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._too_many = False

    def mark(
        self,
        keys: Callable[[], Keys],
        kept: Bools,
        picked: Bools,
        fresh: Bools,
        ended: Bools,
    ) -> Bools:
        """Return bool[n], whether the record is of a picked-up connection.

        ``picked``: the record itself shows that. ``fresh``: it shows a connection begin, so that
        an end of an older one with the same key was lost. ``ended``: it shows the end.
        """
        if self._too_many:
            return ~fresh
        marked = np.zeros(len(kept), bool)
        picked = picked & kept
        if not self._open and not picked.any():
            return marked
        numbers = keys()
        known = np.fromiter(self._open, np.uint64, len(self._open))
        suspects = kept & np.isin(numbers, np.concatenate([known, numbers[picked]]))
        for row in np.flatnonzero(suspects):
            marked[row] = self._follow(int(numbers[row]), picked[row], fresh[row], ended[row])
        self._too_many = len(self._open) > MOST_OPEN
        return marked

    def _follow(self, key: int, picked: np.bool_, fresh: np.bool_, ended: np.bool_) -> bool:
        if picked:
            self._open.add(key)
        elif fresh:
            self._open.discard(key)
        is_open = key in self._open
        if ended:
            self._open.discard(key)
        return is_open


def mix(*parts: npt.NDArray[np.generic]) -> Keys:
    """Return uint64[n], a hash of the columns, the same in every process."""
    total = np.zeros(len(parts[0]), np.uint64)
    for part in parts:
        total = (total ^ part.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        total ^= total >> np.uint64(29)
    return total
