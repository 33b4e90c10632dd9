"""What the API leaves open: every choice and value, by hand, and what an edge cannot tell."""

from dataclasses import fields, replace

import numpy as np
import pytest

from synth.evaluator.compile import compile_policies
from synth.evaluator.mapped import read_as_ipv4
from synth.evaluator.options import BY_NAME, CHOICES, DEFAULT, Options
from synth.evaluator.traffic import HIDDEN, SERVER, Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy import Direction, PodPeer, Policy, PolicySet, PortSet, Rule, Selector
from tests.evaluator.cluster import (
    NAMESPACES,
    Flow,
    block,
    labelled,
    node,
    one_sided,
    outside,
    pod,
    ports,
    traffic,
    verdict,
)

WEB, API = pod(app="web"), pod(app="api")
DENY = Policy("shop", "deny", ingress=(), egress=())
SERVICE = Endpoint(Kind.SERVICE, "shop", "api", address="10.96.0.10")


def test_options_and_choices_name_the_same_things() -> None:
    assert [one.name for one in fields(Options)] == [choice.field for choice in CHOICES]
    assert [getattr(DEFAULT, choice.field) for choice in CHOICES] == [
        choice.default for choice in CHOICES
    ]
    assert all(len(choice.values) == 2 and choice.plugins for choice in CHOICES)
    assert all(choice.question in choice.meaning for choice in CHOICES)


def test_a_value_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match=r"hairpin: allow or police\. Got 'never' instead\."):
        Options(hairpin="never")
    with pytest.raises(KeyError):
        DEFAULT.choosing("hair", "allow")


def test_choices_add_up() -> None:
    options = DEFAULT.with_all([("dnat", "before"), ("hairpin", "allow")])
    assert options.chosen == {"dnat": "before"}
    assert options.value("dnat") == "before"
    assert not DEFAULT.chosen
    assert options.sees_services
    assert DEFAULT.choosing("hairpin", "police").sees_services
    assert not DEFAULT.sees_services


def _asked(flow: Flow, service: Endpoint | int) -> Traffic:
    """Return the one row, of which this Service was asked for."""
    found = traffic(flow)
    if isinstance(service, int):
        return replace(found, asked=np.array([service], np.int32))
    endpoints = (*found.endpoints, service)
    return replace(found, endpoints=endpoints, asked=np.array([len(endpoints) - 1], np.int32))


def _verdict(policy: Policy, row: Traffic, **chosen: str) -> str:
    found = evaluate(PolicySet.of([policy]), row, NAMESPACES, options=Options(**chosen))
    return next(word for word in ("allowed", "denied", "undetermined") if getattr(found, word)[0])


@pytest.mark.parametrize(
    ("service", "expected"),
    [(SERVICE, "denied"), (SERVER, "allowed"), (HIDDEN, "undetermined")],
)
def test_hairpin_through_a_service(service: Endpoint | int, expected: str) -> None:
    row = _asked(Flow(WEB, WEB, same_pod=True), service)
    assert _verdict(DENY, row) == "allowed"
    assert _verdict(DENY, row, hairpin="police") == expected
    undecided = replace(row, decided=np.zeros(1, np.bool_))
    word = "allowed" if service == SERVER else "undetermined"
    assert _verdict(DENY, undecided, hairpin="police") == word
    assert _verdict(DENY, undecided) == "allowed"


TO_API = PodPeer(labelled(app="api"))


@pytest.mark.parametrize(
    ("rule", "direct", "through", "hidden"),
    [
        (Rule((TO_API,), ports("TCP 80")), "allowed", "undetermined", "undetermined"),
        (Rule((TO_API,), ports("TCP 81")), "denied", "undetermined", "undetermined"),
        (Rule((TO_API,), ports("UDP 80")), "denied", "denied", "denied"),
        (Rule((TO_API,)), "allowed", "undetermined", "undetermined"),
        (Rule((PodPeer(labelled(app="db")),)), "denied", "denied", "denied"),
        (Rule((), ports("TCP 80")), "allowed", "undetermined", "undetermined"),
        (Rule((), ports("TCP")), "allowed", "allowed", "allowed"),
        (Rule(), "allowed", "allowed", "allowed"),
        (Rule((), PortSet()), "denied", "denied", "denied"),
        (Rule((block("10.96.0.0/16"),)), "denied", "allowed", "undetermined"),
        (Rule((block("10.96.0.0/16"),), ports("TCP 80")), "denied", "undetermined", "undetermined"),
        (Rule((block("10.97.0.0/16"),)), "denied", "denied", "undetermined"),
    ],
)
def test_egress_before_dnat(rule: Rule, direct: str, through: str, hidden: str) -> None:
    policy = Policy("shop", "p", labelled(app="web"), egress=(rule,))
    flow = Flow(WEB, API, 80)
    for service, expected in ((SERVER, direct), (SERVICE, through), (HIDDEN, hidden)):
        row = _asked(flow, service)
        assert _verdict(policy, row, dnat="before") == expected
        assert _verdict(policy, row) == direct


