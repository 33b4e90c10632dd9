"""One direction of compiled policies between all classes at once: a table of bits a port class."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Bits
from synth.evaluator.sides import Side

BYTES = 1 << 24
"""How much of the rules' peers is gathered at a time."""
Packed = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """What the subjects of a direction admit, for C classes of which any may be subject or peer.

    | field | meaning |
    |---|---|
    | group | int64[C]: the group of each class as a subject, from 1; 0: no policy isolates it |
    | subject, peer, ports | int[m]: group (ascending), row of peers, port set of each rule |
    | peers | uint8[p, w]: which classes each row of peers holds; w is a multiple of eight |
    | open | Bits[S, K]: which port set holds which port class |
    """

    group: NDArray[np.int64]
    subject: NDArray[np.int64]
    peer: NDArray[np.int32]
    ports: NDArray[np.int32]
    peers: Packed
    open: Bits

    @classmethod
    def of(cls, side: Side, classes: NDArray[np.int64], peers: Packed, opened: Bits) -> Self:
        """Return the direction between these of the endpoint classes."""
        group = side.group[classes].astype(np.int64) + 1
        rules = side.rules.numbers
        counts = np.diff(side.rules.first)
        entries = np.stack(
            [np.repeat(np.arange(1, len(counts) + 1), counts), side.peers[rules], side.ports[rules]]
        )
        entries = np.unique(entries, axis=1) if entries.size else entries
        used = np.isin(entries[0], group)
        subject, peer, ports = entries[:, used]
        return cls(group, subject, peer.astype(np.int32), ports.astype(np.int32), peers, opened)

    @property
    def isolated(self) -> NDArray[np.bool_]:
        """bool[C]: the classes that some policy isolates."""
        return self.group > 0

    def facing(self, peers: slice) -> Self:
        """Return the direction towards fewer peers: a slice of bytes, in eights."""
        return replace(self, peers=np.ascontiguousarray(self.peers[:, peers]))

    def table(self, port: int, subjects: slice) -> Packed:
        """Return uint8[s, w]: which peers each of the subjects admits on the port class.

        Bits beyond the last class mean nothing.
        """
        opened = self.open.at(np.arange(len(self.open.packed)), np.full(1, port))
        entries = np.flatnonzero(opened[self.ports]) if len(opened) else np.zeros(0, np.int64)
        words = self.peers.view(np.uint64)
        admitted = np.zeros((int(self.group.max(initial=0)) + 1, words.shape[1]), np.uint64)
        admitted[0] = ~np.uint64(0)
        step = max(1, BYTES // max(1, self.peers.shape[1]))
        for low in range(0, len(entries), step):
            _admit(admitted, self, entries[low : low + step], words)
        return admitted[self.group[subjects]].view(np.uint8)


def _admit(
    admitted: NDArray[np.uint64], half: Half, entries: NDArray[np.int64], words: NDArray[np.uint64]
) -> None:
    """Add to each group the peers of these of its rules."""
    subject = half.subject[entries]
    first = np.flatnonzero(np.diff(subject, prepend=-1))
    admitted[subject[first]] |= np.bitwise_or.reduceat(words[half.peer[entries]], first, axis=0)
