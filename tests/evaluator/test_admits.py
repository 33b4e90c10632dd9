import numpy as np
import pytest

from synth.evaluator.admits import RuleRef, admitting, isolating
from synth.policy import Direction, PodPeer, Policy, PolicySet, Rule
from tests.evaluator.cluster import (
    NAMESPACES,
    Flow,
    block,
    either,
    labelled,
    node,
    outside,
    pod,
    ports,
    traffic,
)

WEB, API, DB = pod(app="web"), pod(app="api"), pod(app="db")
TO_DB = Policy(
    "shop",
    "db",
    labelled(app="db"),
    ingress=(
        Rule((PodPeer(labelled(app="api")),), ports("TCP 3306")),
        Rule((PodPeer(labelled(app="web")),)),
        Rule((PodPeer(),), ports("TCP 3306")),
    ),
)
DENY = Policy("shop", "deny", ingress=())
POLICIES = PolicySet.of([TO_DB, DENY])


def _named(*flows: Flow, direction: Direction = Direction.INGRESS) -> list[list[str]]:
    found = admitting(POLICIES, traffic(*flows), NAMESPACES, np.arange(len(flows)), direction)
    return [[str(ref) for ref in refs] for refs in found]


def test_all_rules_that_admit_are_named_in_order() -> None:
    assert _named(Flow(API, DB, 3306), Flow(WEB, DB, 22), Flow(API, DB, 22), Flow(WEB, API)) == [
        ["shop/db ingress[0]", "shop/db ingress[2]"],
        ["shop/db ingress[1]"],
        [],
        [],
    ]


def test_rows_are_answered_as_asked() -> None:
    asked = traffic(Flow(WEB, DB, 22), Flow(API, DB, 3306))
    found = admitting(POLICIES, asked, NAMESPACES, [1, 0, 1], Direction.INGRESS)
    assert [len(refs) for refs in found] == [2, 1, 2]
    assert found[0][0] == RuleRef("shop", "db", Direction.INGRESS, 0)
    assert admitting(POLICIES, asked, NAMESPACES, [], Direction.INGRESS) == []


def test_what_needs_no_rule_names_none() -> None:
    kubelet = node("192.168.0.1")
    flows = [
        Flow(DB, WEB, 3306),
        Flow(DB, DB, 3306, same_pod=True),
        Flow(kubelet, DB, 3306, same_node=True),
        Flow(API, DB, 3306, decided=False),
        Flow(API, DB, 0, "ICMP"),
    ]
    assert _named(*flows) == [[]] * 5
    assert _named(Flow(DB, WEB), direction=Direction.EGRESS) == [[]]


def test_rules_for_any_candidate_count_once() -> None:
    assert _named(Flow(either(API, pod(app="api", v="2")), either(DB, WEB), 3306)) == [
        ["shop/db ingress[0]", "shop/db ingress[2]"]
    ]


def test_a_possible_admission_is_none() -> None:
    policies = PolicySet.of([Policy("shop", "p", ingress=(Rule((block("198.51.100.0/24"),)),))])
    asked = traffic(Flow(outside("198.51.0.0/16"), DB))
    assert admitting(policies, asked, NAMESPACES, [0], Direction.INGRESS) == [()]


@pytest.mark.parametrize(
    ("flow", "expected"),
    [
        (Flow(WEB, DB), [("shop", "db"), ("shop", "deny")]),
        (Flow(DB, WEB), [("shop", "deny")]),
        (Flow(DB, outside("198.51.100.7")), []),
        (Flow(DB, outside("198.51.100.7"), decided=False), [("shop", "db"), ("shop", "deny")]),
        (Flow(WEB, either(pod("bank"), API)), [("shop", "deny")]),
    ],
)
def test_isolating_policies_are_named(flow: Flow, expected: list[tuple[str, str]]) -> None:
    found = isolating(POLICIES, traffic(flow), NAMESPACES, [0], Direction.INGRESS)
    assert found == [tuple(expected)]
    assert isolating(POLICIES, traffic(flow), NAMESPACES, [0], Direction.EGRESS) == [()]
