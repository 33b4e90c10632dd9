"""Ports over addresses, told by as few pairs of both as say it exactly."""

from collections.abc import Iterator
from itertools import pairwise

from synth.evaluator.outside import join
from synth.evaluator.spans import Span
from synth.policy.ports import PortRange, PortSet, Protocol

Spread = list[tuple[PortSet, tuple[Span, ...]]]


def regroup(spread: Spread) -> list[tuple[tuple[Span, ...], PortSet]]:
    """Return each set of addresses with the ports that are open at just these; sorted.

    An address and a port stand together in one pair at most.
    """
    found: dict[tuple[Span, ...], list[PortRange]] = {}
    for piece in _pieces(spread):
        at = [
            span
            for ports, spans in spread
            if ports.contains(piece.protocol, piece.first)
            for span in spans
        ]
        if at:
            found.setdefault(join(at), []).append(piece)
    return sorted((spans, PortSet(tuple(pieces))) for spans, pieces in found.items())


def _pieces(spread: Spread) -> Iterator[PortRange]:
    """Yield the ports in pieces that no set of the spread cuts."""
    ranges = {one for ports, _ in spread for one in ports.ranges}
    for protocol in Protocol:
        own = [one for one in ranges if one.protocol is protocol]
        cuts = sorted({cut for one in own for cut in (one.first, one.last + 1)})
        for low, high in pairwise(cuts):
            yield PortRange(protocol, low, high - 1)
