"""What must hold of any policies and any traffic."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.admits import admissions, isolators
from synth.evaluator.compile import Compiled, compile_policies
from synth.evaluator.explain import explain
from synth.evaluator.explanation import Exemption
from synth.evaluator.members import members
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, judge
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy import (
    Direction,
    Operator,
    PodPeer,
    Policy,
    PolicySet,
    Requirement,
    Rule,
    Selector,
)
from tests.evaluator.cluster import NUMBERS, block, either, labelled, node, outside, pod, ports

NAMESPACES = {"shop": {"team": "a"}, "bank": {"team": "b"}}
PODS = [
    pod(space, app=app, ports=named, blocks=held)
    for space, app, named, held in (
        ("shop", "web", {"http": "TCP 80"}, ["10.0.0.0/8"]),
        ("shop", "api", {"http": "TCP 81"}, ["10.0.0.0/8", "10.1.0.0/16"]),
        ("shop", "db", {}, []),
        ("bank", "web", {"http": "UDP 80"}, ["10.0.0.0/8"]),
        ("bank", "", {}, []),
    )
]
OTHERS = [
    outside("198.51.100.7"),
    outside("198.51.0.0/16"),
    outside("2001:db8::1"),
    node("192.168.0.1"),
    node(""),
    Endpoint(Kind.SERVICE, "shop", "db", address="10.1.0.3"),
    Endpoint(Kind.UNHELD, address="10.2.0.3"),
]
UNSURE = [either(PODS[0], PODS[1]), either(PODS[2], OTHERS[0], OTHERS[3])]
ENDPOINTS = (*PODS, *OTHERS, *UNSURE)
ANSWERS = (
    "egress_isolated",
    "egress_allowed",
    "ingress_isolated",
    "ingress_allowed",
    "undetermined",
)

selectors = st.sampled_from(
    [
        Selector(),
        labelled(app="web"),
        labelled(app=""),
        Selector.of([Requirement("app", Operator.NOT_IN, ("web", "db"))]),
        Selector.of([Requirement("app", Operator.EXISTS)]),
    ]
)
spaces = st.sampled_from([None, Selector(), labelled(team="b")])
blocks = st.sampled_from(
    [
        block("0.0.0.0/0"),
        block("10.0.0.0/8", "10.1.0.0/16"),
        block("198.51.100.0/24"),
        block("192.168.0.0/24"),
        block("::/0"),
    ]
)
port_sets = st.sampled_from(
    [ports("TCP"), ports("TCP 80"), ports("TCP http"), ports("UDP 80-81"), Rule().ports]
)
rules = st.builds(
    Rule,
    st.lists(st.builds(PodPeer, selectors, spaces) | blocks, max_size=2).map(tuple),
    port_sets,
)
sides = st.none() | st.lists(rules, max_size=3).map(tuple)


def _policies(least: int = 0) -> st.SearchStrategy[list[Policy]]:
    bodies = st.tuples(st.sampled_from(["shop", "bank"]), selectors, sides, sides)
    return st.lists(bodies, min_size=least, max_size=4).map(
        lambda drawn: [
            Policy(space, f"p{number}", pods, ingress, egress)
            for number, (space, pods, ingress, egress) in enumerate(drawn)
        ]
    )


@st.composite
def traffics(draw: st.DrawFn) -> Traffic:
    """Return up to sixty rows of every kind; an ICMP or an undecided one now and then."""
    rows = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    client = rng.integers(0, len(ENDPOINTS), rows, dtype=np.int32)
    masked = rng.random(rows) < 0.2
    seen = np.where(masked, rng.integers(0, len(ENDPOINTS), rows), client).astype(np.int32)
    server = rng.integers(0, len(ENDPOINTS), rows, dtype=np.int32)
    numbers = rng.choice([*NUMBERS.values()], rows, p=[0.6, 0.2, 0.15, 0.05])
    return Traffic(
        endpoints=ENDPOINTS,
        client=client,
        client_seen=seen,
        server=server,
        protocol=numbers.astype(np.uint8),
        port=rng.choice([80, 81, 443], rows).astype(np.int32),
        same_node=rng.random(rows) < 0.3,
        same_pod=(client == server) & (rng.random(rows) < 0.5),
        decided=rng.random(rows) < 0.9,
    )


def _compile(policies: Iterable[Policy], traffic: Traffic) -> Compiled:
    return compile_policies(PolicySet.of(policies), traffic.endpoints, NAMESPACES)


def _judge(policies: Iterable[Policy], traffic: Traffic) -> Verdicts:
    return judge(_compile(policies, traffic), traffic)


def _equal(one: Verdicts, other: Verdicts) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ANSWERS)


@given(_policies(), traffics())
def test_a_row_is_allowed_denied_or_undetermined(policies: list[Policy], traffic: Traffic) -> None:
    found = _judge(policies, traffic)
    assert (found.allowed.astype(int) + found.denied + found.undetermined == 1).all()
    assert found.egress_allowed[~found.egress_isolated].all()
    assert found.ingress_allowed[~found.ingress_isolated].all()


@given(_policies(1), traffics())
def test_another_policy_isolates_more(policies: list[Policy], traffic: Traffic) -> None:
    fewer, more = _judge(policies[1:], traffic), _judge(policies, traffic)
    assert not (fewer.egress_isolated & ~more.egress_isolated).any()
    assert not (fewer.ingress_isolated & ~more.ingress_isolated).any()


@given(_policies(1), traffics())
def test_another_policy_denies_nothing_that_a_rule_admits(
    policies: list[Policy], traffic: Traffic
) -> None:
    fewer, more = _judge(policies[1:], traffic), _judge(policies, traffic)
    plain = ~_unsure(traffic) & traffic.decided
    admitted = fewer.egress_isolated & fewer.egress_allowed & plain
    assert more.egress_allowed[admitted].all()
    admitted = fewer.ingress_isolated & fewer.ingress_allowed & plain
    assert more.ingress_allowed[admitted].all()


@given(_policies(1), traffics())
def test_a_policy_without_rules_never_allows(policies: list[Policy], traffic: Traffic) -> None:
    first = policies[0]
    emptied = replace(
        first,
        ingress=None if first.ingress is None else (),
        egress=None if first.egress is None else (),
    )
    fewer, more = _judge(policies[1:], traffic), _judge([emptied, *policies[1:]], traffic)
    assert not (more.allowed & ~fewer.allowed).any()


@given(_policies(1), rules, traffics())
def test_another_rule_never_denies(policies: list[Policy], rule: Rule, traffic: Traffic) -> None:
    wider = [
        replace(
            one,
            ingress=None if one.ingress is None else (*one.ingress, rule),
            egress=None if one.egress is None else (*one.egress, rule),
        )
        for one in policies
    ]
    before, after = _judge(policies, traffic), _judge(wider, traffic)
    assert after.allowed[before.allowed].all()
    assert not (after.denied & ~before.denied).any()


@given(_policies(), traffics())
def test_order_does_not_matter(policies: list[Policy], traffic: Traffic) -> None:
    shuffle = np.random.default_rng(len(policies))
    rows, places = (shuffle.permutation(n) for n in (len(traffic), len(ENDPOINTS)))
    number = np.argsort(places).astype(np.int32)
    moved = replace(
        traffic.take(rows),
        endpoints=tuple(ENDPOINTS[place] for place in places),
        client=number[traffic.client[rows]],
        client_seen=number[traffic.client_seen[rows]],
        server=number[traffic.server[rows]],
    )
    shuffled = [
        replace(
            one,
            ingress=one.ingress and one.ingress[::-1],
            egress=one.egress and one.egress[::-1],
        )
        for one in reversed(policies)
    ]
    found, expected = _judge(shuffled, moved), _judge(policies, traffic)
    assert all(
        np.array_equal(getattr(found, name), getattr(expected, name)[rows]) for name in ANSWERS
    )


@given(_policies(), traffics(), st.data())
def test_rows_do_not_influence_each_other(
    policies: list[Policy], traffic: Traffic, data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(traffic)))
    whole = _judge(policies, traffic)
    parts = [_judge(policies, traffic.take(part)) for part in (slice(cut), slice(cut, None))]
    for name in ANSWERS:
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert np.array_equal(joined, getattr(whole, name))


@given(_policies(), traffics())
def test_a_class_may_stand_twice(policies: list[Policy], traffic: Traffic) -> None:
    """Two endpoints that differ in a label no policy mentions are treated alike."""
    twins = tuple(
        replace(one, labels=(*one.labels, ("pod-name", "x"))) if one.kind is Kind.POD else one
        for one in ENDPOINTS
    )
    second = replace(
        traffic,
        endpoints=ENDPOINTS + twins,
        client=traffic.client + np.int32(len(ENDPOINTS)),
        client_seen=traffic.client_seen + np.int32(len(ENDPOINTS)),
        server=traffic.server + np.int32(len(ENDPOINTS)),
    )
    assert _equal(_judge(policies, traffic), _judge(policies, second))


@given(_policies(), traffics())
def test_a_candidate_named_twice_counts_once(policies: list[Policy], traffic: Traffic) -> None:
    doubled = tuple(
        one if one.candidates else Endpoint(Kind.AMBIGUOUS, candidates=(one, one))
        for one in ENDPOINTS
    )
    asked = replace(traffic, endpoints=doubled)
    assert _equal(_judge(policies, traffic), _judge(policies, asked))


@given(_policies(), traffics())
def test_an_isolated_side_is_allowed_if_and_only_if_a_rule_admits(
    policies: list[Policy], traffic: Traffic
) -> None:
    compiled = _compile(policies, traffic)
    found = judge(compiled, traffic)
    plain = ~_unsure(traffic) & traffic.decided & ~traffic.same_pod
    kinds = np.array([one.kind is Kind.NODE for one in ENDPOINTS])
    own_node = traffic.same_node & kinds[traffic.client_seen]
    for direction, isolated, allowed, asked in (
        (Direction.EGRESS, found.egress_isolated, found.egress_allowed, plain),
        (Direction.INGRESS, found.ingress_isolated, found.ingress_allowed, plain & ~own_node),
    ):
        admitted = np.zeros(len(traffic), np.bool_)
        admitted[admissions(compiled, traffic, direction).row] = True
        assert np.array_equal((isolated & allowed)[asked], admitted[asked])
        named = [bool(names) for names in isolators(compiled, traffic, direction)]
        assert named == isolated.tolist()


@given(_policies(), traffics())
def test_an_explanation_says_what_the_verdict_says(
    policies: list[Policy], traffic: Traffic
) -> None:
    found = _judge(policies, traffic)
    for row in range(min(6, len(traffic))):
        told = explain(PolicySet.of(policies), traffic.take(slice(row, row + 1)), NAMESPACES)
        assert getattr(found, told.verdict)[row]
        assert bool(told.doubts) == found.undetermined[row]
        assert told.egress.allowed == found.egress_allowed[row]
        assert told.ingress.allowed == found.ingress_allowed[row]
        for side, isolated in (
            (told.egress, found.egress_isolated[row]),
            (told.ingress, found.ingress_isolated[row]),
        ):
            assert bool(side.isolated_by) == isolated
            unasked = side.exemption in (Exemption.NO_POD, Exemption.NOT_ISOLATED)
            assert unasked == (not isolated)
            assert not (side.closest and side.admitted_by)
            assert str(side)


@given(_policies(1))
def test_members_are_who_is_isolated(policies: list[Policy]) -> None:
    policy = replace(policies[0], ingress=(), egress=())
    places = np.arange(len(PODS), dtype=np.int32)
    away = np.full(len(PODS), len(PODS), np.int32)  # an address outside
    zeros = np.zeros(len(PODS), np.bool_)
    asked = Traffic(
        endpoints=ENDPOINTS,
        client=away,
        client_seen=away,
        server=places,
        protocol=np.full(len(PODS), 6, np.uint8),
        port=np.full(len(PODS), 80, np.int32),
        same_node=zeros,
        same_pod=zeros,
        decided=~zeros,
    )
    isolated = np.flatnonzero(_judge([policy], asked).ingress_isolated)
    assert members(policy.pods, policy.namespace, PODS).tolist() == isolated.tolist()


def _unsure(traffic: Traffic) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return bool[n]: rows with an ambiguous end."""
    unsure = np.array([one.kind is Kind.AMBIGUOUS for one in ENDPOINTS])
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
        unsure[traffic.client] | unsure[traffic.client_seen] | unsure[traffic.server]
    )
    return found
