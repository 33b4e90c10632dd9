"""Cluster dumps of each network plugin, after the names and images of the real manifests."""

from collections.abc import Mapping
from typing import Any

from tests.inventory.objects import node, owned_by, pod, thing

Object = dict[str, Any]


def container(
    name: str, image: str, *args: str, env: Mapping[str, str | None] | None = None
) -> Object:
    """Return a container; a variable that is None comes from elsewhere."""
    variables = [
        {"name": key, "value": value}
        if value is not None
        else {"name": key, "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
        for key, value in (env or {}).items()
    ]
    return {"name": name, "image": image, "args": list(args), "env": variables}


def daemon(name: str, *containers: Object, namespace: str = "kube-system") -> Object:
    """Return a DaemonSet."""
    template = {
        "metadata": {"labels": {"k8s-app": name}},
        "spec": {"hostNetwork": True, "containers": list(containers)},
    }
    spec = {"selector": {"matchLabels": {"k8s-app": name}}, "template": template}
    return thing("DaemonSet", name, version="apps/v1", namespace=namespace, spec=spec)


def daemon_pod(name: str, *containers: Object) -> Object:
    """Return a pod of the DaemonSet, as a dump without DaemonSets holds it."""
    return pod(
        f"{name}-x7k2q",
        namespace="kube-system",
        meta=owned_by("DaemonSet", name),
        spec={"hostNetwork": True, "containers": list(containers)},
    )


def config_map(name: str, **data: str) -> Object:
    """Return a ConfigMap; ``_`` in keys stands for ``-``."""
    named = {key.replace("_", "-"): value for key, value in data.items()}
    return thing("ConfigMap", name, namespace="kube-system", data=named)


def annotated(*keys: str) -> Object:
    """Return a node with these annotations."""
    one = node("node1", "192.168.1.10")
    one["metadata"]["annotations"] = dict.fromkeys(keys, "x")
    return one


CALICO = daemon(
    "calico-node",
    container("calico-node", "docker.io/calico/node:v3.26.1", env={"NODENAME": None}),
)
CANAL = daemon(
    "canal",
    container("calico-node", "docker.io/calico/node:v3.27.0"),
    container("kube-flannel", "docker.io/flannel/flannel:v0.22.3", "--ip-masq"),
)
CILIUM = daemon("cilium", container("cilium-agent", "quay.io/cilium/cilium:v1.15.6@sha256:abcd"))
CILIUM_ENVOY = daemon("cilium-envoy", container("cilium-envoy", "quay.io/cilium/cilium-envoy:v1"))
FLANNEL = daemon(
    "kube-flannel-ds",
    container("kube-flannel", "docker.io/flannel/flannel:v0.25.5"),
    namespace="kube-flannel",
)
FLANNEL_WITH_POLICIES = daemon(
    "kube-flannel-ds",
    container("kube-flannel", "ghcr.io/flannel-io/flannel:v0.26.4"),
    container("kube-network-policies", "registry.k8s.io/networking/kube-network-policies:v0.7.0"),
    namespace="kube-flannel",
)
KUBE_ROUTER = daemon(
    "kube-router",
    container(
        "kube-router",
        "docker.io/cloudnativelabs/kube-router:v2.1.0",
        *("--run-router=true", "--run-firewall=true", "--run-service-proxy=false"),
    ),
)
ANTREA = daemon(
    "antrea-agent",
    container("antrea-agent", "antrea/antrea-agent-ubuntu:v1.15.1"),
    container("antrea-ovs", "antrea/antrea-agent-ubuntu:v1.15.1"),
)
OVN = daemon(
    "ovnkube-node",
    container("ovnkube-controller", "quay.io/openshift-release-dev/ocp-v4.0-art-dev@sha256:0f"),
    namespace="openshift-ovn-kubernetes",
)
WEAVE = daemon(
    "weave-net",
    container("weave", "weaveworks/weave-kube:2.8.1"),
    container("weave-npc", "weaveworks/weave-npc:2.8.1"),
)
ROMANA = daemon("romana-agent", container("romana-agent", "quay.io/romana/agent:v2.0.2"))
KINDNET = daemon(
    "kindnet", container("kindnet-cni", "docker.io/kindest/kindnetd:v20240813-c6f155d6")
)
KNP = daemon(
    "kube-network-policies",
    container("knp", "registry.k8s.io/networking/kube-network-policies:v0.9.0"),
)


def aws(
    *agent: str, tag: str = "v1.15.3-eksbuild.1", env: Mapping[str, str] | None = None
) -> Object:
    """Return ``aws-node``; with ``agent``, the arguments of the network policy agent."""
    registry = "602401143452.dkr.ecr.eu-west-1.amazonaws.com"
    main = container("aws-node", f"{registry}/amazon-k8s-cni:{tag}", env=env)
    image = f"{registry}/amazon/aws-network-policy-agent:v1.0.7-eksbuild.1"
    sidecar = [container("aws-eks-nodeagent", image, *agent)] if agent else []
    return daemon("aws-node", main, *sidecar)
