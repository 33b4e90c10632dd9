"""Coverage of the bundled example, counted again record by record; and what it warns of."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import judge
from tests.judge import Cluster, Document, Record
from tests.made import connection, pod, write_cluster
from tests.reference import Pod, Reference
from tests.running import CLIENT_TO_DB, learn, run_here

SCOPES = ("ingress", "egress", "both")
WORDS = ("covered", "uncovered", "denied")
FLAGS = ("--cluster", CLIENT_TO_DB.cluster, "--format", "json")


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the policies that learning left."""
    out = tmp_path_factory.mktemp("coverage") / "out"
    learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster)
    return out / "policies"


def ask(*arguments: object, code: int = 0) -> dict[str, Any]:
    ended = run_here("coverage", *arguments)
    assert ended.code == code, ended
    return dict(json.loads(ended.out))


def side(said: Any, record: Record, scope: str) -> str:  # noqa: ANN401 - a judgement
    """Return what one side of the record is; empty: no pod."""
    flow = record.flow
    if scope == "both":
        sides = [side(said, record, one) for one in ("ingress", "egress")]
        return next((word for word in ("", "denied", "uncovered") if word in sides), "covered")
    if not isinstance(flow.server if scope == "ingress" else flow.client, Pod):
        return ""
    if not getattr(said, f"{scope}_isolated"):
        return "uncovered"
    return "covered" if getattr(said, f"{scope}_rules") else "denied"


def recount(documents: list[Document]) -> dict[str, dict[str, Counter[str]]]:
    """Return scope → measure → word → sum."""
    cluster = Cluster(CLIENT_TO_DB.cluster)
    reference = Reference(documents, cluster.namespaces)
    found = {scope: {"records": Counter[str](), "bytes": Counter[str]()} for scope in SCOPES}
    contacts: dict[str, dict[object, str]] = {scope: {} for scope in SCOPES}
    for path in CLIENT_TO_DB.logs:
        for line in path.read_text().splitlines():
            told = judge._tracked(cluster, line)  # noqa: SLF001 - the judge's own reader
            if told is None:
                continue
            record = told.record
            assert len(record.flows) == 1
            assert not record.flow.same_node
            volume = sum(map(int, re.findall(r"bytes=(\d+)", line)))
            said = reference.judge(record.flow)
            for scope in SCOPES:
                word = side(said, record, scope)
                if word:
                    found[scope]["records"][word] += 1
                    found[scope]["bytes"][word] += volume
                    contacts[scope][record.contact] = word
    for scope in SCOPES:
        found[scope]["edges"] = Counter(contacts[scope].values())
    return found


SHUT: Document = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "shut", "namespace": "shop"},
    "spec": {"podSelector": {"matchLabels": {"role": "db"}}, "policyTypes": ["Ingress"]},
}


@pytest.mark.parametrize("case", ["learned", "none", "shut"])
def test_every_figure_of_the_example_is_right(case: str, policies: Path, tmp_path: Path) -> None:
    folder = policies if case == "learned" else tmp_path
    documents = judge.read_policies(policies) if case == "learned" else []
    if case == "shut":
        documents = [SHUT]
        (tmp_path / "shut.yaml").write_text(yaml.safe_dump(SHUT))
    found = ask(CLIENT_TO_DB.flows, *FLAGS, "--policies", folder)
    wanted = recount(documents)
    for scope in SCOPES:
        for measure in ("records", "edges", "bytes"):
            figure = found[scope][measure]
            assert {word: figure[word] for word in WORDS} == {
                word: wanted[scope][measure][word] for word in WORDS
            }, (scope, measure)
            assert sum(figure[word] for word in WORDS) == figure["total"]
            assert figure["undetermined"] == 0
    gaps = Counter(
        {
            word: sum(one["records"] for one in found["gaps"] if one["ingress"] == word)
            for word in ("uncovered", "denied")
        }
    )
    assert all(gaps[word] == found["ingress"]["records"][word] for word in gaps)
    lines = sum(len(path.read_text().splitlines()) for path in CLIENT_TO_DB.logs)
    assert found["records"] == lines
    assert found["skipped"] == {"no-policy-semantics": 4}


