"""The cluster of a case, as the lab builds it and as the translator sees it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import yaml

from datasets.recorder.topology import Node, Outsider, Topology
from tests.conformance.case import Case, addresses_of
from tests.lab.translate import Cluster, Pod

HERE: Final = Path(__file__).resolve().parent
_V6_OF_NODE: Final = "fd00:172:31:252::{}"


def read_case(policies: str) -> Case:
    """Return the cluster of ``world.yaml`` with the policies."""
    told: dict[str, Any] = yaml.safe_load((HERE / "world.yaml").read_text())
    return Case("lab", {**told, "policies": policies, "default": "unknown"})


def list_all_pods(case: Case) -> list[Pod]:
    """Return every pod, also those that policies must skip."""
    return [_pod(name, told) for name, told in case.pods.items()]


def find_cluster(case: Case) -> Cluster:
    """Return what the translator needs to know."""
    return Cluster.of(list_all_pods(case), case.namespaces)


def find_topology(case: Case) -> Topology:
    """Return the network to build; node n's pods have 10.0.n.0/24 and fd00:10::n:0/112."""
    nodes = tuple(
        Node(
            name,
            (address, _V6_OF_NODE.format(number)),
            (f"10.0.{number}.0/24", f"fd00:10::{number}:0/112"),
        )
        for number, (name, address) in enumerate(case.nodes.items(), start=1)
    )
    outsiders = tuple(Outsider(name, (one,)) for name, one in case.told["outside"].items())
    return Topology("wall", 0, nodes, (), outsiders, ())


def _pod(name: str, told: dict[str, Any]) -> Pod:
    ports = [text.split() for text in told.get("ports", ())]
    return Pod(
        name=name,
        namespace=told["in"],
        labels=told.get("labels") or {},
        addresses=tuple(str(ip_address(one)) for one in addresses_of(told)),
        ports=tuple((own, protocol, int(number)) for own, protocol, number in ports),
        node=told["node"],
        host_network=told.get("hostNetwork", False),
        phase=told.get("phase", "Running"),
    )
