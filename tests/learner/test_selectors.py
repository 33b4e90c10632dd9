"""Selectors against every conjunction there is, on universes small enough to try them all."""

from collections.abc import Mapping, Sequence
from itertools import chain, combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.inventory.volatile import VOLATILE
from synth.learner import selectors
from synth.learner.selectors import UNSTABLE_KEYS, Crowd, cost, exact_selector, selects
from synth.policy.selector import Operator, Requirement, Selector

Labels = dict[str, str]
KEYS = ("app", "tier", "zone", "version", "pod-template-hash")
VALUES = ("a", "b", "c")

pods = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=4)
worlds = st.tuples(st.lists(pods, min_size=1, max_size=3), st.lists(pods, max_size=4))


def every_term(key: str, values: Sequence[str]) -> list[Requirement]:
    """Return all terms about the key."""
    sizes = range(1, len(values) + 1)
    subsets = list(chain.from_iterable(combinations(values, size) for size in sizes))
    return [
        *(Requirement(key, Operator.IN, some) for some in subsets),
        *(Requirement(key, Operator.NOT_IN, some) for some in subsets),
        Requirement(key, Operator.EXISTS),
        Requirement(key, Operator.DOES_NOT_EXIST),
    ]


def exact_ones(members: Sequence[Labels], outsiders: Sequence[Labels]) -> list[Selector]:
    """Return every exact selector with a positive term, over stable keys, a term a key."""
    every = [*members, *outsiders]
    choices: list[list[Requirement | None]] = []
    for key in sorted({key for labels in every for key in labels} - VOLATILE):
        values = sorted({labels[key] for labels in every if key in labels})
        true = [
            term
            for term in every_term(key, values)
            if all(selects(Selector((term,)), labels) for labels in members)
        ]
        choices.append([None, *true])
    found = (Selector.of(term for term in terms if term is not None) for terms in product(*choices))
    return [
        one
        for one in found
        if one.positive and not any(selects(one, labels) for labels in outsiders)
    ]


def price(selector: Selector, members: Sequence[Labels]) -> int | None:
    """Return the cost; None where a negative term stands for a key that all members carry."""
    for term in selector.requirements:
        if not term.operator.needs_key and all(term.key in labels for labels in members):
            return None
    return sum(cost(term) for term in selector.requirements)


@given(worlds)
def test_none_if_and_only_if_there_is_none(world: tuple[list[Labels], list[Labels]]) -> None:
    members, outsiders = world
    found = exact_selector(members, Crowd.of(outsiders), {})
    assert (found is None) == (not exact_ones(members, outsiders))


@given(worlds)
def test_exact_positive_stable_and_cheapest(world: tuple[list[Labels], list[Labels]]) -> None:
    members, outsiders = world
    found = exact_selector(members, Crowd.of(outsiders), {})
    if found is None:
        return
    assert all(selects(found, labels) for labels in members)
    assert not any(selects(found, labels) for labels in outsiders)
    assert found.positive
    assert VOLATILE.isdisjoint(term.key for term in found.requirements)
    prices = [price(one, members) for one in exact_ones(members, outsiders)]
    assert price(found, members) == min(one for one in prices if one is not None)


@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_pods_does_not_matter(
    world: tuple[list[Labels], list[Labels]], random: object
) -> None:
    members, outsiders = world
    before = exact_selector(members, Crowd.of(outsiders), {})
    mixed = [dict(reversed(one.items())) for one in reversed(members)]
    random.shuffle(outsiders)  # type: ignore[attr-defined]
    assert exact_selector(mixed, Crowd.of(outsiders), {}) == before


@given(worlds)
def test_unstable_keys_only_where_nothing_else_works(
    world: tuple[list[Labels], list[Labels]],
) -> None:
    members, outsiders = world
    found = exact_selector(members, Crowd.of(outsiders), {})
    if found is None or not any(term.key in UNSTABLE_KEYS for term in found.requirements):
        return
    for one in exact_ones(members, outsiders):
        assert any(term.key in UNSTABLE_KEYS for term in one.requirements)


CASES: dict[str, tuple[list[Labels], list[Labels], Mapping[str, str], str | None]] = {
    "the owner's own": ([{"a": "1", "app": "x"}], [{"app": "y"}], {"a": "1"}, "a=1"),
    "the owner's own picks another's pods too": (
        [{"a": "1", "app": "x"}],
        [{"a": "1", "app": "y"}],
        {"a": "1"},
        "app=x",
    ),
    "the owner's own misses a pod": ([{"app": "x"}], [], {"a": "1"}, "app=x"),
    "the owner's own names a rollout": (
        [{"app": "x", "pod-template-hash": "1"}],
        [],
        {"pod-template-hash": "1"},
        "app=x",
    ),
    "two terms": (
        [{"app": "x", "tier": "1"}],
        [{"app": "x", "tier": "2"}, {"app": "y", "tier": "1"}],
        {},
        "app=x,tier=1",
    ),
    "several values": ([{"app": "x"}, {"app": "y"}], [{"app": "z"}], {}, "app in (x,y)"),
    "a key that others lack": (
        [{"v": value} for value in "abcdef"],
        [{"app": "x"}],
        {},
        "v",
    ),
    "a key that only others have": (
        [{"app": "x"}],
        [{"app": "x", "canary": "yes"}],
        {},
        "app=x,!canary",
    ),
    "a key that some have": (
        [{"app": "x"}, {"app": "x", "tier": "1"}],
        [{"app": "x", "tier": "2"}],
        {},
        "app=x,tier notin (2)",
    ),
    "alike": ([{"app": "x"}], [{"app": "x"}], {"app": "x"}, None),
    "unlabelled": ([{}], [{"app": "x"}], {}, None),
    "unlabelled and alone": ([{}], [], {}, None),
    "told apart by a rollout only": (
        [{"app": "x", "pod-template-hash": "1"}],
        [{"app": "x", "pod-template-hash": "2"}],
        {},
        None,
    ),
    "told apart by a version only": (
        [{"app": "x", "version": "1"}],
        [{"app": "x", "version": "2"}],
        {},
        "version=1",
    ),
    "a preferred key": ([{"zone": "q", "app": "x"}], [], {}, "app=x"),
    "all of this role, of nobody else": (
        [{"app": "x", "tier": "1"}],
        [{"app": "x"}, {"tier": "1"}],
        {},
        "app=x,tier=1",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case(name: str) -> None:
    members, outsiders, preferred, expected = CASES[name]
    found = exact_selector(members, Crowd.of(outsiders), preferred)
    assert (None if found is None else str(found)) == expected


def test_past_the_limit_of_the_search_a_selector_is_still_exact(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(selectors, "NODES_SEARCHED", 1)
    member = {f"k{at}": "1" for at in range(8)}
    outsiders = [{**member, f"k{at}": "2", f"k{at + 1}": "2"} for at in range(7)]
    found = exact_selector([member], Crowd.of(outsiders), {})
    assert found is not None
    assert not any(selects(found, labels) for labels in outsiders)


def test_a_dense_universe_is_bounded_by_steps() -> None:
    keys = [f"k{at}" for at in range(16)]
    member = dict.fromkeys(keys, "1")
    outsiders = [
        {key: "2" if (number * 7919 + at * 104729) % 5 < 2 else "1" for at, key in enumerate(keys)}
        for number in range(300)
    ]
    outsiders = [one for one in outsiders if one != member]
    found = exact_selector([member], Crowd.of(outsiders), {})
    assert found is not None
    assert not any(selects(found, labels) for labels in outsiders)
