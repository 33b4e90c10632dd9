"""What is learned admits every accepted edge, and no cell that was never accepted."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint, Kind
from synth.learner.model import Screen
from synth.policy.model import Direction, Policy, PolicySet, Rule
from synth.policy.ports import Protocol
from synth.proof.irredundance import declared_rules
from tests.learner.worlds import EGRESS, INGRESS, NUMBERS, Lesson
from tests.proof.worlds import PORTS, random_lesson

SEEDS = st.integers(0, 1 << 32)
Cell = tuple[str, str, int, int]


@settings(max_examples=200)
@given(SEEDS)
def test_no_accepted_edge_is_denied(seed: int) -> None:
    lesson = random_lesson(seed)
    accepted = lesson.learned.screening.status == Screen.ACCEPTED
    assert not (lesson.judge().denied & accepted).any()


@settings(max_examples=60)
@given(SEEDS)
def test_no_stage_on_the_way_denies_an_accepted_edge(seed: int) -> None:
    lesson = random_lesson(seed)
    accepted = lesson.learned.screening.status == Screen.ACCEPTED
    ingress = [replace(one, egress=None) for one in lesson.learned.policies]
    for some in (ingress, *([one] for one in lesson.learned.policies)):
        assert not (lesson.judge(PolicySet.of(some)).denied & accepted).any()


@settings(max_examples=200)
@given(SEEDS)
def test_no_cell_is_admitted_that_was_never_accepted(seed: int) -> None:
    lesson = random_lesson(seed)
    for direction in Direction:
        seen = seen_cells(lesson, direction)
        for cell in admitted_cells(lesson, direction):
            assert cell in seen


def name_of(endpoint: Endpoint) -> str:
    return f"{endpoint.namespace}/{endpoint.workload}"


def seen_cells(lesson: Lesson, direction: Direction) -> set[Cell]:
    """Return the cells between pods that call for rules, as the direction's side sees them."""
    edges, ends = lesson.edges, lesson.edges.endpoints
    client = edges.client_seen if direction is INGRESS else edges.client
    return {
        (name_of(one), name_of(other), int(edges.protocol[row]), int(edges.port[row]))
        for row in np.flatnonzero(lesson.learned.screening.ruled)
        for one in (ends[client[row]].candidates or (ends[client[row]],))
        for other in (ends[edges.server[row]].candidates or (ends[edges.server[row]],))
    }


def admitted_cells(lesson: Lesson, direction: Direction) -> Iterator[Cell]:
    """Yield the cells between pods that the learned rules admit on an isolated side."""
    pods = tuple(one for one in lesson.inventory.endpoints if one.kind is Kind.POD)
    cells = [
        (one, other, protocol, number)
        for one in range(len(pods))
        for other in range(len(pods))
        for protocol in NUMBERS.values()
        for number in (*PORTS, 79, 83, 444)
    ]
    traffic = traffic_of(pods, cells)
    verdicts = evaluate(undeclared(lesson), traffic, lesson.inventory.namespace_labels)
    if direction is INGRESS:
        admitted = verdicts.ingress_isolated & verdicts.ingress_allowed
    else:
        admitted = verdicts.egress_isolated & verdicts.egress_allowed
    for row in np.flatnonzero(admitted):
        one, other, protocol, number = cells[row]
        yield name_of(pods[one]), name_of(pods[other]), protocol, number


def traffic_of(pods: tuple[Endpoint, ...], cells: list[tuple[int, int, int, int]]) -> Traffic:
    columns = np.array(cells, np.int32).reshape(-1, 4).T
    nowhere = np.zeros(len(cells), np.bool_)
    return Traffic(
        endpoints=pods,
        client=columns[0],
        client_seen=columns[0],
        server=columns[1],
        protocol=columns[2].astype(np.uint8),
        port=columns[3],
        same_node=nowhere,
        same_pod=nowhere,
        decided=~nowhere,
    )


def undeclared(lesson: Lesson) -> PolicySet:
    """Return the policies, ready and pending, without declared openings."""
    declared = declared_rules(lesson.learned)

    def kept(policy: Policy, direction: Direction) -> tuple[Rule, ...] | None:
        rules = policy.rules(direction)
        opened = declared.get((*policy.key, direction), frozenset())
        return None if rules is None else tuple(one for one in rules if one not in opened)

    every = lesson.learned.pending.replaced_by(lesson.learned.policies)
    return PolicySet.of(
        replace(policy, ingress=kept(policy, INGRESS), egress=kept(policy, EGRESS))
        for policy in every
    )


def test_random_worlds_are_worth_learning_from() -> None:
    """Guards the tests above against worlds in which nothing is ready, or nothing asked."""
    lessons = [random_lesson(seed) for seed in range(60)]
    ready = [len(one.learned.policies) for one in lessons]
    asked = [len(one.questions()) for one in lessons]
    assert sum(map(bool, ready)) > 30
    assert sum(map(bool, asked)) > 15
    assert any(policy.egress for one in lessons for policy in one.learned.policies)
    assert {one.number for one in Protocol} == set(NUMBERS.values())
