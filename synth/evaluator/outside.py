"""The addresses outside the cluster in the pieces that policies tell apart."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, summarize_address_range
from itertools import pairwise

from synth.evaluator.classes import Vocabulary
from synth.evaluator.spans import IPV6_OFFSET, Ranks, Span, span_of
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.address import Network
from synth.policy.model import PolicySet

END = IPV6_OFFSET + (1 << 128)
EVERYWHERE: tuple[Span, ...] = ((0, IPV6_OFFSET - 1), (IPV6_OFFSET, END - 1))
"""All addresses; no span holds addresses of both families."""
_MAPPED = range(IPV6_OFFSET + (0xFFFF << 32), IPV6_OFFSET + (1 << 48))


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses of one family that no policy tells apart, and the endpoint standing for them."""

    span: Span
    endpoint: Endpoint

    @property
    def family(self) -> int:
        """4 or 6."""
        return family_of(self.span)


def list_outside(policies: PolicySet) -> tuple[Outside, ...]:
    """Return all addresses there are, cut where an ``ipBlock`` of the policies begins or ends.

    Nothing is cut among IPv4-mapped IPv6 addresses: an endpoint has the IPv4 address instead.
    """
    found = Ranks.of(Vocabulary.of(policies).blocks).cuts
    cuts = {0, IPV6_OFFSET, END, *(cut for cut in found if cut not in _MAPPED)}
    return tuple(
        Outside((low, high - 1), Endpoint(Kind.ADDRESS, address=str(_address(low))))
        for low, high in pairwise(sorted(cuts))
    )


def family_of(span: Span) -> int:
    """Return 4 or 6."""
    return 4 if span[0] < IPV6_OFFSET else 6


def join(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the same addresses as few spans, sorted; families stay apart."""
    joined: list[Span] = []
    for low, high in sorted(spans):
        if joined and low <= joined[-1][1] + 1 and low != IPV6_OFFSET:
            joined[-1] = joined[-1][0], max(high, joined[-1][1])
        else:
            joined.append((low, high))
    return tuple(joined)


def without(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """Return the addresses of the spans that are in none of the holes."""
    left: list[Span] = []
    waiting = deque(join(holes))
    for low, last in join(spans):
        first = low
        while waiting and waiting[0][1] < first:
            waiting.popleft()
        for hole in waiting:
            if hole[0] > last or first > last:
                break
            if first < hole[0]:
                left.append((first, hole[0] - 1))
            first = hole[1] + 1
        if first <= last:
            left.append((first, last))
    return tuple(left)


def common(one: Iterable[Span], other: Iterable[Span]) -> tuple[Span, ...]:
    """Return the addresses in both."""
    own = join(one)
    return without(own, without(own, other))


def networks_of(spans: Iterable[Span]) -> tuple[Network, ...]:
    """Return the addresses of the spans as CIDRs, as few as possible, sorted."""
    return tuple(network for span in join(spans) for network in _networks(span))


def spans_of_networks(texts: Iterable[str]) -> tuple[Span, ...]:
    """Return the spans of CIDR texts."""
    return join(map(span_of, texts))


def shorthand(spans: Iterable[Span]) -> tuple[str, ...]:
    """Return the addresses as people write them, a text for each family.

    >>> shorthand([span_of("10.0.0.0/9"), span_of("10.128.0.0/10")])
    ('10.0.0.0/8 except 10.192.0.0/10',)
    """
    families: dict[int, list[Span]] = {}
    for span in join(spans):
        families.setdefault(family_of(span), []).append(span)
    return tuple(_shortest(own) for _, own in sorted(families.items()))


def _shortest(spans: list[Span]) -> str:
    plain = networks_of(spans)
    (hull,) = _hull(spans[0][0], spans[-1][1])
    holes = networks_of(without([span_of(str(hull))], spans))
    if len(holes) + 1 < len(plain):
        return f"{hull} except {', '.join(map(str, holes))}"
    return ", ".join(map(str, plain))


def _hull(low: int, high: int) -> Iterator[Network]:
    """Yield the smallest network that holds both places."""
    offset, size = (0, 32) if low < IPV6_OFFSET else (IPV6_OFFSET, 128)
    width = ((low - offset) ^ (high - offset)).bit_length()
    first = (low - offset) >> width << width
    yield from _networks((first + offset, first + (1 << width) - 1 + offset))
    assert width <= size  # noqa: S101


def _networks(span: Span) -> Iterator[Network]:
    yield from summarize_address_range(_address(span[0]), _address(span[1]))


def _address(place: int) -> IPv4Address | IPv6Address:
    return IPv4Address(place) if place < IPV6_OFFSET else IPv6Address(place - IPV6_OFFSET)
