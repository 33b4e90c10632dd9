"""NetworkPolicy v1 line by line, against answers worked out by hand."""

from dataclasses import replace

import pytest

from synth.evaluator.options import Options
from synth.policy import Direction, Operator, PodPeer, Policy, PortSet, Protocol, Rule, Selector
from tests.evaluator.cluster import (
    Flow,
    admitted,
    block,
    judge,
    labelled,
    node,
    one_sided,
    outside,
    pod,
    ports,
    verdict,
    where,
)

WEB, API, DB = pod(app="web"), pod(app="api"), pod(app="db")
BANK = pod("bank", app="api")
USER = outside("198.51.100.7")
EVERY_PEER = Rule()

# -- selection and peers


def test_empty_pod_selector_is_all_pods_of_the_policys_namespace() -> None:
    policy = Policy("shop", "deny", ingress=())
    found = judge([policy], Flow(USER, WEB), Flow(USER, pod()), Flow(USER, BANK))
    assert found.ingress_isolated.tolist() == [True, True, False]


def test_pod_selector_never_reaches_into_another_namespace() -> None:
    policy = Policy("bank", "deny", labelled(app="web"), ingress=())
    assert verdict(policy, Flow(USER, WEB)) == "allowed"


def test_missing_namespace_selector_is_the_policys_namespace() -> None:
    assert admitted(PodPeer(labelled(app="api")), API, BANK, WEB) == [True, False, False]


def test_equal_peers_of_policies_in_two_namespaces_mean_different_pods() -> None:
    rule = Rule((PodPeer(labelled(app="api")),))
    policies = [Policy(space, "p", ingress=(rule,)) for space in ("bank", "shop")]
    flows = [Flow(client, server) for client in (API, BANK) for server in (WEB, pod("bank"))]
    assert judge(policies, *flows).allowed.tolist() == [True, False, False, True]


def test_empty_namespace_selector_is_all_namespaces() -> None:
    assert admitted(PodPeer(labelled(app="api"), Selector()), API, BANK, WEB) == [True, True, False]


def test_namespace_selector_without_pod_selector_is_all_pods_there() -> None:
    peer = PodPeer(namespaces=labelled(team="b"))
    assert admitted(peer, API, BANK, pod("bank")) == [False, True, True]


def test_both_selectors_in_one_peer_must_both_match() -> None:
    peer = PodPeer(labelled(app="api"), labelled(team="b"))
    assert admitted(peer, API, BANK, pod("bank", app="web")) == [False, True, False]


def test_two_peers_are_alternatives() -> None:
    peers = [PodPeer(labelled(app="api")), PodPeer(namespaces=labelled(team="b"))]
    assert admitted(peers, API, BANK, pod("bank", app="web"), WEB) == [True, True, True, False]


def test_no_peers_is_every_peer_including_outside() -> None:
    assert admitted([], WEB, BANK, USER, node("192.168.0.1")) == [True] * 4


def test_empty_rule_allows_all_and_no_rules_allow_nothing() -> None:
    assert verdict(Policy("shop", "p", ingress=(EVERY_PEER,)), Flow(USER, WEB, 1)) == "allowed"
    assert verdict(Policy("shop", "p", ingress=()), Flow(USER, WEB, 1)) == "denied"


def test_selector_peers_never_match_outside_addresses() -> None:
    everywhere = PodPeer(Selector(), Selector())
    assert admitted(everywhere, BANK, USER, node("10.0.0.1")) == [True, False, False]


def test_not_in_and_does_not_exist_match_what_lacks_the_key() -> None:
    clients = pod(), pod(env="dev"), pod(env="prod"), pod(env="")
    for operator, values, expected in (
        (Operator.IN, ("dev",), [False, True, False, False]),
        (Operator.IN, ("dev", ""), [False, True, False, True]),
        (Operator.NOT_IN, ("dev",), [True, False, True, True]),
        (Operator.NOT_IN, ("",), [True, True, True, False]),
        (Operator.EXISTS, (), [False, True, True, True]),
        (Operator.DOES_NOT_EXIST, (), [True, False, False, False]),
    ):
        assert admitted(PodPeer(where("env", operator, *values)), *clients) == expected


def test_an_empty_value_is_not_a_missing_key_for_namespaces_either() -> None:
    peer = PodPeer(namespaces=where("empty", Operator.EXISTS))
    assert admitted(peer, API, BANK) == [False, True]
    assert admitted(PodPeer(namespaces=labelled(empty="")), API, BANK) == [False, True]


def test_all_terms_of_a_selector_must_hold() -> None:
    both = labelled(app="api") & where("env", Operator.NOT_IN, "dev")
    assert admitted(PodPeer(both), API, pod(app="api", env="dev"), pod()) == [True, False, False]


