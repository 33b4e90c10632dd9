"""Four seconds of real traffic from logs to policies, against its answer.

Unlike the bundled example, one of its questions is about an address outside, and answering it
either way makes a difference. The answer is read without synth's readers.
"""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.answers import DIRECTIONS, answered_rules, denying_sides, flows_of, sort_rules
from tests.judge import Cluster, Document, read_policies, read_records, read_yaml
from tests.reference import Pod, Reference
from tests.running import CLIENT_TO_DB, below, learn, read_tree, run_here

ANSWER: Document = json.loads((CLIENT_TO_DB.flows.parent / "answer.json").read_text())
PAYMENT = {"ports": [{"protocol": "TCP", "port": 443}]} | {
    "to": [{"ipBlock": {"cidr": "203.0.113.10/32"}}]
}


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that learning left."""
    out = tmp_path_factory.mktemp("client-to-db") / "out"
    learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster)
    return out


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(CLIENT_TO_DB.cluster)


def policy_of(folder: Path, role: str) -> Document:
    (policy,) = read_yaml(folder / f"{role}.yaml")
    return dict(policy)


@pytest.mark.parametrize("role", ANSWER["subjects"])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_direction_is_as_answered(role: str, direction: str, learned: Path) -> None:
    subject = ANSWER["subjects"][role]
    state = subject[direction]["state"]
    spec = policy_of(learned / "policies", role)["spec"]
    assert (direction.capitalize() in spec["policyTypes"]) == (state == "ready")
    if state == "pending":
        spec = policy_of(learned / "pending", role)["spec"]
    assert spec["podSelector"] == subject["podSelector"]
    assert sort_rules(spec.get(direction, [])) == sort_rules(answered_rules(subject, direction))


def test_exactly_the_subjects_have_policies(learned: Path) -> None:
    def roles(folder: str) -> set[str]:
        found = (learned / folder).glob("*/*.yaml")
        return {f"{path.parent.name}/{path.stem}" for path in found}

    subjects = ANSWER["subjects"].items()
    assert roles("policies") == set(ANSWER["subjects"])
    assert roles("pending") == {
        name for name, one in subjects if "pending" in (one[d]["state"] for d in DIRECTIONS)
    }
    for policy in read_policies(learned / "policies"):
        metadata = policy["metadata"]
        assert f"{metadata['namespace']}/{metadata['name']}" in ANSWER["subjects"]
        assert metadata["labels"] == {"app.kubernetes.io/managed-by": "synth"}


def test_kustomization_lists_every_ready_policy(learned: Path) -> None:
    (listing,) = read_yaml(learned / "policies/kustomization.yaml")
    assert listing["resources"] == sorted(f"{name}.yaml" for name in ANSWER["subjects"])


def test_the_only_question_is_the_payment_service(learned: Path) -> None:
    questions, _ = read_yaml(learned / "quarantine.yaml")
    (wanted,) = ANSWER["subjects"]["shop/api"]["egress"]["questions"]
    (question,) = questions
    traffic = question["traffic"]
    assert all(traffic[key] == wanted[key] for key in ("client", "server", "protocol", "port"))
    assert question["concerns"] == ["Egress of shop/api"]
    assert question["answer"] is None


def test_roles_pick_the_pods_of_their_workload(learned: Path, cluster: Cluster) -> None:
    certificate = json.loads((learned / "certificate.json").read_text())
    assert set(certificate["selectors"]) == {*ANSWER["subjects"], *ANSWER["not_subjects"]}
    for role, told in certificate["selectors"].items():
        assert set(told["pods"]) == cluster.pods_of(role)


def test_silent_directions_are_told() -> None:
    arguments = [CLIENT_TO_DB.flows, "--cluster", CLIENT_TO_DB.cluster, "--format", "json"]
    with TemporaryDirectory() as folder:
        ended = run_here("learn", *arguments, "--out", Path(folder, "out"))
    silent = {
        (name, direction)
        for name, one in ANSWER["subjects"].items()
        for direction in DIRECTIONS
        if one[direction]["state"] == "none"
    }
    told = json.loads(ended.out)["silent"]
    assert {(one["role"], one["direction"].lower()) for one in told} == silent


@pytest.mark.parametrize("pair", ANSWER["denied"], ids=lambda one: f"{one['client']}-{one['port']}")
def test_what_must_be_denied_is_denied(pair: Document, learned: Path, cluster: Cluster) -> None:
    reference = Reference(read_policies(learned / "policies"), cluster.namespaces)
    for flow in flows_of(pair, cluster):
        assert denying_sides(reference, flow) == pair["denied_by"]


@pytest.mark.parametrize("pair", ANSWER["still_open"], ids=lambda one: one["client"])
def test_what_stays_open_is_allowed(pair: Document, learned: Path, cluster: Cluster) -> None:
    reference = Reference(read_policies(learned / "policies"), cluster.namespaces)
    assert all(reference.judge(flow).allowed for flow in flows_of(pair, cluster))


def test_the_ledger_adds_up_file_by_file(learned: Path) -> None:
    certificate = json.loads((learned / "certificate.json").read_text())
    lines = {path.name: len(path.read_text().splitlines()) for path in CLIENT_TO_DB.logs}
    assert {one["path"]: one["records"] for one in certificate["inputs"]} == lines
    assert sum(certificate["ledger"].values()) == sum(lines.values())


@pytest.mark.parametrize("number", range(2))
def test_the_ledger_of_one_file_adds_up(number: int, tmp_path: Path) -> None:
    path = CLIENT_TO_DB.logs[number]
    tree = learn(tmp_path / "out", [path], CLIENT_TO_DB.cluster)
    ledger = json.loads(tree["certificate.json"])["ledger"]
    lines = path.read_text().splitlines()
    assert sum(ledger.values()) == len(lines)
    assert ledger["no-policy-semantics"] == sum(" icmp " in line for line in lines)


def test_edges_alone_give_the_same_policies_and_questions(learned: Path, tmp_path: Path) -> None:
    tree = learn(tmp_path / "out", [learned / "edges.parquet"], CLIENT_TO_DB.cluster)
    before = read_tree(learned)
    assert below(tree, "policies") == below(before, "policies")
    assert below(tree, "pending").keys() == below(before, "pending").keys()
    ledgers = [json.loads(one["certificate.json"])["ledger"] for one in (tree, before)]
    assert ledgers[0] == ledgers[1]


class TestExplain:
    def ask(self, learned: Path, client: str, server: str, port: int, *more: str) -> str:
        ended = run_here(
            *("explain", "--from", client, "--to", server, "--port", port),
            *("--cluster", CLIENT_TO_DB.cluster, "--policies", learned / "policies", *more),
        )
        assert (ended.code, ended.err) == (0, "")
        return ended.out

    def test_web_no_longer_reaches_db(self, learned: Path) -> None:
        told = json.loads(self.ask(learned, "web", "db", 3306, "--format", "json"))
        assert told["verdict"] == "denied"
        for side, subject in (("egress", "shop/web"), ("ingress", "shop/db")):
            assert not told[side]["allowed"]
            assert told[side]["isolated_by"] == [subject]
            assert told[side]["admitted_by"] == []

    def test_the_text_says_why(self, learned: Path) -> None:
        text = " ".join(self.ask(learned, "shop/web", "shop/db", 3306).split())
        assert "Verdict denied" in text
        assert "Isolated by shop/db" in text
        assert "shop/db ingress[0] admits pods role=api on TCP 3306. Fails on the peer:" in text

    def test_api_reaches_db_by_its_rule(self, learned: Path) -> None:
        told = json.loads(self.ask(learned, "api", "db", 3306, "--format", "json"))
        assert told["verdict"] == "allowed"
        assert told["ingress"]["admitted_by"] == ["shop/db ingress[0]"]
        assert told["egress"]["exemption"] == "isolated by no policy"


class TestAnswers:
    """What a person says about the payment service, through ``--accept``."""

    def answered(self, learned: Path, folder: Path, word: str) -> dict[str, bytes]:
        questions, rest = read_yaml(learned / "quarantine.yaml")
        for question in questions:
            question["answer"] = word
        answers = folder / "answers.yaml"
        answers.write_text(yaml.safe_dump_all([questions, rest]))
        out = folder / "out"
        return learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster, "--accept", answers)

    @pytest.mark.parametrize("word", ["accept", "refuse"])
    def test_both_answers_make_the_egress_of_api_ready(
        self, word: str, learned: Path, tmp_path: Path
    ) -> None:
        tree = self.answered(learned, tmp_path, word)
        before = read_tree(learned)
        assert below(tree, "pending") == {}
        policy = yaml.safe_load(tree["policies/shop/api.yaml"])
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        waiting = yaml.safe_load(before["pending/shop/api.yaml"])["spec"]["egress"]
        wanted = [*waiting, PAYMENT] if word == "accept" else waiting
        assert sort_rules(policy["spec"]["egress"]) == sort_rules(wanted)
        assert policy["spec"]["ingress"] == answered_rules(
            ANSWER["subjects"]["shop/api"], "ingress"
        )

    @pytest.mark.parametrize("word", ["accept", "refuse"])
    def test_nothing_else_changes(self, word: str, learned: Path, tmp_path: Path) -> None:
        tree = self.answered(learned, tmp_path, word)
        before = below(read_tree(learned), "policies")
        after = below(tree, "policies")
        assert {path for path in before if before[path] != after[path]} == {
            "policies/shop/api.yaml"
        }

    @pytest.mark.parametrize("word", ["accept", "refuse"])
    def test_assume_says_the_same_as_a_file(self, word: str, learned: Path, tmp_path: Path) -> None:
        tree = self.answered(learned, tmp_path, word)
        out = tmp_path / "assumed"
        assumed = learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster, "--assume", word)
        assert below(assumed, "policies") == below(tree, "policies")

    def test_the_payment_is_allowed_only_if_accepted(self, learned: Path, tmp_path: Path) -> None:
        cluster = Cluster(CLIENT_TO_DB.cluster)
        records = [
            one
            for one in read_records(cluster, CLIENT_TO_DB.logs)
            if one.contact == ("shop/api", "203.0.113.10", "TCP", 443)
        ]
        assert len(records) == 4
        for word in ("accept", "refuse"):
            (tmp_path / word).mkdir()
            self.answered(learned, tmp_path / word, word)
            reference = Reference(
                read_policies(tmp_path / word / "out/policies"), cluster.namespaces
            )
            for record in records:
                assert isinstance(record.flow.client, Pod)
                assert reference.judge(record.flow).allowed == (word == "accept")
