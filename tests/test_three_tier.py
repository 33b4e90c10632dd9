"""The bundled example in each of its formats, against its answer, read without synth's readers."""

import gzip
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from synth.edges.frame import to_frame
from synth.edges.parquet import read_edges
from tests.answers import DIRECTIONS, answered_rules, denying_sides, flows_of, sort_rules
from tests.judge import Cluster, Document, read_policies, read_records, read_yaml
from tests.reference import Reference
from tests.running import ROOT, THREE_TIER, below, learn, read_tree, run_here

FOLDER = ROOT / "datasets/three-tier"
ANSWER: Document = json.loads((FOLDER / "answer.json").read_text())
ANSWERS = FOLDER / "answers.yaml"
(QUESTION,) = ANSWER["questions"]
FORMATS = {
    "conntrack": "conntrack",
    "parquet": "conntrack",
    "vpc/text": "vpc",
    "vpc/parquet": "vpc",
}
"""Folder below ``flows``, and what its records can show."""
WAYS = ("without_answers", "with_answers")
EVERY = [(role, way) for role in ANSWER["subjects"] for way in DIRECTIONS]
HAND_OVER = f"{ANSWER['hand_over']['from']} or {ANSWER['hand_over']['to']}"
ENDS = re.compile(r"\[DESTROY\]|CLOSE|LAST_ACK|TIME_WAIT|FIN_WAIT").search
Rules = Mapping[tuple[str, str], list[Document]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What learning from one format left, and what it said."""

    out: Path
    told: Document

    def rules(self, folder: str) -> Rules:
        """Return role and direction → rules, of the policies in one folder."""
        found = {}
        for policy in read_policies(self.out / folder):
            role = f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
            for way in policy["spec"]["policyTypes"]:
                found[role, way.lower()] = policy["spec"].get(way.lower(), [])
        return found

    def questions(self, role: str, direction: str) -> list[str]:
        """Return the open questions that hold the direction up."""
        concern = f"{direction.capitalize()} of {role}"
        return [
            one["question"]
            for one in self.told["questions"]
            if concern in one["concerns"] and one["answer"] is None
        ]

    def silent(self) -> set[tuple[str, str]]:
        """Return the directions that are left open for want of evidence."""
        return {(one["role"], one["direction"].lower()) for one in self.told["silent"]}


def waiting_of(lesson: Lesson) -> list[Document]:
    """Return the policies that wait, if any does."""
    return read_policies(lesson.out / "pending")


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Lesson]:
    """Return what each format teaches, without and with the answers."""
    found = {}
    for name in FORMATS:
        for way in WAYS:
            out = tmp_path_factory.mktemp("three-tier") / "out"
            more = ("--accept", ANSWERS) if way == "with_answers" else ()
            arguments = (FOLDER / "flows" / name, "--cluster", THREE_TIER.cluster, "--out", out)
            ended = run_here("learn", *arguments, *more, "--format", "json", "--quiet")
            assert ended.code == 0, ended.err
            found[name, way] = Lesson(out, json.loads(ended.out))
    return found


@pytest.fixture(scope="module")
def learned(lessons: Mapping[tuple[str, str], Lesson]) -> Lesson:
    """Return what ``make learn`` leaves."""
    return lessons["conntrack", "with_answers"]


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(THREE_TIER.cluster)


@pytest.fixture(scope="module")
def reference(learned: Lesson, cluster: Cluster) -> Reference:
    return Reference(
        read_policies(learned.out / "policies"), cluster.namespaces, nodes=cluster.nodes
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FORMATS)
class TestFormats:
    """Three formats, four folders: each certifies what it can see, and says what it cannot."""

    def test_each_direction_is_as_answered(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        lesson = lessons[name, way]
        ready, waiting, silent = lesson.rules("policies"), lesson.rules("pending"), lesson.silent()
        for role, direction in EVERY:
            subject = ANSWER["subjects"][role]
            state = subject[direction][FORMATS[name]][way]
            where = (role, direction)
            assert (where in ready) == (state == "ready"), where
            assert (where in silent) == (state == "none"), where
            if state == "ready":
                wanted = sort_rules(answered_rules(subject, direction))
                assert sort_rules(ready[where]) == wanted, where
            if state == "pending" and FORMATS[name] == "conntrack":
                wanted = sort_rules(answered_rules(subject, direction))
                assert sort_rules(waiting[where]) == wanted, where

    def test_what_waits_says_why(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        lesson = lessons[name, way]
        for role, direction in EVERY:
            found = ANSWER["subjects"][role][direction][FORMATS[name]]
            wanted = found["reasons"] if found[way] == "pending" else []
            if way == "with_answers":
                wanted = [one for one in wanted if one != "question"]
            asked = lesson.questions(role, direction)
            told = {word for word, text in ANSWER["reasons"].items() if text in " ".join(asked)}
            assert told == set(wanted), (role, direction, asked)
            assert all(any(ANSWER["reasons"][one] in q for one in wanted) for q in asked)

    def test_exactly_the_subjects_have_policies(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        lesson = lessons[name, way]
        for policy in (*read_policies(lesson.out / "policies"), *waiting_of(lesson)):
            role = f"{policy['metadata']['namespace']}/{policy['metadata']['name']}"
            assert policy["spec"]["podSelector"] == ANSWER["subjects"][role]["podSelector"]
            assert policy["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "synth"}
        listed = read_yaml(lesson.out / "policies/kustomization.yaml")[0]["resources"]
        assert listed == sorted({f"{role}.yaml" for role, _ in lesson.rules("policies")})

    def test_it_agrees_with_the_text_of_conntrack(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        first, lesson = lessons["conntrack", way], lessons[name, way]
        ready = lesson.rules("policies")
        assert ready
        assert {key: first.rules("policies")[key] for key in ready} == ready
        for key in first.rules("policies").keys() - ready.keys():
            assert lesson.questions(*key), f"{key} is neither ready nor asked about"

    def test_no_rule_is_about_a_failed_contact(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        first, last = ANSWER["scan"]["ports"]
        failed = {one["port"] for one in ANSWER["edges"] if one["outcome"] == "refused"}
        unwanted = {*range(first, last + 1), *failed}
        for folder in ("policies", "pending"):
            for rules in lessons[name, way].rules(folder).values():
                ports = {port["port"] for rule in rules for port in rule["ports"]}
                assert not ports & unwanted
                assert "toolbox" not in json.dumps(rules)
                assert "10.244.2.99" not in json.dumps(rules)

    def test_the_address_taken_over_leaves_no_wrong_rule(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        lesson = lessons[name, way]
        for folder in ("policies", "pending"):
            rules = {key: json.dumps(one) for key, one in lesson.rules(folder).items()}
            assert ("shop/worker", "ingress") not in rules
            assert '"role": "admin"' not in rules.get(("shop/api", "egress"), "")
            for port in ("3306", "443", "5000"):
                assert port not in rules.get(("shop/worker", "egress"), "")
            assert '"role": "api"' not in rules.get(("shop/admin", "ingress"), "")
            assert '"role": "worker"' not in rules.get(("shop/db", "ingress"), "")

    def test_what_may_be_either_is_counted(
        self, name: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
    ) -> None:
        lesson = lessons[name, way]
        _, rest = read_yaml(lesson.out / "quarantine.yaml")
        doubtful = [one for one in rest["not-learned"] if one["screening"] == "unresolved"]
        assert {one["client"] for one in doubtful} == {HAND_OVER}
        assert {one["reason"] for one in doubtful} == {ANSWER["reasons"]["hand-over"]}
        assert sum(one["records"] for one in doubtful) == lesson.told["ledger"]["unresolved"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("one", "other"), [("conntrack", "parquet"), ("vpc/text", "vpc/parquet")], ids=["ct", "vpc"]
)
def test_parquet_and_text_give_the_same_bytes(
    one: str, other: str, way: str, lessons: Mapping[tuple[str, str], Lesson]
) -> None:
    first, second = (read_tree(lessons[name, way].out) for name in (one, other))
    assert below(first, "policies") == below(second, "policies")
    assert below(first, "pending").keys() == below(second, "pending").keys()
    ledgers = [json.loads(tree["certificate.json"])["ledger"] for tree in (first, second)]
    assert ledgers[0] == ledgers[1]


def lines_of(path: Path) -> int:
    """Return how many records the file holds."""
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    if path.suffix == ".gz":
        return len(gzip.decompress(path.read_bytes()).splitlines()) - 1
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("name", FORMATS)
def test_the_ledger_adds_up_file_by_file(
    name: str, lessons: Mapping[tuple[str, str], Lesson]
) -> None:
    certificate = json.loads((lessons[name, "with_answers"].out / "certificate.json").read_text())
    files = [path for path in (FOLDER / "flows" / name).rglob("*") if path.is_file()]
    counts = sorted((path.name, lines_of(path)) for path in files)
    told = [(Path(one["path"]).name, one["records"]) for one in certificate["inputs"]]
    assert sorted(told) == counts
    assert sum(certificate["ledger"].values()) == sum(count for _, count in counts)


class TestConntrack:
    """What connection tracking alone can show: every contact, who made it, and how it ended."""

    def test_every_contact_that_was_made_is_an_edge(self, learned: Lesson) -> None:
        edges, _ = read_edges(learned.out / "edges.parquet")
        frame = to_frame(edges)
        keys = ["client", "server", "protocol", "port"]
        sums = frame.groupby(keys, observed=True)["connections"].sum().items()
        found: dict[tuple[Any, ...], int] = {(*key,): count for key, count in sums}  # type: ignore[misc]
        for edge in ANSWER["edges"]:
            asks_itself = edge["client"].startswith("node ") or edge["server"] == "shop/admin"
            if edge["port"] and edge["protocol"] == "TCP" and not asks_itself:
                key = tuple(edge[name] for name in keys)
                assert found[key] == edge["contacts"], edge
        made = {tuple(edge[name] for name in keys) for edge in ANSWER["edges"]}
        scanned = {(key[0], *key[2:]) for key in found if key[0] == ANSWER["scan"]["client"]}
        first, last = ANSWER["scan"]["ports"]
        assert scanned == {
            (ANSWER["scan"]["client"], "TCP", port) for port in range(first, last + 1)
        }
        rest = [key for key in found if key not in made and key[0] != ANSWER["scan"]["client"]]
        # Names are asked by resolvers; a masquerading node is seen beside whom it hides.
        assert {key[1] for key in rest} == {"kube-system/coredns", "shop/admin"}
        assert {key[0] for key in rest if key[1] == "shop/admin"} - {HAND_OVER} == {"node node2"}

    def test_as_many_records_are_ambiguous_as_a_second_reading_finds(
        self, learned: Lesson, cluster: Cluster
    ) -> None:
        doubtful = [one for one in read_records(cluster, THREE_TIER.logs) if len(one.flows) > 1]
        assert {one.contact[0] for one in doubtful} == {HAND_OVER}
        # What tells of an end may tell of a connection that was opened long before.
        lines = [line for path in THREE_TIER.logs for line in path.read_text().splitlines()]
        ends = [line for line in lines if ANSWER["hand_over"]["address"] in line and ENDS(line)]
        least = len(doubtful)
        assert 0 < least <= learned.told["ledger"]["unresolved"] <= least + len(ends)

    def test_roles_pick_the_pods_of_their_workload(self, learned: Lesson, cluster: Cluster) -> None:
        certificate = json.loads((learned.out / "certificate.json").read_text())
        assert set(certificate["selectors"]) == {*ANSWER["subjects"], *ANSWER["not_subjects"]}
        for role, told in certificate["selectors"].items():
            assert set(told["pods"]) <= cluster.pods_of(role)
            assert told["pods"]

    def test_edges_alone_give_the_same_policies(self, learned: Lesson, tmp_path: Path) -> None:
        flows = [learned.out / "edges.parquet"]
        tree = learn(tmp_path / "out", flows, THREE_TIER.cluster, "--accept", ANSWERS)
        before = read_tree(learned.out)
        assert below(tree, "policies") == below(before, "policies")
        assert below(tree, "pending") == below(before, "pending") == {}


class TestReplay:
    """The scan, the refused and the failed contacts: denied, and known to be unwanted."""

    @pytest.fixture(scope="class")
    @classmethod
    def replayed(cls, learned: Lesson) -> Document:
        ended = run_here(
            *("replay", THREE_TIER.flows, "--cluster", THREE_TIER.cluster, "--format", "json"),
            *("--policies", learned.out / "policies"),
            *("--quarantine", learned.out / "quarantine.yaml"),
        )
        assert ended.code == 0, ended.err
        told: Document = json.loads(ended.out)
        return told

    def test_the_matrix(self, replayed: Document, learned: Lesson, cluster: Cluster) -> None:
        counts = Counter(one.contact for one in read_records(cluster, THREE_TIER.logs))
        unwanted = {one: count for one, count in counts.items() if self.unwanted(one)}
        wanted = (QUESTION["client"], QUESTION["server"], QUESTION["protocol"], QUESTION["port"])
        denied = learned.told["matrix"]["denied"]
        assert denied["rejected"] == sum(unwanted.values())
        assert denied["quarantined"] == counts[wanted]
        assert denied["accepted"] == 0
        assert learned.told["matrix"]["allowed"]["rejected"] == 0
        assert replayed["denied"] == denied["rejected"] + denied["quarantined"]

    def unwanted(self, contact: tuple[str, str, str, int]) -> bool:
        first, last = ANSWER["scan"]["ports"]
        if contact[0] == ANSWER["scan"]["client"]:
            return bool(first <= contact[3] <= last)
        return contact[3] == 5001 or contact[1] == "10.244.2.99"

    def test_each_denial_is_one_of_them(self, replayed: Document) -> None:
        for one in replayed["denials"]:
            contact = one["source"], one["destination"], one["protocol"], one["port"]
            if not self.unwanted(contact):
                assert contact[:2] == (QUESTION["client"], QUESTION["server"])
                assert contact[2:] == (QUESTION["protocol"], QUESTION["port"])

    @pytest.mark.parametrize(
        "pair", ANSWER["denied"], ids=lambda one: f"{one['client']}-{one['server']}-{one['port']}"
    )
    def test_what_must_be_denied_is_denied(
        self, pair: Document, reference: Reference, cluster: Cluster
    ) -> None:
        flows = flows_of(pair, cluster)
        assert flows
        assert all(denying_sides(reference, flow) == pair["denied_by"] for flow in flows)

    @pytest.mark.parametrize("pair", ANSWER["still_open"], ids=lambda one: one["client"])
    def test_what_stays_open_is_allowed(
        self, pair: Document, reference: Reference, cluster: Cluster
    ) -> None:
        flows = flows_of(pair, cluster)
        assert flows
        assert all(reference.judge(flow).allowed for flow in flows)


class TestExplain:
    def ask(self, learned: Lesson, client: str, server: str, *more: str) -> str:
        ended = run_here(
            *("explain", "--from", client, "--to", server, "--port", 3306),
            *("--cluster", THREE_TIER.cluster, "--policies", learned.out / "policies", *more),
        )
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    def test_web_no_longer_reaches_db(self, learned: Lesson) -> None:
        told = json.loads(self.ask(learned, "web", "db", "--format", "json"))
        assert told["verdict"] == "denied"
        for side, subject in (("egress", "shop/web"), ("ingress", "shop/db")):
            assert not told[side]["allowed"]
            assert told[side]["isolated_by"] == [subject]
            assert told[side]["admitted_by"] == []

    def test_the_text_says_why(self, learned: Lesson) -> None:
        text = " ".join(self.ask(learned, "shop/web", "shop/db").split())
        assert "Verdict denied" in text
        assert "Isolated by shop/db" in text
        assert "shop/db ingress[0] admits pods role=api on TCP 3306. Fails on the peer:" in text

    def test_api_reaches_db_by_its_rules(self, learned: Lesson) -> None:
        told = json.loads(self.ask(learned, "api", "db", "--format", "json"))
        assert told["verdict"] == "allowed"
        assert told["ingress"]["admitted_by"] == ["shop/db ingress[0]"]
        assert told["egress"]["admitted_by"] != []


class TestAnswers:
    """The contact that nobody declared: a question, and what a careful engineer says to it."""

    def test_it_is_the_only_question(self, lessons: Mapping[tuple[str, str], Lesson]) -> None:
        for way, answer in zip(WAYS, (None, "refuse"), strict=True):
            lesson = lessons["conntrack", way]
            (question,), _ = read_yaml(lesson.out / "quarantine.yaml")
            keys = ("client", "server", "protocol", "port")
            assert {key: question["traffic"][key] for key in keys} == {
                key: QUESTION[key] for key in keys
            }
            assert (question["key"], question["answer"]) == (QUESTION["key"], answer)
            assert sorted(question["concerns"]) == sorted(QUESTION["concerns"])

    def test_the_policy_of_db_is_what_a_careful_engineer_writes(self, learned: Lesson) -> None:
        (policy,) = read_yaml(learned.out / "policies/shop/db.yaml")
        peer = {"podSelector": {"matchLabels": {"role": "api"}}}
        assert policy["spec"] == {
            "podSelector": {"matchLabels": {"role": "db"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [peer], "ports": [{"protocol": "TCP", "port": 3306}]}],
        }

    def test_the_report_shows_the_question_and_its_answer(self, tmp_path: Path) -> None:
        out = tmp_path / "out"
        flags = ("--cluster", THREE_TIER.cluster, "--accept", ANSWERS, "--out", out)
        text = run_here("learn", THREE_TIER.flows, *flags).out
        (shown,) = re.findall(r"^Answered\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)
        page = re.sub(r"<[^>]+>", " ", (out / "report.html").read_text())
        for told in (" ".join(shown.split()), " ".join(page.split())):
            assert "shop/web → shop/db TCP 3306: one single connection." in told
            assert f"Answer: refuse. [{QUESTION['key']}]" in told
        assert "Waiting for an answer" not in text
        assert "0 open questions" in text

    def test_accepting_it_lets_web_reach_db(self, learned: Lesson, tmp_path: Path) -> None:
        answers = tmp_path / "answers.yaml"
        answers.write_text(ANSWERS.read_text().replace("answer: refuse", "answer: accept"))
        out = tmp_path / "out"
        tree = learn(out, [THREE_TIER.flows], THREE_TIER.cluster, "--accept", answers)
        before = below(read_tree(learned.out), "policies")
        changed = {path for path, text in below(tree, "policies").items() if before[path] != text}
        assert changed == {"policies/shop/db.yaml", "policies/shop/web.yaml"}
        assert b"role: web" in tree["policies/shop/db.yaml"]

    def test_every_answer_of_the_file_is_asked_for(self) -> None:
        (entries,) = read_yaml(ANSWERS)
        assert entries == [{"key": QUESTION["key"], "answer": QUESTION["answer"]}]
