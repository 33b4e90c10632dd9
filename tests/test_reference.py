"""The scalar reference against answers worked out by hand, one line of the definition each."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reference import Endpoint, Flow, Judgement, Pod, Reference

NAMESPACES = {"shop": {"env": "prod"}, "bank": {"env": ""}, "bare": None}
WEB = Pod("shop", "web", {"app": "web", "tier": ""}, "10.0.0.1", node="n1")
API = Pod(
    "shop",
    "api",
    {"app": "api"},
    "10.0.0.2",
    ports=(("http", "TCP", 5000), ("http", "TCP", 5001), ("dns", "UDP", 53)),
    node="n1",
)
OTHER_API = Pod("bank", "api", {"app": "api"}, "10.0.1.2", ports=(("http", "TCP", 80),), node="n2")
BARE = Pod("bare", "job", {}, "10.0.2.1", node="n2")
OUTSIDE = "203.0.113.9"
NODE = "192.168.0.1"
HOST = Pod("shop", "agent", {"app": "web"}, NODE, (("http", "TCP", 80),), "n1", host_network=True)
DONE = Pod("shop", "done", {"app": "web"}, "10.0.0.9", (("http", "TCP", 80),), phase="Succeeded")
FAILED = Pod("shop", "fail", {"app": "web"}, "10.0.0.10", (("http", "TCP", 80),), phase="Failed")

NAME_LABEL = "kubernetes.io/metadata.name"
WEB_ONLY = {"podSelector": {"matchLabels": {"app": "web"}}}


def policy(name: str = "p", namespace: str = "shop", **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def judge(
    policies: list[dict[str, Any]],
    client: Endpoint,
    server: Endpoint,
    port: int = 80,
    protocol: str = "TCP",
) -> Judgement:
    return Reference(policies, NAMESPACES).judge(Flow(client, client, server, protocol, port))


def admits(rule: dict[str, Any], client: Endpoint, server: Endpoint = API, port: int = 80) -> bool:
    """Whether one ingress rule of shop's pods admits the flow."""
    return judge([policy(ingress=[rule])], client, server, port).allowed


def admits_port(item: dict[str, Any], port: int, protocol: str = "TCP") -> bool:
    """Whether one item of an ingress rule's ports admits a flow from web to api."""
    return judge([policy(ingress=[{"ports": [item]}])], WEB, API, port, protocol).allowed


def admits_from_block(client: Endpoint, cidr: str, *holes: str) -> bool:
    return admits({"from": [{"ipBlock": {"cidr": cidr, "except": list(holes)}}]}, client)


def selects(selector: dict[str, Any] | None, pod: Pod) -> bool:
    """Whether a policy of the pod's namespace with this selector isolates the pod."""
    return judge([policy(namespace=pod.namespace, podSelector=selector)], OUTSIDE, pod).decided


