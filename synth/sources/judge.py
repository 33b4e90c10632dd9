"""The tests that records of every format must pass before they can be flows."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from synth.sources import sieve as fate
from synth.sources.addresses import BAD, NULL, Addresses
from synth.sources.columns import Numbers
from synth.sources.sieve import Sieve

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int32]

TCP, UDP, SCTP = 6, 17, 132
_PORTED = np.zeros(256, bool)
_PORTED[[TCP, UDP, SCTP]] = True
_LARGEST_PORT = 65_535
_LARGEST_PROTOCOL = 255
_LARGEST_COUNT = 10**18
_LATEST = 32_503_680_000_000_000
"""The year 3000, in microseconds."""


def has_ports(protocol: Numbers) -> Bools:
    """bool[n], whether the protocol is one that a NetworkPolicy can name."""
    outside = protocol.outside(0, _LARGEST_PROTOCOL)
    values = np.where(outside, 0, protocol.values) if outside.any() else protocol.values
    return np.asarray(_PORTED.take(values))


def drop_bad_protocols(sieve: Sieve, protocol: Numbers) -> None:
    """Drop records whose protocol is missing or not 0 to 255."""
    bad = protocol.outside(0, _LARGEST_PROTOCOL) | protocol.null
    sieve.drop(f"{fate.MALFORMED}protocol not 0 to 255", bad)


def drop_bad_addresses(sieve: Sieve, needed: Iterable[Codes]) -> None:
    """Drop records with an address that is missing or unreadable."""
    for codes in needed:
        sieve.drop(f"{fate.MALFORMED}bad address", codes == BAD)
        sieve.drop(f"{fate.MALFORMED}no address", codes == NULL)


def drop_no_semantics(sieve: Sieve, protocol: Numbers) -> None:
    """Drop records of protocols that no NetworkPolicy can name."""
    sieve.drop(fate.NO_POLICY_SEMANTICS, ~has_ports(protocol))


def drop_bad_ports(sieve: Sieve, needed: Iterable[Numbers]) -> None:
    """Drop records with a port that is missing or not 0 to 65535."""
    for port in needed:
        sieve.drop(f"{fate.MALFORMED}port not 0 to 65535", port.outside(0, _LARGEST_PORT))
        sieve.drop(f"{fate.MALFORMED}no port", port.null)


def drop_bad_counts(sieve: Sieve, counts: Iterable[Numbers]) -> None:
    """Drop records with a counter that is no count; a missing one is no fault."""
    for count in counts:
        sieve.drop(f"{fate.MALFORMED}bad counter", count.outside(0, _LARGEST_COUNT))


def drop_bad_times(sieve: Sieve, start: Numbers, end: Numbers) -> None:
    """Drop records with an unreadable time, or that end before they start."""
    bad = start.outside(0, _LATEST) | end.outside(0, _LATEST)
    sieve.drop(f"{fate.MALFORMED}bad time", bad)
    backwards = ~start.null & ~end.null & (end.values < start.values)
    sieve.drop(f"{fate.MALFORMED}ends before it starts", backwards)


def drop_no_peers(sieve: Sieve, addresses: Addresses, ends: Sequence[Codes]) -> None:
    """Drop records with an end that is no endpoint of a network: a group, loopback, ``0.0.0.0``."""
    for codes in ends:
        _drop_kind(sieve, fate.GROUP, addresses.group, codes)
    for codes in ends:
        _drop_kind(sieve, fate.LOOPBACK, addresses.loopback, codes)
        _drop_kind(sieve, f"{fate.MALFORMED}unspecified address", addresses.unspecified, codes)


def _drop_kind(sieve: Sieve, outcome: str, kind: Bools, codes: Codes) -> None:
    if kind.any():  # most batches hold no such address at all
        sieve.drop(outcome, kind[codes])
