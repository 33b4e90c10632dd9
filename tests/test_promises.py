"""The ten promises, each judged by means that share nothing with the program."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, ip_network
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from synth.outputs import exchange
from tests import made
from tests.judge import (
    NAMESPACE_NAME,
    Cluster,
    Contact,
    Document,
    Record,
    read_policies,
    read_records,
    read_yaml,
)
from tests.reference import Pod, Reference
from tests.running import (
    CASES,
    CLIENT_TO_DB,
    MADE,
    THREE_TIER,
    Case,
    below,
    learn,
    read_tree,
    run_apart,
    run_here,
)

EVERYBODY = {"0.0.0.0/0", "::/0"}
SIDES = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}


@dataclass(frozen=True)
class Lesson:
    """A case, and the folder that learning from it left."""

    case: Case
    out: Path

    @cached_property
    def cluster(self) -> Cluster:
        return Cluster(self.case.cluster)

    @cached_property
    def records(self) -> list[Record]:
        return read_records(self.cluster, self.case.logs)

    @cached_property
    def ready(self) -> list[Document]:
        return read_policies(self.out / "policies")

    @cached_property
    def pending(self) -> list[Document]:
        return read_policies(self.out / "pending")

    @cached_property
    def questions(self) -> list[Document]:
        return list(read_yaml(self.out / "quarantine.yaml")[0] or [])

    @cached_property
    def screening(self) -> dict[Contact, str]:
        """What was not learned: contact → why."""
        others = read_yaml(self.out / "quarantine.yaml")[1]["not-learned"]
        return {
            (one["client"], one["server"], one["protocol"], one["port"]): one["screening"]
            for one in others
        }

    @cached_property
    def accepted(self) -> list[Record]:
        return [one for one in self.records if one.contact not in self.screening]

    @cached_property
    def evidence(self) -> dict[tuple[str, str], Document]:
        """Role and direction → what it rests on."""
        told = json.loads((self.out / "evidence.json").read_text())["policies"]
        return {(one["role"], way["direction"]): way for one in told for way in one["directions"]}

    @cached_property
    def certificate(self) -> Document:
        return dict(json.loads((self.out / "certificate.json").read_text()))

    def judge(self, policies: list[Document]) -> Reference:
        return Reference(policies, self.cluster.namespaces)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: case.name)
def lesson(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    """Return what was learned from each case in turn."""
    case: Case = request.param
    out = tmp_path_factory.mktemp(case.name) / "out"
    learn(out, [case.flows], case.cluster)
    return Lesson(case, out)


def count_lines(path: Path) -> int:
    lines = path.read_text().splitlines()
    return len(lines) - lines[0].startswith("version")


def role_of(policy: Document) -> str:
    return f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"


class TestLedger:
    """1. Every record is counted exactly once, under one named outcome; they add up."""

    def test_outcomes_add_up_to_the_lines_of_the_files(self, lesson: Lesson) -> None:
        lines = {path.name: count_lines(path) for path in lesson.case.logs}
        ledger = lesson.certificate["ledger"]
        assert {one["path"]: one["records"] for one in lesson.certificate["inputs"]} == lines
        assert sum(ledger.values()) == sum(lines.values())

    def test_screening_counts_what_the_quarantine_lists(self, lesson: Lesson) -> None:
        told = Counter(lesson.screening.get(one.contact, "accepted") for one in lesson.records)
        words = ("accepted", "quarantined", "rejected", "unresolved", "retired")
        ledger = lesson.certificate["ledger"]
        assert {word: ledger.get(word, 0) for word in words} == {w: told[w] for w in words}

    def test_what_is_no_flow_is_named(self, lesson: Lesson) -> None:
        text = "".join(path.read_text() for path in lesson.case.logs)
        ledger = lesson.certificate["ledger"]
        assert ledger.get("no-data", 0) == text.count(" NODATA ")
        assert ledger.get("skip-data", 0) == text.count(" SKIPDATA ")
        assert ledger.get("no-policy-semantics", 0) == text.count(" icmp ")

    def test_a_file_read_twice_counts_twice(self, lesson: Lesson, tmp_path: Path) -> None:
        logs = lesson.case.logs
        shutil.copy(logs[0], tmp_path / "again")
        tree = learn(tmp_path / "out", [*logs, tmp_path / "again"], lesson.case.cluster)
        ledger = json.loads(tree["certificate.json"])["ledger"]
        again = count_lines(logs[0])
        assert sum(ledger.values()) == sum(lesson.certificate["ledger"].values()) + again


class TestReplay:
    """2. Every record is replayed; an accepted one that would be denied stops learning."""

    def test_no_accepted_record_is_denied(self, lesson: Lesson) -> None:
        reference = lesson.judge(lesson.ready)
        assert lesson.accepted
        assert [one for one in lesson.accepted if not reference.judge(one.flow).allowed] == []

    def test_the_matrix_is_what_the_reference_counts(self, lesson: Lesson) -> None:
        reference = lesson.judge(lesson.ready)
        counted = Counter(
            (
                verdict_of(one, reference),
                lesson.screening.get(one.contact, "accepted"),
            )
            for one in lesson.records
        )
        matrix = lesson.certificate["matrix"]
        assert {
            (verdict, word): count
            for verdict, row in matrix.items()
            for word, count in row.items()
            if count
        } == counted

    def test_each_stage_of_the_rollout_denies_nothing_accepted(self, lesson: Lesson) -> None:
        ingress = deepcopy([one for one in lesson.ready if "ingress" in one["spec"]])
        for policy in ingress:
            policy["spec"].pop("egress", None)
            policy["spec"]["policyTypes"] = ["Ingress"]
        reference = lesson.judge(ingress)
        denied = [one for one in lesson.records if not reference.judge(one.flow).allowed]
        assert not {one.contact for one in denied} - set(lesson.screening)
        stage = lesson.certificate["stages"][0]
        assert sum(stage["matrix"]["denied"].values()) == len(denied)

    def test_a_policy_that_stays_and_denies_stops_it(self, tmp_path: Path) -> None:
        shutil.copytree(CLIENT_TO_DB.cluster, tmp_path / "cluster")
        nobody: Document = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"namespace": "shop", "name": "no-way-out"},
            "spec": {"podSelector": {"matchLabels": {"role": "api"}}, "policyTypes": ["Egress"]},
        }
        (tmp_path / "cluster/policy.json").write_text(json.dumps(nobody))
        out = tmp_path / "out"
        arguments = [CLIENT_TO_DB.flows, "--cluster", tmp_path / "cluster", "--out", out]
        ended = run_here("learn", *arguments, "--format", "json")
        assert ended.code == 1
        assert not out.exists()
        assert json.loads(ended.out)["matrix"]["denied"]["accepted"] > 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["cluster"]


class TestTwoOpinions:
    """3. The evaluator and the reference agree on every tested world."""

    def test_on_each_denial_of_ready_and_of_pending_policies(self, lesson: Lesson) -> None:
        for folder in ("policies", "pending"):
            if list((lesson.out / folder).glob("*/*.yaml")):
                self.compare(lesson, lesson.out / folder)

    def test_on_policies_that_nobody_learned(self, lesson: Lesson, tmp_path: Path) -> None:
        rng = random.Random(lesson.case.name)  # noqa: S311 - chosen for being repeatable
        everything = [*lesson.ready, *lesson.pending]
        for number in range(3):
            chosen = [bend(deepcopy(one), rng) for one in everything if rng.random() < 0.7]
            for at, policy in enumerate(chosen):
                policy["metadata"]["name"] = f"bent-{at}"
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "bent.json").write_text(
                json.dumps({"apiVersion": "v1", "kind": "List", "items": chosen})
            )
            self.compare(lesson, folder, chosen)

    def compare(self, lesson: Lesson, folder: Path, policies: list[Document] | None = None) -> None:
        case = lesson.case
        ended = run_here(
            *("replay", case.flows, "--cluster", case.cluster, "--policies", folder),
            *("--format", "json"),
        )
        assert ended.code in (0, 1), ended.err
        told = json.loads(ended.out)
        reference = lesson.judge(read_policies(folder) if policies is None else policies)
        verdicts = [verdict_of(record, reference) for record in lesson.records]
        denied = Counter(
            record.contact
            for record, verdict in zip(lesson.records, verdicts, strict=True)
            if verdict == "denied"
        )
        said: Counter[Contact] = Counter()
        for one in told["denials"]:
            contact = one["source"], one["destination"], one["protocol"], one["port"]
            said[contact] += one["records"]
        assert said == denied
        for word in ("allowed", "denied", "undetermined"):
            assert told[word] == verdicts.count(word)


def verdict_of(record: Record, reference: Reference) -> str:
    """Return the verdict that all flows the record may stand for have, else undetermined."""
    found = {reference.judge(flow).allowed for flow in record.flows}
    if len(found) > 1:
        return "undetermined"
    return "allowed" if found.pop() else "denied"


def bend(policy: Document, rng: random.Random) -> Document:
    """Return the policy with something taken away or widened."""
    spec = policy["spec"]
    rules = [rule for way, _ in SIDES.values() for rule in spec.get(way, [])]
    for rule in rules:
        peers = rule.get("from") or rule.get("to") or []
        match rng.randrange(6):
            case 0:
                rule["ports"] = [{"port": 1000, "endPort": 6000}]
            case 1:
                rule.pop("ports")
            case 2 if peers:
                peers.pop()
            case 3:
                peers.append({"namespaceSelector": {}})
            case 4:
                peers.append({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}})
            case _:
                pass
    if rng.random() < 0.3:
        spec["podSelector"] = {}
    return policy


class TestExactSelectors:
    """4. A selector picks exactly the pods meant, out of all that exist or were seen."""

    def test_subjects_are_whole_workloads(self, lesson: Lesson) -> None:
        for policy in [*lesson.ready, *lesson.pending]:
            namespace = policy["metadata"]["namespace"]
            picked = lesson.cluster.select(policy["spec"]["podSelector"], namespace)
            assert picked == lesson.cluster.pods_of(role_of(policy))
            assert picked

    def test_peers_are_whole_workloads_that_were_seen_or_declared(self, lesson: Lesson) -> None:
        for policy in [*lesson.ready, *lesson.pending]:
            for direction, rule in rules_of(policy):
                for peer in rule[SIDES[direction][1]]:
                    if "ipBlock" not in peer:
                        self.check_peer(lesson, policy, direction, rule, peer)

    def check_peer(
        self, lesson: Lesson, policy: Document, direction: str, rule: Document, peer: Document
    ) -> None:
        cluster = lesson.cluster
        spaces = peer.get("namespaceSelector", {}).get("matchLabels", {})
        assert set(spaces) <= {NAMESPACE_NAME}
        namespace = spaces.get(NAMESPACE_NAME, policy["metadata"]["namespace"])
        picked = cluster.select(peer["podSelector"], namespace)
        workloads = {cluster.workload_of[namespace, name] for name in picked}
        assert picked
        assert picked == set().union(*map(cluster.pods_of, workloads))
        ports = {(port["protocol"], port["port"]) for port in rule["ports"]}
        if workloads == {"kube-system/coredns"}:
            return
        for workload in workloads:
            ends = (workload, role_of(policy))
            ends = ends if direction == "Ingress" else ends[::-1]
            seen = {one.contact[2:] for one in lesson.accepted if one.contact[:2] == ends}
            assert ports <= seen

    def test_a_selector_tells_a_canary_from_the_rest(self, tmp_path: Path) -> None:
        """Labels of one workload are a subset of another's, as a careless chart leaves them."""
        web, canary = {"app": "web"}, {"app": "web", "track": "canary"}
        cluster = made.write_cluster(
            tmp_path / "cluster",
            made.pod("shop/web", web, "10.1.1.11"),
            made.pod("shop/canary", canary, "10.1.1.12"),
            made.pod("shop/db", {"app": "db"}, "10.1.2.10", "n2", [5432]),
            made.pod("shop/old", {"app": "old"}, "10.1.2.11", "n2", [8080]),
        )
        log = tmp_path / "n1.txt"
        calls = [("10.1.1.11", "10.1.2.10", 5432), ("10.1.1.12", "10.1.2.11", 8080)]
        log.write_text("".join(made.connection(n, *calls[n % 2]) for n in range(8)))
        learn(tmp_path / "out", [log], cluster)
        judged = Cluster(cluster)
        policies = read_policies(tmp_path / "out/policies")
        assert policies
        for policy in policies:
            picked = judged.select(policy["spec"]["podSelector"], "shop")
            assert picked == judged.pods_of(role_of(policy))
        reference = Reference(policies, judged.namespaces)
        for client, server, port in ((calls[0][0], *calls[1][1:]), (calls[1][0], *calls[0][1:])):
            record = judged.record(made.BEGIN, (client, client, server), ("TCP", port))
            assert not reference.judge(record.flow).allowed

    def test_pods_that_no_selector_tells_apart_get_no_policy(self, tmp_path: Path) -> None:
        same = {"app": "web"}
        cluster = made.write_cluster(
            tmp_path / "cluster",
            made.pod("shop/one", same, "10.1.1.11"),
            made.pod("shop/two", same, "10.1.1.12"),
            made.pod("shop/bare", {}, "10.1.1.13", "n1", [9000]),
            made.pod("shop/db", {"app": "db"}, "10.1.2.10", "n2", [5432]),
        )
        log = tmp_path / "n1.txt"
        log.write_text(
            "".join(made.connection(n, "10.1.1.11", "10.1.2.10", 5432) for n in range(4))
            + "".join(made.connection(n, "10.1.1.12", "10.1.1.13", 9000) for n in range(4, 8))
        )
        learn(tmp_path / "out", [log], cluster)
        judged = Cluster(cluster)
        for policy in read_policies(tmp_path / "out/policies"):
            selector = policy["spec"]["podSelector"]
            assert selector.get("matchLabels") or any(
                term["operator"] in ("In", "Exists") for term in selector["matchExpressions"]
            )
            picked = judged.select(selector, "shop")
            assert picked in ({"one-0", "two-0"}, {"db-0"})
            assert "bare-0" not in picked