def term(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


# ------------------------------------------------------------------------ selection and peers


def test_without_policies_everything_is_allowed_and_nothing_isolated() -> None:
    assert judge([], WEB, API) == Judgement(
        egress_isolated=False,
        egress_allowed=True,
        ingress_isolated=False,
        ingress_allowed=True,
        allowed=True,
        egress_rules=(),
        ingress_rules=(),
    )


@pytest.mark.parametrize(
    "selector", [None, {}, {"matchLabels": None}, {"matchLabels": {}, "matchExpressions": None}]
)
def test_an_empty_pod_selector_is_every_pod_of_the_policys_namespace(
    selector: dict[str, Any] | None,
) -> None:
    policies = [policy(podSelector=selector)]
    assert judge(policies, BARE, WEB).ingress_isolated
    assert judge(policies, BARE, API).ingress_isolated
    assert not judge(policies, WEB, OTHER_API).decided


def test_a_missing_pod_selector_is_every_pod_of_the_policys_namespace() -> None:
    assert judge([policy()], BARE, WEB).ingress_isolated
    assert not judge([policy()], WEB, OTHER_API).decided


def test_a_missing_spec_isolates_ingress_of_the_namespace() -> None:
    judgement = judge([{"metadata": {"name": "p"}, "spec": None}], WEB, API)
    assert not judgement.decided
    default = Pod("default", "a", {}, "10.0.3.1")
    assert not judge([{"metadata": {"name": "p"}}], WEB, default).allowed


def test_a_pod_selector_alone_means_the_policys_namespace() -> None:
    rule = {"from": [{"podSelector": {"matchLabels": {"app": "api"}}}]}
    assert admits(rule, API, WEB)
    assert not admits(rule, OTHER_API, WEB)


@pytest.mark.parametrize("selector", [{}, {"matchLabels": None}])
def test_an_empty_pod_selector_as_peer_is_the_policys_namespace(selector: dict[str, Any]) -> None:
    assert admits({"from": [{"podSelector": selector}]}, WEB)
    assert not admits({"from": [{"podSelector": selector}]}, OTHER_API)


def test_a_null_namespace_selector_is_a_missing_one() -> None:
    rule: dict[str, Any] = {"from": [{"podSelector": {}, "namespaceSelector": None}]}
    assert admits(rule, WEB)
    assert not admits(rule, BARE)


@pytest.mark.parametrize("beside", [{}, {"podSelector": None}, {"podSelector": {}}])
def test_an_empty_namespace_selector_is_every_pod_but_not_everywhere(
    beside: dict[str, Any],
) -> None:
    rule: dict[str, Any] = {"from": [{"namespaceSelector": {}, **beside}]}
    assert admits(rule, WEB)
    assert admits(rule, BARE)
    assert not admits(rule, OUTSIDE)


def test_one_peer_with_both_selectors_means_both() -> None:
    prod = {"matchLabels": {"env": "prod"}}
    rule = {"from": [{"namespaceSelector": prod, **WEB_ONLY}]}
    assert admits(rule, WEB)
    assert not admits(rule, Pod("bank", "web", {"app": "web"}, "10.0.1.1"))
    assert not admits(rule, Pod("shop", "db", {"app": "db"}, "10.0.0.3"))


def test_two_peers_mean_either() -> None:
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"env": ""}}}, WEB_ONLY]}
    assert admits(rule, WEB)
    assert admits(rule, OTHER_API)
    assert not admits(rule, BARE)


