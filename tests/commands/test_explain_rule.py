"""What a rule rests on, against the evidence that learning wrote; and what else it admits."""

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from synth.cli.explain_words import rule_of
from synth.commands.explain_reading import Reading
from synth.commands.explain_rule import RuleRequest, explain_rule
from synth.commands.learn import LearnRequest, learn
from synth.dialects.kubernetes.read import read_policies
from synth.errors import InputError, UsageError
from synth.policy.model import Direction
from synth.proof.explained import RuleAnswer
from synth.reports import explain_rule as report
from synth.reports.text import to_text
from tests.judge import Cluster, read_yaml
from tests.made import connection, pod, write_cluster
from tests.reference import Flow, Reference

ROOT = Path(__file__).parent.parent.parent
THREE_TIER = ROOT / "datasets" / "three-tier"
GOLDEN = ROOT / "tests" / "golden"
CASES = {
    "three-tier": (THREE_TIER / "flows" / "conntrack", THREE_TIER / "cluster"),
    "parquet": (THREE_TIER / "flows" / "parquet", THREE_TIER / "cluster"),
    **{
        name: (GOLDEN / name / "flows", GOLDEN / name / "cluster")
        for name in (
            "vpc-three-tier",
            "exposed-service",
            "cronjob-and-dns",
            "address-handover",
            "client-to-db",
        )
    },
}


def silent(_step: str, _done: int, _total: int) -> None:
    """Do nothing."""


def learned_from(flows: Path, cluster: Path, out: Path) -> Path:
    learn(LearnRequest((str(flows),), (str(cluster),), out), silent)
    return out


def totals(answer: RuleAnswer) -> tuple[object, ...]:
    return (
        answer.edge_count,
        answer.records,
        report.first_seen(answer),
        report.last_seen(answer),
        sorted(one.example for one in answer.edges),
    )


def evidence_totals(rule: dict[str, Any]) -> tuple[object, ...]:
    edges = rule["edges"]
    times = [[one[name] for one in edges if one[name]] for name in ("first_seen", "last_seen")]
    return (
        rule["edge_count"],
        sum(one["records"] for one in edges),
        min(times[0], default=None),
        max(times[1], default=None),
        sorted(one["example"] for one in edges),
    )


def evidence_of(out: Path) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """Return the rules of evidence.json by policy, direction and meaning."""
    policies = json.loads((out / "evidence.json").read_text())["policies"]
    return {
        (policy["namespace"], policy["policy"], way["direction"], rule["rule"]): rule
        for policy in policies
        for way in policy["directions"]
        for rule in way["rules"]
    }


@pytest.mark.parametrize("name", CASES)
def test_totals_are_those_of_the_evidence(name: str, tmp_path: Path) -> None:
    flows, cluster = CASES[name]
    out = learned_from(flows, cluster, tmp_path / "learned")
    evidence = evidence_of(out)
    logs = Reading((str(flows),), (str(cluster),), (str(out / "policies"),))
    folder = replace(logs, flows=(), policies=())
    asked = 0
    for policy in read_policies([out / "policies"]).policies:
        for direction in Direction:
            for index, rule in enumerate(policy.rules(direction) or ()):
                ref = rule_of(f"{policy}:{direction.lower()}[{index}]")
                told = evidence[policy.namespace, policy.name, direction.value, str(rule)]
                by_logs = explain_rule(RuleRequest(ref, logs), silent)
                by_folder = explain_rule(RuleRequest(ref, folder, out), silent)
                assert totals(by_logs) == evidence_totals(told)
                assert totals(by_folder) == evidence_totals(told)
                assert by_folder.declared == told["declared"]
                assert by_logs.unseen == by_folder.unseen
                asked += 1
    assert asked


WIDE = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: wide, namespace: shop}
spec:
  podSelector: {matchLabels: {tier: back}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - podSelector: {}
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: jobs}}
    - ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.128/25]}
    ports: [{port: 3000, endPort: 3400}, {port: p9000}]
  egress:
  - to: [{podSelector: {matchLabels: {app: db}}}]
  - {}