def rules_of(policy: Document) -> Iterator[tuple[str, Document]]:
    """Yield direction and rule of each rule."""
    for direction, (key, _) in SIDES.items():
        for rule in policy["spec"].get(key, []):
            yield direction, rule


def is_declared(rule: Document) -> bool:
    """Return whether the rule stands for cluster DNS or for the users of an exposed Service."""
    peers = rule.get("from", []) + rule.get("to", [])
    return all(
        peer.get("ipBlock", {}).get("cidr") in EVERYBODY
        or peer.get("podSelector", {}).get("matchLabels") == {"k8s-app": "kube-dns"}
        for peer in peers
    )


class TestMinimal:
    """5. No peer, port or rule can be taken away without denying an accepted edge."""

    def test_each_part_carries_an_accepted_record(self, lesson: Lesson) -> None:
        for less, what in taken_away(lesson.ready):
            reference = lesson.judge(less)
            assert any(not reference.judge(one.flow).allowed for one in lesson.accepted), what

    def test_each_direction_costs_what_is_written_and_no_less_is_possible(
        self, lesson: Lesson
    ) -> None:
        for policy in lesson.ready:
            for direction in policy["spec"]["policyTypes"]:
                told = lesson.evidence[role_of(policy), direction]
                key, peers = SIDES[direction]
                rules = [one for one in policy["spec"][key] if not is_declared(one)]
                cost = sum(1 + len(one[peers]) + len(one["ports"]) for one in rules)
                assert told["cost"] == cost
                assert told["optimum"] == cost