@pytest.mark.parametrize(
    "peer",
    [
        {},
        None,
        {"podSelector": None},
        {"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}},
        {"ipBlock": {"cidr": "10.0.0.0/8"}, "namespaceSelector": {}},
    ],
)
def test_a_peer_of_no_field_or_of_block_and_selector_is_refused(
    peer: dict[str, Any] | None,
) -> None:
    with pytest.raises(ValueError, match="peer"):
        Reference([policy(ingress=[{"from": [peer]}])], NAMESPACES)


@pytest.mark.parametrize("rule", [{}, None, {"from": []}, {"from": None}, {"ports": []}])
@pytest.mark.parametrize("client", [WEB, BARE, OUTSIDE, HOST])
def test_a_rule_without_peers_and_ports_admits_everything(
    rule: dict[str, Any] | None, client: Endpoint
) -> None:
    for protocol in ("TCP", "UDP", "SCTP"):
        judgement = judge([policy(ingress=[rule])], client, API, 1, protocol)
        assert judgement.ingress_isolated
        assert judgement.allowed


@pytest.mark.parametrize("peers", [{}, {"to": []}, {"to": None}])
def test_an_egress_rule_without_peers_reaches_everything(peers: dict[str, Any]) -> None:
    policies = [policy(policyTypes=["Egress"], egress=[{"ports": [{"port": 80}], **peers}])]
    assert judge(policies, WEB, OUTSIDE).egress_rules == (("shop", "p", "egress", 0),)
    assert judge(policies, WEB, BARE).allowed
    assert not judge(policies, WEB, BARE, 81).allowed


@pytest.mark.parametrize("spec", [{}, {"ingress": []}, {"ingress": None}])
def test_no_ingress_rule_isolates_and_allows_nothing(spec: dict[str, Any]) -> None:
    judgement = judge([policy(**spec)], WEB, API)
    assert judgement.ingress_isolated
    assert not judgement.ingress_allowed
    assert judgement.ingress_rules == ()


def test_not_in_and_does_not_exist_match_pods_without_the_key() -> None:
    assert selects({"matchExpressions": [term("app", "NotIn", "web")]}, BARE)
    assert selects({"matchExpressions": [term("app", "NotIn", "web")]}, OTHER_API)
    assert not selects({"matchExpressions": [term("app", "NotIn", "web", "api")]}, OTHER_API)
    assert selects({"matchExpressions": [term("app", "DoesNotExist")]}, BARE)
    assert not selects({"matchExpressions": [term("app", "DoesNotExist")]}, OTHER_API)


def test_in_and_exists_do_not_match_pods_without_the_key() -> None:
    assert selects({"matchExpressions": [term("app", "In", "x", "web")]}, WEB)
    assert not selects({"matchExpressions": [term("app", "In", "x", "web")]}, BARE)
    assert selects({"matchExpressions": [term("app", "Exists")]}, WEB)
    assert not selects({"matchExpressions": [term("app", "Exists")]}, BARE)


def test_an_empty_value_is_not_a_missing_key() -> None:
    assert selects({"matchLabels": {"tier": ""}}, WEB)
    assert selects({"matchLabels": {"tier": None}}, WEB)
    assert not selects({"matchLabels": {"tier": ""}}, API)
    assert selects({"matchExpressions": [term("tier", "Exists")]}, WEB)
    assert not selects({"matchExpressions": [term("tier", "NotIn", "")]}, WEB)
    assert selects({"matchExpressions": [term("tier", "NotIn", "")]}, API)


def test_all_terms_of_a_selector_must_hold() -> None:
    both = {"matchLabels": {"app": "web"}, "matchExpressions": [term("tier", "DoesNotExist")]}
    assert not selects(both, WEB)
    assert selects(both, Pod("shop", "w", {"app": "web"}, "10.0.0.4"))
    assert not selects({"matchLabels": {"app": "web", "tier": "back"}}, WEB)


@pytest.mark.parametrize(
    "bad",
    [
        {"key": "a", "operator": "Equals", "values": ["x"]},
        {"key": "a", "operator": "In"},
        {"key": "a", "operator": "NotIn", "values": []},
        {"key": "a", "operator": "Exists", "values": ["x"]},
    ],
)
def test_a_term_that_a_server_refuses_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"operator|values"):
        Reference([policy(podSelector={"matchExpressions": [bad]})], NAMESPACES)


def test_every_namespace_carries_its_name_as_a_label() -> None:
    rule = {"from": [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "bare"}}}]}
    assert admits(rule, BARE)
    assert not admits(rule, WEB)


def test_the_name_label_of_a_namespace_cannot_be_forged() -> None:
    rule = {"from": [{"namespaceSelector": {"matchLabels": {NAME_LABEL: "bare"}}}]}
    reference = Reference([policy(ingress=[rule])], {"shop": {NAME_LABEL: "bare"}})
    assert not reference.judge(Flow(WEB, WEB, API, "TCP", 80)).allowed


def test_policies_only_add() -> None:
    deny, web = policy("deny"), policy("web", ingress=[{"from": [WEB_ONLY]}])
    assert not judge([deny], WEB, API).allowed
    assert judge([deny, web], WEB, API).allowed
    assert not judge([deny, web], BARE, API).allowed
    assert judge([web, policy("any", ingress=[{}])], WEB, API).ingress_rules == (
        ("shop", "any", "ingress", 0),
        ("shop", "web", "ingress", 0),
    )


def test_every_admitting_rule_is_named() -> None:
    rules = [{}, {"from": [{"podSelector": {}}]}, {"ports": [{"port": 81}]}, {"from": [WEB_ONLY]}]
    names = judge([policy(ingress=rules)], WEB, API).ingress_rules
    assert [index for _, _, _, index in names] == [0, 1, 3]


def test_a_flow_needs_both_sides() -> None:
    out = policy("out", podSelector=WEB_ONLY["podSelector"], policyTypes=["Egress"])
    into = policy("in", podSelector={"matchLabels": {"app": "api"}}, ingress=[{}])
    judgement = judge([out, into], WEB, API)
    assert (judgement.egress_isolated, judgement.egress_allowed) == (True, False)
    assert (judgement.ingress_isolated, judgement.ingress_allowed) == (True, True)
    assert not judgement.allowed
    assert judge([out, into], API, WEB).allowed


