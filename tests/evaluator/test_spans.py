from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.spans import IPV6_OFFSET, Ranks, span_of, spans_of
from synth.policy import IpBlock
from tests.policy.strategies import ip_blocks


def test_an_address_is_one_place_and_a_prefix_all_of_its_places() -> None:
    assert span_of("0.0.0.1") == (1, 1)
    assert span_of("0.0.1.0/24") == (256, 511)
    assert span_of("::1") == (IPV6_OFFSET + 1, IPV6_OFFSET + 1)
    assert span_of("0.0.0.0/0")[1] < span_of("::/0")[0]


def test_a_mapped_address_is_at_its_ipv4_place() -> None:
    assert span_of("::ffff:0.0.1.2") == span_of("0.0.1.2")
    assert span_of("::ffff:0.0.1.0/120") == span_of("0.0.1.0/24")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="node-one"):
        span_of("node-one")


def test_excepts_cut_spans() -> None:
    block = IpBlock.parse("0.0.0.0/28", ["0.0.0.0/31", "0.0.0.4/32", "0.0.0.14/31"])
    assert spans_of(block) == ((2, 3), (5, 13))


def test_excepts_may_leave_nothing() -> None:
    block = IpBlock.parse("0.0.0.0/1", ["0.0.0.0/2", "64.0.0.0/2"])
    assert spans_of(block) == ()


@given(ip_blocks(), st.data())
def test_spans_hold_what_the_block_holds(block: IpBlock, data: st.DataObject) -> None:
    spans = spans_of(block)
    assert sum(high - low + 1 for low, high in spans) == block.size
    edges = [edge + step for span in spans for edge in span for step in (-1, 0, 1)]
    first = int(block.cidr.network_address)
    offset = IPV6_OFFSET if block.cidr.version == 6 else 0
    last = first + block.cidr.num_addresses - 1
    places = st.integers(first, last).map(lambda number: number + offset)
    place = data.draw(st.sampled_from(edges) | places if edges else places)
    if first <= place - offset <= last:
        address = ip_address((place - offset).to_bytes(block.cidr.max_prefixlen // 8, "big"))
        assert any(low <= place <= high for low, high in spans) == block.contains(address)


@given(st.lists(ip_blocks(), max_size=5), st.integers(0, 1 << 33), st.integers(0, 1 << 33))
def test_one_rank_means_the_same_blocks(blocks: list[IpBlock], one: int, other: int) -> None:
    ranks = Ranks.of(blocks)
    if ranks.of_span((one, one)) == ranks.of_span((other, other)):
        for spans in map(spans_of, blocks):
            assert any(low <= one <= high for low, high in spans) == any(
                low <= other <= high for low, high in spans
            )
