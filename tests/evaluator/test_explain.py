import pytest

from synth.evaluator.explain import explain
from synth.evaluator.explanation import Doubt, Exemption, Explanation, Term
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
    ingress=(Rule((PodPeer(labelled(app="api")),), ports("TCP 3306")),),
)


def _explain(flow: Flow, *policies: Policy) -> Explanation:
    return explain(PolicySet.of(policies or (TO_DB,)), traffic(flow), NAMESPACES)


def test_a_denial_names_who_isolates_and_what_came_closest() -> None:
    found = _explain(Flow(WEB, DB, 3306))
    assert found.verdict == "denied"
    assert found.egress.exemption is Exemption.NOT_ISOLATED
    assert found.egress.allowed
    assert not found.ingress.allowed
    assert found.ingress.subject == DB
    assert found.ingress.peer == WEB
    assert found.ingress.isolated_by == (("shop", "db"),)
    assert [(str(miss.ref), miss.failed) for miss in found.ingress.closest] == [
        ("shop/db ingress[0]", (Term.PEER,))
    ]
    assert str(found) == (
        "shop/web → shop/db 3306 is denied\n"
        "egress of shop/web is allowed: isolated by no policy\n"
        "ingress of shop/db is isolated by shop/db: "
        "shop/db ingress[0] admits pods app=api on TCP 3306 (peer)"
    )


def test_an_admission_names_its_rules() -> None:
    found = _explain(Flow(API, DB, 3306))
    assert found.verdict == "allowed"
    assert [str(ref) for ref in found.ingress.admitted_by] == ["shop/db ingress[0]"]
    assert found.ingress.closest == ()
    assert "is admitted by shop/db ingress[0]" in str(found.ingress)


@pytest.mark.parametrize(
    ("flow", "failed"),
    [
        (Flow(API, DB, 22), (Term.PORT,)),
        (Flow(API, DB, 3306, "UDP"), (Term.PROTOCOL,)),
        (Flow(API, DB, 22, "UDP"), (Term.PROTOCOL, Term.PORT)),
        (Flow(WEB, DB, 22), (Term.PEER, Term.PORT)),
        (Flow(WEB, DB, 3306, "UDP"), (Term.PEER, Term.PROTOCOL)),
        (Flow(WEB, DB, 22, "UDP"), (Term.PEER, Term.PROTOCOL, Term.PORT)),
    ],
)
def test_every_term_that_fails_is_named(flow: Flow, failed: tuple[Term, ...]) -> None:
    assert [miss.failed for miss in _explain(flow).ingress.closest] == [failed]


def test_only_the_closest_rules_are_named() -> None:
    rules = (
        Rule((PodPeer(labelled(app="other")),), ports("UDP 1")),
        Rule((PodPeer(labelled(app="web")),), ports("TCP 1")),
        Rule((PodPeer(labelled(app="other")),), ports("TCP 80")),
    )
    found = _explain(Flow(WEB, DB, 80), Policy("shop", "p", ingress=rules))
    assert [(miss.ref.index, miss.failed) for miss in found.ingress.closest] == [
        (1, (Term.PORT,)),
        (2, (Term.PEER,)),
    ]


def test_a_default_deny_has_no_closest_rule() -> None:
    found = _explain(Flow(WEB, DB), Policy("shop", "deny", ingress=()))
    assert found.ingress.closest == ()
    assert str(found.ingress) == "ingress of shop/db is isolated by shop/deny: no rule"


@pytest.mark.parametrize(
    ("flow", "direction", "exemption"),
    [
        (Flow(outside("198.51.100.7"), WEB), Direction.EGRESS, Exemption.NO_POD),
        (Flow(WEB, API), Direction.INGRESS, Exemption.NOT_ISOLATED),
        (Flow(DB, DB, same_pod=True), Direction.INGRESS, Exemption.SAME_POD),
        (Flow(node("192.168.0.1"), DB, same_node=True), Direction.INGRESS, Exemption.OWN_NODE),
    ],
)
def test_what_no_rule_is_asked_about_says_why(
    flow: Flow, direction: Direction, exemption: Exemption
) -> None:
    found = _explain(flow)
    assert found.verdict == "allowed"
    side = found.egress if direction is Direction.EGRESS else found.ingress
    assert side.exemption is exemption
    assert not side.admitted_by


@pytest.mark.parametrize(
    ("flow", "doubts"),
    [
        (Flow(WEB, DB, decided=False), (Doubt.DIRECTION,)),
        (Flow(WEB, DB, 0, "ICMP"), (Doubt.PROTOCOL,)),
        (Flow(either(WEB, API), DB, 3306), (Doubt.AMBIGUOUS,)),
        (Flow(either(WEB, API), DB, 0, "ICMP"), (Doubt.PROTOCOL, Doubt.AMBIGUOUS)),
    ],
)
def test_doubts_are_named(flow: Flow, doubts: tuple[Doubt, ...]) -> None:
    found = _explain(flow)
    assert found.verdict == "undetermined"
    assert found.doubts == doubts
    assert doubts[0] in str(found)


def test_an_address_known_in_part_is_a_doubt() -> None:
    policy = Policy("shop", "p", ingress=(Rule((block("198.51.100.0/24"),)),))
    found = _explain(Flow(outside("198.51.0.0/16"), DB), policy)
    assert found.doubts == (Doubt.ADDRESS,)
    assert [miss.failed for miss in found.ingress.closest] == [(Term.PEER,)]


def test_one_row_at_a_time() -> None:
    with pytest.raises(ValueError, match="not 2"):
        explain(PolicySet(), traffic(Flow(WEB, DB), Flow(API, DB)), {})
