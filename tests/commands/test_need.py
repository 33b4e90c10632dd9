"""Whether every part of the ready policies is needed, found out policy by policy."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.commands import need
from synth.commands.need import find_need, size_of
from synth.policy import Direction, Policy, PolicySet, PortRange, PortSet, Protocol, Rule
from synth.proof.irredundance import declared_rules, redundant
from synth.proof.results import Need
from tests.learner.worlds import Contact, Lesson, World, study
from tests.proof.worlds import random_lesson


def shop() -> Lesson:
    world = World().dns().app("web").app("api").app("db")
    return study(world, Contact("web", "api", 5000), Contact("api", "db", 3306))


def found_in(lesson: Lesson) -> list[str]:
    found = find_need(lesson.learned, lesson.edges, lesson.inventory).redundant
    assert found is not None
    return [*map(str, found)]


def test_nothing_learned_is_needless() -> None:
    lesson = shop()

    assert found_in(lesson) == []
    assert find_need(lesson.learned, lesson.edges, lesson.inventory).terms == 2 * 3 + 2 * 7


def test_a_port_that_nobody_uses_is_found() -> None:
    lesson = shop()
    wider = PolicySet.of(
        replace(one, ingress=tuple(_wider(rule) for rule in one.ingress or ()))
        if one.name == "db"
        else one
        for one in lesson.learned.policies
    )
    learned = replace(lesson.learned, policies=wider)

    assert found_in(replace(lesson, learned=learned)) == ["shop/db Ingress rule 0: TCP 9"]


def _wider(rule: Rule) -> Rule:
    return replace(rule, ports=rule.ports | PortSet.of(PortRange(Protocol.TCP, 9, 9)))


def test_too_many_parts_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = shop()
    monkeypatch.setattr(need, "MOST_TERMS", 19)

    found = find_need(lesson.learned, lesson.edges, lesson.inventory)

    assert (found.terms, found.redundant) == (20, None)


def test_no_policies_have_no_size() -> None:
    lesson = study(World().app("web"))

    assert find_need(lesson.learned, lesson.edges, lesson.inventory) == Need(0, ())


@settings(max_examples=40)
@given(st.integers(0, 1 << 32), st.sampled_from(["as learned", "wider"]))
def test_judging_apart_finds_what_judging_together_finds(seed: int, rules: str) -> None:
    lesson = random_lesson(seed)
    learned = lesson.learned
    if rules == "wider":
        policies = [_one_more_rule(one) for one in learned.policies]
        learned = replace(learned, policies=PolicySet.of(policies))
    labels = lesson.inventory.namespace_labels
    together = redundant(
        learned.policies, lesson.edges, learned.screening, labels, declared_rules(learned)
    )

    found = find_need(learned, lesson.edges, lesson.inventory)

    assert found.redundant == together
    assert found.terms == sum(map(size_of, learned.policies))


def _one_more_rule(policy: Policy) -> Policy:
    rules = policy.rules(Direction.INGRESS)
    return policy if rules is None else replace(policy, ingress=(*rules, Rule((), PortSet.every())))
