"""The random worlds are valid, repeatable, and as awkward as they promise."""

from __future__ import annotations

import functools
import ipaddress
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.reference import Flow, Judgement, Pod, Reference
from tests.worlds import NODES, World, world

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = range(60)
EDGES = 200


@functools.cache
def sample() -> tuple[World, ...]:
    return tuple(world(seed, edges=EDGES) for seed in SEEDS)


@functools.cache
def answers() -> tuple[tuple[Flow, Judgement], ...]:
    pairs = []
    for each in sample():
        reference = Reference(each.policies, each.namespaces)
        pairs += [(flow, reference.judge(flow)) for flow in each.flows]
    return tuple(pairs)


def specs() -> Iterator[dict[str, Any]]:
    for each in sample():
        for policy in each.policies:
            yield policy["spec"]


def rules() -> Iterator[dict[str, Any]]:
    for spec in specs():
        yield from spec.get("ingress") or ()
        yield from spec.get("egress") or ()


def peers() -> Iterator[dict[str, Any]]:
    for rule in rules():
        yield from rule.get("from") or ()
        yield from rule.get("to") or ()


def ports() -> Iterator[dict[str, Any]]:
    for rule in rules():
        yield from rule.get("ports") or ()


def selectors() -> Iterator[dict[str, Any]]:
    for holder in [*specs(), *peers()]:
        yield holder.get("podSelector") or {}
        yield holder.get("namespaceSelector") or {}


def terms() -> Iterator[dict[str, Any]]:
    for selector in selectors():
        yield from selector.get("matchExpressions") or ()


def is_itself(flow: Flow) -> bool:
    both = (flow.client, flow.server)
    one, other = ((e.namespace, e.name) if isinstance(e, Pod) else None for e in both)
    return one is not None and one == other


# ---------------------------------------------------------------------------------- the shares


def test_policies_have_a_say_in_at_least_35_percent_of_the_answers() -> None:
    """Decided: at least one side is isolated, so that rules were examined."""
    decided = sum(judgement.decided for _, judgement in answers())
    assert decided >= 0.35 * len(answers())


def test_at_least_15_percent_of_the_answers_are_admitted_by_a_rule() -> None:
    """Allowed, with an admitting rule on an isolated side, and not exempt as itself or own node."""
    admitted = sum(
        judgement.allowed and bool(judgement.egress_rules or judgement.ingress_rules)
        for flow, judgement in answers()
        if not flow.same_node and not is_itself(flow)
    )
    assert admitted >= 0.15 * len(answers())


def test_at_least_a_quarter_of_the_answers_are_denials() -> None:
    denied = sum(not judgement.allowed for _, judgement in answers())
    assert denied >= 0.25 * len(answers())


def test_both_settings_of_blocks_give_different_answers() -> None:
    differ = 0
    for each in sample():
        off = Reference(each.policies, each.namespaces, {"ip_block_pods": "no"})
        on = Reference(each.policies, each.namespaces)
        differ += sum(on.judge(flow) != off.judge(flow) for flow in each.flows)
    assert differ >= 0.01 * len(answers())


def test_exemptions_change_answers() -> None:
    changed: Counter[str] = Counter()
    for flow, judgement in answers():
        no_way_in = judgement.ingress_isolated and not judgement.ingress_rules
        changed["itself"] += is_itself(flow) and no_way_in
        changed["own node"] += flow.same_node and no_way_in
    assert min(changed.values()) >= 0.005 * len(answers())


# ------------------------------------------------------------------------------ the determinism


def test_a_seed_is_one_world() -> None:
    assert world(7, edges=50) == world(7, edges=50)
    assert world(7, edges=50) != world(8, edges=50)
    assert len(world(7, edges=50).flows) == 50


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_the_hash_seed_changes_nothing(hash_seed: str) -> None:
    program = "from tests.worlds import world; print(repr(world(3, edges=100)))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == repr(world(3, edges=100)) + "\n"