def test_pods_of_the_example(policies: Path) -> None:
    found = ask(CLIENT_TO_DB.flows, *FLAGS, "--policies", policies)
    cluster = Cluster(CLIENT_TO_DB.cluster)
    isolated: dict[str, set[str]] = {"Ingress": set(), "Egress": set()}
    for one in judge.read_policies(policies):
        spec, space = one["spec"], one["metadata"]["namespace"]
        for direction in spec["policyTypes"]:
            names = cluster.select(spec["podSelector"], space)
            isolated[direction] |= {f"{space}/{name}" for name in names}
    total = len([one for one in cluster.pods if not one["spec"].get("hostNetwork")])
    both = len(isolated["Ingress"] & isolated["Egress"])
    assert found["pods"] == {
        "total": total,
        "ingress": len(isolated["Ingress"]),
        "egress": len(isolated["Egress"]),
        "both": both,
        "neither": total - len(isolated["Ingress"] | isolated["Egress"]),
    }


def test_rules_of_the_example(policies: Path, tmp_path: Path) -> None:
    found = ask(CLIENT_TO_DB.flows, *FLAGS, "--policies", policies)
    written = [
        rule
        for one in judge.read_policies(policies)
        for way in ("ingress", "egress")
        for rule in one["spec"].get(way, [])
    ]
    assert found["rules"] == {
        "total": len(written),
        "used": len(written),
        "unused": 0,
        "unused_names": [],
    }
    never = SHUT["spec"] | {"ingress": [{"ports": [{"port": 1}]}, {"ports": [{"port": 3306}]}]}
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(SHUT | {"spec": never}))
    told = ask(CLIENT_TO_DB.flows, *FLAGS, "--policies", tmp_path)
    names = {"unused_names": ["shop/shut ingress[0]"]}
    assert told["rules"] == {"total": 2, "used": 1, "unused": 1} | names
    assert "shop/shut ingress[1] is broad: it admits everyone" in told["warnings"]


def test_the_one_cell_of_the_example_that_nobody_used(policies: Path) -> None:
    found = ask(CLIENT_TO_DB.flows, *FLAGS, "--policies", policies)["over_permission"]
    # web may ask the cluster's DNS by TCP too, and never did.
    assert (found["cells"], found["never_seen"]) == (7, 1)
    assert found["ratio"] == 1 / 7
    nothing = {"ipv4": 0, "ipv6": 0}
    assert found["addresses"] == {"ingress": nothing, "egress": nothing}


def test_the_policies_of_the_cluster_count_unless_others_are_given(tmp_path: Path) -> None:
    labels = {"app": "db"}
    policy = SHUT | {"metadata": {"name": "own", "namespace": "shop"}}
    policy = policy | {"spec": {"podSelector": {"matchLabels": labels}}}
    cluster = write_cluster(
        tmp_path / "cluster",
        pod("shop/web", {"app": "web"}, "10.1.1.1"),
        pod("shop/db", labels, "10.1.2.1", "n2", [3306]),
        policy,
    )
    (tmp_path / "a.log").write_text(connection(1, "10.1.1.1", "10.1.2.1", 3306))
    found = ask(tmp_path / "a.log", "--cluster", cluster, "--format", "json")
    assert found["policies"] == ["shop/own"]
    assert found["ingress"]["records"]["denied"] == 2
    assert found["egress"]["records"]["uncovered"] == 2


NODE_CLIENT = "192.0.2.2"


def test_the_own_node_is_told_apart_and_silence_is_warned_of(tmp_path: Path) -> None:
    db, web = {"app": "db"}, {"app": "web"}
    cluster = write_cluster(
        tmp_path / "cluster",
        pod("shop/web", web, "10.1.1.1"),
        pod("shop/db", db, "10.1.2.1", "n2", [3306]),
    )
    rules = [{"from": [{"podSelector": {"matchLabels": web}}]}]
    documents = [
        SHUT | {"spec": {"podSelector": {"matchLabels": db}, "ingress": rules}},
        SHUT
        | {"metadata": {"name": "mute", "namespace": "shop"}}
        | {"spec": {"podSelector": {"matchLabels": db}, "policyTypes": ["Egress"]}},
        SHUT
        | {"metadata": {"name": "stale", "namespace": "shop"}}
        | {"spec": {"podSelector": {"matchLabels": {"app": "gone"}}}},
    ]
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies/all.yaml").write_text(yaml.safe_dump_all(documents))
    lines = connection(1, "10.1.1.1", "10.1.2.1", 3306) + connection(
        2, NODE_CLIENT, "10.1.2.1", 3306
    )
    (tmp_path / "a.log").write_text(lines)
    flags = ("--cluster", cluster, "--policies", tmp_path / "policies")
    found = ask(
        tmp_path / "a.log", *flags, "--format", "json", "--fail-under", 100, "--of", "ingress"
    )
    assert found["ingress"]["records"] == {
        "total": 2,
        "covered": 2,
        "uncovered": 0,
        "denied": 0,
        "undetermined": 0,
    }
    assert found["ingress"]["apart"] == {"from the pod's own node": 2}
    assert "shop/mute isolates pods whose egress traffic was never seen" in found["warnings"]
    assert "shop/stale selects no pod that exists" in found["warnings"]
    assert "shop/shut ingress[0] is broad: it admits every port" in found["warnings"]
    assert not any(one.startswith("shop/shut iso") for one in found["warnings"])