# --------------------------------------------------------------------------------- policyTypes


@pytest.mark.parametrize("types", [{}, {"policyTypes": None}, {"policyTypes": []}])
@pytest.mark.parametrize(
    "egress", [{}, {"egress": None}, {"egress": []}, {"egress": [{}]}, {"egress": [None]}]
)
def test_default_types_are_ingress_and_egress_if_it_has_rules(
    types: dict[str, Any], egress: dict[str, Any]
) -> None:
    policies = [policy(**types, **egress)]
    has_rules = egress.get("egress") in ([{}], [None])
    assert judge(policies, WEB, BARE).egress_isolated is has_rules
    assert judge(policies, BARE, WEB).ingress_isolated
    assert not judge(policies, BARE, WEB).allowed


def test_rules_of_a_direction_not_listed_are_ignored() -> None:
    policies = [policy(policyTypes=["Egress"], ingress=[], egress=[{}])]
    assert not judge(policies, BARE, WEB).ingress_isolated
    policies = [policy(policyTypes=["Ingress"], ingress=[{}], egress=[{"to": [WEB_ONLY]}])]
    assert judge(policies, WEB, BARE) == judge([], WEB, BARE)


@pytest.mark.parametrize("types", [["Ingress", "Egress"], ["Egress", "Ingress"]])
def test_the_order_of_types_is_free(types: list[str]) -> None:
    policies = [policy(policyTypes=types)]
    assert judge(policies, WEB, BARE).egress_isolated
    assert judge(policies, BARE, WEB).ingress_isolated


def test_a_listed_egress_without_rules_isolates() -> None:
    assert not judge([policy(policyTypes=["Egress"])], WEB, BARE).allowed
    assert not judge([policy(policyTypes=["Egress"], egress=[])], WEB, BARE).allowed
    assert not judge([policy(policyTypes=["Egress"], egress=None)], WEB, BARE).allowed


@pytest.mark.parametrize("types", [["ingress"], ["Ingress", "Egress", "Egress"]])
def test_unknown_or_too_many_types_are_refused(types: list[str]) -> None:
    with pytest.raises(ValueError, match="policyTypes"):
        Reference([policy(policyTypes=types)], NAMESPACES)


# --------------------------------------------------------------------------------------- ports


@pytest.mark.parametrize("item", [{}, None, {"protocol": None}])
def test_a_port_item_without_protocol_is_all_of_tcp(item: dict[str, Any]) -> None:
    assert admits_port(item, 1)
    assert admits_port(item, 65535)
    assert not admits_port(item, 53, "UDP")
    assert not admits_port(item, 53, "SCTP")


def test_a_missing_port_is_every_port_of_that_protocol_only() -> None:
    assert admits_port({"protocol": "UDP"}, 53, "UDP")
    assert not admits_port({"protocol": "UDP"}, 53)


def test_a_port_is_one_number_of_one_protocol() -> None:
    assert admits_port({"port": 80}, 80)
    assert not admits_port({"port": 80}, 81)
    assert not admits_port({"port": 80}, 80, "UDP")


def test_any_item_of_ports_will_do() -> None:
    rule = {"ports": [{"port": 80}, {"port": 90}]}
    assert admits(rule, WEB, port=90)
    assert not admits(rule, WEB, port=85)


def test_a_rule_needs_its_peer_and_its_port() -> None:
    rule = {"from": [WEB_ONLY], "ports": [{"port": 80}]}
    assert admits(rule, WEB)
    assert not admits(rule, WEB, port=81)
    assert not admits(rule, BARE)


def test_rules_do_not_lend_each_other_peers_or_ports() -> None:
    rules = [{"from": [WEB_ONLY], "ports": [{"port": 80}]}, {"ports": [{"port": 90}]}]
    assert not judge([policy(ingress=rules)], BARE, API, 80).allowed
    assert judge([policy(ingress=rules)], WEB, API, 90).allowed


def test_a_port_name_is_the_servers_on_ingress() -> None:
    policies = [policy(ingress=[{"ports": [{"port": "http"}]}])]
    assert judge(policies, OTHER_API, API, 5000).allowed
    assert not judge(policies, OTHER_API, API, 80).allowed
    assert not judge(policies, OTHER_API, WEB, 80).allowed


