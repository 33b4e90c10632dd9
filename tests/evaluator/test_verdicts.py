"""What is not fully known, and the shape of the answers."""

import numpy as np
import pytest

from synth.evaluator import verdicts
from synth.evaluator.compile import compile_policies
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy import Direction, PodPeer, Policy, PolicySet, Rule
from tests.evaluator.cluster import (
    NAMESPACES,
    Flow,
    block,
    either,
    judge,
    labelled,
    node,
    one_sided,
    outside,
    pod,
    ports,
    traffic,
    verdict,
)

WEB, API, DB = pod(app="web"), pod(app="api"), pod(app="db")
USER = outside("198.51.100.7")
API_ONLY = Policy(
    "shop", "db", labelled(app="db"), ingress=(Rule((PodPeer(labelled(app="api")),)),)
)
DENY = Policy("shop", "deny", ingress=(), egress=())


def test_no_policies_allow_everything() -> None:
    flows = [Flow(WEB, DB), Flow(USER, DB, decided=False), Flow(either(WEB, USER), DB)]
    assert judge([], *flows, Flow(WEB, DB, 0, "ICMP")).allowed.all()


def test_no_traffic_has_no_verdicts() -> None:
    empty = traffic(Flow(WEB, DB)).take(slice(0))
    found = evaluate(PolicySet.of([DENY]), empty, {})
    assert len(found) == len(empty) == 0
    nobody = Traffic((), *(column for column in empty.columns.values()))
    assert len(evaluate(PolicySet.of([DENY]), nobody, {})) == 0


def test_verdicts_are_exclusive_and_complete() -> None:
    flows = [Flow(one, DB) for one in (WEB, API, USER, either(WEB, API), either(API, API))]
    found = judge([API_ONLY], *flows)
    words = found.allowed.astype(int) + found.denied + found.undetermined
    assert words.tolist() == [1] * 5


# -- ambiguous ends


def test_candidates_that_agree_decide() -> None:
    assert verdict(API_ONLY, Flow(either(WEB, USER), DB)) == "denied"
    assert verdict(API_ONLY, Flow(either(API, pod(app="api", v="2")), DB)) == "allowed"


def test_candidates_may_be_ambiguous_themselves() -> None:
    assert verdict(API_ONLY, Flow(either(either(WEB, USER), WEB), DB)) == "denied"
    assert verdict(API_ONLY, Flow(either(either(WEB, API), WEB), DB)) == "undetermined"


def test_candidates_that_differ_do_not() -> None:
    found = judge([API_ONLY], Flow(either(WEB, API), DB))
    assert found.undetermined.tolist() == [True]
    assert not (found.allowed | found.denied).any()


def test_an_ambiguous_server_may_or_may_not_be_isolated() -> None:
    found = judge([API_ONLY], Flow(WEB, either(DB, API)), Flow(API, either(DB, WEB)))
    assert found.ingress_isolated.tolist() == [True, True]
    assert found.undetermined.tolist() == [True, False]
    assert found.allowed.tolist() == [False, True]


def test_one_side_that_denies_for_sure_decides() -> None:
    shut = Policy("shop", "shut", labelled(app="db"), ingress=())
    out = Policy("shop", "out", labelled(app="web"), egress=())
    assert verdict([shut, out], Flow(either(WEB, API), DB)) == "denied"
    assert verdict([out], Flow(either(WEB, API), DB)) == "undetermined"


def test_candidates_that_are_denied_on_different_sides_are_denied() -> None:
    out = Policy("shop", "out", labelled(app="web"), egress=())
    into = Policy(
        "shop", "in", labelled(app="db"), ingress=(Rule((PodPeer(labelled(app="web")),)),)
    )
    assert verdict([out, into], Flow(either(WEB, API), DB)) == "denied"