def taken_away(policies: list[Document]) -> Iterator[tuple[list[Document], str]]:
    """Yield the policies without each rule, peer and port, save for declared ones."""
    for at, policy in enumerate(policies):
        for key, peers in SIDES.values():
            for number, rule in enumerate(policy["spec"].get(key, [])):
                if is_declared(rule):
                    continue
                parts: list[tuple[str, int]] = [("", 0)]
                parts += [
                    (part, one) for part in (peers, "ports") for one in range(len(rule[part]))
                ]
                for part, one in parts:
                    less = deepcopy(policies)
                    rules = less[at]["spec"][key]
                    del (rules[number][part] if part else rules)[one if part else number]
                    if part and not rules[number][part]:
                        del rules[number]  # an empty list would mean all
                    yield less, f"{role_of(policy)} {key}[{number}] {part}[{one}]"


class TestNoSilentWidening:
    """6. What admits more than was observed is counted and explained."""

    def test_ports_are_exact_and_peers_are_named(self, lesson: Lesson) -> None:
        for policy in [*lesson.ready, *lesson.pending]:
            for direction, rule in rules_of(policy):
                assert rule["ports"]
                assert rule[SIDES[direction][1]]
                for port in rule["ports"]:
                    assert set(port) == {"protocol", "port"}
                    assert isinstance(port["port"], int)
                for peer in rule[SIDES[direction][1]]:
                    assert "ipBlock" in peer or peer["podSelector"] != {}
                    assert "namespaceSelector" not in peer or peer["namespaceSelector"] != {}

    def test_every_pair_of_peer_and_port_was_seen_or_is_declared(self, lesson: Lesson) -> None:
        for policy in lesson.ready:
            for direction, rule in rules_of(policy):
                if not is_declared(rule):
                    self.check_cells(lesson, policy, direction, rule)

    def check_cells(self, lesson: Lesson, policy: Document, direction: str, rule: Document) -> None:
        for peer in rule[SIDES[direction][1]]:
            for port in rule["ports"]:
                only = {SIDES[direction][1]: [peer], "ports": [port]}
                alone = deepcopy(policy)
                alone["spec"] |= {
                    "policyTypes": [direction],
                    SIDES[direction][0]: [only],
                }
                reference = lesson.judge([alone])
                found = [reference.judge(one.flow) for one in lesson.accepted]
                rules = [
                    one.ingress_rules if direction == "Ingress" else one.egress_rules
                    for one in found
                ]
                assert any(rules), (role_of(policy), only)

    def test_addresses_beyond_those_seen_are_counted(self, lesson: Lesson) -> None:
        for policy in lesson.ready:
            for direction in policy["spec"]["policyTypes"]:
                told = lesson.evidence[role_of(policy), direction]["rules"]
                key, peers = SIDES[direction]
                widths = sorted(
                    self.widening(lesson, policy, direction, rule[peers])
                    for rule in policy["spec"][key]
                    if not is_declared(rule)
                )
                assert sorted(one["widened"] for one in told if not one["declared"]) == widths
                assert all(one["widened"] for one in told if "0.0.0.0/0" in one["rule"])

    def widening(
        self, lesson: Lesson, policy: Document, direction: str, peers: list[Document]
    ) -> int:
        blocks = [ip_network(one["ipBlock"]["cidr"]) for one in peers if "ipBlock" in one]
        ends = set()
        for record in lesson.accepted:
            flow = record.flow
            subject, peer = flow.client, flow.server
            if direction == "Ingress":
                subject, peer = flow.server, flow.client_seen
            mine = isinstance(subject, Pod) and lesson.cluster.name(subject) == role_of(policy)
            if mine and isinstance(peer, str) and not flow.same_node:
                ends.add(peer)
        seen = sum(
            any(IPv4Address(one) in block for block in blocks)
            for one in ends
            if blocks and ":" not in one
        )
        return sum(block.num_addresses for block in blocks) - seen


