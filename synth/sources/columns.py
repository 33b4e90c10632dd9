"""Arrow columns of any type as plain numbers, times, codes and flags; null and unreadable apart.

Logs are exported again by many tools, so a number may arrive as text, a missing value as ``-``,
and an integer as a float. Text is read on the dictionary, once for each distinct value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synth.buffers import make_numbers, read_nulls, read_texts, read_values

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int16]
Rows = slice | npt.NDArray[np.intp] | npt.NDArray[np.bool_]
"""What picks rows of a column: a slice for all of them, which copies nothing; numbers; a mask."""

NULLS = frozenset({"", "-", "none", "null", "nan", "nat", "<na>", "(empty)"})
"""What stands for a missing value, in lower case."""
_EXACT = r"^([0-9]{1,18}|[1-8][0-9]{18})$"
_LARGEST = 9 * 10**18 - 1
"""Fits into 64 bits, as does its negative."""
_SECONDS_BELOW, _MILLIS_BELOW, _MICROS_BELOW = 10**11, 10**14, 10**17


@dataclass(frozen=True, slots=True)
class Numbers:
    """Whole numbers: int64[n] (0 where there is none), whether null, whether unreadable."""

    values: Int64s
    null: Bools
    bad: Bools

    def outside(self, low: int, high: int) -> Bools:
        """bool[n], whether the value is there and unreadable or not within the bounds."""
        if not len(self.values) or (low <= self.values.min() and self.values.max() <= high):
            return self.bad
        return np.asarray(self.bad | (~self.null & ((self.values < low) | (self.values > high))))

    def array(self, kind: pa.DataType, rows: Rows) -> pa.Array:
        """Return the chosen rows as an Arrow array of this type."""
        return make_numbers(self.values[rows], kind, (self.null | self.bad)[rows])


def no_numbers(size: int) -> Numbers:
    """Return n nulls."""
    return Numbers(np.zeros(size, np.int64), np.ones(size, bool), np.zeros(size, bool))


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of the type holds text, coded or not."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return any(
        test(kind)
        for test in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_string_view,
            pa.types.is_binary,
            pa.types.is_large_binary,
            pa.types.is_binary_view,
        )
    )


def is_plain(kind: pa.DataType) -> bool:
    """Return whether ``to_numbers`` and its siblings can read a column of the type."""
    if pa.types.is_dictionary(kind):
        return is_plain(kind.value_type)
    return is_text(kind) or any(
        test(kind)
        for test in (
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_boolean,
            pa.types.is_timestamp,
            pa.types.is_null,
        )
    )


def to_numbers(array: pa.Array) -> Numbers:
    """Return the column as whole numbers."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _through_dictionary(array, to_numbers)
    if pa.types.is_null(kind):
        return no_numbers(len(array))
    if is_text(kind):
        return _read_text(array, _read_number)
    if pa.types.is_floating(kind):
        return _read_floats(array.cast(pa.float64()))
    return _read_values(array)


def to_times(array: pa.Array) -> Numbers:
    """Return the column as microseconds since 1970 (UTC).

    Numbers are seconds, milliseconds, microseconds or nanoseconds, told by their magnitude. A
    timestamp without a zone is taken as UTC.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _through_dictionary(array, to_times)
    if pa.types.is_timestamp(kind):
        return _read_values(array.cast(pa.timestamp("us", tz=kind.tz), safe=False))
    numbers = _read_text(array, _read_moment) if is_text(kind) else to_numbers(array)
    return Numbers(_microseconds(numbers.values), numbers.null, numbers.bad)


def to_codes(array: pa.Array, codes: Mapping[str, int], unknown: int) -> Codes:
    """Return int16[n]: the code of the word, in capitals; 0 for null; ``unknown`` for others."""
    if pa.types.is_null(array.type):
        return np.zeros(len(array), np.int16)
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    table = [_code(text_of(value), codes, unknown) for value in cells(coded.dictionary)]
    if len(table) == 1 and not coded.null_count:
        return np.full(len(coded), table[0], np.int16)
    return np.array([*table, 0], np.int16).take(_indices(coded))


def to_flags(array: pa.Array) -> Codes:
    """Return int16[n]: 1 for true, 0 for false, -1 for null or anything else."""
    if pa.types.is_boolean(array.type):
        return np.asarray(array.cast(pa.int8()).fill_null(-1), np.int16)
    words = {"TRUE": 1, "1": 1, "1.0": 1, "FALSE": 2, "0": 2, "0.0": 2}
    return np.array([-1, 1, 0, -1], np.int16)[to_codes(array, words, 3)]


def text_of(value: object) -> str:
    """Return a cell as text without white space around it; a missing one as nothing."""
    if value is None:
        return ""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text.strip()


def encode(array: pa.Array) -> tuple[Int64s, list[object]]:
    """Return int64[n] into the distinct values (-1 for null), and these."""
    coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    return _indices(coded), cells(coded.dictionary)


def distinct(array: pa.Array) -> list[object]:
    """Return the distinct values."""
    return cells(array.dictionary if pa.types.is_dictionary(array.type) else array.unique())


def encode_together(columns: Sequence[pa.Array]) -> tuple[list[Int64s], list[Int64s], list[object]]:
    """Return what ``encode`` would of all columns as one, each distinct value read once.

    For each column int64[n] into its own distinct values (-1 for null), and int64[m] from these
    into the distinct values of all (-1 for null).
    """
    coded = [
        one if pa.types.is_dictionary(one.type) else one.dictionary_encode() for one in columns
    ]
    own = [_texts(one.dictionary) for one in coded]
    shared, values = encode(pa.concat_arrays(own))
    bounds = np.cumsum([len(one) for one in own])[:-1]
    return [_indices(one) for one in coded], np.split(shared, bounds), values


def _texts(array: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(pa.large_binary())


def cells(array: pa.Array) -> list[object]:
    """Return the values as Python objects: text as bytes (it may be no UTF-8), times as numbers."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if is_text(array.type):
        return read_texts(array)
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.int64())
    values: list[object] = array.to_pylist()
    return values


