"""Address columns as codes into one list of distinct addresses of 16 bytes."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.buffers import make_addresses, make_numbers
from synth.sources.columns import NULLS, Rows, distinct, encode_together, text_of

Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

NULL, BAD = -1, -2
MAPPED = bytes(10) + b"\xff\xff"
"""The first 12 bytes of an IPv4 address."""
_LOOPBACK, _MULTICAST, _ALL_ONES = 127, 0xE, 0xFF


@dataclass(frozen=True, slots=True)
class Addresses:
    """Distinct addresses, and columns of codes into them.

    ``columns``: one int32[rows] for each column; -1 is null, -2 is unreadable. ``loopback``,
    ``group`` (multicast or broadcast) and ``unspecified``: bool[values + 2], so that the codes
    -1 and -2 find False.
    """

    values: pa.FixedSizeBinaryArray
    columns: tuple[Codes, ...]
    loopback: Bools
    group: Bools
    unspecified: Bools

    def array(self, codes: Codes, rows: Rows) -> pa.DictionaryArray:
        """Return the chosen rows of a column of codes as dictionary<int32, 16 bytes>."""
        chosen = codes[rows]
        indices = make_numbers(chosen, pa.int32(), chosen < 0)
        return pa.DictionaryArray.from_arrays(indices, self.values)


def code_addresses(columns: Sequence[pa.Array]) -> Addresses:
    """Return the columns of text as codes; each distinct text is read once."""
    rows, shared, words = encode_together(columns)
    parsed = list(map(parse_address, words))
    known = list(filter(None, dict.fromkeys(parsed)))
    code_of: dict[bytes | None, int] = {b"": NULL, None: BAD}
    code_of.update(zip(known, range(len(known)), strict=True))
    codes = np.array([*map(code_of.__getitem__, parsed), NULL], np.int32)
    coded = [np.append(codes[own], NULL).take(at) for at, own in zip(rows, shared, strict=True)]
    octets = np.frombuffer(b"".join(known) + bytes(32), np.uint8)  # and for codes -1 and -2
    octets = octets.reshape(-1, 16)
    return Addresses(make_addresses(known), tuple(coded), *_kinds(octets))


def is_complete(column: pa.Array) -> bool:
    """Return whether no address of the column of text is missing; each distinct text is read."""
    if column.null_count or pa.types.is_null(column.type):
        return False
    return b"" not in map(parse_address, distinct(column))


@lru_cache(maxsize=1 << 16)
def parse_address(cell: str | bytes | None) -> bytes | None:
    """Return the 16 bytes of an address; nothing for a missing one, None for an unreadable one.

    IPv4 becomes IPv4-mapped. The zone of ``fe80::1%eth0`` is left out.
    """
    text = text_of(cell)
    if text.lower() in NULLS:
        return b""
    try:
        if ":" not in text:
            return MAPPED + socket.inet_pton(socket.AF_INET, text)
        return socket.inet_pton(socket.AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return None


def _kinds(octets: npt.NDArray[np.uint8]) -> tuple[Bools, Bools, Bools]:
    """Return bool[n + 2] for loopback, multicast or broadcast, and unspecified; n addresses."""
    is_v4 = (octets[:, :12] == np.frombuffer(MAPPED, np.uint8)).all(axis=1)
    first, last = octets[:, 12], octets[:, 12:]
    only_end = ~octets[:, :15].any(axis=1)
    loopback = np.where(is_v4, first == _LOOPBACK, only_end & (octets[:, 15] == 1))
    multicast = np.where(is_v4, (first >> 4) == _MULTICAST, octets[:, 0] == _ALL_ONES)
    broadcast = is_v4 & (last == _ALL_ONES).all(axis=1)
    unspecified = np.where(is_v4, ~last.any(axis=1), ~octets.any(axis=1))
    unspecified[-2:] = False
    return loopback, multicast | broadcast, unspecified
