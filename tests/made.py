"""Small clusters as kubectl prints them, and connections as conntrack prints them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.judge import Document

NODES = {"n1": "192.0.2.1", "n2": "192.0.2.2"}
BEGIN = 1_772_442_000
"""2026-03-02 09:00 UTC; pods start an hour before."""


def pod(
    workload: str,
    labels: Mapping[str, str],
    address: str,
    node: str = "n1",
    ports: Sequence[int] = (),
) -> Document:
    """Return the pod of ``namespace/name``, a StatefulSet of one."""
    namespace, _, name = workload.partition("/")
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "controller": True}
    listed = [{"name": f"p{one}", "containerPort": one} for one in ports]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "namespace": namespace,
            "name": f"{name}-0",
            "uid": f"uid-{namespace}-{name}-0",
            "labels": dict(labels),
            "ownerReferences": [owner | {"uid": f"uid-{namespace}-{name}"}],
        },
        "spec": {"nodeName": node, "containers": [{"name": name, "ports": listed}]},
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": "2026-03-02T08:00:00Z",
        },
    }


def service(name: str, labels: Mapping[str, str], port: int, **spec: object) -> Document:
    """Return a Service of ``namespace/name`` that selects the labels; ``spec`` adds fields."""
    namespace, _, short = name.partition("/")
    ports = [{"port": port, "protocol": "TCP", "targetPort": port}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"namespace": namespace, "name": short},
        "spec": {"selector": dict(labels), "ports": ports, "clusterIP": "10.96.0.9", **spec},
    }


def write_cluster(folder: Path, *objects: Document) -> Path:
    """Write the objects with their namespaces and two nodes, and return the folder."""
    namespaces = sorted({one["metadata"]["namespace"] for one in objects})
    around: list[Document] = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        }
        for name in namespaces
    ]
    around += [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "spec": {"podCIDR": f"10.1.{name[1:]}.0/24"},
            "status": {"addresses": [{"type": "InternalIP", "address": address}]},
        }
        for name, address in NODES.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    whole: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [*around, *objects]}
    (folder / "cluster.json").write_text(json.dumps(whole))
    return folder


def connection(number: int, client: str, server: str, port: int) -> str:
    """Return the lines of one answered TCP connection; its number tells when and from which port.

    Numbers up to 28,000 give ports of their own.
    """
    source, time = 32_768 + number % 28_000, BEGIN + number / 1000
    there = f"src={client} dst={server} sport={source} dport={port}"
    back = f"src={server} dst={client} sport={port} dport={source}"
    return (
        f"[{time:.6f}]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT {there} [UNREPLIED] {back}"
        f" id={number + 1}\n"
        f"[{time + 0.0005:.6f}]\t [UPDATE] ipv4     2 tcp      6 432000 ESTABLISHED {there} {back}"
        f" [ASSURED] id={number + 1}\n"
    )