"""


@pytest.fixture
def wide(tmp_path: Path) -> Reading:
    """Return a cluster of four workloads, a policy far too wide, and a little traffic."""
    pods = (
        pod("shop/web", {"app": "web"}, "10.1.1.1", "n1", [80]),
        pod("shop/api", {"app": "api", "tier": "back"}, "10.1.1.2", "n1", [3000, 9000]),
        pod("shop/db", {"app": "db", "tier": "back"}, "10.1.2.1", "n2", [3306]),
        pod("jobs/cron", {"app": "cron"}, "10.1.2.2", "n2", [9000]),
    )
    cluster = write_cluster(tmp_path / "cluster", *pods)
    policies = tmp_path / "wide.yaml"
    policies.write_text(WIDE)
    log = tmp_path / "n2.events.txt"
    calls = [("10.1.1.1", "10.1.1.2", 3000), ("10.1.1.2", "10.1.2.1", 3306)]
    calls += [("203.0.113.7", "10.1.1.2", 3000), ("10.1.1.1", "10.1.2.1", 22)]
    log.write_text("".join(connection(at, *call) for at, call in enumerate(calls * 3)))
    return Reading((str(log),), (str(cluster),), (str(policies),))


def reference_cells(reading: Reading, direction: str, index: int) -> set[tuple[str, str, int]]:
    """Return client, server and port of what the rule admits, one flow at a time."""
    cluster = Cluster(Path(reading.cluster[0]))
    judge = Reference(read_yaml(Path(reading.policies[0])), cluster.namespaces)
    wanted = ("shop", "wide", direction, index)
    known = {"shop/web": {80}, "shop/api": {3000, 9000}, "shop/db": {3306, 22}, "jobs/cron": {9000}}
    found = set()
    for client, server in product([one for one, _, _ in cluster.held], repeat=2):
        for port in known[cluster.name(server)]:
            judged = judge.judge(Flow(client, client, server, "TCP", port))
            rules = judged.ingress_rules if direction == "ingress" else judged.egress_rules
            if wanted in rules:
                found.add((cluster.name(client), cluster.name(server), port))
    return found


SEEN = {("shop/web", "shop/api", 3000), ("shop/api", "shop/db", 3306), ("shop/web", "shop/db", 22)}


@pytest.mark.parametrize(("direction", "index"), [("ingress", 0), ("egress", 0), ("egress", 1)])
def test_never_seen_cells_are_those_of_the_reference(
    direction: str, index: int, wide: Reading
) -> None:
    answer = explain_rule(RuleRequest(rule_of(f"shop/wide:{direction}[{index}]"), wide), silent)
    expected = reference_cells(wide, direction, index)
    assert answer.cells == len(expected)
    assert answer.unseen is not None
    cells = {(one.client, one.server, one.port) for one in answer.unseen}
    assert cells == expected - SEEN
    assert expected & SEEN or direction == "egress"


def test_addresses_are_counted_apart(wide: Reading) -> None:
    answer = explain_rule(RuleRequest(rule_of("shop/wide:ingress[0]"), wide), silent)
    assert (answer.addresses, answer.addresses_seen) == (128, 1)
    assert answer.subjects == ("shop/api", "shop/db")


def test_busiest_first_and_what_was_not_accepted_apart(wide: Reading) -> None:
    answer = explain_rule(RuleRequest(rule_of("shop/wide ingress[0]"), wide), silent)
    told = (*answer.edges, *answer.others)
    assert {(one.client, one.port) for one in told} == {
        ("shop/web", 3000),
        ("shop/api", 3306),
        ("203.0.113.7", 3000),
    }
    assert all(one.screening == "accepted" for one in answer.edges)
    assert {one.client for one in answer.others} == {"203.0.113.7"}
    counts = [one.records for one in answer.edges]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("shop/none:ingress[0]", "none of 1 policies"),
        ("shop/wide:ingress[1]", "1 rules"),
        ("shop/wide:egress[2]", "2 rules"),
    ],
)
def test_there_is_no_such_rule(rule: str, message: str, wide: Reading) -> None:
    with pytest.raises(UsageError, match=message):
        explain_rule(RuleRequest(rule_of(rule), wide), silent)


@pytest.mark.parametrize("text", ["", "shop/db", "shop/db:ingress", "db:ingress[0]", "a/b:c[0]"])
def test_other_words_name_no_rule(text: str) -> None:
    with pytest.raises(UsageError, match=r"shop/db:ingress\[0\]"):
        rule_of(text)


def test_without_traffic_there_is_nothing_to_hold_it_against(wide: Reading) -> None:
    with pytest.raises(UsageError, match="--learned"):
        explain_rule(RuleRequest(rule_of("shop/wide:ingress[0]"), replace(wide, flows=())), silent)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"policies": 3}', '{"policies": [1]}'])
def test_damaged_evidence_is_one_error(content: str, tmp_path: Path) -> None:
    flows, cluster = CASES["vpc-three-tier"]
    out = learned_from(flows, cluster, tmp_path / "learned")
    (out / "evidence.json").write_text(content)
    policy = next(iter(read_policies([out / "policies"]).policies))
    way = next(one for one in Direction if policy.rules(one))
    request = RuleRequest(rule_of(f"{policy}:{way.lower()}[0]"), Reading((), (str(cluster),)), out)
    with pytest.raises(InputError, match="evidence"):
        explain_rule(request, silent)


def pages(answers: Sequence[RuleAnswer]) -> list[str]:
    return [to_text(report.to_page(one)) for one in answers]


def test_pages_fit_and_values_are_json(wide: Reading) -> None:
    answers = [
        explain_rule(RuleRequest(rule_of(f"shop/wide:{rule}"), wide), silent)
        for rule in ("ingress[0]", "egress[0]", "egress[1]")
    ]
    for answer, text in zip(answers, pages(answers), strict=True):
        assert all(len(line) <= 80 for line in text.splitlines())
        values = json.loads(json.dumps(report.to_json(answer)))
        assert values["records"] == answer.records
    assert "every address" in pages(answers)[2]