def test_namespaces_are_labelled_with_their_names() -> None:
    peer = PodPeer(namespaces=Selector.equal({"kubernetes.io/metadata.name": "bank"}))
    assert admitted(peer, API, BANK) == [False, True]


def test_a_namespace_that_nobody_described_exists_with_its_name() -> None:
    peer = PodPeer(namespaces=Selector.equal({"kubernetes.io/metadata.name": "new"}))
    assert admitted(peer, pod("new"), BANK) == [True, False]
    assert admitted(PodPeer(namespaces=where("team", Operator.NOT_IN, "a")), pod("new")) == [True]


def test_the_name_label_cannot_be_given_another_value() -> None:
    peer = PodPeer(namespaces=Selector.equal({"kubernetes.io/metadata.name": "shop"}))
    policy = Policy("shop", "p", ingress=(Rule((peer,)),))
    forged = {"bank": {"kubernetes.io/metadata.name": "shop"}}
    assert verdict(policy, Flow(BANK, WEB), namespaces=forged) == "denied"


def test_policies_only_add() -> None:
    narrow = Policy("shop", "narrow", ingress=(Rule((PodPeer(labelled(app="api")),)),))
    wide = Policy("shop", "wide", ingress=(Rule((PodPeer(labelled(app="web")),)),))
    deny = Policy("shop", "deny", ingress=())
    assert verdict([narrow, deny], Flow(WEB, DB)) == "denied"
    assert verdict([narrow, deny, wide], Flow(WEB, DB)) == "allowed"
    assert verdict([narrow, deny, wide], Flow(API, DB)) == "allowed"


def test_isolation_is_per_pod_and_direction() -> None:
    policy = Policy("shop", "p", labelled(app="db"), ingress=())
    found = judge([policy], Flow(WEB, DB), Flow(DB, WEB))
    assert found.ingress_isolated.tolist() == [True, False]
    assert found.egress_isolated.tolist() == [False, False]
    assert found.allowed.tolist() == [False, True]


def test_a_flow_needs_egress_at_the_source_and_ingress_at_the_destination() -> None:
    out = Policy(
        "shop", "out", labelled(app="web"), egress=(Rule((PodPeer(labelled(app="api")),)),)
    )
    into = Policy("shop", "in", labelled(app="api"), ingress=())
    assert verdict(out, Flow(WEB, API)) == "allowed"
    assert verdict(out, Flow(WEB, DB)) == "denied"
    assert verdict([out, into], Flow(WEB, API)) == "denied"
    assert verdict(into, Flow(API, WEB)) == "allowed"


# -- policy types: as defaulting leaves them


def test_a_direction_of_none_is_not_isolated_and_its_rules_do_not_exist() -> None:
    policy = Policy("shop", "p", ingress=())
    assert not judge([policy], Flow(WEB, USER)).egress_isolated[0]


def test_egress_only_policy_that_lists_no_types_isolates_ingress_too() -> None:
    policy = Policy("shop", "p", ingress=(), egress=(EVERY_PEER,))
    assert verdict(policy, Flow(WEB, USER)) == "allowed"
    assert verdict(policy, Flow(USER, WEB)) == "denied"


# -- ports


def _on(port_set: PortSet, *flows: Flow) -> list[bool]:
    policy = Policy("shop", "p", ingress=(Rule(ports=port_set),))
    found: list[bool] = judge([policy], *flows).allowed.tolist()
    return found


def test_a_protocol_without_port_is_all_its_ports_and_no_other_protocol() -> None:
    flows = [Flow(USER, WEB, port, protocol) for port in (1, 65535) for protocol in ("TCP", "UDP")]
    assert _on(PortSet.every(Protocol.TCP), *flows) == [True, False, True, False]


def test_a_rule_without_ports_is_every_port_of_every_protocol() -> None:
    flows = [Flow(USER, WEB, 9, protocol) for protocol in ("TCP", "UDP", "SCTP")]
    assert _on(PortSet.every(), *flows) == [True] * 3


def test_a_port_set_that_holds_nothing_admits_nothing() -> None:
    assert _on(PortSet(), Flow(USER, WEB)) == [False]


def test_end_port_is_inclusive() -> None:
    flows = [Flow(USER, WEB, port) for port in (79, 80, 85, 90, 91)]
    assert _on(ports("TCP 80-90"), *flows) == [False, True, True, True, False]


def test_first_and_last_port() -> None:
    flows = [Flow(USER, WEB, port) for port in (1, 2, 65534, 65535)]
    assert _on(ports("TCP 1", "TCP 65535"), *flows) == [True, False, False, True]


