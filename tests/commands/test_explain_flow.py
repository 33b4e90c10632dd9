"""Flows as people name them: what was taken for what, and pods that answer differently."""

from pathlib import Path

import pytest

from synth.commands.explain import ExplainRequest, explain
from synth.errors import UsageError
from synth.policy import Protocol
from synth.proof.explained import FlowAnswer, Variant
from synth.reports import explain as report
from synth.reports.text import to_text
from tests.judge import Document
from tests.made import pod, write_cluster

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {track: stable}}}]
    ports: [{port: 3306}]
"""


def replica(number: int, started: str, **labels: str) -> Document:
    """Return one pod of shop/web; the number tells name and address."""
    one = pod("shop/web", {"app": "web", **labels}, f"10.1.1.{number}")
    one["metadata"] |= {"name": f"web-{number}", "uid": f"uid-web-{number}"}
    one["status"]["startTime"] = started
    return one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    db = pod("shop/db", {"app": "db"}, "10.1.2.1", "n2", [3306])
    old = replica(1, "2026-03-01T00:00:00Z", track="stable")
    new = replica(2, "2026-03-02T00:00:00Z", track="canary")
    write_cluster(tmp_path / "cluster", db, old, new)
    (tmp_path / "policy.yaml").write_text(POLICY)
    return tmp_path


def ask(folder: Path, source: str, destination: str = "db") -> FlowAnswer:
    cluster, policies = (str(folder / name) for name in ("cluster", "policy.yaml"))
    return explain(ExplainRequest(source, destination, Protocol.TCP, 3306, (cluster,), (policies,)))


def test_the_newest_pods_are_taken_and_the_others_told(folder: Path) -> None:
    answer = ask(folder, "web")
    assert answer.explanation.verdict == "denied"
    assert answer.notes == ("shop/web has 2 kinds of pods; the newest are taken (track=canary)",)
    assert answer.variants == (Variant("track=stable", "", "allowed"),)
    text = to_text(report.to_page(answer))
    assert "- allowed: client with track=stable" in text
    assert report.to_json(answer)["variants"] == [
        {"source": "track=stable", "destination": "", "verdict": "allowed"}
    ]


def test_pods_that_only_their_addresses_tell_apart_are_no_kinds(tmp_path: Path) -> None:
    one, other = (replica(number, "2026-03-02T00:00:00Z") for number in (2, 3))
    other["status"] |= {"podIP": "10.1.3.3", "podIPs": [{"ip": "10.1.3.3"}]}
    db = pod("shop/db", {"app": "db"}, "10.1.2.1", "n2", [3306])
    write_cluster(tmp_path / "cluster", db, one, other)
    peer = "[{ipBlock: {cidr: 10.1.3.0/24}}]"
    policy = POLICY.replace("[{podSelector: {matchLabels: {track: stable}}}]", peer)
    (tmp_path / "policy.yaml").write_text(policy)
    answer = ask(tmp_path, "web")
    assert answer.notes == ()
    (variant,) = answer.variants
    assert {answer.explanation.verdict, variant.verdict} == {"allowed", "denied"}
    assert "10.1.3.0/24" in variant.client


def test_a_pod_s_own_name_means_that_pod(folder: Path) -> None:
    stable, canary = ask(folder, "shop/web-1"), ask(folder, "web-2")
    assert (stable.explanation.verdict, canary.explanation.verdict) == ("allowed", "denied")
    assert stable.notes == ("shop/web-1 is a pod of shop/web",)
    assert stable.variants == canary.variants == ()


def test_an_address_means_whoever_held_it_last(folder: Path) -> None:
    answer = ask(folder, "10.1.1.1")
    assert answer.explanation.client.name == "shop/web"
    assert answer.notes == ("10.1.1.1 is taken for shop/web",)
    assert ask(folder, "203.0.113.7").explanation.client.name == "203.0.113.7"


def test_pods_that_answer_alike_are_not_told(folder: Path) -> None:
    answer = ask(folder, "db", "web")
    assert answer.explanation.verdict == "allowed"
    assert answer.variants == ()


@pytest.mark.parametrize("name", ["nobody", "other/web", "web-9", ""])
def test_who_is_not_there(name: str, folder: Path) -> None:
    with pytest.raises(UsageError, match="nothing in the cluster"):
        ask(folder, name)


def test_without_policies_those_of_the_cluster_judge(folder: Path) -> None:
    request = ExplainRequest("web", "db", Protocol.TCP, 3306, (str(folder / "cluster"),))
    answer = explain(request)
    assert answer.explanation.verdict == "allowed"
    assert answer.notes[-1] == "no --policies: judged by the policies of the cluster files"