def test_a_client_seen_as_itself_is_the_same_candidate_on_both_sides() -> None:
    out = Policy("shop", "out", labelled(app="web"), egress=(Rule((PodPeer(labelled(app="a")),)),))
    into = Policy("shop", "in", labelled(app="a"), ingress=(Rule((PodPeer(labelled(app="web")),)),))
    server, twin = pod(app="a"), pod(app="web", twin="yes")
    assert verdict([out, into], Flow(either(WEB, twin), server)) == "allowed"
    masked = Flow(either(WEB, twin), server, seen=either(API, WEB))
    assert verdict([out, into], masked) == "undetermined"


def test_both_ends_and_the_seen_end_may_be_ambiguous() -> None:
    flow = Flow(either(WEB, API), either(DB, API), seen=either(USER, node("192.168.0.1")))
    assert verdict([DENY], flow) == "denied"
    assert verdict([API_ONLY], flow) == "undetermined"


def test_every_choice_of_candidates_is_judged_and_no_other() -> None:
    seen = either(API, pod(app="api", v="2"))
    servers = either(DB, pod(app="db", v="2"))
    assert verdict([API_ONLY], Flow(WEB, servers, seen=seen)) == "allowed"
    assert verdict([API_ONLY], Flow(either(WEB, USER), servers, seen=seen)) == "allowed"
    assert verdict([API_ONLY], Flow(either(WEB, USER), servers, seen=either(WEB, USER, DB))) == (
        "denied"
    )


def test_ambiguous_own_node() -> None:
    flow = Flow(either(node("192.168.0.1"), USER), WEB, same_node=True)
    assert verdict([DENY], flow) == "undetermined"


def test_a_named_port_is_resolved_on_each_candidate() -> None:
    policy = Policy("shop", "p", labelled(app="web"), egress=(Rule(ports=ports("TCP http")),))
    one, two = pod(app="1", ports={"http": "TCP 80"}), pod(app="2", ports={"http": "TCP 81"})
    assert verdict(policy, Flow(WEB, either(one, two), 80)) == "undetermined"
    assert verdict(policy, Flow(WEB, either(one, two), 82)) == "denied"


def test_an_ambiguous_end_without_candidates_is_refused() -> None:
    with pytest.raises(ValueError, match="names no candidates"):
        judge([], Flow(either(), DB))


def test_rows_after_ambiguous_ones_keep_their_places() -> None:
    flows = [Flow(API, DB), Flow(either(WEB, API, USER), DB), Flow(WEB, DB), Flow(API, DB)]
    found = judge([API_ONLY], *flows)
    assert found.allowed.tolist() == [True, False, False, True]
    assert found.undetermined.tolist() == [False, True, False, False]


# -- undecided pairs


@pytest.mark.parametrize("app", ["web", "db"])
@pytest.mark.parametrize("direction", Direction)
def test_an_undecided_pair_with_an_isolated_end_is_undetermined(
    app: str, direction: Direction
) -> None:
    policy = one_sided(direction, pods=labelled(app=app))
    assert verdict(policy, Flow(WEB, DB, decided=False)) == "undetermined"
    assert verdict(policy, Flow(pod(app="x"), either(DB, WEB), decided=False)) == "undetermined"


def test_an_undecided_pair_that_no_policy_touches_is_allowed() -> None:
    assert verdict(API_ONLY, Flow(WEB, API, decided=False)) == "allowed"
    assert verdict(DENY, Flow(WEB, WEB, decided=False, same_pod=True)) == "allowed"


def test_undecided_rows_keep_their_places() -> None:
    flows = [Flow(WEB, DB), Flow(WEB, DB, decided=False), Flow(API, DB)]
    found = judge([API_ONLY], *flows)
    assert found.undetermined.tolist() == [False, True, False]
    assert found.allowed.tolist() == [False, False, True]