def test_a_port_name_is_the_servers_on_egress() -> None:
    policies = [policy(policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}])]
    assert judge(policies, API, OTHER_API, 80).allowed
    assert not judge(policies, API, OTHER_API, 5000).allowed
    assert judge(policies, WEB, API, 5000).allowed


def test_a_port_name_of_several_containers_is_each_of_their_numbers() -> None:
    assert admits_port({"port": "http"}, 5000)
    assert admits_port({"port": "http"}, 5001)
    assert not admits_port({"port": "http"}, 5002)


def test_a_port_name_counts_for_its_protocol_only() -> None:
    assert admits_port({"port": "dns", "protocol": "UDP"}, 53, "UDP")
    assert not admits_port({"port": "dns"}, 53)
    assert not admits_port({"port": "dns"}, 53, "UDP")


def test_an_unknown_port_name_allows_nothing() -> None:
    assert not admits_port({"port": "nope"}, 80)


@pytest.mark.parametrize("server", [OUTSIDE, HOST, DONE])
def test_a_port_name_never_matches_an_address(server: Endpoint) -> None:
    policies = [policy(policyTypes=["Egress"], egress=[{"ports": [{"port": "http"}]}])]
    assert not judge(policies, WEB, server, 80).allowed


def test_an_end_port_is_inclusive() -> None:
    ports = [1, 7999, 8000, 8010, 8020, 8021, 65535]
    admitted = [port for port in ports if admits_port({"port": 8000, "endPort": 8020}, port)]
    assert admitted == [8000, 8010, 8020]


def test_an_end_port_may_equal_its_port() -> None:
    assert admits_port({"port": 65535, "endPort": 65535}, 65535)
    assert not admits_port({"port": 65535, "endPort": 65535}, 65534)


@pytest.mark.parametrize(
    "item",
    [
        {"port": 0},
        {"port": 65536},
        {"port": "80"},
        {"port": "Http"},
        {"port": "a--b"},
        {"port": "sixteen-letters1"},
        {"port": 90, "endPort": 80},
        {"port": 90, "endPort": 65536},
        {"port": "http", "endPort": 90},
        {"endPort": 90},
        {"protocol": "ICMP"},
        {"protocol": "tcp"},
    ],
)
def test_a_port_that_a_server_refuses_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"port|protocol"):
        Reference([policy(ingress=[{"ports": [item]}])], NAMESPACES)


def test_a_rule_for_sctp_isolates_tcp_and_is_not_read_as_tcp() -> None:
    policies = [policy(ingress=[{"ports": [{"protocol": "SCTP", "port": 80}]}])]
    assert judge(policies, WEB, API, 80, "SCTP").allowed
    assert judge(policies, WEB, API, 80, "TCP").ingress_isolated
    assert not judge(policies, WEB, API, 80, "TCP").allowed


# ------------------------------------------------------------------------------------- ipBlock


def test_a_block_matches_pods_unless_switched_off() -> None:
    policies = [policy(ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])]
    flow = Flow(BARE, BARE, API, "TCP", 80)
    assert Reference(policies, NAMESPACES).judge(flow).allowed
    assert not Reference(policies, NAMESPACES, {"ip_block_pods": "no"}).judge(flow).allowed


@pytest.mark.parametrize("client", [OUTSIDE, HOST, DONE])
def test_a_block_matches_what_is_only_an_address_in_either_setting(client: Endpoint) -> None:
    policies = [policy(ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}])]
    flow = Flow(client, client, API, "TCP", 80)
    for switch in (True, False):
        reference = Reference(policies, NAMESPACES, {"ip_block_pods": "yes" if switch else "no"})
        assert reference.judge(flow).allowed


def test_the_edges_of_a_block_and_of_its_hole() -> None:
    addresses = ["9.255.255.255", "10.0.0.0", "10.0.0.7", "10.0.0.8", "10.0.0.11", "10.0.0.12"]
    inside = [admits_from_block(a, "10.0.0.0/8", "10.0.0.8/30") for a in addresses]
    assert inside == [False, True, True, False, False, True]
    assert admits_from_block("10.255.255.255", "10.0.0.0/8")
    assert not admits_from_block("11.0.0.0", "10.0.0.0/8")


