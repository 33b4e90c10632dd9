"""What each node does with the addresses of Services, as nftables: the work of kube-proxy.

=================  =============================================================================
chain              does
=================  =============================================================================
``services``       by cluster address and port, to one ready pod at random
``nodeports``      by port of the node: ``Local`` to a pod of this node, the client's address
                   kept; ``Cluster`` to any pod, masqueraded
``svc-…``          picks a pod;  ``ep-…`` translates to it, and marks a pod that calls itself
``postrouting``    masquerades what is marked, and what pods send out of the cluster
``forward``        refuses a Service that has no ready pod
=================  =============================================================================

A connection keeps the pod it was given: conntrack remembers it, also after the rules have changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from datasets.recorder.processes import must, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datasets.recorder.network import Network
    from datasets.recorder.topology import Exposure, Node, Protocol, Topology, Workload

TABLE: Final = "inet synth"
MASQUERADE: Final = "0x4000"
_FAMILY: Final = {4: "ip", 6: "ip6"}

BASE: Final = f"""
table {TABLE} {{
  chain services {{
  }}
  chain nodeports {{
  }}
  chain prerouting {{
    type nat hook prerouting priority dstnat
    jump services
    fib daddr type local jump nodeports
  }}
  chain output {{
    type nat hook output priority -100
    jump services
  }}
  chain unready {{
  }}
  chain forward {{
    type filter hook forward priority filter
    ct state new jump unready
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """A ready pod behind a Service: its node and one of its addresses."""

    node: str
    address: str


Backends = dict[str, list[Backend]]
"""Workload → its ready pods, each once for each of its addresses."""


def install(network: Network) -> None:
    """Give each node the chains, without any Service."""
    for node in network.topology.nodes:
        lines = "\n".join(f"add rule {TABLE} postrouting {one}" for one in _leaving(network, node))
        chain = f"add chain {TABLE} postrouting {{ type nat hook postrouting priority srcnat ; }}"
        _load(network, node, f"{BASE}\n{chain}\n{lines}\n")


def update(network: Network, backends: Mapping[str, Sequence[Backend]]) -> None:
    """Give each node the Services with these ready pods, in one transaction a node."""
    for node in network.topology.nodes:
        _load(network, node, "\n".join(list_rules(network.topology, node, backends)) + "\n")


def _load(network: Network, node: Node, text: str) -> None:
    must(within(network.node(node.name), "nft", "-f", "-"), given=text)


def _leaving(network: Network, node: Node) -> Iterator[str]:
    """Yield the rules for what leaves: the marked, and pods' traffic out of the cluster."""
    yield f"meta mark {MASQUERADE} masquerade fully-random"
    for version, family in _FAMILY.items():
        own = _of(version, node.pod_cidrs)
        near = [*(cidr for one in network.topology.nodes for cidr in _of(version, one.pod_cidrs))]
        near += [
            address for one in network.topology.nodes for address in _of(version, one.addresses)
        ]
        for cidr in own:
            inside = f"{{ {', '.join(near)} }}"
            yield f"{family} saddr {cidr} {family} daddr != {inside} masquerade fully-random"


def list_rules(
    topology: Topology, node: Node, backends: Mapping[str, Sequence[Backend]]
) -> Iterator[str]:
    """Yield the commands that put these ready pods in place of those before them."""
    for chain in ("services", "nodeports", "unready"):
        yield f"flush chain {TABLE} {chain}"
    for workload in topology.workloads:
        if not workload.servers:
            continue
        ready = backends.get(workload.key, ())
        for version, address in _cluster_addresses(topology, workload):
            some = [one for one in ready if ip_address(one.address).version == version]
            yield from _service(workload, node, (version, address), some)


def _service(
    workload: Workload, node: Node, where: tuple[int, str], ready: Sequence[Backend]
) -> Iterator[str]:
    version, address = where
    for protocol, port in _ports(workload):
        chain = f"{workload.namespace}-{workload.name}-{protocol.lower()}-{port}-v{version}"
        target = f"{_FAMILY[version]} daddr {address} {protocol.lower()} dport {port}"
        yield from _picking(f"svc-{chain}", version, protocol, port, ready)
        if ready:
            yield f"add rule {TABLE} services {target} goto svc-{chain}"
        else:
            yield f"add rule {TABLE} unready {target} reject"
        if workload.exposure and port == workload.servers[0].port and protocol == "TCP":
            exposed = (workload.exposure, port, f"ext-{chain}")
            yield from _exposed(exposed, node, version, ready)


def _exposed(
    exposed: tuple[Exposure, int, str], node: Node, version: int, ready: Sequence[Backend]
) -> Iterator[str]:
    exposure, port, chain = exposed
    local = [one for one in ready if one.node == node.name]
    some = local if exposure.policy == "Local" else ready
    yield from _picking(chain, version, "TCP", port, some)
    target = f"meta nfproto ipv{version} tcp dport {exposure.node_port}"
    if exposure.policy == "Cluster":
        yield f"add rule {TABLE} nodeports {target} meta mark set {MASQUERADE}"
    yield f"add rule {TABLE} nodeports {target} goto {chain}"


def _picking(
    chain: str, version: int, protocol: Protocol, port: int, ready: Sequence[Backend]
) -> Iterator[str]:
    """Yield what makes the chain that picks one of the pods, and the chains of those."""
    yield f"add chain {TABLE} {chain}"
    yield f"flush chain {TABLE} {chain}"
    for number, one in enumerate(ready):
        end, family = f"ep-{number}-{chain}", _FAMILY[version]
        shown = f"[{one.address}]" if version == 6 else one.address
        yield f"add chain {TABLE} {end}"
        yield f"flush chain {TABLE} {end}"
        yield f"add rule {TABLE} {end} {family} saddr {one.address} meta mark set {MASQUERADE}"
        given = f"meta l4proto {protocol.lower()} dnat {family} to {shown}:{port}"
        yield f"add rule {TABLE} {end} {given}"
    choices = ", ".join(f"{number} : goto ep-{number}-{chain}" for number in range(len(ready)))
    if ready:
        yield f"add rule {TABLE} {chain} numgen random mod {len(ready)} vmap {{ {choices} }}"


def _cluster_addresses(topology: Topology, workload: Workload) -> list[tuple[int, str]]:
    return [(ip_address(one).version, one) for one in topology.cluster_addresses(workload)]


def _ports(workload: Workload) -> list[tuple[Protocol, int]]:
    return [(one, server.port) for server in workload.servers for one in server.protocols]


def _of(version: int, texts: Sequence[str]) -> list[str]:
    return [one for one in texts if ip_network(one, strict=False).version == version]
