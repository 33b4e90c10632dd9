"""What nodes do with Services, and what clients' exit codes mean, without running either."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from datasets.recorder.clients import build_command, find_target, judge
from datasets.recorder.reading import read_topology
from datasets.recorder.services import Backend, list_rules
from datasets.recorder.topology import Call

TOPOLOGY = read_topology(
    Path(__file__).resolve().parents[2] / "datasets" / "recorder" / "three-tier.yaml"
)
NODE1, NODE2 = TOPOLOGY.nodes
READY = {
    "shop/web": [Backend("node1", "10.244.1.11"), Backend("node2", "10.244.2.11")],
    "shop/api": [
        *(Backend("node1", one) for one in NODE1.pod_addresses(12)),
        *(Backend("node2", one) for one in NODE2.pod_addresses(12)),
    ],
    "shop/admin": [Backend("node1", "10.244.1.13")],
}


def rules(chain: str, node: int = 0) -> list[str]:
    """Return the rules that a node gets in the chain."""
    begin = f"add rule inet synth {chain} "
    lines = list_rules(TOPOLOGY, TOPOLOGY.nodes[node], READY)
    return [line.removeprefix(begin) for line in lines if line.startswith(begin)]


def test_a_service_is_picked_among_all_its_ready_pods_of_the_family() -> None:
    (four,) = rules("svc-shop-api-tcp-5000-v4")
    (six,) = rules("svc-shop-api-tcp-5000-v6")
    assert "numgen random mod 2 vmap" in four
    assert "numgen random mod 2 vmap" in six
    assert "dnat ip to 10.244.2.12:5000" in " ".join(rules("ep-1-svc-shop-api-tcp-5000-v4"))
    assert "dnat ip6 to [fd00:10:244:2::c]:5000" in " ".join(rules("ep-1-svc-shop-api-tcp-5000-v6"))


def test_a_pod_that_reaches_itself_is_masqueraded() -> None:
    first, _ = rules("ep-0-svc-shop-api-tcp-5000-v4")
    assert first == "ip saddr 10.244.1.12 meta mark set 0x4000"


def test_local_keeps_to_the_nodes_own_pods_and_marks_nothing() -> None:
    for node, address in enumerate(("10.244.1.11", "10.244.2.11")):
        assert any(address in one for one in rules("ep-0-ext-shop-web-tcp-80-v4", node))
        assert not rules("ep-1-ext-shop-web-tcp-80-v4", node)
        assert not [one for one in rules("nodeports", node) if "30080" in one and "mark" in one]


def test_cluster_goes_to_any_node_and_is_marked() -> None:
    for node in (0, 1):
        assert any("10.244.1.13" in one for one in rules("ep-0-ext-shop-admin-tcp-8080-v4", node))
        marked, gone = [one for one in rules("nodeports", node) if "30081" in one]
        assert marked.endswith("meta mark set 0x4000")
        assert "goto ext-shop-admin" in gone


def test_a_service_without_ready_pods_is_refused() -> None:
    refused = rules("unready")
    assert f"ip daddr {TOPOLOGY.cluster_addresses(TOPOLOGY.workload('shop/db'))[0]} " in "".join(
        refused
    )
    assert not any("shop-db" in one for one in rules("services"))
    assert not any(" 5000 " in one for one in refused)


def test_dns_has_both_protocols() -> None:
    ready = {"kube-system/coredns": [Backend("node1", "10.244.1.10")]}
    lines = list(list_rules(TOPOLOGY, NODE1, ready))
    starts = {re.sub(r".* (udp|tcp) dport 53 .*", r"\1", one) for one in lines if "dport 53" in one}
    assert starts == {"udp", "tcp"}


@pytest.mark.parametrize(
    ("kind", "code", "told", "said", "outcome"),
    [
        ("http", 0, "200", "", "answered"),
        ("http", 7, "", "Couldn't connect to server", "refused"),
        ("http", 28, "", "Connection timed out", "unanswered"),
        ("tcp", 1, "", "connect to x port 1 (tcp) failed: Connection refused", "refused"),
        (
            "tcp",
            1,
            "",
            "connect to x port 1 (tcp) timed out: Operation now in progress",
            "unanswered",
        ),
        ("udp", 0, "PING", "", "answered"),
        ("udp", 0, "", "", "unanswered"),
        ("dns", 9, ";; connection timed out; no servers could be reached", "", "unanswered"),
        ("mysql", 0, "3", "", "answered"),
        ("mysql", 1, "", "Can't connect to server on 'x' (111 \"Connection refused\")", "refused"),
        ("mysql", 1, "", "Access denied for user", "failed"),
    ],
)
def test_outcomes(kind: str, code: int, told: str, said: str, outcome: str) -> None:
    assert judge(kind, code, told, said) == outcome


def test_targets_are_names_of_services_and_of_who_is_outside_or_addresses() -> None:
    assert find_target(TOPOLOGY, Call("shop/db", "mysql", 0, None)) == (
        "db.shop.svc.cluster.local",
        3306,
    )
    payment = Call("payment.example.com", "http", 0, None)
    assert find_target(TOPOLOGY, payment) == ("payment.example.com", 443)
    assert find_target(TOPOLOGY, Call("10.0.0.9", "tcp", 7, None)) == ("10.0.0.9", 7)


def test_an_address_of_ipv6_stands_in_brackets_in_a_url() -> None:
    command = build_command(Call("x", "http", 80, None), "fd00::1", 80)
    assert command[-1] == "http://[fd00::1]:80/"
