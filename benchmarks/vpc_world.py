"""A made-up cluster behind VPC flow logs: who holds which address when, and who calls whom.

5,000 addresses of pods in 200 workloads on 100 nodes, over one day; 15 % of the addresses change
hands, among 3 to 24 pods. 1,500 pairs of workloads talk, a few of them most of the time.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

START = 1_700_006_400
"""2023-11-15, midnight, in seconds since 1970 UTC."""
MINUTES = 24 * 60
ADDRESSES, WORKLOADS, NAMESPACES, NODES = 5_000, 200, 20, 100
PAIRS, OUTSIDE = 1_500, 20_000
REUSED = 0.15
GAP = 5
"""Seconds between the end of a pod and the start of the next at its address."""
TCP, UDP = 6, 17
TCP_PORTS = (80, 443, 3306, 5000, 6379, 8080, 9090, 50051)
UDP_PORTS = (53, 8125)
Ints = NDArray[np.int64]
Texts = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class World:
    """Arrays of the cluster.

    ``owner``: int64[minutes, addresses], the workload that holds the address. ``order`` and
    ``first``: addresses sorted by workload, for each minute, and where each workload's begin.
    ``port`` and ``protocol``: what a workload listens on. ``pairs``: int64[2, pairs], client and
    server; ``weight``: how much of the traffic each has.
    """

    owner: Ints
    order: Ints
    first: Ints
    port: Ints
    protocol: Ints
    pairs: Ints
    weight: NDArray[np.float64]

    def held(self, workload: Ints, minute: Ints, luck: NDArray[np.float64]) -> Ints:
        """Return int64[n]: an address that the workload holds in the minute; luck is 0 to 1."""
        low, high = self.first[minute, workload], self.first[minute, workload + 1]
        return np.asarray(self.order[minute, low + (luck * (high - low)).astype(np.int64)])


def make_world() -> World:
    """Return the world, always the same."""
    rng = np.random.default_rng(1)
    owner = np.tile(np.arange(ADDRESSES) % WORKLOADS, (MINUTES, 1))
    for address in rng.choice(ADDRESSES, int(ADDRESSES * REUSED), replace=False):
        changes = np.sort(rng.choice(MINUTES - 2, rng.integers(2, 24), replace=False) + 1)
        workloads = rng.integers(0, WORKLOADS, len(changes) + 1)
        owner[:, address] = workloads[np.searchsorted(changes, np.arange(MINUTES), side="right")]
    order = np.argsort(owner, axis=1, kind="stable")
    ordered = np.take_along_axis(owner, order, axis=1)
    bounds = np.arange(WORKLOADS + 1)
    first = np.stack([np.searchsorted(row, bounds) for row in ordered])
    protocol = np.where(rng.random(WORKLOADS) < 0.1, UDP, TCP)
    port = np.where(
        protocol == UDP, rng.choice(UDP_PORTS, WORKLOADS), rng.choice(TCP_PORTS, WORKLOADS)
    )
    weight = 1 / np.arange(1, PAIRS + 1)
    pairs = rng.integers(0, WORKLOADS, (2, PAIRS))
    return World(owner, order, first, port, protocol, pairs, weight / weight.sum())


def pod_texts() -> Texts:
    """Return the addresses of pods as text, by number."""
    return np.array([f"10.0.{one >> 8}.{one & 255}" for one in range(ADDRESSES)], object)


def node_texts() -> Texts:
    """Return the addresses of nodes as text, by number."""
    return np.array([f"10.1.0.{one + 1}" for one in range(NODES)], object)


def outside_texts() -> Texts:
    """Return addresses outside the cluster as text, by number."""
    return np.array([f"198.18.{one >> 8}.{one & 255}" for one in range(OUTSIDE)], object)


def node_of(address: Ints) -> Ints:
    """Return int64[n]: the node of each pod address; a node's addresses follow each other."""
    return address // (ADDRESSES // NODES)


def write_cluster(world: World, folder: Path) -> None:
    """Write what ``kubectl`` prints of the cluster: a list, and the pods' watch before it."""
    folder.mkdir(parents=True, exist_ok=True)
    pods = [*_pods(world)]
    living = [pod for pod, end in pods if end is None]
    gone = [pod for pod, end in pods if end is not None]
    items = [*_namespaces(), *_nodes(), *_workloads(world), *living]
    whole = {"apiVersion": "v1", "kind": "List", "items": items}
    (folder / "cluster.json").write_text(json.dumps(whole))
    events = (json.dumps({"type": "DELETED", "object": pod}) for pod in gone)
    (folder / "watch.json").write_text("\n".join(events) + "\n")


def _namespaces() -> list[dict[str, Any]]:
    return [_object("v1", "Namespace", f"ns{one}", None) for one in range(NAMESPACES)]


def _nodes() -> list[dict[str, Any]]:
    return [
        _object("v1", "Node", f"node{number}", None)
        | {"status": {"addresses": [{"type": "InternalIP", "address": str(text)}]}}
        for number, text in enumerate(node_texts())
    ]


def _workloads(world: World) -> list[dict[str, Any]]:
    return [
        _object("apps/v1", "StatefulSet", f"app{one}", f"ns{one % NAMESPACES}")
        | {
            "spec": {
                "selector": {"matchLabels": {"app": f"app{one}"}},
                "template": {
                    "metadata": {"labels": {"app": f"app{one}"}},
                    "spec": {"containers": [_container(world, one)]},
                },
            }
        }
        for one in range(WORKLOADS)
    ]


def _container(world: World, workload: int) -> dict[str, Any]:
    protocol = "UDP" if world.protocol[workload] == UDP else "TCP"
    return {
        "name": "main",
        "ports": [{"containerPort": int(world.port[workload]), "protocol": protocol}],
    }


def _pods(world: World) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Yield each pod, and the second at which it ended; None for one that still runs."""
    texts = pod_texts()
    for address in range(ADDRESSES):
        owners = world.owner[:, address]
        changes = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), None]
        for life, (since, until) in enumerate(pairwise(changes)):
            start = START - 3600 if not since else START + 60 * since
            end = None if until is None else START + 60 * until - GAP
            workload = int(owners[since or 0])
            yield _pod(world, workload, (address, life), str(texts[address]), (start, end)), end


def _pod(
    world: World,
    workload: int,
    number: tuple[int, int],
    address: str,
    life: tuple[int, int | None],
) -> dict[str, Any]:
    start, end = (None if second is None else _time(second) for second in life)
    pod = _object("v1", "Pod", f"app{workload}-{number[0]}-{number[1]}", f"ns{workload % 20}")
    pod["metadata"] |= {
        "uid": "-".join(map(str, number)),
        "labels": {"app": f"app{workload}"},
        "creationTimestamp": start,
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": f"app{workload}"}
            | {"controller": True, "uid": f"app{workload}"}
        ],
    }
    if end is not None:
        pod["metadata"]["deletionTimestamp"] = end
    node = f"node{node_of(np.array([number[0]]))[0]}"
    pod["spec"] = {"nodeName": node, "containers": [_container(world, workload)]}
    pod["status"] = {
        "phase": "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": start,
    }
    return pod


def _object(version: str, kind: str, name: str, namespace: str | None) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _time(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
