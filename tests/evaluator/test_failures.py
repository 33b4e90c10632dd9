"""Why a rule does not admit: which part of which term, in words."""

import pytest

from synth.evaluator.explain import explain
from synth.evaluator.explanation import Term
from synth.evaluator.options import DEFAULT, Options
from synth.inventory.endpoint import Endpoint
from synth.policy import Direction, Operator, Peer, PodPeer, Policy, PolicySet, Rule, Selector
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
    where,
)

WEB = pod(app="web")
FAR = pod("bank", app="web")
DB = pod(app="db", ports={"sql": "TCP 3306", "admin": "TCP 8080"})


def why(rule: Rule, flow: Flow, options: Options = DEFAULT) -> dict[Term, str]:
    """Return the terms that the one rule of a policy of shop fails on."""
    policy = Policy("shop", "p", Selector.equal({"app": "db"}), ingress=(rule,))
    found = explain(PolicySet.of([policy]), traffic(flow), NAMESPACES, options=options)
    (miss,) = found.ingress.closest
    return {one.term: one.why for one in miss.failures}


def peer(rule_peer: Peer, client: Endpoint, options: Options = DEFAULT) -> str:
    return why(Rule((rule_peer,)), Flow(client, DB, 3306), options)[Term.PEER]


@pytest.mark.parametrize(
    ("wanted", "client", "told"),
    [
        (PodPeer(labelled(app="api")), WEB, "shop/web is not app=api (it has app=web)"),
        (PodPeer(labelled(role="api")), WEB, "shop/web is not role=api (it has no label role)"),
        (
            PodPeer(labelled(app="web")),
            FAR,
            "bank/web is in namespace bank, and without a namespaceSelector only shop is meant",
        ),
        (
            PodPeer(labelled(app="web"), labelled(team="a")),
            FAR,
            "namespace bank is not team=a (it has team=b)",
        ),
        (
            PodPeer(labelled(app="api"), labelled(team="a")),
            FAR,
            ("namespace bank is not team=a (it has team=b), and bank/web is not app=api"
            " (it has app=web)"),
        ),
        (
            PodPeer(Selector(), where("kubernetes.io/metadata.name", Operator.IN, "x", "y")),
            WEB,
            ("namespace shop is not kubernetes.io/metadata.name in (x,y)"
            " (it has kubernetes.io/metadata.name=shop)"),
        ),
        (PodPeer(where("app", Operator.NOT_IN, "web")), WEB, "is not app notin (web)"),
        (PodPeer(where("app", Operator.DOES_NOT_EXIST)), WEB, "shop/web is not !app (it has app="),
        (PodPeer(), outside("192.0.2.9"), "192.0.2.9 is no pod, and the rule admits every pod"),
        (PodPeer(), node("192.0.2.9"), "node node1 is no pod"),
        (block("192.0.2.0/25"), outside("192.0.2.200"), "192.0.2.200 is outside 192.0.2.0/25"),
        (
            block("192.0.2.0/24", "192.0.2.128/25"),
            outside("192.0.2.200"),
            "192.0.2.200 is in the except 192.0.2.128/25 of 192.0.2.0/24",
        ),
        (block("10.0.0.0/8"), WEB, "the address of shop/web is outside 10.0.0.0/8"),
        (
            block("10.0.0.0/8", "10.1.0.0/16"),
            pod(app="web", blocks=("10.0.0.0/8", "10.1.0.0/16")),
            "the address of shop/web is in the except 10.1.0.0/16 of 10.0.0.0/8",
        ),
        (block("::/0"), outside("192.0.2.9"), "192.0.2.9 is outside ::/0"),
    ],
)  # fmt: skip
def test_peers(wanted: Peer, client: Endpoint, told: str) -> None:
    assert told in peer(wanted, client)


def test_a_choice_that_keeps_blocks_from_pods_is_told() -> None:
    inside = pod(app="web", blocks=("10.0.0.0/8",))
    told = peer(block("10.0.0.0/8"), inside, Options(ip_block_pods="no"))
    assert told == "shop/web is a pod, and the block 10.0.0.0/8 is taken to hold no pods"


@pytest.mark.parametrize(
    ("given", "flow", "told"),
    [
        ("TCP 22", Flow(WEB, DB, 3306), {Term.PORT: "3306 is not 22"}),
        ("TCP 22-25", Flow(WEB, DB, 3306), {Term.PORT: "3306 is not in 22-25"}),
        ("TCP 3306", Flow(WEB, DB, 3306, "UDP"), {Term.PROTOCOL: "the rule is for TCP, not UDP"}),
        (
            "TCP 22",
            Flow(WEB, DB, 3306, "UDP"),
            {Term.PROTOCOL: "the rule is for TCP, not UDP", Term.PORT: "3306 is not 22"},
        ),
        ("TCP", Flow(WEB, DB, 3306, "UDP"), {Term.PROTOCOL: "the rule is for TCP, not UDP"}),
        (
            "TCP admin",
            Flow(WEB, DB, 3306),
            {Term.PORT: "the port name admin means 8080 at shop/db, not 3306"},
        ),
        ("TCP http", Flow(WEB, DB, 3306), {Term.PORT: "no TCP port of shop/db is named http"}),
        (
            "TCP sql",
            Flow(WEB, DB, 3306, "UDP"),
            {Term.PROTOCOL: "the rule is for TCP, not UDP"},
        ),
    ],
)
def test_ports(given: str, flow: Flow, told: dict[Term, str]) -> None:
    assert why(Rule((), ports(given)), flow) == told


def test_a_port_name_means_nothing_outside() -> None:
    policy = Policy("shop", "p", egress=(Rule((), ports("TCP sql")),))
    flow = Flow(WEB, outside("192.0.2.9"), 3306)
    found = explain(PolicySet.of([policy]), traffic(flow), NAMESPACES)
    assert found.egress.direction is Direction.EGRESS
    (miss,) = found.egress.closest
    told = "the port name sql means nothing at 192.0.2.9, which is no pod"
    assert [one.why for one in miss.failures] == [told]


def test_every_candidate_is_spoken_of() -> None:
    client = either(WEB, pod(app="job"))
    rule = Rule((PodPeer(labelled(app="api")),))
    policy = Policy("shop", "p", Selector.equal({"app": "db"}), ingress=(rule,))
    found = explain(PolicySet.of([policy]), traffic(Flow(client, DB, 3306)), NAMESPACES)
    told = [one.why for miss in found.ingress.closest for one in miss.failures]
    assert told == [
        "shop/job is not app=api (it has app=job)",
        "shop/web is not app=api (it has app=web)",
    ]


def test_many_peers_are_cut_short() -> None:
    some = tuple(PodPeer(labelled(app=f"a{at}")) for at in range(6))
    told = why(Rule(some), Flow(WEB, DB, 3306))[Term.PEER]
    assert told.endswith("; and 3 peers more")
    assert told.count("shop/web") == 3