class TestNoSilentIsolation:
    """7. A direction without evidence, or with an open question, is not in ``policies/``."""

    def test_ready_directions_have_evidence_and_no_question(self, lesson: Lesson) -> None:
        asked = {one for question in lesson.questions for one in question["concerns"]}
        for policy in lesson.ready:
            for direction in policy["spec"]["policyTypes"]:
                assert f"{direction} of {role_of(policy)}" not in asked
                side = 1 if direction == "Ingress" else 0
                assert any(one.contact[side] == role_of(policy) for one in lesson.accepted)

    def test_policy_types_are_written_out(self, lesson: Lesson) -> None:
        for policy in [*lesson.ready, *lesson.pending]:
            types = policy["spec"]["policyTypes"]
            assert types
            for direction, (key, _) in SIDES.items():
                assert (direction in types) == (key in policy["spec"])

    def test_successful_traffic_that_was_not_accepted_still_flows(self, lesson: Lesson) -> None:
        reference = lesson.judge(lesson.ready)
        for record in lesson.records:
            if lesson.screening.get(record.contact) in ("quarantined", "unresolved"):
                assert reference.judge(record.flow).allowed, record.contact

    def test_every_waiting_contact_is_asked_about(self, lesson: Lesson) -> None:
        asked = {
            (t["client"], t["server"], t["protocol"], t["port"])
            for t in (question.get("traffic") for question in lesson.questions)
            if t
        }
        waiting = {
            contact
            for contact, word in lesson.screening.items()
            if word in ("quarantined", "unresolved")
        }
        assert asked <= waiting
        accepted = {one.contact for one in lesson.accepted}
        for client, server, *service in waiting - asked:
            assert " or " in client + server
            ends = product(client.split(" or "), server.split(" or "))
            assert {(*pair, *service) for pair in ends} <= accepted

    def test_pending_policies_name_their_questions(self, lesson: Lesson) -> None:
        for path in (lesson.out / "pending").glob("*/*.yaml"):
            keys = set(re.findall(r"^# ([0-9a-f]{12}) ", path.read_text(), re.MULTILINE))
            role = f"{path.parent.name}/{path.stem}"
            assert keys == {
                one["key"]
                for one in lesson.questions
                if any(concern.endswith(f" {role}") for concern in one["concerns"])
            }

    @pytest.mark.parametrize("word", ["accept", "refuse"])
    def test_answers_make_everything_ready(self, word: str, lesson: Lesson, tmp_path: Path) -> None:
        case = lesson.case
        tree = learn(tmp_path / "out", [case.flows], case.cluster, "--assume", word)
        after = Lesson(case, tmp_path / "out")
        open_kinds = {one["kind"] for one in after.questions if one["answer"] is None}
        if word == "accept":
            assert below(tree, "pending") == {}
        assert open_kinds <= ({"blind-spot"} if word == "refuse" else set())
        reference = after.judge(after.ready)
        for record in after.records:
            waited = lesson.screening.get(record.contact) in ("quarantined", "unresolved")
            if waited and word == "accept":
                assert reference.judge(record.flow).allowed
        assert {*map(role_of, lesson.ready)} <= {*map(role_of, after.ready)}


