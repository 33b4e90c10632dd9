"""What every cluster has: system namespaces, cluster DNS, link-local services."""

from dataclasses import replace
from ipaddress import ip_address, ip_network

from synth.inventory.listeners import Listener, service_listeners
from synth.inventory.model import Inventory, Service
from synth.policy.ports import Protocol

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
NODE_LOCAL_WORKLOAD = "node-local-dns"
KUBELET_PORTS = frozenset({10250, 10255})
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))


def dns_services(inventory: Inventory) -> tuple[Service, ...]:
    """Return the Services that are the cluster's DNS, by name and port; their DNS ports only."""
    return tuple(
        replace(service, ports=ports)
        for service in inventory.services
        if service.name in DNS_SERVICES and service.namespace in SYSTEM_NAMESPACES
        if (ports := tuple(port for port in service.ports if port.port == DNS_PORT))
    )


def dns_listeners(inventory: Inventory) -> tuple[Listener, ...]:
    """Return the pods' ports behind the cluster's DNS, each for UDP and for TCP, sorted."""
    behind = service_listeners(replace(inventory, services=dns_services(inventory)))
    return tuple(
        sorted(
            {
                (namespace, workload, protocol.number, port)
                for _, (namespace, workload, _, port) in behind
                for protocol in (Protocol.TCP, Protocol.UDP)
            }
        )
    )


def runs_node_local_dns(inventory: Inventory) -> bool:
    """Return whether the nodes run their own cache of the cluster's DNS."""
    return any(one.name == NODE_LOCAL_WORKLOAD and one.exists for one in inventory.workloads)


def link_local(address: str) -> bool:
    """Return whether the address is link-local: metadata, pod identity, node-local services."""
    first = ip_address(address.partition("/")[0])
    return any(first in network for network in _LINK_LOCAL)