@pytest.mark.parametrize(
    ("goal", "scope", "code"),
    [
        ("91.6", "ingress", 0),
        ("91.7", "ingress", 1),
        ("77", "egress", 0),
        ("78", "egress", 1),
        ("69.4", "both", 0),
        ("69.5", "both", 1),
        ("0", "both", 0),
    ],
)
def test_the_exit_status_follows_the_goal(goal: str, scope: str, code: int, policies: Path) -> None:
    ended = run_here(
        *("coverage", CLIENT_TO_DB.flows, "--cluster", CLIENT_TO_DB.cluster),
        *("--policies", policies, "--fail-under", goal, "--of", scope),
    )
    assert ended.code == code
    told = f"below the {goal} % asked for" if code else f"at least the {goal} % asked for"
    assert told in ended.out


def test_both_sides_are_meant_unless_one_is_named(policies: Path) -> None:
    flags = (CLIENT_TO_DB.flows, *FLAGS, "--policies", policies, "--fail-under")
    assert ask(*flags, 69.4)["both"]["records"]["covered"] == 744
    ask(*flags, 69.5, code=1)


@pytest.mark.parametrize("percent", ["-1", "101", "nan"])
def test_a_goal_is_a_percentage(percent: str) -> None:
    ended = run_here("coverage", CLIENT_TO_DB.flows, *FLAGS, "--fail-under", percent)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("synth: --fail-under: expected a percentage")


def test_nothing_covers_nothing(tmp_path: Path) -> None:
    cluster = write_cluster(tmp_path / "cluster", pod("shop/web", {"app": "web"}, "10.1.1.1"))
    (tmp_path / "a.log").write_text(connection(1, "198.51.100.1", "198.51.100.2", 80))
    flags = (tmp_path / "a.log", "--cluster", cluster)
    ended = run_here("coverage", *flags, "--fail-under", "1")
    assert ended.code == 1
    assert "no record, so 1 % cannot be shown" in ended.out
    assert "nothing is isolated, so nothing is covered" in ended.out
    assert run_here("coverage", *flags, "--fail-under", "0").code == 0


def test_what_the_plugin_and_the_user_decide_counts(policies: Path, tmp_path: Path) -> None:
    flags = (CLIENT_TO_DB.flows, "--cluster", CLIENT_TO_DB.cluster, "--policies", policies)
    loud = run_here("coverage", *flags, "--cni", "flannel")
    assert loud.code == 0
    assert "flannel" in loud.out.partition("\nRead\n")[0]
    db = {"app": "db"}
    cluster = write_cluster(tmp_path / "cluster", pod("shop/db", db, "10.1.2.1", "n2", [3306]))
    (tmp_path / "shut.yaml").write_text(yaml.safe_dump(SHUT | {"spec": {"podSelector": {}}}))
    (tmp_path / "a.log").write_text(connection(1, NODE_CLIENT, "10.1.2.1", 3306))
    asked = (tmp_path / "a.log", "--cluster", cluster, "--policies", tmp_path / "shut.yaml")
    found = [
        ask(*asked, "--format", "json", "--choose", f"from-own-node={value}")["ingress"]
        for value in ("allow", "police")
    ]
    assert [one["records"]["denied"] for one in found] == [0, 2]
    assert [one["apart"] for one in found] == [{"from the pod's own node": 2}, {}]
