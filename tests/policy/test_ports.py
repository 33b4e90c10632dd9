"""Sets of ports obey the laws of sets."""

import pytest
from hypothesis import example, given

from synth.policy import NamedPort, PortRange, PortSet, Protocol
from tests.policy.strategies import named_ports, port_ranges, port_sets, ports, protocols

EMPTY = PortSet()
TCP, UDP = Protocol.TCP, Protocol.UDP


@given(port_sets)
def test_identity_and_idempotence(a: PortSet) -> None:
    assert a | EMPTY == a
    assert a & EMPTY == EMPTY
    assert a - EMPTY == a
    assert a - a == EMPTY
    assert a | a == a
    assert a & a == a


@given(port_sets, port_sets)
def test_commutativity_and_absorption(a: PortSet, b: PortSet) -> None:
    assert a | b == b | a
    assert a & b == b & a
    assert a | (a & b) == a
    assert a & (a | b) == a


@given(port_sets, port_sets, port_sets)
def test_associativity_and_distributivity(a: PortSet, b: PortSet, c: PortSet) -> None:
    assert (a | b) | c == a | (b | c)
    assert (a & b) & c == a & (b & c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a | (b & c) == (a | b) & (a | c)


@given(port_sets, port_sets, port_sets)
def test_de_morgan(a: PortSet, b: PortSet, c: PortSet) -> None:
    assert a - (b | c) == (a - b) & (a - c)
    assert a - (b & c) == (a - b) | (a - c)
    assert (a - b) | (a & b) == a


@given(port_sets, port_sets)
def test_subset_agrees_with_union_and_intersection(a: PortSet, b: PortSet) -> None:
    assert (a <= b) == (a | b == b) == (a & b == a)


@given(port_sets, port_sets, protocols, ports)
def test_agreement_with_contains(a: PortSet, b: PortSet, protocol: Protocol, port: int) -> None:
    in_a, in_b = a.contains(protocol, port), b.contains(protocol, port)
    assert (a | b).contains(protocol, port) == (in_a or in_b)
    assert (a & b).contains(protocol, port) == (in_a and in_b)
    assert (a - b).contains(protocol, port) == (in_a and not in_b)


@given(port_sets)
def test_normal_form(a: PortSet) -> None:
    for before, after in zip(a.ranges, a.ranges[1:], strict=False):
        assert before < after
        assert before.protocol != after.protocol or before.last + 1 < after.first
    assert list(a.names) == sorted(set(a.names))
    assert PortSet.of(*reversed(a.terms)) == a
    assert hash(PortSet(a.ranges[::-1], a.names[::-1])) == hash(a)
    assert bool(a) == (a != EMPTY)


@given(port_ranges())
@example(PortRange(TCP, 80, 80))
def test_a_range_contains_its_ends_and_not_what_is_beside_them(some: PortRange) -> None:
    alone = PortSet.of(some)
    assert alone.contains(some.protocol, some.first)
    assert alone.contains(some.protocol, some.last)
    assert not alone.contains(some.protocol, some.first - 1)
    assert not alone.contains(some.protocol, some.last + 1)
    assert not any(
        alone.contains(other, some.first) for other in Protocol if other != some.protocol
    )


@given(named_ports)
def test_a_name_is_in_no_range(name: NamedPort) -> None:
    everything = PortSet.every()
    assert not PortSet.of(name) <= everything
    assert PortSet.of(name) & everything == EMPTY
    assert PortSet.of(name) - everything == PortSet.of(name)
    assert (PortSet.of(name) | everything).unrestricted


def test_adjacent_and_overlapping_ranges_merge_within_a_protocol() -> None:
    merged = PortSet.of(PortRange(TCP, 5, 9), PortRange(TCP, 1, 4), PortRange(TCP, 2, 3))
    assert merged.ranges == (PortRange(TCP, 1, 9),)
    apart = PortSet.of(PortRange(TCP, 1, 4), PortRange(UDP, 5, 9), PortRange(TCP, 6, 9))
    assert len(apart.ranges) == 3


def test_every_means_all_three_protocols_or_those_named() -> None:
    assert {some.protocol for some in PortSet.every().ranges} == set(Protocol)
    assert PortSet.every().unrestricted
    assert not PortSet.every(TCP, UDP).unrestricted
    assert PortSet.every(TCP).ranges == (PortRange(TCP, 1, 65535),)
    assert PortSet.port(UDP, 53) == PortSet.of(PortRange(UDP, 53, 53))


@pytest.mark.parametrize(("first", "last"), [(0, 1), (2, 1), (1, 65536), (-1, -1)])
def test_bounds_are_checked(first: int, last: int) -> None:
    with pytest.raises(ValueError, match=f"not {first}-{last}"):
        PortRange(TCP, first, last)


def test_text() -> None:
    some = PortSet.of(PortRange(UDP, 53, 53), PortRange(TCP, 80, 90), NamedPort(TCP, "http"))
    assert str(some) == "TCP 80-90, UDP 53, TCP http"
    assert str(PortSet.every(TCP)) == "TCP"
    assert str(PortSet.every()) == "every port"
    assert str(EMPTY) == "no port"


def test_protocol_numbers() -> None:
    assert {one.value: one.number for one in Protocol} == {"SCTP": 132, "TCP": 6, "UDP": 17}
