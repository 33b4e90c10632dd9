"""Pods as ``kubectl get pods -o json`` prints them, and what all objects have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from datasets.recorder.cluster import GRACE, last_deletion_time, make_uid

if TYPE_CHECKING:
    from datetime import datetime

    from datasets.recorder.cluster import Owner, Pod
    from datasets.recorder.topology import Server, Topology, Workload

Object = dict[str, Any]
_IMAGES: Final = {
    "nginx": "nginx:1.22",
    "mysql": "mariadb:10.11",
    "dns": "coredns/coredns:1.11.1",
}
_TOLERATIONS: Final = [
    {
        "effect": "NoExecute",
        "key": f"node.kubernetes.io/{key}",
        "operator": "Exists",
        "tolerationSeconds": 300,
    }
    for key in ("not-ready", "unreachable")
]


def stamp(time: datetime | None) -> str | None:
    """Return the time in whole seconds, as Kubernetes writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None


def describe_pod(topology: Topology, pod: Pod) -> Object:
    """Return the pod as it is now."""
    metadata: Object = {
        **describe_metadata(topology, "Pod", pod.workload.namespace, pod.name, pod.created),
        "labels": pod.labels,
        "ownerReferences": [refer_to(pod.owner)],
    }
    if pod.owner.kind != "StatefulSet":
        metadata["generateName"] = f"{pod.owner.name}-"
    else:
        metadata["generateName"] = f"{pod.workload.name}-"
    if pod.deleted:
        metadata["deletionGracePeriodSeconds"] = pod.grace
        metadata["deletionTimestamp"] = stamp(last_deletion_time(pod))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": dict(sorted(metadata.items())),
        "spec": {
            **_pod_spec(pod.workload),
            "nodeName": pod.node.name,
            "preemptionPolicy": "PreemptLowerPriority",
            "priority": 0,
            "serviceAccount": "default",
            "tolerations": _TOLERATIONS,
        },
        "status": _pod_status(pod),
    }


def describe_template(workload: Workload, extra: dict[str, str] | None = None) -> Object:
    """Return the template from which a controller makes pods; ``extra`` are labels of its own."""
    labels = dict(sorted({**dict(workload.labels), **(extra or {})}.items()))
    return {"metadata": {"labels": labels}, "spec": _pod_spec(workload)}


def describe_metadata(
    topology: Topology, kind: str, namespace: str, name: str, created: datetime
) -> Object:
    """Return what every object has: a name, a uid, and when it was made."""
    metadata = {
        "creationTimestamp": stamp(created),
        "name": name,
        "uid": make_uid(topology.name, namespace, kind, name),
    }
    return {**metadata, "namespace": namespace} if namespace else metadata


def refer_to(owner: Owner) -> Object:
    """Return the entry of ``ownerReferences`` that names the controller."""
    group = {"Job": "batch/v1", "CronJob": "batch/v1"}.get(owner.kind, "apps/v1")
    return {
        "apiVersion": group,
        "blockOwnerDeletion": True,
        "controller": True,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
    }


def name_ports(server: Server) -> list[tuple[str, str]]:
    """Return name and protocol of each port; the second of a server is named for its protocol."""
    return [
        (server.name if number == 0 else f"{server.name}-{protocol.lower()}", protocol)
        for number, protocol in enumerate(server.protocols)
    ]


def describe_condition(kind: str, since: datetime, *, holds: bool = True) -> Object:
    """Return a condition, and since when it holds or does not."""
    return {
        "lastProbeTime": None,
        "lastTransitionTime": stamp(since),
        "status": str(holds),
        "type": kind,
    }


def _pod_spec(workload: Workload) -> Object:
    system = any(server.kind == "dns" for server in workload.servers)
    return {
        "containers": [_container(workload)],
        "dnsPolicy": "Default" if system else "ClusterFirst",
        "enableServiceLinks": True,
        "restartPolicy": "OnFailure" if workload.owner == "CronJob" else "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": GRACE,
    }


def _image(workload: Workload) -> str:
    kind = workload.servers[0].kind if workload.servers else ""
    return _IMAGES.get(kind, f"{workload.namespace}/{workload.name}:1.0.0")


def _container(workload: Workload) -> Object:
    container: Object = {
        "image": _image(workload),
        "imagePullPolicy": "IfNotPresent",
        "name": workload.name,
        "resources": {},
    }
    ports = [
        {"containerPort": server.port, "name": name, "protocol": protocol}
        for server in workload.servers
        for name, protocol in name_ports(server)
    ]
    if ports:
        container["ports"] = ports
    if workload.probed:
        container["readinessProbe"] = {
            "failureThreshold": 3,
            "httpGet": {"path": "/healthz", "port": workload.servers[0].port, "scheme": "HTTP"},
            "periodSeconds": 5,
            "successThreshold": 1,
            "timeoutSeconds": 1,
        }
    return container


def _pod_status(pod: Pod) -> Object:
    status: Object = {"phase": _phase(pod), "qosClass": "BestEffort"}
    ready = pod.running is not None and pod.finished is None
    since = pod.finished or pod.running or pod.started or pod.created
    conditions = [describe_condition("PodScheduled", pod.created)]
    if pod.started:
        conditions = [
            describe_condition("Initialized", pod.started),
            describe_condition("Ready", since, holds=ready),
            describe_condition("ContainersReady", since, holds=ready),
            *conditions,
        ]
        status["startTime"] = stamp(pod.started)
        status["hostIP"] = pod.node.addresses[0]
        status["hostIPs"] = [{"ip": one} for one in pod.node.addresses]
        status["containerStatuses"] = [_container_status(pod)]
    if pod.addresses and pod.running:
        status["podIP"] = pod.addresses[0]
        status["podIPs"] = [{"ip": one} for one in pod.addresses]
    return dict(sorted({**status, "conditions": conditions}.items()))


def _phase(pod: Pod) -> str:
    if pod.finished and pod.workload.owner == "CronJob":
        return "Succeeded"
    return "Running" if pod.running else "Pending"


def _container_status(pod: Pod) -> Object:
    state: Object = {"waiting": {"reason": "ContainerCreating"}}
    if pod.running:
        state = {"running": {"startedAt": stamp(pod.running)}}
    if pod.finished:
        times = {"finishedAt": stamp(pod.finished), "startedAt": stamp(pod.running)}
        state = {"terminated": {"exitCode": 0, "reason": "Completed", **times}}
    return {
        "image": _image(pod.workload),
        "imageID": "",
        "lastState": {},
        "name": pod.workload.name,
        "ready": "running" in state,
        "restartCount": 0,
        "started": "running" in state,
        "state": state,
    }
