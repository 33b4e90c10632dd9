"""The host-network pods behind nodes' addresses."""

import json
from dataclasses import replace
from pathlib import Path

from synth.commands.cluster import open_cluster
from synth.commands.host_pods import with_host_pods
from synth.evaluator.traffic import Traffic
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Ranges
from tests.evaluator.cluster import Flow, node, outside, pod, traffic

WEB = pod(app="web")


def _pod(name: str, home: str, **spec: object) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "uid": name, "labels": {"a": name}},
        "spec": {"nodeName": home, "containers": [{"name": "one"}], **spec},
        "status": {"phase": "Running", "podIP": "192.168.0.1", "startTime": "2024-01-01T00:00:00Z"},
    }


def _known(folder: Path, *pods: dict[str, object], asked: Traffic) -> tuple[Endpoint, ...]:
    path = folder / "cluster.json"
    path.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": pods}))
    policies = folder / "policies"
    policies.mkdir()
    cluster = open_cluster([str(path)], Ranges(pods=("10.0.0.0/8",)), [str(policies)])
    return with_host_pods(asked, cluster.inventory).endpoints


def test_a_node_names_the_host_network_pods_that_were_on_it(tmp_path: Path) -> None:
    asked = traffic(Flow(node("192.168.0.1", "n1"), WEB), Flow(node("192.168.0.2", "n2"), WEB))
    asked = replace(asked, endpoints=(*asked.endpoints, outside("198.51.100.7")))
    pods = [
        _pod("proxy", "n1", hostNetwork=True),
        _pod("agent", "n1", hostNetwork=True),
        _pod("dns", "n1"),
        _pod("far", "n3", hostNetwork=True),
    ]
    found = _known(tmp_path, *pods, asked=asked)
    first = next(one for one in found if one.workload == "n1")
    assert [dict(one.labels)["a"] for one in first.candidates] == ["agent", "proxy"]
    assert {one.kind for one in first.candidates} == {Kind.POD}
    assert [one.blocks for one in first.candidates] == [("0.0.0.0/0",)] * 2
    second = next(one for one in found if one.workload == "n2")
    assert not second.candidates
    assert [replace(one, candidates=()) for one in found] == list(asked.endpoints)


def test_a_nameless_node_may_be_any_of_them(tmp_path: Path) -> None:
    asked = traffic(Flow(node("192.168.0.9", ""), WEB))
    pods = [_pod("proxy", "n1", hostNetwork=True), _pod("far", "n3", hostNetwork=True)]
    found = _known(tmp_path, *pods, asked=asked)
    assert sorted(len(one.candidates) for one in found) == [0, 2]


def test_without_host_network_pods_nothing_changes(tmp_path: Path) -> None:
    asked = traffic(Flow(node("192.168.0.1", "n1"), WEB))
    assert _known(tmp_path, _pod("dns", "n1"), asked=asked) is asked.endpoints
