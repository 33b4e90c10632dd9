"""Where the parts of conntrack lines stand, found for all lines of a block at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.sources.tokens import Words, keys_of

Ints = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

_EVENTS = keys_of([b"[NEW]", b"[UPDATE]", b"[DESTROY]"])
_FAMILIES = keys_of([b"ipv4", b"ipv6"])
_PORTED = keys_of([b"6", b"17", b"132"])


Places = Mapping[str, tuple[Ints, int]]
"""Field → int64[lines], the word that holds its value (-1: none), and what to skip of it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the values of the lines stand.

    ``flags``: field → bool[lines]. ``time``: int64[lines], the word that is the time of an
    event, or -1. ``readable``: bool[lines], whether the line is an entry; no other has places.
    """

    time: Ints
    places: Places
    flags: Mapping[str, Bools]
    readable: Bools


@dataclass(frozen=True, slots=True)
class _Tuple:
    """One direction of the lines: where its parts stand, and the number of the word after it."""

    places: Places
    after: Ints
    has_ports: Bools
    readable: Bools


def lay_out(words: Words, lines: Ints) -> Layout:
    """Return where the parts of the lines stand."""
    first, second, tuples = _tuple_starts(words, lines)
    orig = _lay_out_tuple(words, lines, first, "orig")
    reply = _lay_out_tuple(words, lines, second, "reply")
    head = _lay_out_head(words, lines, first)
    unreplied = words.holds(b"[UNREPLI", orig.after, lines)
    is_whole = orig.has_ports & reply.has_ports & (orig.after + unreplied == second)
    ported = np.isin(words.keys(head.places["proto"][0], lines), _PORTED)
    readable = (tuples == 2) & head.readable & orig.readable & reply.readable  # noqa: PLR2004
    readable &= is_whole | ~ported
    ids, deltas = (_last(words, lines, second, prefix) for prefix in (b"id=", b"delta-time="))
    places = {**head.places, **orig.places, **reply.places, "ct_id": ids, "delta_time": deltas}
    return Layout(
        head.time,
        places if readable.all() else _only(places, readable),
        {
            "unreplied": unreplied,
            "assured": words.holds(b"[ASSURED", reply.after, lines),
            "offload": words.holds(b"[OFFLOAD", reply.after, lines)
            | words.holds(b"[HW_OFFL", reply.after, lines),
        },
        readable,
    )


def _only(places: Places, rows: Bools) -> Places:
    return {field: (np.where(rows, at, -1), skip) for field, (at, skip) in places.items()}


def _tuple_starts(words: Words, lines: Ints) -> tuple[Ints, Ints, Ints]:
    """Return the numbers of the first two ``src=`` of each line, and how many it has."""
    places = words.with_prefix(b"src=")
    begin = np.searchsorted(places, words.first[lines])
    end = np.searchsorted(places, words.first[lines + 1])
    padded = np.concatenate([places, [-1, -1]])
    first = np.where(end > begin, padded[begin], -1)
    second = np.where(end > begin + 1, padded[begin + 1], -1)
    return first, second, end - begin


def _lay_out_tuple(words: Words, lines: Ints, start: Ints, side: str) -> _Tuple:
    is_there = start >= 0
    sport = words.holds(b"sport=", start + 2, lines)
    has_ports = is_there & sport & words.holds(b"dport=", start + 3, lines)
    count = start + 2 + 2 * has_ports
    packets = words.holds(b"packets=", count, lines)
    has_counts = is_there & packets & words.holds(b"bytes=", count + 1, lines)
    port, counter = np.where(has_ports, start, -9), np.where(has_counts, count, -9)
    return _Tuple(
        {
            f"{side}_src": (start, len("src=")),
            f"{side}_dst": (start + 1, len("dst=")),
            f"{side}_sport": (port + 2, len("sport=")),
            f"{side}_dport": (port + 3, len("dport=")),
            f"{side}_packets": (counter, len("packets=")),
            f"{side}_bytes": (counter + 1, len("bytes=")),
        },
        np.where(is_there, count + 2 * has_counts, -1),
        has_ports,
        is_there & words.holds(b"dst=", start + 1, lines),
    )


def _lay_out_head(words: Words, lines: Ints, first: Ints) -> Layout:
    """Return the parts before the first ``src=``; readable if these are all."""
    at = words.first[lines]
    key = words.keys(at, lines)
    has_time = (_byte(key, 0) == ord("[")) & _is_digit(_byte(key, 1))
    time = np.where(has_time, at, -1)
    at = at + has_time
    has_event = np.isin(words.keys(at, lines), _EVENTS)
    event = np.where(has_event, at, -1)
    at = at + has_event
    at = at + 2 * np.isin(words.keys(at, lines), _FAMILIES)
    proto = at + 1
    at = at + 2
    at = at + ((at < first) & _is_digit(_byte(words.keys(at, lines), 0)))
    has_state = (at < first) & _is_capital(_byte(words.keys(at, lines), 0))
    state = np.where(has_state, at, -1)
    readable = at + has_state == first
    places = {
        "event": (event, 0),
        "proto": (np.where(readable, proto, -1), 0),
        "tcp_state": (state, 0),
    }
    return Layout(time, places, {}, readable)


def _last(words: Words, lines: Ints, second: Ints, prefix: bytes) -> tuple[Ints, int]:
    """Return where the last word with the prefix after the second tuple's beginning stands."""
    places = np.concatenate([[-1], words.with_prefix(prefix[:8])])
    last = places[np.searchsorted(places, words.first[lines + 1]) - 1]
    return np.where((second >= 0) & (last > second), last, -1), len(prefix)


def _byte(keys: Keys, at: int) -> Keys:
    return np.asarray((keys >> np.uint64(8 * at)) & np.uint64(0xFF))


def _is_digit(byte: Keys) -> Bools:
    return np.asarray((byte >= ord("0")) & (byte <= ord("9")))


def _is_capital(byte: Keys) -> Bools:
    return np.asarray((byte >= ord("A")) & (byte <= ord("Z")))