# -- addresses known in part


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("198.51.0.0/16", "allowed"),
        ("198.51.0.0/20", "allowed"),
        ("198.50.0.0/15", "undetermined"),
        ("0.0.0.0/0", "undetermined"),
        ("198.52.0.0/16", "denied"),
        ("198.51.64.0/18", "undetermined"),  # around the except
        ("198.51.100.0/24", "denied"),  # the except
        ("198.51.100.128/25", "denied"),  # inside the except
        ("::/0", "denied"),
    ],
)
def test_a_prefix_is_matched_only_if_wholly_inside(prefix: str, expected: str) -> None:
    cut = block("198.51.0.0/16", "198.51.100.0/24")
    policy = Policy("shop", "p", ingress=(Rule((cut, block("198.51.0.0/20"))),))
    if prefix == "198.51.0.0/16":
        policy = Policy("shop", "p", ingress=(Rule((block("198.51.0.0/16"),)),))
    assert verdict(policy, Flow(outside(prefix), DB)) == expected


def test_a_prefix_around_a_block_is_decided_by_a_wider_rule() -> None:
    rules = (Rule((block("198.51.100.0/24"),)), Rule((block("198.0.0.0/8"),), ports("TCP 80")))
    policy = Policy("shop", "p", ingress=rules)
    assert verdict(policy, Flow(outside("198.51.0.0/16"), DB, 80)) == "allowed"
    assert verdict(policy, Flow(outside("198.51.0.0/16"), DB, 81)) == "undetermined"


def test_an_unknown_node_address_matters_only_to_blocks() -> None:
    unknown = node("")
    blocks = Policy("shop", "p", ingress=(Rule((block("192.168.0.0/24"),), ports("TCP 80")),))
    assert verdict(blocks, Flow(unknown, DB, 80)) == "undetermined"
    assert verdict(blocks, Flow(unknown, DB, 81)) == "denied"
    assert verdict(API_ONLY, Flow(unknown, DB)) == "denied"
    assert verdict(Policy("shop", "p", ingress=(Rule(),)), Flow(unknown, DB)) == "allowed"
    assert verdict(blocks, Flow(unknown, DB, 80, same_node=True)) == "allowed"


@pytest.mark.parametrize("kind", [Kind.SERVICE, Kind.UNHELD, Kind.NODE, Kind.ADDRESS])
def test_whatever_is_no_pod_matches_by_address(kind: Kind) -> None:
    server = Endpoint(kind, "shop" if kind is Kind.SERVICE else "", address="10.96.0.10")
    policy = Policy("shop", "p", egress=(Rule((block("10.96.0.0/12"),)),))
    pods = Policy("shop", "p", egress=(Rule((PodPeer(),)),))
    assert verdict(policy, Flow(WEB, server)) == "allowed"
    assert verdict(pods, Flow(WEB, server)) == "denied"


# -- the machinery


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = (WEB, API, USER, either(WEB, API), either(API, pod(app="api", v="2")))
    flows = [Flow(one, DB, port, decided=port != 3) for port in range(1, 6) for one in clients]
    whole = judge([API_ONLY], *flows)
    monkeypatch.setattr(verdicts, "CHUNK", 4)
    for threads in (1, 2, 5):
        monkeypatch.setattr(verdicts, "THREADS", threads)
        parts = judge([API_ONLY], *flows)
        for name in ("allowed", "denied", "undetermined", "ingress_isolated", "egress_isolated"):
            assert np.array_equal(getattr(whole, name), getattr(parts, name))


def test_equal_terms_are_compiled_once() -> None:
    rule = Rule((PodPeer(labelled(app="api")),), ports("TCP 80"))
    many = [Policy("shop", f"p{n}", labelled(app="db"), ingress=(rule,)) for n in range(9)]
    compiled = compile_policies(PolicySet.of(many), [WEB, API, DB], NAMESPACES)
    assert compiled.sure.peers.packed.shape[0] == 1
    assert compiled.sure.ports.packed.shape[0] == 1
    assert compiled.maybe is compiled.sure


def test_endpoints_that_policies_cannot_tell_apart_share_a_class() -> None:
    alike = [pod(app="db", note=str(number)) for number in range(5)]
    far = [outside(f"203.0.113.{number}") for number in range(9)]
    compiled = compile_policies(PolicySet.of([API_ONLY]), [*alike, *far], NAMESPACES)
    assert len(compiled.classes) == 2
