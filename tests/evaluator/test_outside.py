from ipaddress import ip_network
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.outside import (
    EVERYWHERE,
    common,
    family_of,
    join,
    list_outside,
    networks_of,
    shorthand,
    spans_of_networks,
    without,
)
from synth.evaluator.spans import IPV6_OFFSET, Span, span_of
from synth.policy import Direction, PolicySet, Rule
from tests.evaluator.cluster import block, one_sided

PLACES = st.integers(0, 30)
SPANS = st.lists(st.tuples(PLACES, PLACES).map(lambda pair: (min(pair), max(pair))), max_size=6)


def places(spans: tuple[Span, ...] | list[Span]) -> set[int]:
    return {place for low, high in spans for place in range(low, high + 1)}


@given(SPANS, SPANS)
def test_spans_are_sets_of_addresses(some: list[Span], others: list[Span]) -> None:
    assert places(join(some)) == places(some)
    assert places(without(some, others)) == places(some) - places(others)
    assert places(common(some, others)) == places(some) & places(others)
    for spans in (join(some), without(some, others)):
        assert all(one[1] + 1 < other[0] for one, other in pairwise(spans))


@given(SPANS)
def test_networks_hold_just_the_addresses(spans: list[Span]) -> None:
    assert places([span_of(str(one)) for one in networks_of(spans)]) == places(spans)


@given(SPANS.filter(bool))
def test_shorthand_means_the_same(spans: list[Span]) -> None:
    (text,) = shorthand(spans)
    wide, _, holes = text.partition(" except ")
    cut = [span_of(one) for one in holes.split(", ") if one]
    assert places(without(map(span_of, wide.split(", ")), cut)) == places(spans)


def test_families_never_join() -> None:
    spans = [(IPV6_OFFSET - 1, IPV6_OFFSET - 1), (IPV6_OFFSET, IPV6_OFFSET)]
    assert join(spans) == tuple(spans)
    assert [str(one) for one in networks_of(spans)] == ["255.255.255.255/32", "::/128"]
    assert shorthand([]) == ()
    assert shorthand(EVERYWHERE) == ("0.0.0.0/0", "::/0")


def test_the_rest_of_the_world_is_told_by_what_is_missing() -> None:
    rest = without([(0, IPV6_OFFSET - 1)], spans_of_networks(["10.244.0.0/16", "172.18.0.0/24"]))
    assert shorthand(rest) == ("0.0.0.0/0 except 10.244.0.0/16, 172.18.0.0/24",)
    assert len(networks_of(rest)) > 16


def test_pieces_are_those_of_both_families() -> None:
    assert [family_of(one.span) for one in list_outside(PolicySet())] == [4, 6]
    policy = one_sided(Direction.INGRESS, Rule((block("10.0.0.0/8", "10.1.0.0/16"),)))
    pieces = list_outside(PolicySet.of([policy]))
    first = [one.endpoint.address for one in pieces]
    assert first[1:] == ["10.0.0.0", "10.1.0.0", "10.2.0.0", "11.0.0.0", "::"]
    assert ip_network("10.0.0.0/8").num_addresses == sum(
        one.span[1] - one.span[0] + 1 for one in pieces[1:4]
    )


def test_mapped_addresses_are_never_a_piece() -> None:
    blocks = (block("::ffff:10.0.0.0/104"), block("::/0", "::1:0:0:0/80"))
    policy = one_sided(Direction.INGRESS, *(Rule((one,)) for one in blocks))
    first = [one.endpoint.address for one in list_outside(PolicySet.of([policy]))]
    assert "::" in first
    assert "0:0:0:1::" not in first
    assert not any("ffff:" in one for one in first)