def test_a_hole_removes_from_its_own_block_only() -> None:
    holed = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.2.0/24"]}}
    whole = {"ipBlock": {"cidr": "10.0.2.0/25"}}
    assert not admits({"from": [holed]}, BARE)
    assert admits({"from": [holed, whole]}, BARE)
    assert judge([policy(ingress=[{"from": [holed]}, {"from": [whole]}])], BARE, API).allowed
    apart = [policy("a", ingress=[{"from": [holed]}]), policy("b", ingress=[{"from": [whole]}])]
    assert judge(apart, BARE, API).ingress_rules == (("shop", "b", "ingress", 0),)


@pytest.mark.parametrize("holes", [[], None])
def test_no_holes(holes: list[str] | None) -> None:
    assert admits({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": holes}}]}, BARE)


@pytest.mark.parametrize("hole", ["10.0.0.0/8", "0.0.0.0/0", "11.0.0.0/24", "fd00::/64"])
def test_a_hole_that_is_no_strict_subset_is_refused(hole: str) -> None:
    with pytest.raises(ValueError, match="except"):
        admits_from_block(BARE, "10.0.0.0/8", hole)


@pytest.mark.parametrize("cidr", ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/255.0.0.0", ""])
def test_a_block_that_is_no_cidr_is_refused(cidr: str) -> None:
    with pytest.raises(ValueError, match=r"cidr|does not appear"):
        admits_from_block(BARE, cidr)


def test_host_bits_are_masked() -> None:
    assert admits_from_block("10.0.0.0", "10.0.0.9/28")
    assert admits_from_block("10.0.0.15", "10.0.0.9/28")
    assert not admits_from_block("10.0.0.16", "10.0.0.9/28")
    assert not admits_from_block("10.0.0.8", "10.0.0.9/28", "10.0.0.11/30")


def test_families_do_not_mix() -> None:
    assert not admits_from_block("2001:db8::1", "0.0.0.0/0")
    assert not admits_from_block(OUTSIDE, "::/0")
    assert admits_from_block("2001:db8::1", "::/0")


def test_a_dual_stack_pod_needs_a_block_for_each_address() -> None:
    six = Pod(BARE.namespace, BARE.name, BARE.labels, "fd00::1")
    block = {"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}
    assert admits(block, BARE)
    assert not admits(block, six)
    assert admits({"from": [{"namespaceSelector": {}}]}, six)


def test_mapped_ipv6_is_the_ipv4_within() -> None:
    assert admits_from_block("::ffff:10.0.0.9", "10.0.0.8/29")
    assert not admits_from_block("::ffff:10.0.0.9", "::/0")
    assert admits_from_block("10.0.0.9", "::ffff:10.0.0.8/125")
    assert not admits_from_block("10.0.0.16", "::ffff:10.0.0.8/125")
    assert not admits_from_block("10.0.0.9", "::ffff:0.0.0.0/90")


def test_leading_zeros_are_decimal() -> None:
    assert admits_from_block("10.0.0.9", "010.000.00.08/029")
    assert admits_from_block("::ffff:010.0.0.09", "10.0.0.8/29")


# --------------------------------------------------------------------- identity and lifecycle


def test_only_the_opener_is_judged() -> None:
    policies = [policy(policyTypes=["Ingress", "Egress"], egress=[{"to": [{"podSelector": {}}]}])]
    policies.append(policy("api", ingress=[{"from": [WEB_ONLY]}]))
    assert judge(policies, WEB, API).allowed
    assert not judge(policies, API, WEB).allowed


def test_a_pod_always_reaches_itself() -> None:
    judgement = judge([policy(policyTypes=["Ingress", "Egress"])], WEB, WEB)
    assert judgement.egress_isolated
    assert judgement.ingress_isolated
    assert judgement.egress_rules == judgement.ingress_rules == ()
    assert judgement.allowed


def test_a_pod_reaches_itself_through_a_service_that_masquerades() -> None:
    reference = Reference([policy(policyTypes=["Ingress", "Egress"])], NAMESPACES)
    assert reference.judge(Flow(WEB, NODE, WEB, "TCP", 80)).allowed


def test_a_pod_of_the_same_name_elsewhere_is_another_pod() -> None:
    assert not judge([policy()], OTHER_API, API).allowed


def test_the_own_node_always_reaches_its_pod() -> None:
    reference = Reference([policy(policyTypes=["Ingress", "Egress"])], NAMESPACES)
    judgement = reference.judge(Flow(NODE, NODE, WEB, "TCP", 80, same_node=True))
    assert judgement.ingress_isolated
    assert judgement.allowed
    assert not reference.judge(Flow(NODE, NODE, WEB, "TCP", 80)).allowed
    assert not reference.judge(Flow(WEB, WEB, NODE, "TCP", 80)).allowed


@pytest.mark.parametrize("pod", [HOST, DONE, FAILED])
def test_host_network_and_finished_pods_are_not_selected(pod: Pod) -> None:
    policies = [policy(policyTypes=["Ingress", "Egress"])]
    assert not judge(policies, BARE, pod).decided
    assert not judge(policies, pod, BARE).decided


@pytest.mark.parametrize("pod", [HOST, DONE, FAILED])
def test_host_network_and_finished_pods_are_no_peers_of_selectors(pod: Pod) -> None:
    assert not admits({"from": [WEB_ONLY]}, pod)
    assert not admits({"from": [{"namespaceSelector": {}, "podSelector": {}}]}, pod)
    assert admits_from_block(pod, f"{pod.address}/32")


def test_a_pending_pod_is_a_pod() -> None:
    assert not judge([policy()], WEB, Pod("shop", "new", {}, "10.0.0.5", phase="Pending")).allowed


def test_each_side_judges_the_client_it_sees() -> None:
    reference = Reference([policy(podSelector={}, ingress=[{"from": [WEB_ONLY]}])], NAMESPACES)
    assert reference.judge(Flow(WEB, WEB, API, "TCP", 80)).allowed
    assert not reference.judge(Flow(WEB, NODE, API, "TCP", 80)).allowed
    block = policy(ingress=[{"from": [{"ipBlock": {"cidr": NODE + "/32"}}]}])
    assert Reference([block], NAMESPACES).judge(Flow(WEB, NODE, API, "TCP", 80)).allowed
    out = policy(podSelector=WEB_ONLY["podSelector"], policyTypes=["Egress"])
    assert not Reference([out], NAMESPACES).judge(Flow(WEB, NODE, API, "TCP", 80)).egress_allowed


def test_an_address_that_no_pod_holds_has_no_side() -> None:
    judgement = judge([policy(policyTypes=["Ingress", "Egress"])], OUTSIDE, "198.51.100.1")
    assert not judgement.decided
    assert judgement.allowed


# ------------------------------------------------------------------------- the story of the docs


def test_users_reach_web_and_only_api_reaches_db() -> None:
    db = Pod("shop", "db", {"app": "db"}, "10.0.0.3")
    policies = [
        chain("web", [{"ports": [{"port": 80}]}], [to("api", 5000)]),
        chain("api", [within("web", 5000)], [to("db", 3306)]),
        chain("db", [within("api", 3306)], []),
    ]
    assert judge(policies, OUTSIDE, WEB, 80).allowed
    assert judge(policies, WEB, API, 5000).allowed
    assert judge(policies, API, db, 3306).allowed
    assert not judge(policies, WEB, db, 3306).allowed
    assert not judge(policies, API, WEB, 80).allowed
    assert not judge(policies, OUTSIDE, API, 5000).allowed
    assert not judge(policies, db, API, 5000).allowed


def chain(app: str, ingress: list[Any], egress: list[Any]) -> dict[str, Any]:
    pods = {"matchLabels": {"app": app}}
    types = ["Ingress", "Egress"]
    return policy(app, podSelector=pods, policyTypes=types, ingress=ingress, egress=egress)


def within(app: str, port: int) -> dict[str, Any]:
    return {"from": [{"podSelector": {"matchLabels": {"app": app}}}], "ports": [{"port": port}]}


def to(app: str, port: int) -> dict[str, Any]:
    return {"to": [{"podSelector": {"matchLabels": {"app": app}}}], "ports": [{"port": port}]}
