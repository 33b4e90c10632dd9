"""Times of conntrack events, ``[1700000000.123456]``: those of ten and six digits all at once."""

import re

import numpy as np
import numpy.typing as npt

from synth.sources.tokens import Ints, Words

Keys = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_USUAL = len("[1700000000.123456]")
_OTHER = re.compile(r"\[([0-9]{1,11})\.([0-9]{6})\]")
_ZEROS = 0x3030303030303030


def read_stamps(words: Words, places: Ints) -> tuple[Ints, Bools]:
    """Return int64[n], microseconds since 1970, and bool[n], whether the word is a time.

    ``places``: int64[n], numbers of words, -1 for none.
    """
    there = np.flatnonzero(places >= 0)
    starts = words.starts[places[there]]
    micros, good = _read_usual(words, starts)
    good &= words.stops[places[there]] - starts == _USUAL
    values, valid = np.zeros(len(places), np.int64), np.zeros(len(places), bool)
    values[there], valid[there] = np.where(good, micros, 0), good
    for row in there[~good]:
        match = _OTHER.fullmatch(words.word(int(places[row])))
        if match:
            values[row], valid[row] = int(match[1]) * 1_000_000 + int(match[2]), True
    return values, valid


def _read_usual(words: Words, starts: Ints) -> tuple[Ints, Bools]:
    first, last, fraction = (words.eight(starts + at) for at in (1, 3, 11))
    seconds, good = _read_digits(last)
    high, is_high = _read_digits((first << np.uint64(48)) | np.uint64(_ZEROS >> 16))
    six = ((fraction << np.uint64(8)) & np.uint64(0xFFFFFFFFFFFF0000)) | np.uint64(0x3030)
    micros, is_micros = _read_digits(six)
    frame = np.uint64(0xFF000000000000FF)
    is_framed = fraction & frame == np.uint64(ord("]") << 56 | ord("."))
    total = (high * 100_000_000 + seconds) * 1_000_000 + micros
    return total, good & is_high & is_micros & is_framed


def _read_digits(eight: Keys) -> tuple[Ints, Bools]:
    """Return the numbers that eight bytes each spell, and whether all bytes are digits."""
    value = eight ^ np.uint64(_ZEROS)
    above_nine = (value + np.uint64(0x7676767676767676)) | value
    good = above_nine & np.uint64(0x8080808080808080) == 0
    value = np.where(good, value, np.uint64(0))
    for mask, factor, shift in (
        (0x0F0F0F0F0F0F0F0F, 2561, 8),  # pairs of digits
        (0x00FF00FF00FF00FF, 6553601, 16),  # pairs of pairs
        (0x0000FFFF0000FFFF, 42949672960001, 32),
    ):
        value = (value & np.uint64(mask)) * np.uint64(factor) >> np.uint64(shift)
    return value.astype(np.int64), np.asarray(good)
