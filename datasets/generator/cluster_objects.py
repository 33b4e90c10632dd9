"""The cluster as `kubectl get -o json` prints its objects at one time."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np

from datasets.generator.life import Pods
from datasets.generator.names import colour, name_pod, node_name, owner_name, template_hash
from datasets.generator.options import NEVER
from datasets.generator.seeds import Ints
from datasets.generator.talks import NODE_PORTS
from datasets.generator.workloads import (
    COLOURS,
    CRON_JOB,
    DEPLOYMENT,
    STATEFUL_SET,
    SYSTEM,
    TCP,
    UDP,
    Workload,
)
from datasets.generator.world import World

Object = dict[str, Any]
GRACE = 30
_SCHEDULES = {
    "hourly": "0 * * * *",
    "daily": "0 3 * * *",
    "weekly": "0 3 * * 1",
    "monthly": "0 3 1 * *",
}
_GROUPS = {DEPLOYMENT: "apps/v1", STATEFUL_SET: "apps/v1", "ReplicaSet": "apps/v1"}


class ClusterObjects:
    """Prints objects of a world; pods many times, so what they share is made once."""

    def __init__(self, world: World) -> None:
        """Take the world."""
        self._world = world
        self._named = _names_named(world)
        self._specs: dict[tuple[int, int], tuple[Object, Object]] = {}
        self._rollouts = _rollouts(world.pods, len(world.workloads))

    def standing(self, now: int) -> Iterator[Object]:
        """Yield every object but pods that exists at the time."""
        alive = [one for one in self._world.workloads if one.since <= now < one.until]
        names = sorted({"default", *(one.namespace for one in alive)})
        for name in names:
            yield _object(
                "v1", "Namespace", name, None, labels={"kubernetes.io/metadata.name": name}
            )
        for number in range(self._world.nodes):
            yield self._node(number, now)
        for workload in alive:
            yield from self._owners(workload, now)
            if workload.ports:
                yield self._service(workload)

    def pod(self, pod: int, now: int) -> Object:
        """Return the pod as it looks at the time: running, being deleted, or finished."""
        world, pods = self._world, self._world.pods
        workload = world.workloads[int(pods.workload[pod])]
        name = name_pod(world.options.seed, workload, pods, pod)
        start, end = int(pods.start[pod]), int(pods.end[pod])
        labels, spec = self._template(workload, int(pods.version[pod]))
        labels = labels | _own_labels(workload, name.pod, name.parent, name.hash, name.uid)
        thing = _object("v1", "Pod", name.pod, workload.namespace, labels=labels)
        thing["metadata"] |= {
            "uid": name.uid,
            "creationTimestamp": clock(start),
            "ownerReferences": [
                {
                    "apiVersion": _GROUPS.get(name.parent_kind, "batch/v1"),
                    "kind": name.parent_kind,
                    "name": name.parent,
                    "uid": f"{name.parent}-uid",
                    "controller": True,
                }
            ],
        }
        thing["spec"] = spec | {"nodeName": node_name(int(pods.node[pod]))}
        thing["status"] = self._status(pod, start)
        if now >= end and workload.kind == CRON_JOB:
            done = {"terminated": {"startedAt": clock(start), "finishedAt": clock(end)}}
            thing["status"] |= {
                "phase": "Succeeded",
                "containerStatuses": [{"name": "main", "state": done}],
            }
        elif now >= end:
            grace = min(GRACE, end - start)
            thing["metadata"] |= {
                "deletionTimestamp": clock(end),
                "deletionGracePeriodSeconds": grace,
            }
        return thing

    def _status(self, pod: int, start: int) -> Object:
        world = self._world
        address = world.book.text(int(world.pods.address[pod]))
        host = world.book.text(world.book.nodes_at + int(world.pods.node[pod]))
        return {
            "phase": "Running",
            "hostIP": host,
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": clock(start),
        }

    def _template(self, workload: Workload, version: int) -> tuple[Object, Object]:
        """Return labels and spec of the version's template."""
        found = self._specs.get((workload.number, version))
        if found is None:
            found = _labels(workload, version), {"containers": [self._container(workload, version)]}
            self._specs[workload.number, version] = found
        return found

    def _container(self, workload: Workload, version: int) -> Object:
        ports = [
            {"containerPort": port.number, "protocol": "UDP" if port.protocol == UDP else "TCP"}
            for port in workload.ports
            if port.declared
        ]
        container: Object = {
            "name": "main",
            "image": f"registry.example/{workload.name}:1.{version}.0",
            "env": self._named.get(workload.number, []),
        }
        return container | ({"ports": ports} if ports else {})

    def _owners(self, workload: Workload, now: int) -> Iterator[Object]:
        times = self._rollouts[workload.number]
        version = int(np.searchsorted(times, now, side="right"))
        if workload.kind == CRON_JOB:
            yield self._cron_job(workload)
            return
        versions = (
            range(max(0, version - len(COLOURS) + 1), version + 1)
            if workload.coloured
            else [version]
        )
        for one in versions:
            yield from self._owner(workload, one, workload.replicas if one == version else 0)
        if workload.coloured and version == 0:
            yield from self._owner(workload, 1, 0)

    def _owner(self, workload: Workload, version: int, replicas: int) -> Iterator[Object]:
        labels, spec = self._template(workload, version)
        selector = dict(workload.selector)
        if workload.coloured:
            selector["slot"] = colour(version)
        name = owner_name(workload, version)
        template = {"metadata": {"labels": labels}, "spec": spec}
        owner = _object("apps/v1", workload.kind, name, workload.namespace, labels=labels)
        owner["spec"] = {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": template,
        }
        yield owner
        if workload.kind == DEPLOYMENT:
            code = {"pod-template-hash": template_hash(self._world.options.seed, workload, version)}
            code_name = f"{name}-{code['pod-template-hash']}"
            made = _object(
                "apps/v1", "ReplicaSet", code_name, workload.namespace, labels=labels | code
            )
            made["metadata"]["ownerReferences"] = [
                {"apiVersion": "apps/v1", "kind": DEPLOYMENT, "name": name, "controller": True}
            ]
            made["spec"] = {
                "replicas": replicas,
                "selector": {"matchLabels": selector | code},
                "template": {"metadata": {"labels": labels | code}, "spec": spec},
            }
            yield made

    def _cron_job(self, workload: Workload) -> Object:
        labels, spec = self._template(workload, 0)
        thing = _object("batch/v1", CRON_JOB, workload.name, workload.namespace, labels=labels)
        template = {"metadata": {"labels": labels}, "spec": spec | {"restartPolicy": "Never"}}
        thing["spec"] = {
            "schedule": _SCHEDULES[workload.period],
            "jobTemplate": {"spec": {"template": template}},
        }
        return thing

    def _service(self, workload: Workload) -> Object:
        name = "kube-dns" if workload.namespace == SYSTEM else workload.name
        thing = _object("v1", "Service", name, workload.namespace)
        address = self._world.book.text(self._world.book.services_at + workload.number)
        kind = "LoadBalancer" if workload.exposed else "ClusterIP"
        node_port: Object = (
            {"nodePort": NODE_PORTS + workload.number % 2_700} if workload.exposed else {}
        )
        ports: list[Object] = [
            {
                "name": f"port-{number}",
                "protocol": "UDP" if port.protocol == UDP else "TCP",
                "port": port.number,
                "targetPort": port.number,
            }
            | (node_port if not number else {})
            for number, port in enumerate(workload.ports)
            if port != workload.peers or port.protocol == TCP
        ]
        thing["spec"] = {
            "type": kind,
            "clusterIP": address,
            "clusterIPs": [address],
            "selector": dict(workload.selector),
            "ports": ports,
        }
        if workload.exposed:
            thing["spec"]["externalTrafficPolicy"] = workload.exposed
            balancer = {"hostname": f"{workload.name}.elb.example"}
            thing["status"] = {"loadBalancer": {"ingress": [balancer]}}
        return thing

    def _node(self, number: int, now: int) -> Object:
        thing = _object("v1", "Node", node_name(number), None)
        address = self._world.book.text(self._world.book.nodes_at + number)
        thing["status"] = {
            "addresses": [{"type": "InternalIP", "address": address}],
            "conditions": [{"type": "Ready", "status": "True", "lastHeartbeatTime": clock(now)}],
        }
        return thing