def test_port_zero_is_part_of_all_ports_only() -> None:
    assert _on(ports("TCP"), Flow(USER, WEB, 0)) == [True]
    assert _on(ports("TCP 1-65534"), Flow(USER, WEB, 0)) == [False]


def test_a_rule_for_sctp_isolates_tcp_and_is_never_read_as_tcp() -> None:
    flows = [Flow(USER, WEB, 80, protocol) for protocol in ("SCTP", "TCP", "UDP")]
    assert _on(ports("SCTP 80"), *flows) == [True, False, False]


def test_a_named_port_resolves_on_the_destination_for_ingress() -> None:
    server = pod(ports={"http": "TCP 8080"})
    client = pod(app="client", ports={"http": "TCP 80"})
    flows = [Flow(client, server, port) for port in (80, 8080)]
    assert _on(ports("TCP http"), *flows) == [False, True]


def test_a_named_port_resolves_on_the_destination_for_egress() -> None:
    policy = Policy("shop", "p", labelled(app="c"), egress=(Rule(ports=ports("TCP http")),))
    client = pod(app="c", ports={"http": "TCP 80"})
    one, two = pod(app="1", ports={"http": "TCP 8080"}), pod(app="2", ports={"http": "TCP 80"})
    flows = [Flow(client, server, port) for server in (one, two) for port in (80, 8080)]
    assert judge([policy], *flows).allowed.tolist() == [False, True, True, False]


def test_a_named_port_needs_the_protocol_too() -> None:
    server = pod(ports={"dns": "UDP 53"})
    flows = [Flow(WEB, server, 53, protocol) for protocol in ("TCP", "UDP")]
    assert _on(ports("TCP dns"), *flows) == [False, False]
    assert _on(ports("UDP dns"), *flows) == [False, True]


def test_a_name_may_stand_for_several_numbers_and_a_number_for_several_names() -> None:
    server = pod(ports=[("http", "TCP 80"), ("http", "TCP 81"), ("web", "TCP 80")])
    flows = [Flow(WEB, server, port) for port in (80, 81, 82)]
    assert _on(ports("TCP http"), *flows) == [True, True, False]
    assert _on(ports("TCP web"), *flows) == [True, False, False]
    assert _on(ports("TCP web", "TCP 82"), *flows) == [True, False, True]


def test_one_number_may_be_meant_under_each_of_its_names() -> None:
    server = pod(ports=[("http", "TCP 80"), ("web", "TCP 80")])
    by_name = [
        Policy("shop", name, ingress=(Rule((PodPeer(labelled(app=app)),), ports(f"TCP {name}")),))
        for name, app in (("http", "web"), ("web", "api"))
    ]
    flows = [Flow(client, server, 80) for client in (WEB, API, DB)]
    assert judge(by_name, *flows).allowed.tolist() == [True, True, False]


def test_icmp_at_a_server_is_not_the_named_port_of_another() -> None:
    servers = [pod(app=str(number), ports={"dns": "UDP 53"}) for number in range(3)]
    flows = [Flow(WEB, server, 53, "ICMP") for server in servers]
    policy = Policy("shop", "p", ingress=(Rule(ports=ports("UDP dns")),))
    assert judge([policy], *flows).undetermined.all()


def test_a_name_that_nobody_declares_allows_nothing() -> None:
    assert _on(ports("TCP http"), Flow(USER, WEB, 80)) == [False]
    server = pod(ports={"": "TCP 80", "https": "TCP 443"})
    assert _on(ports("TCP http"), Flow(USER, server, 80), Flow(USER, server, 443)) == [False, False]


def test_a_named_port_never_matches_an_address() -> None:
    policy = Policy("shop", "p", egress=(Rule(ports=ports("TCP http")),))
    client = pod(ports={"http": "TCP 80"})
    assert verdict(policy, Flow(client, USER, 80)) == "denied"
    strange = replace(node("192.168.0.1"), ports=client.ports)
    assert verdict(policy, Flow(client, strange, 80)) == "denied"


@pytest.mark.parametrize("direction", Direction)
def test_icmp_is_undetermined_where_isolated_and_allowed_elsewhere(direction: Direction) -> None:
    flow = Flow(WEB, DB, 0, "ICMP")
    assert verdict(one_sided(direction, EVERY_PEER), flow) == "undetermined"
    assert verdict(one_sided(direction), flow) == "undetermined"
    assert verdict(one_sided(direction, namespace="bank"), flow) == "allowed"


# -- ipBlock


