"""Randomness by concern: a stream for each purpose, so that one knob does not reshuffle the rest.

A *stream* is for draws in a row. *Luck* is a number for each thing by its own number, whatever
other things there are.
"""

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def stream(seed: int, concern: str, *numbers: int) -> np.random.Generator:
    """Return the stream of the concern, the same for the same seed and numbers."""
    key = (crc32(concern.encode()), *numbers)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def luck(seed: int, concern: str, *numbers: Ints) -> Floats:
    """Return float64[n] from 0 up to 1, each a function of seed, concern and its own numbers."""
    return np.asarray((scramble(seed, concern, *numbers) >> np.uint64(11)) * 2.0**-53)


def scramble(seed: int, concern: str, *numbers: Ints) -> NDArray[np.uint64]:
    """Return uint64[n], a hash of seed, concern and the numbers (splitmix64)."""
    total = np.full(len(numbers[0]), (crc32(concern.encode()) << 32) ^ seed, np.uint64)
    for number in numbers:
        total = _mixed(total + number.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    return total


def _mixed(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
