"""Selectors are conjunctions: their algebra is that of the sets they select."""

from collections.abc import Mapping

import pytest
from hypothesis import given

from synth.policy import Operator, Requirement, Selector
from tests.policy.strategies import labels, requirements, selectors


def selects(selector: Selector, pod: Mapping[str, str]) -> bool:
    """Return whether all requirements hold, written out from the API's description."""
    return all(meets(term, pod) for term in selector.requirements)


def meets(term: Requirement, pod: Mapping[str, str]) -> bool:
    """Return whether the requirement holds."""
    match term.operator:
        case Operator.IN:
            return term.key in pod and pod[term.key] in term.values
        case Operator.NOT_IN:
            return term.key not in pod or pod[term.key] not in term.values
        case Operator.EXISTS:
            return term.key in pod
        case Operator.DOES_NOT_EXIST:
            return term.key not in pod


@given(selectors, selectors, selectors)
def test_conjunction_is_a_semilattice(a: Selector, b: Selector, c: Selector) -> None:
    assert a & Selector() == a
    assert a & a == a
    assert a & b == b & a
    assert (a & b) & c == a & (b & c)


@given(selectors, selectors, labels)
def test_conjunction_selects_what_both_select(
    a: Selector, b: Selector, pod: dict[str, str]
) -> None:
    assert selects(a & b, pod) == (selects(a, pod) and selects(b, pod))


@given(selectors)
def test_normal_form(a: Selector) -> None:
    assert list(a.requirements) == sorted(set(a.requirements))
    assert Selector(a.requirements[::-1] * 2) == a
    assert a.everything == (str(a) == "everything") == (a == Selector())


@given(requirements())
def test_a_requirement_is_the_same_in_any_order_of_values(term: Requirement) -> None:
    assert list(term.values) == sorted(set(term.values))
    assert Requirement(term.key, term.operator, term.values[::-1] * 2) == term


@given(requirements())
def test_needs_key_says_what_a_pod_without_the_key_meets(term: Requirement) -> None:
    assert meets(term, {}) != term.operator.needs_key
    assert Selector((term,)).positive == term.operator.needs_key


@given(labels)
def test_equal_selects_the_labels_and_no_fewer(pod: dict[str, str]) -> None:
    selector = Selector.equal(pod)
    assert selects(selector, {**pod, "more": "x"})
    assert all(term.equality for term in selector.requirements)
    for key in pod:
        assert not selects(selector, {name: pod[name] for name in pod if name != key})
        assert not selects(selector, {**pod, key: "another"})


@pytest.mark.parametrize("operator", Operator)
def test_values_are_there_exactly_if_the_operator_takes_them(operator: Operator) -> None:
    wrong = () if operator.takes_values else ("x",)
    with pytest.raises(ValueError, match=f"^{operator.value} takes"):
        Requirement("k", operator, wrong)


def test_text() -> None:
    terms = [
        Requirement("a", Operator.IN, ("2", "1")),
        Requirement("b", Operator.NOT_IN, ("x",)),
        Requirement("c", Operator.EXISTS),
        Requirement("d", Operator.DOES_NOT_EXIST),
        Requirement("e", Operator.IN, ("y",)),
    ]
    assert str(Selector.of(terms)) == "a in (1,2),b notin (x),c,!d,e=y"


def test_a_set_of_two_values_is_no_equality() -> None:
    assert not Requirement("a", Operator.IN, ("1", "2")).equality
    assert not Requirement("a", Operator.NOT_IN, ("1",)).equality
    assert not Requirement("a", Operator.EXISTS).equality
