from ipaddress import IPv4Network

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.classes import Vocabulary, classify
from synth.evaluator.match import LabelIndex, Matcher
from synth.inventory.endpoint import Kind
from synth.policy import AddressPeer, IpBlock, Operator, Policy, Requirement, Rule, Selector
from tests.evaluator.cluster import block, node, outside, pod
from tests.policy.strategies import labels, selectors


def _meets(requirement: Requirement, own: dict[str, str]) -> bool:
    if requirement.operator is Operator.EXISTS:
        return requirement.key in own
    if requirement.operator is Operator.DOES_NOT_EXIST:
        return requirement.key not in own
    listed = requirement.key in own and own[requirement.key] in requirement.values
    return listed == (requirement.operator is Operator.IN)


@given(st.lists(labels, max_size=6), selectors)
def test_a_mask_is_the_selector_on_each_object(
    objects: list[dict[str, str]], selector: Selector
) -> None:
    mask = LabelIndex.of(one.items() for one in objects).select(selector)
    assert mask.dtype == np.bool_
    assert mask.tolist() == [
        all(_meets(requirement, one) for requirement in selector.requirements) for one in objects
    ]


def test_no_objects_have_an_empty_mask() -> None:
    assert LabelIndex.of([]).select(Selector.equal({"app": "web"})).shape == (0,)


# -- blocks

SMALL = IPv4Network("198.51.100.0/28")


def _prefixes(network: IPv4Network, *, shortest: int) -> st.SearchStrategy[IPv4Network]:
    return st.integers(shortest, 32).flatmap(
        lambda length: st.sampled_from(list(network.subnets(new_prefix=length)))
    )


@st.composite
def small_blocks(draw: st.DrawFn) -> IpBlock:
    length = draw(st.integers(28, 31))
    cidr = draw(st.sampled_from(list(SMALL.subnets(new_prefix=length))))
    holes = draw(st.lists(_prefixes(cidr, shortest=length + 1), max_size=3))
    return IpBlock(cidr, tuple(holes))


@given(
    st.lists(small_blocks(), min_size=1, max_size=3),
    st.lists(_prefixes(SMALL, shortest=28), min_size=1, max_size=5),
)
def test_a_prefix_is_in_a_block_if_all_its_addresses_are_and_may_be_if_some_are(
    blocks: list[IpBlock], networks: list[IPv4Network]
) -> None:
    matcher, number = _matcher(blocks, [str(one) for one in networks])
    for one in blocks:
        sure, maybe = matcher.block(one)
        for place, network in enumerate(networks):
            inside = [one.contains(address) for address in network]
            assert sure >> number[place] & 1 == all(inside)
            assert maybe >> number[place] & 1 == any(inside)


def _matcher(blocks: list[IpBlock], addresses: list[str]) -> tuple[Matcher, list[int]]:
    policy = Policy("shop", "p", ingress=(Rule(tuple(map(AddressPeer, blocks))),))
    classes, number = classify([outside(text) for text in addresses], Vocabulary.of([policy]))
    return Matcher.of(classes, {}), number.tolist()


def test_only_what_policies_tell_apart_makes_a_class() -> None:
    policy = Policy("shop", "p", Selector.equal({"app": "web"}), ingress=(
        Rule((block("203.0.113.0/24", "203.0.113.128/25"),)),
    ))  # fmt: skip
    endpoints = [
        pod(app="web", note="1"),
        pod(app="web", note="2"),
        pod("bank", app="web"),
        pod(app="web", blocks=["203.0.113.0/24", "10.0.0.0/8"]),
        pod(app="web", blocks=["203.0.113.0/24"]),
        outside("203.0.113.1"),
        node("203.0.113.2"),
        outside("203.0.113.129"),
        outside("203.0.113.0/24"),
        node(""),
    ]
    classes, number = classify(endpoints, Vocabulary.of([policy]))
    assert number.tolist() == [0, 0, 1, 2, 2, 3, 3, 4, 5, 6]
    assert classes.pods.tolist() == [
        one.kind is Kind.POD for one in (*endpoints[1:4], *endpoints[6:])
    ]
    assert classes.namespaces == ("bank", "shop")
