"""What a plugin ignores or refuses, rule by rule."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from synth.cni.claims import Claim, Feature, Value
from synth.cni.profiles import BY_NAME
from synth.cni.recognise import Recognised
from synth.cni.review import review
from synth.cni.shortfall import Shortfall
from synth.inventory.model import Inventory, Ranges
from synth.policy import (
    AddressPeer,
    IpBlock,
    PodPeer,
    Policy,
    PolicySet,
    PortSet,
    Protocol,
    Rule,
    Selector,
)
from synth.policy.ports import NamedPort, PortRange
from tests.inventory.objects import listed, node, owned_by, pod, read, service

DB = Selector.equal({"app": "db"})
WEB = PodPeer(Selector.equal({"app": "web"}))
HTTP = PortSet.of(NamedPort(Protocol.TCP, "http"))
RANGE = PortSet.of(PortRange(Protocol.TCP, 8000, 8080))
SCTP = PortSet.port(Protocol.SCTP, 3868)
MYSQL = PortSet.port(Protocol.TCP, 3306)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    cluster = listed(
        pod("web-1", "10.244.1.5", meta=owned_by("StatefulSet", "web-1")),
        pod("web-2", "10.244.2.5", meta=owned_by("StatefulSet", "web-2")),
        pod("db-1", "10.244.1.6", meta=owned_by("StatefulSet", "db-1")),
        node("node1", "192.168.1.10"),
        node("node2", "192.168.1.11"),
    )
    return read(tmp_path, cluster=cluster)


def policies(*ingress: Rule, egress: Sequence[Rule] | None = None) -> PolicySet:
    out = None if egress is None else tuple(egress)
    return PolicySet.of([Policy("shop", "db", DB, ingress=tuple(ingress), egress=out)])


def block(cidr: str, *excepts: str, ports: PortSet = MYSQL) -> Rule:
    return Rule((AddressPeer(IpBlock.parse(cidr, excepts)),), ports)


def shortfalls(
    name: str, some: PolicySet, inventory: Inventory, version: str = ""
) -> list[Shortfall]:
    return list(review(Recognised(BY_NAME[name], version), some, inventory)[0])


def told(name: str, some: PolicySet, inventory: Inventory, version: str = "") -> list[str]:
    found = shortfalls(name, some, inventory, version)
    return [f"{one.place} {one.claim.feature}".strip() for one in found]


def test_flannel_enforces_nothing_and_that_is_all_there_is_to_say(inventory: Inventory) -> None:
    (one,) = shortfalls("flannel", policies(Rule((WEB,), HTTP)), inventory)
    assert one.claim.feature is Feature.ENFORCES
    assert str(one).startswith("what all policies say is not enforced: ")


def test_a_plain_policy_has_no_shortfall_anywhere_else(inventory: Inventory) -> None:
    plain = policies(Rule((WEB,), MYSQL), egress=[Rule((WEB,), MYSQL)])
    for name in BY_NAME.keys() - {"flannel", "romana", "aws-vpc-cni", "kindnet"}:
        assert told(name, plain, inventory) == [], name
    assert told("kindnet", plain, inventory) == ["enforces"]


def test_without_policies_there_is_nothing_to_warn_of(inventory: Inventory) -> None:
    assert shortfalls("flannel", PolicySet(), inventory) == []


def test_without_a_plugin_nothing_is_claimed(inventory: Inventory) -> None:
    assert review(Recognised(), policies(Rule((WEB,), HTTP)), inventory) == ((), ())


@pytest.mark.parametrize("name", ["weave-net", "romana", "ovn-kubernetes"])
def test_named_ports(name: str, inventory: Inventory) -> None:
    some = policies(Rule((WEB,), MYSQL), Rule((WEB,), HTTP))
    assert "shop/db ingress[1] named-ports-ingress" in told(name, some, inventory)
    assert "shop/db ingress[0] named-ports-ingress" not in told(name, some, inventory)


def test_named_ports_fail_differently_by_direction(inventory: Inventory) -> None:
    some = policies(Rule((WEB,), HTTP), egress=[Rule((WEB,), HTTP)])
    assert told("kube-router", some, inventory) == ["shop/db egress[0] named-ports-egress"]
    found = told("aws-vpc-cni", some, inventory, "1.16")
    assert "shop/db ingress[0] named-ports-ingress" in found
    assert "shop/db egress[0] named-ports-egress" not in found


def test_what_ovn_makes_of_a_name_is_said(inventory: Inventory) -> None:
    (one,) = shortfalls("ovn-kubernetes", policies(Rule((WEB,), HTTP)), inventory)
    assert "admits every port of the protocol" in str(one)
    assert "2117" in one.source


@pytest.mark.parametrize(
    ("name", "version", "short"),
    [
        ("cilium", "1.15.9", True),
        ("cilium", "1.16.0", False),
        ("cilium", "", True),
        ("antrea", "1.0.2", True),
        ("antrea", "1.15", False),
        ("weave-net", "2.8.1", True),
        ("calico", "3.26.1", False),
    ],
)
def test_end_port(name: str, version: str, short: bool, inventory: Inventory) -> None:  # noqa: FBT001
    found = told(name, policies(Rule((WEB,), RANGE)), inventory, version)
    assert found == (["shop/db ingress[0] end-port"] if short else [])


def test_all_ports_of_a_protocol_are_no_range(inventory: Inventory) -> None:
    every = policies(Rule((WEB,), PortSet.every(Protocol.TCP)), Rule((WEB,)))
    assert told("cilium", every, inventory, "1.15") == []


def test_sctp(inventory: Inventory) -> None:
    some = policies(Rule((WEB,), SCTP), Rule((WEB,)), Rule((WEB,), PortSet.every(Protocol.SCTP)))
    assert told("cilium", some, inventory, "1.17") == [
        "shop/db ingress[0] sctp",
        "shop/db ingress[2] sctp",
    ]


def test_what_is_used_and_not_known_is_named_once(inventory: Inventory) -> None:
    some = policies(Rule((WEB,), SCTP), Rule((WEB,), SCTP), block("10.244.0.0/16"))
    short, unsure = review(Recognised(BY_NAME["antrea"], "1.15"), some, inventory)
    assert short == ()
    assert unsure == (Feature.SCTP, Feature.IP_BLOCK_PODS)


def test_cilium_matches_neither_pods_nor_nodes_by_address(inventory: Inventory) -> None:
    some = policies(block("10.244.0.0/16"), block("192.168.1.0/24"), block("203.0.113.0/24"))
    found = shortfalls("cilium", some, inventory, "1.15.6")
    assert [str(one.place) for one in found] == ["shop/db ingress[0]", "shop/db ingress[1]"]
    assert "the pods in 10.244.0.0/16 (shop/db-1, shop/web-1, shop/web-2)" in str(found[0])
    assert "the nodes in 192.168.1.0/24 (node1, node2)" in str(found[1])
    assert "9209" in found[0].source
    assert "policy-cidr-match-mode" in found[1].why


def test_what_an_except_cuts_out_is_not_meant(inventory: Inventory) -> None:
    world = policies(block("0.0.0.0/0", "10.244.0.0/16", "192.168.0.0/16"))
    assert told("cilium", world, inventory, "1.15") == []
    half = policies(block("0.0.0.0/0", "10.244.1.0/24", "192.168.0.0/16"))
    (one,) = shortfalls("cilium", half, inventory, "1.15")
    assert "(shop/web-2)" in one.what


def test_a_block_of_one_address(inventory: Inventory) -> None:
    some = policies(block("10.244.1.6/32"), block("10.244.1.7/32"))
    (one,) = shortfalls("cilium", some, inventory, "1.15")
    assert "(shop/db-1)" in one.what


def test_ranges_count_where_nobody_is_yet(tmp_path: Path) -> None:
    ranges = Ranges(pods=("10.9.0.0/16",), nodes=("172.16.0.0/24",))
    inventory = read(tmp_path, ranges=ranges, cluster=listed(pod("web-1", "10.9.1.5")))
    some = policies(block("10.9.200.0/24"), block("172.16.0.0/28"), block("172.17.0.0/16"))
    assert told("cilium", some, inventory, "1.15") == [
        "shop/db ingress[0] ip-block-pods",
        "shop/db ingress[1] ip-block-nodes",
    ]


def test_a_setting_of_the_cluster_lifts_the_warning(inventory: Inventory) -> None:
    on = Claim(Feature.IP_BLOCK_NODES, Value.YES, "", "ConfigMap cilium-config", "this cluster")
    found = Recognised(BY_NAME["cilium"], "1.15", "", (on,))
    assert review(found, policies(block("192.168.1.0/24")), inventory)[0] == ()


def test_egress_that_is_not_read(inventory: Inventory) -> None:
    found = told("romana", policies(Rule((WEB,), MYSQL), egress=()), inventory)
    assert found == ["enforces", "shop/db selectors", "shop/db egress egress"]


def test_ip_blocks_that_are_refused(inventory: Inventory) -> None:
    found = told("romana", policies(block("203.0.113.0/24", "203.0.113.1/32")), inventory)
    assert found[2:] == ["shop/db ingress[0] ip-block", "shop/db ingress[0] except"]


def test_the_family_that_the_cluster_does_not_use(inventory: Inventory) -> None:
    some = policies(block("203.0.113.0/24"), block("2001:db8::/32"))
    found = told("aws-vpc-cni", some, inventory, "1.16")
    assert found == ["enforces", "shop/db ingress[1] dual-stack"]


def test_both_families_at_once(tmp_path: Path) -> None:
    inventory = read(tmp_path, cluster=listed(pod("web-1", "10.244.1.5", "fd00::5")))
    found = told("aws-vpc-cni", policies(block("203.0.113.0/24")), inventory, "1.16")
    assert "shop/db ingress[0] dual-stack" in found
    assert told("ovn-kubernetes", policies(block("203.0.113.0/24")), inventory) == []


def test_an_old_kube_router_stops_at_an_ipv6_block(inventory: Inventory) -> None:
    some = policies(block("2001:db8::/32"))
    (one,) = shortfalls("kube-router", some, inventory, "1.4.0")
    assert "stops the update of every policy" in one.why
    assert told("kube-router", some, inventory, "2.1.0") == []


def test_except_of_aws(inventory: Inventory) -> None:
    some = policies(block("203.0.113.0/24", "203.0.113.128/25"))
    assert told("aws-vpc-cni", some, inventory, "1.16") == [
        "enforces",
        "shop/db ingress[0] except",
    ]


@pytest.mark.parametrize(("count", "short"), [(24, False), (25, True)])
def test_many_ports(count: int, short: bool, inventory: Inventory) -> None:  # noqa: FBT001
    terms = [PortRange(Protocol.TCP, 2 * one, 2 * one) for one in range(1, count + 1)]
    some = policies(Rule((WEB,), PortSet.of(*terms)))
    found = told("aws-vpc-cni", some, inventory, "1.16")
    assert ("shop/db ingress[0] rule-limits" in found) is short
    assert told("calico", some, inventory) == []


def test_services_that_move_a_port_before_aws_looks(tmp_path: Path) -> None:
    same = service("same", {"port": 80, "targetPort": 80}, ip="10.96.0.2")
    named = service("named", {"port": 80, "targetPort": "http"}, ip="10.96.0.3")
    moved = service("moved", {"port": 80, "targetPort": 8080}, ip="10.96.0.4")
    cluster = listed(pod("web-1", "10.244.1.5"), same, named, moved)
    inventory = read(tmp_path, cluster=cluster)
    out = policies(egress=[Rule((WEB,), MYSQL)])
    (one,) = [
        one
        for one in shortfalls("aws-vpc-cni", out, inventory, "1.16")
        if one.claim.feature is Feature.AFTER_DNAT
    ]
    assert "(shop/moved)" in one.what
    assert str(one.place) == ""
    assert "after-dnat" not in told("aws-vpc-cni", policies(Rule((WEB,))), inventory, "1.16")
    assert told("calico", out, inventory) == []


def test_pods_that_nothing_owns(tmp_path: Path) -> None:
    alone = pod("job", "10.244.1.5", meta={"ownerReferences": []})
    host = pod("x", "10.244.1.6", spec={"hostNetwork": True})
    cluster = listed(alone, host)
    inventory = read(tmp_path, cluster=cluster)
    (one,) = [
        one
        for one in shortfalls("aws-vpc-cni", policies(Rule((WEB,))), inventory, "1.16")
        if one.claim.feature is Feature.BARE_PODS
    ]
    assert "(shop/job)" in one.what


def test_every_shortfall_names_its_source(inventory: Inventory) -> None:
    some = policies(
        Rule((WEB,), HTTP),
        Rule((WEB,), RANGE),
        Rule((WEB,), SCTP),
        block("0.0.0.0/0", "203.0.113.0/24"),
        block("2001:db8::/32"),
        egress=[Rule((WEB,), HTTP)],
    )
    for name in BY_NAME:
        for one in shortfalls(name, some, inventory):
            assert one.source, (name, one)
            assert one.why, (name, one)


def test_many_blocks_and_pods_take_no_time(tmp_path: Path) -> None:
    pods = [pod(f"web-{one}", f"10.{one // 250}.{one % 250}.1") for one in range(500)]
    inventory = read(tmp_path, cluster=listed(*pods))
    blocks = (AddressPeer(IpBlock.parse(f"10.0.{one}.0/24")) for one in range(250))
    some = policies(Rule(tuple(blocks), MYSQL))
    assert len(shortfalls("cilium", some, inventory, "1.15")) == 250