def test_an_ip_block_matches_outside_addresses_but_its_excepts() -> None:
    peer = block("198.51.100.0/24", "198.51.100.8/29")
    clients = [outside(f"198.51.{text}") for text in ("100.0", "100.7", "100.8", "100.15", "101.0")]
    assert admitted(peer, *clients) == [True, True, False, False, False]


def test_an_except_removes_only_from_its_own_block() -> None:
    peers = [block("198.51.100.0/24", "198.51.100.7/32"), block("198.51.100.7/32")]
    assert admitted(peers, USER) == [True]
    assert admitted(peers[0], USER) == [False]


def test_host_bits_of_a_block_are_masked() -> None:
    assert admitted(block("198.51.100.9/24"), USER) == [True]


def test_families_do_not_mix() -> None:
    six = outside("2001:db8::1")
    assert admitted(block("0.0.0.0/0"), USER, six) == [True, False]
    assert admitted(block("::/0"), USER, six) == [False, True]


def test_an_ipv4_mapped_address_is_the_ipv4_address() -> None:
    assert admitted(block("198.51.100.0/24"), outside("::ffff:198.51.100.7")) == [True]


def test_a_block_matches_pods_by_the_cidrs_around_them() -> None:
    inside = pod(app="in", blocks=["10.0.0.0/8"])
    cut = pod(app="cut", blocks=["10.0.0.0/8", "10.1.0.0/16"])
    assert admitted(block("10.0.0.0/8", "10.1.0.0/16"), inside, cut, WEB) == [True, False, False]
    assert admitted(block("10.0.0.0/8"), inside, cut, WEB) == [True, True, False]


def test_blocks_that_do_not_match_pods_still_match_addresses() -> None:
    policy = Policy("shop", "p", ingress=(Rule((block("0.0.0.0/0"),)),))
    inside = pod(app="in", blocks=["0.0.0.0/0"])
    assert verdict(policy, Flow(inside, WEB), options=Options(ip_block_pods="no")) == "denied"
    assert verdict(policy, Flow(inside, WEB)) == "allowed"
    assert verdict(policy, Flow(USER, WEB), options=Options(ip_block_pods="no")) == "allowed"


def test_a_node_matches_blocks_by_its_address_and_no_selector() -> None:
    assert admitted(block("192.168.0.0/24"), node("192.168.0.1"), node("10.0.0.1")) == [True, False]


def test_a_masquerading_client_is_judged_by_whom_the_server_sees() -> None:
    policy = Policy("shop", "p", labelled(app="db"), ingress=(Rule((block("192.168.0.0/24"),)),))
    assert verdict(policy, Flow(API, DB, seen=node("192.168.0.9"))) == "allowed"
    assert verdict(policy, Flow(API, DB)) == "denied"


# -- identity


def test_only_the_opener_is_judged() -> None:
    policy = Policy("shop", "p", labelled(app="db"), egress=())
    assert verdict(policy, Flow(API, DB)) == "allowed"
    assert verdict(policy, Flow(DB, API)) == "denied"


def test_traffic_from_the_own_node_is_let_in_and_from_another_is_not() -> None:
    policy = Policy("shop", "deny", ingress=(), egress=())
    kubelet = node("192.168.0.1")
    assert verdict(policy, Flow(kubelet, WEB, same_node=True)) == "allowed"
    assert verdict(policy, Flow(kubelet, WEB)) == "denied"


def test_a_neighbour_that_is_seen_as_the_node_is_let_in_but_not_let_out() -> None:
    flow = Flow(API, WEB, seen=node("192.168.0.1"), same_node=True)
    assert verdict(Policy("shop", "deny", ingress=()), flow) == "allowed"
    assert verdict(Policy("shop", "deny", egress=()), flow) == "denied"


def test_traffic_to_the_own_node_is_policed() -> None:
    policy = Policy("shop", "deny", egress=())
    assert verdict(policy, Flow(WEB, node("192.168.0.1"), same_node=True)) == "denied"


def test_a_neighbour_on_the_node_is_not_the_node() -> None:
    policy = Policy("shop", "deny", ingress=())
    assert verdict(policy, Flow(API, WEB, same_node=True)) == "denied"


def test_a_pod_cannot_block_itself() -> None:
    policy = Policy("shop", "deny", ingress=(), egress=())
    assert verdict(policy, Flow(WEB, WEB, same_pod=True)) == "allowed"
    assert verdict(policy, Flow(WEB, WEB)) == "denied"


def test_what_is_no_pod_is_never_isolated() -> None:
    policies = [Policy(name, "deny", ingress=(), egress=()) for name in ("", "shop")]
    found = judge(policies, Flow(node("192.168.0.1"), USER), Flow(USER, node("192.168.0.1")))
    assert found.allowed.all()
    assert not (found.ingress_isolated | found.egress_isolated).any()