def clock(second: int) -> str:
    """Return the time as Kubernetes prints it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _object(
    version: str, kind: str, name: str, namespace: str | None, *, labels: Object | None = None
) -> Object:
    metadata: Object = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _labels(workload: Workload, version: int) -> Object:
    labels = dict(workload.labels)
    if workload.versioned:
        labels["app.kubernetes.io/version"] = f"1.{version}.0"
    if workload.coloured:
        labels["slot"] = colour(version)
    return labels


def _own_labels(workload: Workload, pod: str, parent: str, code: str, uid: str) -> Object:
    """Return the labels that controllers add."""
    if workload.kind == CRON_JOB:
        names = ("job-name", "batch.kubernetes.io/job-name")
        uids = ("controller-uid", "batch.kubernetes.io/controller-uid")
        return {**dict.fromkeys(names, parent), **dict.fromkeys(uids, uid)}
    if workload.kind == STATEFUL_SET:
        return {
            "controller-revision-hash": code,
            "statefulset.kubernetes.io/pod-name": pod,
            "apps.kubernetes.io/pod-index": pod.rpartition("-")[2],
        }
    return {"pod-template-hash": code}


def _names_named(world: World) -> dict[int, list[Object]]:
    """Return the environment of each workload: the URLs of the servers that it names."""
    edges, found = world.edges, dict[int, list[Object]]()
    for row in np.flatnonzero(edges.named & (edges.server >= 0)).tolist():
        server = world.workloads[int(edges.server[row])]
        name = f"{server.name.upper().replace('-', '_')}_URL"
        value = f"http://{server.name}.{server.namespace}:{int(edges.port[row])}"
        found.setdefault(int(edges.client[row]), []).append({"name": name, "value": value})
    return found


def _rollouts(pods: Pods, workloads: int) -> list[Ints]:
    """Return, by workload, when each version after the first began."""
    first = np.full((workloads, int(pods.version.max(initial=0)) + 1), NEVER)
    np.minimum.at(first, (pods.workload, pods.version), pods.start)
    return [np.minimum.accumulate(row[::-1])[::-1][1:] for row in first]