class TestDeterministic:
    """8. Same input, same bytes out, whatever the order, threads, split or hash seed."""

    @pytest.mark.parametrize(
        ("seed", "threads"), [("0", "1"), ("1", "2"), ("12345", "4")], ids=lambda one: one
    )
    def test_seeds_threads_and_orders(
        self, seed: str, threads: str, tmp_path: Path, bases: dict[str, dict[str, bytes]]
    ) -> None:
        for case in (THREE_TIER, CASES[3]) if threads != "1" else (CASES[5],):
            logs, out = case.logs, tmp_path / case.name
            random.Random(seed).shuffle(logs)  # noqa: S311 - any order does
            arguments = [*logs, "--cluster", case.cluster, "--out", out, "--threads", threads]
            ended = run_apart("learn", *arguments, PYTHONHASHSEED=seed)
            assert ended.code == 0, ended.err
            tree = read_tree(out)
            for path in ("policies", "pending"):
                assert below(tree, path) == below(bases[case.name], path)
            for path in ("certificate.json", "evidence.json", "quarantine.yaml", "edges.parquet"):
                assert tree[path] == bases[case.name][path], path

    def test_reversed_files_under_other_names(self, lesson: Lesson, tmp_path: Path) -> None:
        logs = lesson.case.logs
        for number, path in enumerate(reversed(logs)):
            shutil.copy(path, tmp_path / f"{number}.log")
        tree = learn(tmp_path / "out", [tmp_path], lesson.case.cluster)
        self.same(lesson, tree)

    @pytest.mark.parametrize("parts", [2, 7])
    def test_files_split_and_joined(self, parts: int, lesson: Lesson, tmp_path: Path) -> None:
        for path in lesson.case.logs:
            lines = path.read_text().splitlines(keepends=True)
            header = lines.pop(0) if lines[0].startswith("version") else ""
            for part in range(parts):
                text = header + "".join(lines[part::parts])
                (tmp_path / f"{path.stem}.{part}").write_text(text)
        tree = learn(tmp_path / "split", [tmp_path], lesson.case.cluster)
        self.same(lesson, tree)
        joined = tmp_path / "joined"
        joined.write_text("".join(path.read_text() for path in lesson.case.logs))
        tree = learn(tmp_path / "whole", [joined], lesson.case.cluster)
        self.same(lesson, tree)

    def test_edges_of_each_file_merge(self, lesson: Lesson, tmp_path: Path) -> None:
        edges = []
        for path in lesson.case.logs:
            out = tmp_path / path.name
            learn(out, [path], lesson.case.cluster)
            edges.append(out / "edges.parquet")
        tree = learn(tmp_path / "out", edges, lesson.case.cluster)
        self.same(lesson, tree)

    def same(self, lesson: Lesson, tree: dict[str, bytes]) -> None:
        before = read_tree(lesson.out)
        assert below(tree, "policies") == below(before, "policies")
        assert below(tree, "pending").keys() == below(before, "pending").keys()
        assert json.loads(tree["certificate.json"])["ledger"] == lesson.certificate["ledger"]

    def test_a_second_run_changes_no_byte(self, lesson: Lesson) -> None:
        before = read_tree(lesson.out)
        after = learn(lesson.out, [lesson.case.flows], lesson.case.cluster)
        assert after == before


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """Return what this process learns from each case, file by file."""
    folder = tmp_path_factory.mktemp("bases")
    return {
        case.name: learn(folder / case.name, case.logs, case.cluster)
        for case in (THREE_TIER, CASES[3], CASES[5])
    }


