"""Blocks of addresses: masks, families, holes."""

from ipaddress import IPv4Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.policy import IpBlock
from synth.policy.address import parse_address, parse_network
from tests.policy.strategies import ip_blocks


@given(ip_blocks(), st.data())
def test_agreement_with_contains(block: IpBlock, data: st.DataObject) -> None:
    networks = st.sampled_from([block.cidr, *block.excepts])
    network = data.draw(networks)
    first, last = int(network.network_address), int(network.broadcast_address)
    numbers = {n for n in (first - 1, first, last, last + 1) if 0 <= n < 2**network.max_prefixlen}
    for number in sorted(numbers):
        address = type(network.network_address)(number)
        in_hole = any(address in hole for hole in block.excepts)
        assert block.contains(address) == (address in block.cidr and not in_hole)


@given(ip_blocks())
def test_size_counts_what_is_contained(block: IpBlock) -> None:
    holes = sum(hole.num_addresses for hole in block.excepts)
    assert block.size == block.cidr.num_addresses - holes
    assert block.size >= 0


@given(ip_blocks())
def test_excepts_are_disjoint_and_sorted(block: IpBlock) -> None:
    for before, after in zip(block.excepts, block.excepts[1:], strict=False):
        assert int(before.broadcast_address) < int(after.network_address)


@given(st.lists(ip_blocks(), max_size=6))
def test_sort_key_orders_and_tells_apart(blocks: list[IpBlock]) -> None:
    backwards = blocks[::-1]
    ordered = sorted(blocks, key=lambda block: block.sort_key)
    assert ordered == sorted(backwards, key=lambda block: block.sort_key)
    assert len({block.sort_key for block in blocks}) == len(set(blocks))


def test_small_blocks_by_counting() -> None:
    block = IpBlock.parse("10.0.0.0/28", ["10.0.0.4/30", "10.0.0.8/31", "10.0.0.5/32"])
    inside = [n for n in range(32) if block.contains(ip_address(f"10.0.0.{n}"))]
    assert inside == [0, 1, 2, 3, 10, 11, 12, 13, 14, 15]
    assert block.size == len(inside)


def test_order_overlap_and_adjacency_of_excepts_make_no_difference() -> None:
    a = IpBlock.parse("10.0.0.0/8", ["10.1.0.0/17", "10.1.128.0/17", "10.1.3.0/24"])
    b = IpBlock.parse("10.9.9.9/8", ["10.1.0.0/16"])
    assert a == b
    assert hash(a) == hash(b)
    assert str(a) == "10.0.0.0/8 except 10.1.0.0/16"


@pytest.mark.parametrize("hole", ["10.0.0.0/8", "0.0.0.0/0", "11.0.0.0/9", "2001:db8::/32"])
def test_an_except_lies_strictly_inside(hole: str) -> None:
    with pytest.raises(ValueError, match="strictly inside"):
        IpBlock.parse("10.0.0.0/8", [hole])


def test_families_do_not_mix() -> None:
    assert not IpBlock.parse("0.0.0.0/0").contains(ip_address("::1"))
    assert not IpBlock.parse("::/0").contains(ip_address("10.0.0.1"))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("::ffff:10.0.0.1/104", "10.0.0.0/8"),
        ("::ffff:10.0.0.1/96", "0.0.0.0/0"),
        ("10.1.2.3/16", "10.1.0.0/16"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:10.0.0.1/95", "::fffe:0:0/95"),
    ],
)
def test_networks_are_masked_and_unmapped(text: str, meant: str) -> None:
    assert str(parse_network(text)) == meant


def test_mapped_addresses_are_ipv4_and_zone_ids_are_refused() -> None:
    address = parse_address("::ffff:10.0.0.1")
    assert address in IPv4Network("10.0.0.0/8")
    with pytest.raises(ValueError, match="zone id"):
        parse_address("fe80::1%eth0")
    with pytest.raises(ValueError, match=r"010\.0\.0\.1"):
        parse_address("010.0.0.1")