# -------------------------------------------------------------------------------- the validity


def test_policies_are_plain_json_with_unique_names() -> None:
    for each in sample():
        assert json.loads(json.dumps(each.policies)) == each.policies
        names = [(p["metadata"]["namespace"], p["metadata"]["name"]) for p in each.policies]
        assert len(set(names)) == len(names)
        assert {namespace for namespace, _ in names} <= set(each.namespaces)


def test_peers_are_valid() -> None:
    for peer in peers():
        fields = {key for key, value in peer.items() if value is not None}
        assert fields == {"ipBlock"} or (fields and "ipBlock" not in fields)
        if "ipBlock" in peer:
            block = ipaddress.ip_network(peer["ipBlock"]["cidr"], strict=False)
            for text in peer["ipBlock"].get("except", ()):
                hole = ipaddress.ip_network(text, strict=False)
                assert hole.version == block.version
                assert hole.prefixlen > block.prefixlen
                assert hole.supernet(new_prefix=block.prefixlen) == block


def test_ports_are_valid() -> None:
    for item in ports():
        assert item.get("protocol", "TCP") in ("TCP", "UDP", "SCTP")
        port = item.get("port")
        if isinstance(port, str):
            assert re.fullmatch(r"[a-z]{1,15}", port)
        elif port is not None:
            assert 1 <= port <= item.get("endPort", port) <= 65535
        assert "endPort" not in item or isinstance(port, int)


def test_labels_and_selectors_are_valid() -> None:
    pairs = [pair for each in sample() for pod in each.pods for pair in pod.labels.items()]
    for selector in selectors():
        pairs += (selector.get("matchLabels") or {}).items()
    for term in terms():
        assert (term["operator"] in ("In", "NotIn")) == bool(term.get("values"))
        pairs += [(term["key"], value) for value in term.get("values", [""])]
    for key, value in set(pairs):
        assert re.fullmatch(r"([a-z.]+/)?[a-z.]{1,63}", key)
        assert re.fullmatch(r"[a-z]{0,63}", value)


def test_every_pod_value_has_an_address_of_its_own() -> None:
    for each in sample():
        addresses = [ipaddress.ip_address(pod.address) for pod in each.pods]
        assert len(set(addresses)) == len(addresses)


def test_a_string_is_a_pods_address_only_if_it_is_a_nodes() -> None:
    nodes = {address for pair in NODES.values() for address in pair}
    for each in sample():
        held = {pod.address for pod in each.pods} - nodes
        for flow in each.flows:
            ends = (flow.client, flow.client_seen, flow.server)
            assert not held & {end for end in ends if isinstance(end, str)}
            assert all(end in each.pods for end in ends if isinstance(end, Pod))


def test_the_own_node_is_marked_and_never_hidden_by_a_masquerade() -> None:
    for flow, _ in answers():
        if isinstance(flow.server, Pod):
            own = NODES[flow.server.node]
            ends = (flow.client, flow.client_seen)
            one, seen = (end.address if isinstance(end, Pod) else end for end in ends)
            assert (one in own) == (seen in own) == flow.same_node or flow.server.host_network


# ----------------------------------------------------------------------------- the awkwardness


AWKWARD_SPECS = {
    "types None",
    "types []",
    "types ['Ingress']",
    "types ['Egress']",
    "types ['Ingress', 'Egress']",
    "types ['Egress', 'Ingress']",
    "egress only, without types",
    "egress empty, without types",
    "egress ignored",
    "ingress ignored",
    "ingress None",
    "ingress []",
    "ingress False",
    "egress None",
    "podSelector None",
    "podSelector {}",
    "podSelector False",
}