class TestBounded:
    """9. Memory grows with distinct edges, not with records, and collapses under a scan."""

    @pytest.fixture(scope="class", params=[10_000, pytest.param(200_000, marks=pytest.mark.slow)])
    @classmethod
    def scan(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
        """Return a capture in which so many addresses call an exposed port, and web calls db."""
        scanners: int = request.param
        folder = tmp_path_factory.mktemp("scan")
        web = {"app": "web"}
        made.write_cluster(
            folder / "cluster",
            made.pod("shop/web", web, "10.1.1.11", "n1", [8080]),
            made.pod("shop/db", {"app": "db"}, "10.1.2.10", "n2", [5432]),
            made.service("shop/web", web, 8080, type="LoadBalancer", externalTrafficPolicy="Local"),
        )
        rng = random.Random(9)  # noqa: S311 - chosen for being repeatable
        (folder / "flows").mkdir()
        with (folder / "flows/n1.txt").open("w") as file:
            for number in range(6):
                file.write(made.connection(number, "10.1.1.11", "10.1.2.10", 5432))
            for number in range(scanners):
                address = IPv4Address(rng.randrange(11 << 24, 100 << 24))
                file.write(made.connection(number, str(address), "10.1.1.11", 8080))
        return Case(str(scanners), folder / "flows", folder / "cluster")

    def test_a_scan_leaves_few_edges_and_one_rule(self, scan: Case, tmp_path: Path) -> None:
        tree = learn(tmp_path / "out", [scan.flows], scan.cluster)
        kept, prefixes = 256, 89 * 256
        edges = pq.read_table(tmp_path / "out/edges.parquet")
        assert edges.num_rows <= 1 + kept + prefixes
        assert sum(edges["records"].to_pylist()) == 2 * (int(scan.name) + 6)
        policies = {
            one["metadata"]["name"]: one["spec"] for one in read_policies(tmp_path / "out/policies")
        }
        assert set(policies) == {"web", "db"}
        (rule,) = policies["web"]["ingress"]
        assert [one["ipBlock"]["cidr"] for one in rule["from"]] == ["0.0.0.0/0"]
        assert len(tree["quarantine.yaml"]) < 10_000

    @pytest.mark.slow
    def test_the_collapse_depends_on_nothing_but_the_addresses(
        self, scan: Case, tmp_path: Path
    ) -> None:
        lines = (scan.flows / "n1.txt").read_text().splitlines(keepends=True)
        random.Random(1).shuffle(lines)  # noqa: S311 - any order does
        for part in range(3):
            (tmp_path / f"part{part}").write_text("".join(lines[part::3]))
        whole = learn(tmp_path / "whole", [scan.flows], scan.cluster)
        parts = [tmp_path / f"part{part}" for part in range(3)]
        split = learn(tmp_path / "split", parts, scan.cluster)
        assert below(split, "policies") == below(whole, "policies")
        names = ["client", "server", "port", "records", "first", "last", "answered"]
        tables = [pq.read_table(tmp_path / one / "edges.parquet") for one in ("whole", "split")]
        assert tables[0].select(names).equals(tables[1].select(names))

    @pytest.mark.slow
    def test_memory_does_not_grow_with_records(self, tmp_path: Path) -> None:
        web = {"app": "web"}
        cluster = made.write_cluster(
            tmp_path / "cluster",
            made.pod("shop/web", web, "10.1.1.11", "n1"),
            made.pod("shop/db", {"app": "db"}, "10.1.2.10", "n2", [5432]),
        )
        text = "".join(made.connection(n, "10.1.1.11", "10.1.2.10", 5432) for n in range(50_000))
        log = tmp_path / "n1.txt"
        peaks = []
        for times in (2, 16):
            with log.open("w") as file:
                file.writelines([text] * times)
            peaks.append(self.peak(log, cluster, tmp_path / "out"))
        assert peaks[1] - peaks[0] < 120 << 20

    def peak(self, log: Path, cluster: Path, out: Path) -> int:
        """Return the most memory, in bytes, that learning held at once."""
        script = (
            "import resource, sys; from synth.cli.main import run; code = run(sys.argv[1:]);"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr);"
            "sys.exit(code)"
        )
        arguments = ["learn", log, "--cluster", cluster, "--out", out, "--threads", "1"]
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return int(done.stderr.splitlines()[-1]) << 10


