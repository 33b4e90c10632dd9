"""Kubernetes objects as kubectl prints them, shortened to what matters."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from synth.inventory.endpoints import with_endpoints
from synth.inventory.locate import locate, resolve
from synth.inventory.model import NEVER, Inventory, Ranges
from synth.inventory.read import read_cluster
from synth.policy.address import pack_address, parse_address

Object = dict[str, Any]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(seconds: float) -> int:
    """Return microseconds since 1970 of so many seconds after noon."""
    return int(NOON.timestamp()) * 1_000_000 + round(seconds * 1_000_000)


def stamp(seconds: int) -> str:
    """Return the time so many seconds after noon, as Kubernetes prints it."""
    moment = datetime.fromtimestamp(NOON.timestamp() + seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def owned_by(kind: str, name: str) -> Object:
    """Return metadata with this controller."""
    return {"ownerReferences": [{"kind": kind, "name": name, "controller": True, "uid": "u"}]}


def pod(  # noqa: PLR0913 - every part of a pod that some test changes
    name: str,
    *ips: str,
    start: int | None = 0,
    labels: Mapping[str, str] | None = None,
    uid: str = "",
    namespace: str = "shop",
    meta: Object | None = None,
    spec: Object | None = None,
    status: Object | None = None,
) -> Object:
    """Return a pod that runs since ``start``, of the ReplicaSet that its name tells."""
    metadata: Object = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}"}
    metadata["labels"] = dict(labels if labels is not None else {"app": name.partition("-")[0]})
    if start is not None:
        metadata["creationTimestamp"] = stamp(start)
    state: Object = {"phase": "Running", "podIPs": [{"ip": ip} for ip in ips]}
    if ips:
        state["podIP"] = ips[0]
    if start is not None:
        state["startTime"] = stamp(start)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata | (meta or {}),
        "spec": {"containers": [{"name": "main"}], "nodeName": "node1"} | (spec or {}),
        "status": state | (status or {}),
    }


def terminated(finished: int, *, phase: str = "Succeeded") -> Object:
    """Return the status of a pod whose only container has ended."""
    state = {"terminated": {"startedAt": stamp(0), "finishedAt": stamp(finished)}}
    return {"phase": phase, "containerStatuses": [{"name": "main", "state": state}]}


def running(since: int) -> Object:
    """Return the status of a pod whose only container runs since this time."""
    state = {"running": {"startedAt": stamp(since)}}
    return {"containerStatuses": [{"name": "main", "state": state}]}


def thing(
    kind: str,
    name: str,
    *,
    version: str = "v1",
    namespace: str = "shop",
    spec: Object | None = None,
    **more: Any,  # noqa: ANN401 - JSON
) -> Object:
    """Return an object of any kind."""
    metadata = {"name": name, "namespace": namespace} | more.pop("meta", {})
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec or {}} | more


def workload(kind: str, name: str, *, meta: Object | None = None, **container: Any) -> Object:  # noqa: ANN401
    """Return a workload whose pods carry ``app=name``."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", **container}]},
    }
    spec = {"selector": {"matchLabels": {"app": name}}, "template": template}
    return thing(kind, name, version="apps/v1", spec=spec, meta=meta or {})


def node(name: str, ip: str, **more: Any) -> Object:  # noqa: ANN401 - JSON
    """Return a node."""
    addresses = [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}]
    one = thing("Node", name, spec=more.pop("spec", {}), status={"addresses": addresses, **more})
    del one["metadata"]["namespace"]
    return one


def service(name: str, *ports: Object, ip: str = "10.96.0.1", **spec: Any) -> Object:  # noqa: ANN401
    """Return a Service that selects ``app=name``."""
    plain = {"clusterIP": ip, "clusterIPs": [ip], "selector": {"app": name}, "ports": list(ports)}
    return thing("Service", name, spec=plain | spec)


def listed(*objects: Object) -> Object:
    """Return the objects as ``kubectl get`` lists them."""
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def event(kind: str, one: Object) -> Object:
    """Return a watch event."""
    return {"type": kind, "object": one}


def write(folder: Path, **documents: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Return the paths of JSON files, one a name; a list is written as values in a row."""
    paths = []
    for name, document in documents.items():
        values = document if isinstance(document, list) else [document]
        path = folder / f"{name}.json"
        path.write_text("\n".join(json.dumps(value, indent=1) for value in values))
        paths.append(str(path))
    return paths


def read(folder: Path, *, ranges: Ranges | None = None, **documents: Any) -> Inventory:  # noqa: ANN401
    """Return the inventory that the documents show, with endpoints."""
    return with_endpoints(read_cluster(write(folder, **documents), ranges=ranges))


def who(inventory: Inventory, ip: str, first: float | None, last: float | None = None) -> set[str]:
    """Return the names of those who may have held the address; times in seconds after noon."""
    start = -NEVER if first is None else at(first)
    end = NEVER if first is None else at(first if last is None else last)
    placement = locate(
        inventory,
        [pack_address(parse_address(ip))],
        np.zeros(1, np.int32),
        np.array([start], np.int64),
        np.array([end], np.int64),
    )
    found = resolve(inventory, placement)
    number = int(found.endpoint[0])
    numbers = found.candidates[-2 - number] if number < -1 else (number,) * (number >= 0)
    return {inventory.endpoints[one].name for one in numbers}
