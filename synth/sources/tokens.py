"""The words of a block of lines, found without a Python step for each line.

A word is what stands between white space (control characters are white space too). Arrays of
word numbers may hold -1, and numbers past the end of the line: no word.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.sources.blocks import LINE_BYTES, Block

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_SPACE = 32
"""This byte, and all below it."""
_SIGNIFICANT = np.array([(1 << 8 * n) - 1 for n in range(9)], np.uint64)


def key_of(word: bytes) -> np.uint64:
    """Return the first eight bytes of the word as a number: what ``Words.keys`` compares by."""
    return np.uint64(int.from_bytes(word[:8].ljust(8, b"\0"), "little"))


def keys_of(words: Iterable[bytes]) -> Keys:
    """Return uint64[n], ``key_of`` each word."""
    return np.array([key_of(word) for word in words], np.uint64)


@dataclass(frozen=True)
class Words:
    """The words of a block.

    ``starts`` and ``stops``: int64[words], offsets into ``data``. ``first``: int64[lines + 1],
    the number of the line's first word; the last entry is the number of words. ``begins``:
    int64[lines + 1], the offset of the line's first byte.
    """

    data: bytes
    line: int
    starts: Ints
    stops: Ints
    first: Ints
    begins: Ints

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self.first) - 1

    @property
    def counts(self) -> Ints:
        """int64[lines], the number of words in each line."""
        return np.diff(self.first)

    @property
    def too_long(self) -> Bools:
        """bool[lines], whether the line is longer than any record is."""
        return np.asarray(np.diff(self.begins) > LINE_BYTES + 1)

    @property
    def empty(self) -> Bools:
        """bool[lines], whether the line holds no word."""
        return np.asarray(self.counts == 0)

    @cached_property
    def _eights(self) -> Keys:
        padded = self.data + bytes(32)
        return np.ndarray((len(self.data) + 25,), "<u8", buffer=padded, strides=(1,))

    @cached_property
    def _beginnings(self) -> Keys:
        """uint64[words], the eight bytes from the word's first on, beyond its end if need be."""
        return np.asarray(self._eights[self.starts])

    def with_prefix(self, prefix: bytes) -> Ints:
        """int64[n], the numbers of the words that begin with these, at most eight, bytes."""
        return np.flatnonzero(self._beginnings & _SIGNIFICANT[len(prefix)] == key_of(prefix))

    def inside(self, words: Ints, lines: Ints) -> Bools:
        """bool[n], whether the word is one of its line."""
        return np.asarray((words >= self.first[lines]) & (words < self.first[lines + 1]))

    def keys(self, words: Ints, lines: Ints) -> Keys:
        """uint64[n], ``key_of`` the word; 0 where it is not a word of its line."""
        inside = self.inside(words, lines)
        at = np.where(inside, words, 0)
        lengths = np.minimum(self.stops[at] - self.starts[at], 8)
        return np.asarray(self._beginnings[at] & _SIGNIFICANT[lengths * inside])

    def holds(self, prefix: bytes, words: Ints, lines: Ints) -> Bools:
        """bool[n], whether the word is one of its line, and begins with at most eight bytes."""
        inside = self.inside(words, lines)
        found = self._beginnings[np.where(inside, words, 0)] & _SIGNIFICANT[len(prefix)]
        return np.asarray((found == key_of(prefix)) & inside)

    @cached_property
    def _slots(self) -> pa.BinaryArray:
        """Words at even slots; nothing is copied."""
        return _slots_of(self.starts, self.stops, pa.py_buffer(self.data))

    def copy(self, words: Ints) -> pa.BinaryArray:
        """Return binary[n], the words; null where the number is -1."""
        return self._slots.take(pa.array(words * 2, mask=words < 0))

    def take(self, words: Ints, skip: int = 0) -> pa.DictionaryArray:
        """Return dictionary<int32, binary>[n], the words without the bytes to skip, or null."""
        coded = self.copy(words).dictionary_encode()
        if not skip:
            return coded
        return pa.DictionaryArray.from_arrays(coded.indices, _without(coded.dictionary, skip))

    def eight(self, offsets: Ints) -> Keys:
        """uint64[n], the eight bytes from the offset on; at most 16 bytes beyond the data."""
        return np.asarray(self._eights[offsets])

    def word(self, number: int) -> str:
        """Return the word."""
        return self.data[self.starts[number] : self.stops[number]].decode(errors="replace")

    def text(self, line: int) -> str:
        """Return the line, without its end."""
        raw = self.data[self.begins[line] : self.begins[line + 1]]
        return raw[: LINE_BYTES + 1].decode(errors="replace").strip()


def split(block: Block) -> Words:
    """Return the words of the block."""
    data = np.frombuffer(block.data, np.uint8)
    is_word = data > _SPACE
    turns = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
    if is_word[0]:
        turns = np.concatenate([[0], turns])
    starts, stops = turns[0::2], turns[1::2]  # the last byte is a line feed
    begins = np.concatenate([[0], np.flatnonzero(data == ord("\n")) + 1])
    first = np.searchsorted(starts, begins)
    return Words(block.data, block.line, starts, stops, first, begins)


def _without(words: pa.BinaryArray, skip: int) -> pa.BinaryArray:
    """Return the words without their first bytes (``pc.binary_slice`` fails on some arrays)."""
    if not len(words):
        return words
    _, offsets, data = words.buffers()
    at = np.frombuffer(offsets, np.int32)[words.offset : words.offset + len(words) + 1]
    return _slots_of(at[:-1] + skip, at[1:], data).take(pa.array(np.arange(0, 2 * len(words), 2)))


def _slots_of(
    starts: npt.NDArray[np.integer], stops: npt.NDArray[np.integer], data: pa.Buffer
) -> pa.BinaryArray:
    """Return binary[2n]: at even slots these pieces of the data, at odd slots what is between."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[:-1:2] = starts
    offsets[1::2] = stops
    offsets[-1] = offsets[-2] if len(starts) else 0
    return pa.Array.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), data])