BAD_LINES = {
    "[1795412727.1]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.244.1.10 dst=10.96": 1,
    "\x00\x01\x02 not a record at all": 1,
    "[1795412727.2]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.244.1.10 "
    "dst=10.244.1.11 sport=99999 dport=80 [UNREPLIED] src=10.244.1.11 dst=10.244.1.10 sport=80 "
    "dport=99999 id=1": 1,
    "[1795412727.3]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.244.1.999 "
    "dst=10.244.1.11 sport=9999 dport=80 [UNREPLIED] src=10.244.1.11 dst=10.244.1.999 sport=80 "
    "dport=9999 id=1": 1,
}


class TestHostileInput:
    """10. Bad records are set aside with file, row and reason; output is whole or not at all."""

    def test_bad_records_are_counted_shown_and_change_nothing(
        self, bases: dict[str, dict[str, bytes]], tmp_path: Path
    ) -> None:
        logs = []
        for path in THREE_TIER.logs:
            lines = path.read_text().splitlines()
            for number, line in enumerate(BAD_LINES):
                lines.insert(10 * (number + 1), line)
            logs.append(tmp_path / path.name)
            logs[-1].write_text("\n".join(lines) + "\n")
        arguments = [*logs, "--cluster", THREE_TIER.cluster, "--out", tmp_path / "out"]
        ended = run_here("learn", *arguments, "--format", "json")
        assert ended.code == 0, ended.err
        tree = read_tree(tmp_path / "out")
        assert below(tree, "policies") == below(bases["three-tier"], "policies")
        ledger = json.loads(tree["certificate.json"])["ledger"]
        before = json.loads(bases["three-tier"]["certificate.json"])["ledger"]
        bad = {name: count for name, count in ledger.items() if name not in before}
        assert sum(bad.values()) == len(BAD_LINES) * len(logs)
        assert {name: ledger[name] for name in before} == before
        assert all(name.startswith("malformed") for name in bad)
        text = run_here("learn", *arguments).out
        for name in bad:
            row = next(line for line in text.splitlines() if line.strip().startswith(name))
            assert re.search(r"node\d\.events\.txt:\d+", row)

    FAULTS: tuple[tuple[str, Any, str], ...] = (
        ("mkdir", Path, "mkdir"),
        ("write_bytes", Path, "write_bytes"),
        ("write_table", pq, "write_table"),
        ("fsync", os, "fsync"),
        ("rename", Path, "rename"),
        ("exchange", exchange, "exchange"),
        ("open", os, "open"),
    )

    @pytest.mark.parametrize(
        ("existing", "error"),
        [
            (False, OSError(28, "No space left on device")),
            (True, OSError(5, "Input/output error")),
            (True, KeyboardInterrupt()),
        ],
        ids=["disk full", "disk fails", "interrupted"],
    )
    def test_a_fault_at_any_file_operation_leaves_old_or_new(
        self,
        *,
        error: BaseException,
        existing: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        flows, cluster = MADE[0].flows, MADE[0].cluster
        new = learn(tmp_path / "wanted", [flows], cluster)
        old = learn(tmp_path / "before", MADE[0].logs[:1], cluster) if existing else {}
        met = 0
        for name, owner, attribute in self.FAULTS:
            for number in (0, 3):
                folder = tmp_path / f"{name}-{number}"
                folder.mkdir()
                if existing:
                    shutil.copytree(tmp_path / "before", folder / "out")
                with monkeypatch.context() as patch:
                    wrapped, count = failing_at(number, getattr(owner, attribute), error)
                    patch.setattr(owner, attribute, wrapped)
                    ended = run_here(
                        *("learn", flows, "--cluster", cluster),
                        *("--out", folder / "out", "--threads", "1"),
                    )
                met += count() > number
                found = read_tree(folder / "out") if (folder / "out").exists() else {}
                assert found in (old, new), (name, number)
                assert found == new or ended.code in (2, 130), (name, number, ended)
                assert {one.name for one in folder.iterdir()} <= {"out"}, (name, number)
        assert met >= 8

    def test_systems_that_cannot_exchange_keep_the_promise_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = learn(tmp_path / "out", [THREE_TIER.logs[0]], THREE_TIER.cluster)
        monkeypatch.setattr(exchange, "exchange", lambda *_: False)
        rename: Callable[..., Any] = Path.rename
        for number in range(3):
            wrapped, count = failing_at(number, rename, OSError(5, "Input/output error"))
            monkeypatch.setattr(Path, "rename", wrapped)
            arguments = [THREE_TIER.flows, "--cluster", THREE_TIER.cluster]
            run_here("learn", *arguments, "--out", tmp_path / "out")
            assert count() > number
            monkeypatch.setattr(Path, "rename", rename)
            tree = read_tree(tmp_path / "out")
            assert [one.name for one in tmp_path.iterdir()] == ["out"]
            if number < 2:
                assert tree == old

    def test_ending_it_leaves_nothing(self, tmp_path: Path) -> None:
        """The process is asked to end while it waits in the midst of writing."""
        script = (
            "import sys, time; from pathlib import Path; import synth.outputs.exchange as e\n"
            "import synth.outputs.folder as f\n"
            "def wait(folder): print('writing', flush=True); time.sleep(30)\n"
            "f.sync = wait\n"
            "from synth.cli.main import main; main()"
        )
        arguments = [THREE_TIER.flows, "--cluster", THREE_TIER.cluster, "--out", tmp_path / "out"]
        with subprocess.Popen(
            [sys.executable, "-c", script, "learn", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "writing\n"
            assert len(list(tmp_path.iterdir())) == 1
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=10)
        assert time.monotonic() - began < 5
        assert process.returncode == 143
        assert "Traceback" not in out + err
        assert list(tmp_path.iterdir()) == []


def failing_at(
    number: int, function: Callable[..., Any], error: BaseException
) -> tuple[Callable[..., Any], Callable[[], int]]:
    """Return the function, raising at its call of this number, and a count of its calls."""
    calls = 0

    def wrapped(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever it takes
        nonlocal calls
        calls += 1
        if calls == number + 1:
            raise error
        return function(*arguments, **named)

    return wrapped, lambda: calls
