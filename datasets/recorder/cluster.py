"""The cluster's own view of what runs: pods through their lives, as an API server would tell it.

Nothing here makes anything happen. Whoever starts or ends a pod says so at that moment, and the
objects, the snapshots and the watch stream follow from what was said.
"""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from datasets.recorder.topology import hash_name

if TYPE_CHECKING:
    from datasets.recorder.topology import Node, Topology, Workload

GRACE: Final = 30
"""Seconds that Kubernetes gives a pod to end, unless told otherwise."""
_SPACE: Final = uuid.UUID("7d0f7f4e-7c3b-5a0e-9a0c-3a3f0f6c2b11")


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a pod or of another controller."""

    kind: str
    name: str
    uid: str


@dataclass(slots=True)
class Pod:
    """A pod; what has not happened to it yet is None."""

    workload: Workload
    name: str
    uid: str
    owner: Owner
    labels: dict[str, str]
    node: Node
    created: datetime
    started: datetime | None = None
    addresses: tuple[str, ...] = ()
    running: datetime | None = None
    deleted: datetime | None = None
    grace: int = GRACE
    finished: datetime | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    """Set when it must open no further connection."""

    @property
    def ready(self) -> bool:
        """Whether Services may send to it."""
        return self.running is not None and self.deleted is None and self.finished is None


@dataclass(slots=True)
class Job:
    """One run of a CronJob."""

    workload: Workload
    owner: Owner
    scheduled: datetime
    started: datetime
    finished: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What a watch would have printed: its type, when, and the object as it was then."""

    type: str
    at: datetime
    object: dict[str, Any]


class Cluster:
    """All pods that exist or existed, and the jobs."""

    def __init__(self, topology: Topology) -> None:
        """Start with nothing running."""
        self.topology = topology
        self.began = now()
        self.pods: list[Pod] = []
        self.jobs: list[Job] = []
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}

    def present(self, key: str = "") -> list[Pod]:
        """Return the pods that run, of one workload or of all, in the order they were made."""
        with self._lock:
            return [
                pod
                for pod in self.pods
                if pod.finished is None and (not key or pod.workload.key == key)
            ]

    def add(self, workload: Workload, node: Node, owner: Owner | None = None) -> Pod:
        """Return a pod that has just been created and bound to its node."""
        with self._lock:
            number = self._numbers.get(workload.key, 0)
            self._numbers[workload.key] = number + 1
            owner = owner or controller_of(self.topology, workload)
            name = _pod_name(workload, owner, number)
            pod = Pod(
                workload=workload,
                name=name,
                uid=make_uid(self.topology.name, workload.namespace, "Pod", name),
                owner=owner,
                labels=_labels(workload, owner, name, number),
                node=node,
                created=now(),
            )
            self.pods.append(pod)
            return pod

    def add_job(self, workload: Workload) -> Job:
        """Return a job that a CronJob has just made, for the last whole minute."""
        started = now()
        scheduled = started.replace(second=0, microsecond=0)
        name = f"{workload.name}-{int(scheduled.timestamp()) // 60}"
        uid = make_uid(self.topology.name, workload.namespace, "Job", name)
        job = Job(workload, Owner("Job", name, uid), scheduled, started)
        self.jobs.append(job)
        return job


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def last_deletion_time(pod: Pod) -> datetime | None:
    """Return ``deletionTimestamp``: when the pod is gone at latest."""
    return pod.deleted + timedelta(seconds=pod.grace) if pod.deleted else None


def make_uid(*parts: str) -> str:
    """Return a uid; the same for the same parts."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


def template_hash(topology: Topology, workload: Workload) -> str:
    """Return the hash of the workload's template."""
    return hash_name(topology.name, workload.key, length=10)


def controller_of(topology: Topology, workload: Workload) -> Owner:
    """Return the controller that makes the workload's pods."""
    kind, name = workload.owner, workload.name
    if kind == "Deployment":
        kind, name = "ReplicaSet", f"{name}-{template_hash(topology, workload)}"
    return Owner(kind, name, make_uid(topology.name, workload.namespace, kind, name))


def _pod_name(workload: Workload, owner: Owner, number: int) -> str:
    if owner.kind == "StatefulSet":
        return f"{workload.name}-{number}"
    return f"{owner.name}-{hash_name(workload.key, owner.name, str(number))}"


def _labels(workload: Workload, owner: Owner, name: str, number: int) -> dict[str, str]:
    own = dict(workload.labels)
    if owner.kind == "ReplicaSet":
        own["pod-template-hash"] = owner.name.rpartition("-")[2]
    if owner.kind in ("StatefulSet", "DaemonSet"):
        own["controller-revision-hash"] = f"{workload.name}-{hash_name(workload.key, length=9)}"
    if owner.kind == "StatefulSet":
        own["apps.kubernetes.io/pod-index"] = str(number)
        own["statefulset.kubernetes.io/pod-name"] = name
    if owner.kind == "DaemonSet":
        own["pod-template-generation"] = "1"
    if owner.kind == "Job":
        for key, value in (("controller-uid", owner.uid), ("job-name", owner.name)):
            own[key] = own[f"batch.kubernetes.io/{key}"] = value
    return dict(sorted(own.items()))
