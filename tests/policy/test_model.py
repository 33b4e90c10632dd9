"""Rules, policies and sets of them: normal forms and what they print."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.policy import (
    AddressPeer,
    Direction,
    IpBlock,
    Peer,
    PodPeer,
    Policy,
    PolicySet,
    PortSet,
    Protocol,
    Rule,
    Selector,
)
from tests.policy.strategies import peers, policies, port_sets

policy_lists = st.lists(policies(), max_size=5, unique_by=lambda policy: policy.key)


@given(st.lists(peers, max_size=4), port_sets)
def test_the_order_of_peers_makes_no_difference(some: list[Peer], ports: PortSet) -> None:
    rule = Rule(tuple(some), ports)
    assert rule == Rule(tuple(reversed(some * 2)), ports)
    assert set(rule.peers) == set(some)
    assert rule.everyone == (not some)
    addresses = [isinstance(peer, AddressPeer) for peer in rule.peers]
    assert addresses == sorted(addresses)


@given(policy_lists)
def test_the_order_of_policies_makes_no_difference(some: list[Policy]) -> None:
    policies_ = PolicySet.of(some)
    assert policies_ == PolicySet.of(reversed(some))
    assert [policy.key for policy in policies_] == sorted(policy.key for policy in some)
    assert len(policies_) == len(some)


@given(policy_lists, policy_lists, policy_lists)
def test_replacing(a: list[Policy], b: list[Policy], c: list[Policy]) -> None:
    old, new, newer = PolicySet.of(a), PolicySet.of(b), PolicySet.of(c)
    both = old.replaced_by(new)
    assert set(new) <= set(both)
    assert {one.key for one in both} == {one.key for one in (*old, *new)}
    assert all(one in set(new) for one in both if one.key in {two.key for two in new})
    assert old.replaced_by(PolicySet()) == old == PolicySet().replaced_by(old)
    assert old.replaced_by(old) == old
    assert both.replaced_by(newer) == old.replaced_by(new.replaced_by(newer))


def test_two_policies_of_one_key_are_refused() -> None:
    twins = (Policy("shop", "db"), Policy("shop", "db", ingress=()))
    with pytest.raises(ValueError, match="share a namespace and a name"):
        PolicySet(twins)
    assert len(PolicySet((Policy("a", "b"), Policy("b", "a"), Policy("a", "a")))) == 3


def test_rules_by_direction() -> None:
    policy = Policy("shop", "db", ingress=(), egress=None)
    assert policy.rules(Direction.INGRESS) == ()
    assert policy.rules(Direction.EGRESS) is None
    assert str(policy) == "shop/db"


def test_the_order_of_rules_is_kept_as_written() -> None:
    rules = (Rule(ports=PortSet.port(Protocol.TCP, 9)), Rule(ports=PortSet.port(Protocol.TCP, 1)))
    assert Policy("a", "b", ingress=rules).ingress == rules


def test_text() -> None:
    role = Selector.equal({"role": "api"})
    assert str(PodPeer(role)) == "pods role=api"
    assert str(PodPeer(role, Selector())) == "pods role=api of every namespace"
    assert str(PodPeer(Selector(), role)) == "every pod of namespaces role=api"
    block = AddressPeer(IpBlock.parse("10.0.0.0/8"))
    rule = Rule((block, PodPeer(role)), PortSet.port(Protocol.TCP, 80))
    assert str(rule) == "pods role=api or 10.0.0.0/8 on TCP 80"
    assert str(Rule()) == "everyone on every port"


def test_a_peer_of_the_own_namespace_is_none_of_all_namespaces() -> None:
    own, everywhere = PodPeer(), PodPeer(namespaces=Selector())
    assert own != everywhere
    assert Rule((everywhere, own)).peers == (own, everywhere)


def test_sort_keys_tell_rules_apart() -> None:
    one = Rule((PodPeer(Selector.equal({"a": "b"})),), PortSet.port(Protocol.TCP, 1))
    others = [Rule(one.peers, PortSet.every()), Rule((), one.ports), Rule((PodPeer(),), one.ports)]
    assert all(one.sort_key != other.sort_key for other in others)
    assert min([one, *others], key=lambda rule: rule.sort_key) == others[1]
