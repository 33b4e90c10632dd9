"""An index of holdings by address and time, built once for an inventory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Run = tuple[NDArray[np.int64], NDArray[np.int64]]
"""First and last holding, int64[n] each; first > last where there is none."""

_SHIFT = 32


@dataclass(frozen=True)
class Search:
    """Holdings sorted by address and start; ``reach`` is the latest end up to each holding.

    ``starts`` and ``reaches`` are the distinct times in order. A key is the number of the address
    and the rank of a time, so that one sorted array answers for all addresses.
    """

    numbers: Mapping[bytes, int]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    starts: NDArray[np.int64]
    start_keys: NDArray[np.int64]
    reaches: NDArray[np.int64]
    reach_keys: NDArray[np.int64]

    @classmethod
    def of(
        cls, addresses: Sequence[bytes], start: NDArray[np.int64], end: NDArray[np.int64]
    ) -> "Search":
        """Return the index; ``addresses``, ``start`` and ``end`` are parallel, one a holding."""
        numbers: dict[bytes, int] = {}
        owner = np.array([numbers.setdefault(one, len(numbers)) for one in addresses], np.int64)
        reach = _find_reach(owner, end)
        starts, start_rank = np.unique(start, return_inverse=True)
        reaches, reach_rank = np.unique(reach, return_inverse=True)
        return cls(
            numbers=numbers,
            start=start,
            end=end,
            starts=starts,
            start_keys=owner << _SHIFT | start_rank,
            reaches=reaches,
            reach_keys=owner << _SHIFT | reach_rank,
        )

    def find(
        self, owner: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
    ) -> Run:
        """Return the runs of holdings of each address that meet the closed time [start, end].

        ``owner`` numbers an address; -1 is one that nobody ever held.
        """
        first = self._rank(self.reach_keys, owner, self.reaches, start)
        last = self._rank(self.start_keys, owner, self.starts, end) - 1
        last[owner < 0] = -1
        self._trim(first, last, start)
        return first, last

    def _rank(
        self,
        keys: NDArray[np.int64],
        owner: NDArray[np.int64],
        times: NDArray[np.int64],
        time: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return how many keys are of an address before, or of this one and at most this time."""
        rank = np.searchsorted(times, time, side="right")
        return np.searchsorted(keys, owner << _SHIFT | rank, side="left").astype(np.int64)

    def _trim(
        self, first: NDArray[np.int64], last: NDArray[np.int64], start: NDArray[np.int64]
    ) -> None:
        """Take holdings that ended before ``start`` off the ends of the runs.

        The first holding of a run always meets the time; one between the ends need not.
        """
        rows = np.flatnonzero(first < last)
        while len(rows):
            rows = rows[(first[rows] < last[rows]) & (self.end[last[rows]] <= start[rows])]
            last[rows] -= 1


def _find_reach(owner: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the latest end among the holdings of the same address up to each one."""
    reach = end.copy()
    for row in np.flatnonzero(owner[1:] == owner[:-1]) + 1:
        reach[row] = max(reach[row], reach[row - 1])
    return reach
