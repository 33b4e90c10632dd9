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
        "kyverno",
        "linkerd",
        "tigera-operator",
        "traefik",
    }
)
"""Peers, not subjects: a policy here decides over workloads that are deployed tomorrow."""

SYSTEM_PREFIXES = ("kube-", "openshift-")

DNS_NAMESPACES = frozenset({"kube-system", "openshift-dns"})
DNS_SERVICES = frozenset({"kube-dns", "coredns", "dns-default", "rke2-coredns-rke2-coredns"})
DNS_PORT = 53
NODE_LOCAL_DNS = {"node-local-dns": "169.254.20.10", "nodelocaldns": "169.254.25.10"}
"""Workload → address of the nodes' own cache: as upstream has it, and as Kubespray has it."""
KUBELET_PORTS = frozenset({10250, 10255})
_LINK_LOCAL = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"))


def dns_services(inventory: Inventory) -> tuple[Service, ...]:
    """Return the Services that are the cluster's DNS, by name and port; their DNS ports only."""
    return tuple(
        replace(service, ports=ports)
        for service in inventory.services
        if service.name in DNS_SERVICES and service.namespace in DNS_NAMESPACES
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


def node_local_dns(inventory: Inventory) -> tuple[str, ...]:
    """Return the addresses of the nodes' own cache of the cluster's DNS, if they run one."""
    running = {one.name for one in inventory.workloads if one.exists}
    return tuple(sorted(NODE_LOCAL_DNS[name] for name in running & NODE_LOCAL_DNS.keys()))


def is_system(namespace: str) -> bool:
    """Return whether the namespace is the cluster's own."""
    return namespace in SYSTEM_NAMESPACES or namespace.startswith(SYSTEM_PREFIXES)


def link_local(address: str) -> bool:
    """Return whether the address is link-local: metadata, pod identity, node-local services."""
    first = ip_address(address.partition("/")[0])
    return any(first in network for network in _LINK_LOCAL)
