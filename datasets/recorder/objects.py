"""Kubernetes objects as ``kubectl get … -o json`` prints them, of what the recording runs.

Every object is as the API server fills it in, so far as anybody could need it to tell who is who.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from datasets.recorder.cluster import (
    Owner,
    controller_of,
    make_uid,
    template_hash,
)
from datasets.recorder.pod_objects import (
    Object,
    describe_condition,
    describe_metadata,
    describe_template,
    name_ports,
    refer_to,
    stamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datasets.recorder.cluster import Cluster, Job
    from datasets.recorder.topology import Node, Server, Workload


def list_objects(items: Iterable[Object]) -> Object:
    """Return the list that kubectl prints."""
    return {
        "apiVersion": "v1",
        "items": list(items),
        "kind": "List",
        "metadata": {"resourceVersion": ""},
    }


def describe_namespaces(cluster: Cluster) -> list[Object]:
    """Return the namespaces by name."""
    topology = cluster.topology
    names = {"default", "kube-system", *(one.namespace for one in topology.workloads)}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                **describe_metadata(topology, "Namespace", "", name, cluster.began),
                "labels": {"kubernetes.io/metadata.name": name},
            },
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        }
        for name in sorted(names)
    ]


def describe_nodes(cluster: Cluster) -> list[Object]:
    """Return the nodes by name."""
    return [_describe_node(cluster, node) for node in cluster.topology.nodes]


def describe_services(cluster: Cluster) -> list[Object]:
    """Return the Services in the order of the workloads."""
    some = (one for one in cluster.topology.workloads if one.servers)
    return [_describe_service(cluster, workload) for workload in some]


def describe_workloads(cluster: Cluster) -> list[Object]:
    """Return the controllers: of each workload, and the jobs that CronJobs have made."""
    found: list[Object] = []
    for workload in cluster.topology.workloads:
        found += _CONTROLLERS[workload.owner](cluster, workload)
    return found + [_describe_job(cluster, job) for job in cluster.jobs]


def _describe_node(cluster: Cluster, node: Node) -> Object:
    addresses = [{"address": one, "type": "InternalIP"} for one in node.addresses]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            **describe_metadata(cluster.topology, "Node", "", node.name, cluster.began),
            "labels": {"kubernetes.io/hostname": node.name, "kubernetes.io/os": "linux"},
        },
        "spec": {"podCIDR": node.pod_cidrs[0], "podCIDRs": list(node.pod_cidrs)},
        "status": {
            "addresses": [*addresses, {"address": node.name, "type": "Hostname"}],
            "conditions": [_describe_readiness(stamp(cluster.began))],
        },
    }


def _describe_readiness(since: str | None) -> Object:
    times = {"lastHeartbeatTime": since, "lastTransitionTime": since}
    told = {"message": "kubelet is posting ready status", "reason": "KubeletReady"}
    return {**times, **told, "status": "True", "type": "Ready"}


def _describe_service(cluster: Cluster, workload: Workload) -> Object:
    addresses = cluster.topology.cluster_addresses(workload)
    exposure = workload.exposure
    spec: Object = {
        "clusterIP": addresses[0],
        "clusterIPs": list(addresses),
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4", "IPv6"][: len(addresses)],
        "ipFamilyPolicy": "PreferDualStack" if workload.dual_stack else "SingleStack",
        "ports": [port for server in workload.servers for port in _service_ports(server)],
        "selector": dict(sorted(_selecting(workload).items())),
        "sessionAffinity": "None",
        "type": "NodePort" if exposure else "ClusterIP",
    }
    if exposure:
        spec["externalTrafficPolicy"] = exposure.policy
        spec["ports"][0]["nodePort"] = exposure.node_port
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": describe_metadata(
            cluster.topology, "Service", workload.namespace, workload.service, cluster.began
        ),
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def _service_ports(server: Server) -> list[Object]:
    return [
        {"name": name, "port": server.port, "protocol": protocol, "targetPort": server.port}
        for name, protocol in name_ports(server)
    ]


def _selecting(workload: Workload) -> dict[str, str]:
    """Return the labels that Services and controllers ask for: the first one."""
    own = [pair for pair in workload.labels if not pair[0].startswith("app.kubernetes.io/part-of")]
    return dict(own[:1])


def _replicas(cluster: Cluster, workload: Workload) -> tuple[int, int]:
    """Return how many pods are wanted, and how many are ready."""
    pods = [one for one in cluster.present(workload.key) if one.deleted is None]
    return len(pods), sum(pod.ready for pod in pods)


def _controller(
    cluster: Cluster, workload: Workload, kind: str, name: str, extra: dict[str, str]
) -> Object:
    wanted, ready = _replicas(cluster, workload)
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {
            **describe_metadata(cluster.topology, kind, workload.namespace, name, cluster.began),
            "labels": dict(sorted({**dict(workload.labels), **extra}.items())),
        },
        "spec": {
            "replicas": wanted,
            "selector": {"matchLabels": dict(sorted({**_selecting(workload), **extra}.items()))},
            "template": describe_template(workload, extra),
        },
        "status": {"observedGeneration": 1, "readyReplicas": ready, "replicas": wanted},
    }


def _describe_deployment(cluster: Cluster, workload: Workload) -> list[Object]:
    extra = {"pod-template-hash": template_hash(cluster.topology, workload)}
    owner = controller_of(cluster.topology, workload)
    deployment = _controller(cluster, workload, "Deployment", workload.name, {})
    replica_set = _controller(cluster, workload, "ReplicaSet", owner.name, extra)
    above = Owner("Deployment", workload.name, deployment["metadata"]["uid"])
    replica_set["metadata"]["ownerReferences"] = [refer_to(above)]
    return [deployment, replica_set]


def _describe_stateful_set(cluster: Cluster, workload: Workload) -> list[Object]:
    found = _controller(cluster, workload, "StatefulSet", workload.name, {})
    found["spec"]["serviceName"] = workload.service or workload.name
    return [found]


def _describe_daemon_set(cluster: Cluster, workload: Workload) -> list[Object]:
    found = _controller(cluster, workload, "DaemonSet", workload.name, {})
    del found["spec"]["replicas"]
    wanted, ready = _replicas(cluster, workload)
    found["status"] = {"desiredNumberScheduled": wanted, "numberReady": ready}
    return [found]


def _describe_cron_job(cluster: Cluster, workload: Workload) -> list[Object]:
    template = {"spec": {"template": describe_template(workload)}}
    runs = [job.scheduled for job in cluster.jobs if job.workload == workload]
    status = {"lastScheduleTime": stamp(max(runs))} if runs else {}
    return [
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": describe_metadata(
                cluster.topology, "CronJob", workload.namespace, workload.name, cluster.began
            ),
            "spec": {
                "concurrencyPolicy": "Forbid",
                "jobTemplate": template,
                "schedule": "* * * * *",
                "successfulJobsHistoryLimit": 3,
                "suspend": False,
            },
            "status": status,
        }
    ]


def _describe_job(cluster: Cluster, job: Job) -> Object:
    workload, owner = job.workload, job.owner
    cron = Owner(
        "CronJob",
        workload.name,
        make_uid(cluster.topology.name, workload.namespace, "CronJob", workload.name),
    )
    labels = {"batch.kubernetes.io/controller-uid": owner.uid, "controller-uid": owner.uid}
    names = {"batch.kubernetes.io/job-name": owner.name, "job-name": owner.name}
    status: Object = {"startTime": stamp(job.started)}
    if job.finished:
        status |= {"completionTime": stamp(job.finished), "succeeded": 1}
        status["conditions"] = [describe_condition("Complete", job.finished)]
    metadata = describe_metadata(
        cluster.topology, "Job", workload.namespace, owner.name, job.started
    )
    scheduled = {"batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(job.scheduled)}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {**metadata, "annotations": scheduled, "ownerReferences": [refer_to(cron)]},
        "spec": {
            "backoffLimit": 6,
            "completions": 1,
            "parallelism": 1,
            "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": owner.uid}},
            "template": describe_template(workload, {**labels, **names}),
        },
        "status": status,
    }


_CONTROLLERS: Final = {
    "CronJob": _describe_cron_job,
    "DaemonSet": _describe_daemon_set,
    "Deployment": _describe_deployment,
    "StatefulSet": _describe_stateful_set,
}


def order_items(items: Sequence[Object]) -> list[Object]:
    """Return the items as kubectl lists them: by namespace and name, kind by kind."""
    kinds = list(dict.fromkeys(item["kind"] for item in items))

    def order(item: Object) -> tuple[int, str, str]:
        metadata = item["metadata"]
        return kinds.index(item["kind"]), metadata.get("namespace", ""), metadata["name"]

    return sorted(items, key=order)
