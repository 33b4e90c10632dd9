"""Irredundance: empty on what is learned, and every planted part is found."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from synth.learner.model import Screen
from synth.policy import (
    AddressPeer,
    IpBlock,
    PodPeer,
    PolicySet,
    PortRange,
    PortSet,
    Protocol,
    Rule,
)
from synth.policy.selector import Selector
from synth.proof.irredundance import Redundancy, declared_rules, redundant
from tests.learner.worlds import INGRESS, Contact, Lesson, shop, study
from tests.proof.worlds import random_lesson


def judged(lesson: Lesson, policies: PolicySet | None = None) -> tuple[Redundancy, ...]:
    return redundant(
        lesson.learned.policies if policies is None else policies,
        lesson.edges,
        lesson.learned.screening,
        lesson.inventory.namespace_labels,
        declared_rules(lesson.learned),
    )


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_nothing_that_was_learned_can_go(seed: int) -> None:
    lesson = random_lesson(seed)
    if (lesson.learned.screening.is_(Screen.RETIRED) & lesson.learned.screening.ruled).any():
        return
    assert judged(lesson) == ()


LESSON = study(
    shop().service("api", type="NodePort"),
    Contact("web", "api", 5000),
    Contact("web", "api", 5001),
    Contact("db", "api", 5000),
)
WEB = PodPeer(Selector.equal({"app": "web"}))


def planted(*rules: Rule) -> list[str]:
    """Return what is redundant once these are the rules of api's ingress."""
    policies = [
        replace(one, ingress=rules) if one.name == "api" else one for one in LESSON.learned.policies
    ]
    return [str(one) for one in judged(LESSON, PolicySet.of(policies))]


def tcp(*numbers: int) -> PortSet:
    return PortSet(tuple(PortRange(Protocol.TCP, number, number) for number in numbers))


def own() -> tuple[Rule, ...]:
    rules = next(one for one in LESSON.learned.policies if one.name == "api").ingress
    assert rules is not None
    return rules


def test_the_lesson_itself_holds_nothing_redundant() -> None:
    assert planted(*own()) == []
    assert any(one.declared for one in LESSON.learned.subjects[0].rules)


def test_a_peer_that_nobody_needs() -> None:
    spare = AddressPeer(IpBlock.parse("203.0.113.9/32"))
    first = replace(own()[0], peers=(*own()[0].peers, spare))
    assert planted(first, *own()[1:]) == ["shop/api Ingress rule 0: 203.0.113.9/32"]


def test_a_port_that_nobody_needs() -> None:
    first = replace(own()[0], ports=own()[0].ports | tcp(22))
    assert planted(first, *own()[1:]) == ["shop/api Ingress rule 0: TCP 22"]


def test_a_rule_that_nobody_needs() -> None:
    found = planted(*own(), Rule((WEB,), tcp(22)))
    number = len(own())
    assert found == [f"shop/api Ingress rule {number}: all of pods app=web on TCP 22"]


def test_a_rule_that_another_one_makes_needless() -> None:
    assert planted(*own(), Rule((WEB,), tcp(5000)))


def test_declared_rules_are_exempt() -> None:
    undeclared = redundant(
        LESSON.learned.policies,
        LESSON.edges,
        LESSON.learned.screening,
        LESSON.inventory.namespace_labels,
    )
    assert {one.direction for one in undeclared} >= {INGRESS}
    assert judged(LESSON) == ()
