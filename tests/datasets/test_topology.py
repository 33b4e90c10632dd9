"""Topologies are read whole: good ones as they are written, bad ones with all their faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from datasets.recorder.reading import read_topology
from datasets.recorder.topology import Exposure, Replace, Scan, TakeOver, Topology, hash_name
from synth.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "recorder"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))


def small() -> dict[str, Any]:
    """Return a topology of two workloads, as loaded."""
    return {
        "name": "small",
        "seconds": 3,
        "nodes": [
            {"name": "node1", "addresses": ["172.31.252.1"], "pods": ["10.246.1.0/24"]},
            {"name": "node2", "addresses": ["172.31.252.2"], "pods": ["10.246.2.0/24"]},
        ],
        "services": ["10.98.0.0/16"],
        "workloads": [
            {
                "name": "shop/web",
                "labels": {"role": "web"},
                "nodes": ["node1", "node2"],
                "serves": [{"kind": "nginx", "port": 80}],
                "exposed": {"node-port": 30080, "policy": "Local"},
            },
            {
                "name": "shop/asker",
                "labels": {"role": "asker"},
                "nodes": ["node2"],
                "calls": [{"to": "shop/web", "kind": "http", "every": 1}],
            },
        ],
    }


def read(tmp_path: Path, document: object) -> Topology:
    """Return the topology that the document is read as."""
    path = tmp_path / "t.yaml"
    path.write_text(yaml.safe_dump(document))
    return read_topology(path)


def faults_of(tmp_path: Path, document: object) -> str:
    """Return what is told of a bad document."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, document)
    return str(caught.value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_read(path: Path) -> None:
    topology = read_topology(path)
    assert topology.name == path.stem
    assert topology.dns is not None
    addresses = [
        address
        for one in topology.workloads
        if one.servers
        for address in topology.cluster_addresses(one)
    ]
    assert len(addresses) == len(set(addresses))


def test_there_are_two_examples_at_least() -> None:
    assert {path.stem for path in EXAMPLES} >= {"three-tier", "shop-of-ten"}


def test_three_tier_tells_what_is_to_happen() -> None:
    topology = read_topology(FOLDER / "three-tier.yaml")
    kinds = [type(step).__name__ for step in topology.steps]
    assert {"Scan", "Ping", "Replace", "TakeOver", "RunJob", "CallOnce"} == set(kinds)
    (over,) = [step for step in topology.steps if isinstance(step, TakeOver)]
    (replaced,) = [step for step in topology.steps if isinstance(step, Replace)]
    assert over.address_of == replaced.workload
    assert over.workload != replaced.workload
    # The next holder comes only when the one before is gone.
    assert over.at > replaced.at + replaced.drain
    # The scan meets no open port: what it finds would be a question.
    (scan,) = [step for step in topology.steps if isinstance(step, Scan)]
    for key in scan.to:
        for server in topology.workload(key).servers:
            assert not scan.first_port <= server.port <= scan.last_port


def test_three_tier_hands_the_address_over_between_two_minutes() -> None:
    topology = read_topology(FOLDER / "three-tier.yaml")
    (over,) = [step for step in topology.steps if isinstance(step, TakeOver)]
    (replaced,) = [step for step in topology.steps if isinstance(step, Replace)]
    assert topology.begin_second is not None
    assert topology.begin_second + replaced.at + replaced.drain < 60
    assert topology.begin_second + over.at >= 60


def test_values_are_as_written(tmp_path: Path) -> None:
    topology = read(tmp_path, small())
    web, asker = topology.workloads
    assert web.exposure == Exposure(30080, "Local")
    assert (web.service, asker.service) == ("web", "")
    assert web.host == "web.shop.svc.cluster.local"
    assert topology.cluster_addresses(web) == ("10.98.0.20",)
    node = topology.node("node2")
    assert node.pod_addresses(11) == ("10.246.2.11",)
    assert (node.number_of("10.246.2.11"), node.number_of("10.246.1.11")) == (11, None)


def test_only_a_dual_stack_service_has_two_addresses(tmp_path: Path) -> None:
    document = small()
    document["services"].append("fd00:98::/112")
    assert (
        len(read(tmp_path, document).cluster_addresses(read(tmp_path, document).workloads[0])) == 1
    )
    document["workloads"][0]["dual-stack"] = True
    topology = read(tmp_path, document)
    assert topology.cluster_addresses(topology.workloads[0]) == ("10.98.0.20", "fd00:98::14")


def test_all_faults_are_told_together(tmp_path: Path) -> None:
    document = small()
    document["seconds"] = -1
    document["nodes"][0]["addresses"] = ["not-an-address"]
    document["workloads"][0]["serves"][0]["port"] = 0
    document["workloads"][0]["colour"] = "red"
    document["workloads"][1]["calls"][0]["kind"] = "smoke-signal"
    told = faults_of(tmp_path, document)
    assert len(told.splitlines()) == 5
    for word in ("seconds", "not-an-address", "1 to 65535", "colour", "smoke-signal"):
        assert word in told


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("workloads", 1, "calls", 0, "to"), "shop/nobody", "a call to shop/nobody"),
        (("workloads", 1, "calls", 0, "to"), "shop/asker", "a call to shop/asker"),
        (("workloads", 1, "nodes"), ["node9"], "node9"),
        (("workloads", 1, "nodes"), [], "a node or more"),
        (("workloads", 1, "name"), "shop/web", "each workload once"),
        (("workloads", 0, "name"), "Shop/Web", "namespace/name"),
        (("workloads", 0, "owner"), "CronJob", "a CronJob without nodes"),
        (("workloads", 0, "serves"), [], "an exposed workload to listen"),
        (("workloads", 0, "exposed", "policy"), "local", "Local or Cluster"),
        (("nodes", 1, "name"), "node1", "each node once"),
        (("nodes", 1, "addresses"), ["172.31.252.1"], "each address once"),
        (("nodes",), [], "a list of 1 or more"),
        (("steps",), [{"at": 1, "do": "dance"}], "'dance'"),
        (("steps",), [{"at": 1, "do": "ping", "from": "shop/x", "to": "shop/web"}], "shop/x"),
        (
            ("steps",),
            [{"at": 1, "do": "scan", "from": "shop/web", "to": ["shop/web"], "ports": "9-8"}],
            "6000-6063",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, path: tuple[Any, ...], value: object, told: str
) -> None:
    document = small()
    inner: Any = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    assert told in faults_of(tmp_path, document)


@pytest.mark.parametrize("text", ["", "[]", "name: [", "\x00", "a: &x [*x]"])
def test_a_file_that_is_no_topology_is_one_message(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"t\.yaml"):
        read_topology(path)


def test_names_are_the_same_in_every_run() -> None:
    assert hash_name("shop/web", "0") == hash_name("shop/web", "0")
    assert hash_name("shop/web", "0") != hash_name("shop/web", "1")
    assert len(hash_name("x", length=10)) == 10
