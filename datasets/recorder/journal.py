"""The cluster's objects as files: lists at two times, and the pods' watch stream between them."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from datasets.recorder.objects import (
    describe_namespaces,
    describe_nodes,
    describe_services,
    describe_workloads,
    list_objects,
    order_items,
)
from datasets.recorder.pod_objects import describe_pod

if TYPE_CHECKING:
    from pathlib import Path

    from datasets.recorder.cluster import Cluster, Pod


class Journal:
    """What ``kubectl get`` and ``kubectl get --watch`` would have printed so far.

    A resource version is a number that every change of every object takes the next of.
    """

    def __init__(self, cluster: Cluster) -> None:
        """Start with no event; the watch begins with the first snapshot."""
        self._cluster = cluster
        self._events: list[dict[str, Any]] = []
        self._versions: dict[str, tuple[int, str]] = {}
        self._last = 400
        self._watching = False
        self._lock = threading.Lock()

    def note(self, type_: str, pod: Pod) -> None:
        """Note a change of a pod: ADDED, MODIFIED or DELETED."""
        with self._lock:
            found = self._versioned(describe_pod(self._cluster.topology, pod), changed=True)
            if self._watching:
                self._events.append({"type": type_, "object": found})

    def take_snapshot(self, folder: Path) -> None:
        """Write a list for each group of kinds; the first one also begins the watch.

        A watch first tells what exists.
        """
        folder.mkdir(parents=True)
        with self._lock:
            kinds = {
                "namespaces": describe_namespaces(self._cluster),
                "nodes": describe_nodes(self._cluster),
                "pods": self._list_pods(),
                "services": describe_services(self._cluster),
                "workloads": describe_workloads(self._cluster),
            }
            lists = {
                name: [self._versioned(one) for one in order_items(items)]
                for name, items in kinds.items()
            }
            if not self._watching:
                self._events += [{"type": "ADDED", "object": one} for one in lists["pods"]]
                self._watching = True
            for name, items in lists.items():
                text = json.dumps(list_objects(items), indent=1, sort_keys=True)
                (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")

    def write_watch(self, path: Path) -> None:
        """Write the stream: one event after the other, as kubectl prints them."""
        path.parent.mkdir(parents=True)
        texts = [json.dumps(event, indent=1, sort_keys=True) for event in self._events]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")

    def _list_pods(self) -> list[dict[str, Any]]:
        topology = self._cluster.topology
        kept = [
            pod for pod in self._cluster.pods if not pod.finished or pod.workload.owner == "CronJob"
        ]
        return [describe_pod(topology, pod) for pod in kept]

    def _versioned(self, found: dict[str, Any], *, changed: bool = False) -> dict[str, Any]:
        """Return the object with the version of its last change."""
        uid, text = found["metadata"]["uid"], json.dumps(found, sort_keys=True)
        before = self._versions.get(uid)
        if changed or before is None or before[1] != text:
            self._last += 1
            self._versions[uid] = (self._last, text)
        version = str(self._versions[uid][0])
        return {**found, "metadata": {**found["metadata"], "resourceVersion": version}}