def _indices(coded: pa.DictionaryArray) -> Int64s:
    indices = read_values(coded.indices).astype(np.int64)
    if coded.indices.null_count:
        indices[read_nulls(coded.indices)] = -1
    return indices


def _code(text: str, codes: Mapping[str, int], unknown: int) -> int:
    if text.lower() in NULLS:
        return 0
    return codes.get(text.upper(), unknown)


def _through_dictionary(coded: pa.Array, read: Callable[[pa.Array], Numbers]) -> Numbers:
    distinct = read(coded.dictionary)
    at = _indices(coded)
    return Numbers(
        np.append(distinct.values, 0)[at],
        np.append(distinct.null, True)[at],
        np.append(distinct.bad, False)[at],
    )


def _read_values(array: pa.Array) -> Numbers:
    null = read_nulls(array)
    if pa.types.is_integer(array.type) and not pa.types.is_uint64(array.type):
        values = read_values(array).astype(np.int64, copy=False)
        values = np.where(null, 0, values) if array.null_count else values
        return Numbers(values, null, np.zeros(len(array), bool))
    whole = array.fill_null(0) if array.null_count else array
    if not pa.types.is_timestamp(array.type) and pa.types.is_uint64(array.type):
        bad = np.asarray(whole, np.uint64) > _LARGEST
        return Numbers(np.where(bad, 0, np.asarray(whole, np.uint64)).astype(np.int64), null, bad)
    if pa.types.is_boolean(array.type):
        return Numbers(np.asarray(whole.cast(pa.int64())), null, np.ones(len(array), bool) & ~null)
    return Numbers(np.asarray(whole.cast(pa.int64())), null, np.zeros(len(array), bool))


def _read_floats(array: pa.Array) -> Numbers:
    floats = np.asarray(array.fill_null(np.nan), np.float64)
    null = np.isnan(floats)
    fit = np.isfinite(floats) & (np.abs(floats) <= _LARGEST)
    values = np.where(fit, floats, 0).astype(np.int64)
    return Numbers(values, null, ~null & (~fit | (values != np.where(fit, floats, 0))))


def _read_text(array: pa.Array, read_odd: Callable[[str], int | None]) -> Numbers:
    """Read plain digits at once, and every other distinct text by ``read_odd``."""
    coded = array.dictionary_encode()
    words = coded.dictionary.cast(pa.large_binary())
    plain = pc.match_substring_regex(words, _EXACT)
    digits = pc.if_else(plain, words, pa.scalar(b"0", words.type))
    values = np.array(digits.cast(pa.large_string()).cast(pa.int64()), np.int64)
    null = np.zeros(len(values) + 1, bool)
    bad = np.zeros(len(values) + 1, bool)
    values = np.append(values, 0)
    null[-1] = True
    for at in np.flatnonzero(~np.asarray(plain)):
        text = text_of(words[int(at)].as_py())
        null[at] = text.lower() in NULLS
        number = None if null[at] else read_odd(text)
        bad[at] = number is None and not null[at]
        values[at] = number or 0
    rows = _indices(coded)
    return Numbers(values[rows], null[rows], bad[rows])


def _read_number(text: str) -> int | None:
    """Return the whole number that the text spells, perhaps as a float: ``443.0``."""
    whole, _, fraction = text.partition(".")
    sign, digits = (-1, whole[1:]) if whole.startswith("-") else (1, whole)
    is_short = len(digits) <= len(str(_LARGEST))
    if fraction.strip("0") or not (is_short and digits.isascii() and digits.isdigit()):
        return None
    number = int(digits)
    return sign * number if number <= _LARGEST else None


def _read_moment(text: str) -> int | None:
    number = _read_number(text)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return micros if micros >= _MILLIS_BELOW else None


def _microseconds(values: Int64s) -> Int64s:
    if not len(values) or (values.max() < _SECONDS_BELOW and values.min() > -_SECONDS_BELOW):
        return np.asarray(values * 1_000_000)
    return np.select(
        [values < _SECONDS_BELOW, values < _MILLIS_BELOW, values < _MICROS_BELOW],
        [np.clip(values, -_SECONDS_BELOW, _SECONDS_BELOW) * 1_000_000, values * 1_000, values],
        values // 1_000,
    )