def features(spec: dict[str, Any]) -> Iterator[str]:
    types, egress = spec.get("policyTypes"), spec.get("egress")
    yield f"types {types}"
    if not types and egress and not spec.get("ingress"):
        yield "egress only, without types"
    if not types and egress == []:
        yield "egress empty, without types"
    if types == ["Ingress"] and egress:
        yield "egress ignored"
    if types == ["Egress"] and spec.get("ingress"):
        yield "ingress ignored"
    for key in ("ingress", "egress", "podSelector"):
        yield f"{key} {spec[key]}" if key in spec and not spec[key] else f"{key} {key in spec}"


def test_specs_are_awkward() -> None:
    seen = Counter(feature for spec in specs() for feature in features(spec))
    assert seen.keys() >= AWKWARD_SPECS


def test_rules_are_awkward() -> None:
    assert {} in list(rules())
    for key in ("from", "to", "ports"):
        assert any(rule.get(key, "missing") is None for rule in rules())
        assert any(rule.get(key) == [] for rule in rules())
        assert any(key not in rule for rule in rules())
    assert {"podSelector": {}} in list(peers())
    assert {"namespaceSelector": {}} in list(peers())
    assert any(peer.get("namespaceSelector", "missing") is None for peer in peers())
    assert any(len(peer) == 2 and all(peer.values()) for peer in peers())
    assert any(len(peer.get("ipBlock", {}).get("except", ())) == 2 for peer in peers())


def test_selectors_are_awkward() -> None:
    operators = Counter(term["operator"] for term in terms())
    assert min(operators[name] for name in ("In", "NotIn", "Exists", "DoesNotExist")) >= 50
    assert any("" in term.get("values", ()) for term in terms())
    assert any("" in (selector.get("matchLabels") or {}).values() for selector in selectors())
    assert any(selector.get("matchLabels", "") is None for selector in selectors())


def test_ports_are_awkward() -> None:
    items = list(ports())
    assert {} in items
    assert {"protocol": "UDP"} in items
    assert any(item.get("protocol") == "SCTP" for item in items)
    assert any(item.get("port") == item.get("endPort") is not None for item in items)
    assert any(item.get("endPort") == 65535 for item in items)
    assert sum(isinstance(item.get("port"), str) for item in items) >= 50


def test_pods_are_awkward() -> None:
    pods = [pod for each in sample() for pod in each.pods]
    assert {pod.phase for pod in pods} == {"Running", "Pending", "Succeeded", "Failed"}
    assert any(pod.host_network for pod in pods)
    assert any("" in pod.labels.values() for pod in pods)
    assert any(not pod.labels for pod in pods)
    twins = [Counter((pod.namespace, pod.name) for pod in each.pods) for each in sample()]
    assert all(max(counts.values()) <= 2 for counts in twins)
    assert any(2 in counts.values() for counts in twins)
    named = [Counter(port[:2] for port in pod.ports) for pod in pods]
    assert any(max(counts.values(), default=0) > 1 for counts in named)
    assert {port[2] for pod in pods for port in pod.ports if port[0] == "http"} == {80, 8000, 8080}


def test_flows_are_awkward() -> None:
    flows = [flow for flow, _ in answers()]
    assert {flow.protocol for flow in flows} == {"TCP", "UDP", "SCTP"}
    assert {1, 52, 53, 79, 81, 90, 91, 442, 65535} <= {flow.port for flow in flows}
    shapes = Counter((type(flow.client), type(flow.server)) for flow in flows)
    assert min(shapes[Pod, Pod], shapes[str, Pod], shapes[Pod, str]) >= 0.1 * len(flows)
    assert sum(flow.client_seen != flow.client for flow in flows) >= 0.03 * len(flows)
    assert sum(flow.same_node for flow in flows) >= 0.03 * len(flows)
    assert sum(map(is_itself, flows)) >= 0.02 * len(flows)
    strings = {flow.client for flow in flows if isinstance(flow.client, str)}
    assert {"9.255.255.255", "11.0.0.0", "10.0.1.8", "203.0.112.255", "203.0.114.0"} <= strings
    assert "::ffff:203.0.113.9" in strings
