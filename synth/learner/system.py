"""What every cluster has: system namespaces, cluster DNS, link-local services."""

from ipaddress import ip_address, ip_network

from synth.inventory.model import Inventory, Service

SYSTEM_NAMESPACES = frozenset(
    {
        "calico-apiserver",
        "calico-system",
        "cert-manager",
        "cilium",
        "cilium-secrets",
        "gatekeeper-system",
        "gmp-system",
        "ingress-nginx",
        "istio-system",
        "kube-flannel",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "kyverno",
        "linkerd",
        "openshift-dns",
        "openshift-ingress",
        "tigera-operator",
        "traefik",
    }
)
"""Peers, not subjects: a policy here decides over workloads that are deployed tomorrow."""

DNS_SERVICES = frozenset({"kube-dns", "coredns", "dns-default", "rke2-coredns-rke2-coredns"})
DNS_PORT = 53
NODE_LOCAL_DNS = "169.254.20.10"
KUBELET_PORTS = frozenset({10250, 10255})
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))


def dns_services(inventory: Inventory) -> tuple[Service, ...]:
    """Return the Services that are the cluster's DNS, by name and port."""
    return tuple(
        service
        for service in inventory.services
        if service.name in DNS_SERVICES
        and service.namespace in SYSTEM_NAMESPACES
        and any(port.port == DNS_PORT for port in service.ports)
    )


def link_local(address: str) -> bool:
    """Return whether the address is link-local: metadata, pod identity, node-local services."""
    first = ip_address(address.partition("/")[0])
    return any(first in network for network in _LINK_LOCAL)
