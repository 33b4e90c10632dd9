"""The objects that a recording tells of its own pods are such as Kubernetes would give."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from datasets.recorder.cluster import Cluster, Pod, now
from datasets.recorder.journal import Journal
from datasets.recorder.reading import read_topology
from synth.inventory.read import read_cluster

TOPOLOGY = read_topology(
    Path(__file__).resolve().parents[2] / "datasets" / "recorder" / "three-tier.yaml"
)
Told = dict[str, Any]


class Life:
    """A cluster whose pods begin and end without any of them running."""

    def __init__(self) -> None:
        self.cluster = Cluster(TOPOLOGY)
        self.journal = Journal(self.cluster)
        self.clock = self.cluster.began

    def begin(self, key: str, node: str, number: int) -> Pod:
        workload = TOPOLOGY.workload(key)
        owner = self.cluster.add_job(workload).owner if workload.owner == "CronJob" else None
        pod = self.cluster.add(workload, TOPOLOGY.node(node), owner)
        pod.created = self.clock
        self.journal.note("ADDED", pod)
        pod.started = self.clock
        self.journal.note("MODIFIED", pod)
        pod.addresses, pod.running = pod.node.pod_addresses(number), self.pass_time(1)
        self.journal.note("MODIFIED", pod)
        return pod

    def end(self, pod: Pod) -> None:
        pod.deleted = self.clock
        self.journal.note("MODIFIED", pod)
        pod.finished = self.pass_time(4)
        self.journal.note("MODIFIED", pod)
        pod.grace = 0
        self.journal.note("MODIFIED", pod)
        self.journal.note("DELETED", pod)

    def pass_time(self, seconds: float) -> datetime:
        self.clock += timedelta(seconds=seconds)
        return self.clock


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """Return the files of a cluster in which an address went from one workload to another."""
    life = Life()
    for key, node, number in (
        ("kube-system/coredns", "node1", 10),
        ("shop/web", "node1", 11),
        ("shop/api", "node2", 12),
        ("shop/db", "node2", 13),
        ("shop/worker", "node1", 15),
    ):
        life.begin(key, node, number)
    life.journal.take_snapshot(tmp_path / "before")
    (api,) = life.cluster.present("shop/api")
    life.pass_time(10)
    life.begin("shop/api", "node2", 14)
    life.end(api)
    life.pass_time(2)
    life.begin("shop/worker", "node2", 12)
    job = life.begin("shop/report", "node1", 16)
    job.finished = life.pass_time(3)
    life.journal.note("MODIFIED", job)
    life.journal.take_snapshot(tmp_path / "after")
    life.journal.write_watch(tmp_path / "watch" / "pods.json")
    return tmp_path


def read_lists(folder: Path) -> list[Told]:
    """Return all objects of a snapshot."""
    lists = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return [item for one in lists for item in one["items"]]


def read_stream(path: Path) -> list[Told]:
    """Return the values that stand in a row."""
    decoder, text, found = json.JSONDecoder(), path.read_text().strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


@pytest.mark.parametrize("when", ["before", "after"])
def test_objects_fit_the_schemas_of_kubernetes(told: Path, when: str) -> None:
    items = read_lists(told / when)
    kinds = {item["kind"] for item in items}
    assert kinds >= {"Pod", "Service", "Node", "Namespace", "Deployment", "ReplicaSet", "CronJob"}
    for item in items:
        kubernetes_validate.validate(item, "1.31", strict=True)


def test_events_fit_the_schemas_and_their_versions_only_grow(told: Path) -> None:
    events = read_stream(told / "watch" / "pods.json")
    for event in events:
        kubernetes_validate.validate(event["object"], "1.31", strict=True)
    changes = [event for event in events if event["type"] != "ADDED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in changes]
    assert versions == sorted(set(versions))


def test_the_stream_begins_with_the_first_snapshot_and_ends_as_the_last(told: Path) -> None:
    events = read_stream(told / "watch" / "pods.json")
    before = [one for one in read_lists(told / "before") if one["kind"] == "Pod"]
    assert [event["object"] for event in events[: len(before)]] == before
    state: dict[str, Told] = {}
    for event in events:
        uid = event["object"]["metadata"]["uid"]
        state.pop(uid, None)
        if event["type"] != "DELETED":
            state[uid] = event["object"]
    after = {one["metadata"]["uid"]: one for one in read_lists(told / "after")}
    assert state == {uid: one for uid, one in after.items() if one["kind"] == "Pod"}


def test_every_owner_exists_and_every_uid_once(told: Path) -> None:
    for when in ("before", "after"):
        items = read_lists(told / when)
        by_uid = {item["metadata"]["uid"]: item for item in items}
        assert len(by_uid) == len(items)
        for item in items:
            for owner in item["metadata"].get("ownerReferences", ()):
                found = by_uid[owner["uid"]]
                assert (found["kind"], found["metadata"]["name"]) == (owner["kind"], owner["name"])


def test_the_inventory_knows_who_held_the_address_when(told: Path) -> None:
    inventory = read_cluster([str(told)])
    held = sorted(
        (pod.start or 0, pod.end or 0, pod.workload)
        for pod in inventory.pods
        if "10.244.2.12" in pod.addresses
    )
    assert [workload for *_, workload in held] == ["Deployment/api", "Deployment/worker"]
    (_, gone, _), (came, *_) = held
    assert gone < came


def test_the_inventory_counts_each_workload_once(told: Path) -> None:
    inventory = read_cluster([str(told)])
    keys = {f"{one.namespace}/{one.name}" for one in inventory.workloads if one.exists}
    assert keys == {one.key for one in TOPOLOGY.workloads}


def test_a_pod_that_waits_has_no_address_yet() -> None:
    life = Life()
    pod = life.cluster.add(TOPOLOGY.workload("shop/web"), TOPOLOGY.node("node1"))
    assert not pod.ready
    pod.started, pod.addresses = now(), ("10.244.1.9",)
    from datasets.recorder.pod_objects import describe_pod

    assert "podIP" not in describe_pod(TOPOLOGY, pod)["status"]
    pod.running = now()
    assert describe_pod(TOPOLOGY, pod)["status"]["podIP"] == "10.244.1.9"


def test_what_is_to_be_deleted_gets_no_new_connections() -> None:
    life = Life()
    pod = life.begin("shop/web", "node1", 11)
    assert pod.ready
    pod.deleted = now()
    assert not pod.ready


def test_a_stateful_set_numbers_its_pods() -> None:
    cluster = Cluster(replace(TOPOLOGY, name="other"))
    db, node = TOPOLOGY.workload("shop/db"), TOPOLOGY.node("node1")
    assert [cluster.add(db, node).name for _ in range(2)] == ["db-0", "db-1"]