def test_before_dnat_says_nothing_of_ingress_and_of_other_protocols() -> None:
    into = one_sided(Direction.INGRESS, Rule((TO_API,), ports("TCP 80")))
    row = _asked(Flow(API, WEB, 80), SERVICE)
    assert _verdict(into, row, dnat="before") == "allowed"
    out = one_sided(Direction.EGRESS, Rule())
    assert _verdict(out, _asked(Flow(API, WEB, 0, "ICMP"), SERVICE), dnat="before") == (
        "undetermined"
    )


def test_a_node_and_its_host_network_pods() -> None:
    agent = pod("bank", app="agent")
    here = replace(node("192.168.0.1"), candidates=(agent,))
    chosen = Options(host_network="pod")
    admits = Policy("shop", "p", ingress=(Rule((PodPeer(labelled(app="agent"), Selector()),)),))
    for flow, expected in (
        (Flow(here, WEB), ("denied", "undetermined")),
        (Flow(node("192.168.0.1"), WEB), ("denied", "denied")),
        (Flow(here, WEB, same_node=True), ("allowed", "allowed")),
    ):
        said = verdict(admits, flow), verdict(admits, flow, options=chosen)
        assert said == expected
    isolates = Policy("bank", "p", labelled(app="agent"), egress=())
    assert verdict(isolates, Flow(here, WEB)) == "allowed"
    assert verdict(isolates, Flow(here, WEB), options=chosen) == "undetermined"
    # As a host-network pod it would not be the node itself, whose traffic is always let in.
    probe = Flow(here, WEB, same_node=True)
    assert verdict(Policy("shop", "deny", ingress=()), probe, options=chosen) == "undetermined"


@pytest.mark.parametrize("direction", Direction)
def test_own_nodes(direction: Direction) -> None:
    kubelet = node("192.168.0.1")
    ingress = direction is Direction.INGRESS
    field = "from_own_node" if ingress else "to_own_node"
    policy = one_sided(direction)
    for value, expected in (("allow", "allowed"), ("police", "denied")):
        options = Options(**{field: value})
        ends = (kubelet, WEB) if ingress else (WEB, kubelet)
        assert verdict(policy, Flow(*ends, same_node=True), options=options) == expected
        assert verdict(policy, Flow(*ends), options=options) == "denied"
        neighbours = (API, WEB) if ingress else (WEB, API)
        assert verdict(policy, Flow(*neighbours, same_node=True), options=options) == "denied"


def test_blocks_that_hold_no_nodes() -> None:
    policy = one_sided(Direction.INGRESS, Rule((block("0.0.0.0/0"),)))
    options = Options(ip_block_nodes="no")
    assert verdict(policy, Flow(node("192.168.0.1"), WEB), options=options) == "denied"
    assert verdict(policy, Flow(node("192.168.0.1"), WEB)) == "allowed"
    assert verdict(policy, Flow(outside("192.168.0.1"), WEB), options=options) == "allowed"
    assert verdict(policy, Flow(node(""), WEB)) == "undetermined"
    assert verdict(policy, Flow(node(""), WEB), options=options) == "denied"
    everyone = one_sided(Direction.INGRESS, Rule())
    assert verdict(everyone, Flow(node(""), WEB), options=options) == "allowed"


def test_policies_without_mapped_blocks_are_left_as_they_are() -> None:
    policies = PolicySet.of([DENY, Policy("bank", "p", ingress=(Rule((block("10.0.0.0/8"),)),))])
    assert read_as_ipv4(policies) is policies


def test_compiled_policies_know_their_options() -> None:
    options = Options(dnat="before")
    compiled = compile_policies(PolicySet.of([DENY]), (WEB,), NAMESPACES, options)
    assert compiled.options is options
    assert not compiled.concrete[compiled.nowhere].address
    assert BY_NAME["dnat"].values == ("after", "before")
