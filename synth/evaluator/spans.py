"""Address arithmetic on one line of integers: first the IPv4 space, after it the IPv6 space.

Families cannot mix there, and any address, prefix or ``ipBlock`` is a few closed spans of it.
"""

from bisect import bisect_right
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from socket import AF_INET, inet_pton
from typing import Self

from synth.policy.address import IpBlock, Network, parse_address, parse_network

Span = tuple[int, int]
IPV6_OFFSET = 1 << 32


def span_of(text: str) -> Span:
    """Return the span of an address or prefix.

    Raises
    ------
    ValueError
        If the text is neither.

    """
    if "/" in text:
        return _span_of_network(parse_network(text))
    if ":" not in text:
        # The usual case, many times over: twenty times as fast, and as strict.
        with suppress(OSError):
            place = int.from_bytes(inet_pton(AF_INET, text), "big")
            return place, place
    address = parse_address(text)
    place = int(address) + (IPV6_OFFSET if address.version == 6 else 0)  # noqa: PLR2004 - family
    return place, place


def spans_of(block: IpBlock) -> tuple[Span, ...]:
    """Return the spans of the block, without its excepts; sorted, disjoint, never adjacent."""
    first, last = _span_of_network(block.cidr)
    spans = []
    for low, high in sorted(map(_span_of_network, block.excepts)):
        if first < low:
            spans.append((first, low - 1))
        first = high + 1
    return (*spans, (first, last)) if first <= last else tuple(spans)


@dataclass(frozen=True, slots=True)
class Ranks:
    """The line cut where some block begins or ends: what no block tells apart has one rank."""

    cuts: tuple[int, ...]

    @classmethod
    def of(cls, blocks: Iterable[IpBlock]) -> Self:
        """Return the ranks that the blocks tell apart."""
        cuts = {cut for block in blocks for low, high in spans_of(block) for cut in (low, high + 1)}
        return cls(tuple(sorted(cuts)))

    def of_span(self, span: Span) -> Span:
        """Return the ranks of the span's first and last address."""
        return bisect_right(self.cuts, span[0]), bisect_right(self.cuts, span[1])


def _span_of_network(network: Network) -> Span:
    offset = IPV6_OFFSET if network.version == 6 else 0  # noqa: PLR2004 - the family
    return int(network.network_address) + offset, int(network.broadcast_address) + offset
