"""Two networks and everything on them: nodes with pods, and the world outside, as namespaces.

====================  ==========================================================================
namespace             holds
====================  ==========================================================================
``P-underlay``        the nodes' subnet (a bridge), and the router between it and the world
``P-outside``         the addresses of everybody outside the cluster
``P-<node>``          ``eth0`` on the subnet, and a link to each of its pods
``P-pod-…``           one pod
====================  ==========================================================================

``P`` is the prefix of the recording. Every link is made inside these namespaces, so the host's own
namespace never holds one. Pods are routed, not bridged: each has a link of its own and no subnet,
the way of the VPC CNI and of Calico, so the nodes' conntrack sees traffic within a node too.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from datasets.recorder.processes import must, run, undisturbed, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datasets.recorder.topology import Node, Topology

ETC: Final = Path("/etc/netns")
"""Where ``ip netns exec`` looks for the files that a namespace has instead of the host's."""
GATEWAYS: Final = {4: "169.254.1.1", 6: "fe80::1"}
"""The pods' default gateway, the same for all: their link's other end."""
WORLD: Final = {4: ("192.0.2.1", "192.0.2.2", 30), 6: ("2001:db8:ffff::1", "2001:db8:ffff::2", 126)}
"""The router's end and the world's end of the link between them."""
_SUBNET_WIDTH: Final = {4: 24, 6: 64}


@dataclass(frozen=True, slots=True)
class Network:
    """The namespaces of one recording."""

    prefix: str
    topology: Topology

    @property
    def underlay(self) -> str:
        """The namespace of the nodes' subnet."""
        return f"{self.prefix}-underlay"

    @property
    def outside(self) -> str:
        """The namespace of the world."""
        return f"{self.prefix}-outside"

    def node(self, name: str) -> str:
        """Return the namespace of a node."""
        return f"{self.prefix}-{name}"

    def pod(self, name: str) -> str:
        """Return the namespace of a pod."""
        return f"{self.prefix}-pod-{name}"

    def build(self) -> None:
        """Make everything but the pods."""
        self._build_underlay()
        self._build_outside()
        for node in self.topology.nodes:
            self._build_node(node)
        self._wait_for_links()

    def attach(self, pod: str, node: Node, addresses: Iterable[str], resolver: str) -> None:
        """Make the namespace of a pod and link it to its node."""
        inside, host = self.pod(pod), self.node(node.name)
        link = _link_name(pod)
        if resolver:
            folder = ETC / inside
            folder.mkdir(parents=True)
            (folder / "resolv.conf").write_text(resolver, encoding="ascii")
        must(("ip", "netns", "add", inside))
        _set(inside, "net.ipv6.conf.default.accept_dad=0", "net.ipv4.ping_group_range=0 2147483647")
        _ip(host, f"link add name {link} type veth peer name eth0 netns {inside}")
        _ip(host, f"link set dev {link} addrgenmode none", f"link set dev {link} up")
        _ip(inside, "link set dev lo up", "link set dev eth0 up")
        hardware = must(within(host, "cat", f"/sys/class/net/{link}/address")).strip()
        _ip(host, f"addr add {GATEWAYS[6]}/64 dev {link} nodad")
        for address in addresses:
            version = ip_address(address).version
            gateway, own = GATEWAYS[version], _own_address(node, version)
            _ip(
                inside,
                f"addr add {address}/{_whole(address)} dev eth0 nodad"
                if version == 6
                else f"addr add {address}/32 dev eth0",
                *([f"route add {gateway} dev eth0 scope link"] if version == 4 else []),
                f"neigh add {gateway} lladdr {hardware} dev eth0 nud permanent",
                f"route add default via {gateway} dev eth0",
            )
            _ip(host, f"route add {address}/{_whole(address)} dev {link} src {own}")

    def detach(self, pod: str) -> None:
        """Remove a pod's link at once (a namespace may linger) and then its namespace."""
        inside = self.pod(pod)
        _ip(inside, "link del dev eth0")
        must(("ip", "netns", "del", inside))
        shutil.rmtree(ETC / inside, ignore_errors=True)

    def _build_underlay(self) -> None:
        must(("ip", "netns", "add", self.underlay))
        _forward(self.underlay)
        _ip(
            self.underlay,
            "link set dev lo up",
            "link add name br0 type bridge",
            "link set dev br0 up",
        )
        for address in _router_addresses(self.topology):
            _ip(self.underlay, _add_address(address, _subnet(address), "br0"))

    def _build_outside(self) -> None:
        must(("ip", "netns", "add", self.outside))
        _ip(self.underlay, f"link add name world type veth peer name eth0 netns {self.outside}")
        _ip(self.underlay, "link set dev world up")
        _ip(self.outside, "link set dev lo up", "link set dev eth0 up")
        for near, far, width in WORLD.values():
            _ip(self.underlay, _add_address(near, width, "world"))
            _ip(self.outside, _add_address(far, width, "eth0"))
            _ip(self.outside, f"route add default via {near}")
        for outsider in self.topology.outsiders:
            for address in outsider.addresses:
                far = WORLD[ip_address(address).version][1]
                _ip(self.outside, _add_address(address, _whole(address), "lo"))
                _ip(self.underlay, f"route add {address}/{_whole(address)} via {far}")

    def _build_node(self, node: Node) -> None:
        inside = self.node(node.name)
        must(("ip", "netns", "add", inside))
        _forward(inside)
        _track(inside, self.topology.time_wait)
        link = f"node{self.topology.nodes.index(node)}"
        _ip(self.underlay, f"link add name {link} type veth peer name eth0 netns {inside}")
        _ip(self.underlay, f"link set dev {link} master br0 up")
        _ip(inside, "link set dev lo up", "link set dev eth0 up")
        for address in node.addresses:
            _ip(inside, _add_address(address, _subnet(address), "eth0"))
        for router in _router_addresses(self.topology):
            _ip(inside, f"route add default via {router}")
        for cidr in node.pod_cidrs:
            _ip(inside, f"route add blackhole {cidr}")
            via = _own_address(node, ip_network(cidr).version)
            _ip(self.underlay, f"route add {cidr} via {via}")
            for other in self.topology.nodes:
                if other != node and self._has(other.name):
                    _ip(self.node(other.name), f"route add {cidr} via {via}")
        for other in self.topology.nodes:
            if other != node and self._has(other.name):
                for cidr in other.pod_cidrs:
                    via = _own_address(other, ip_network(cidr).version)
                    _ip(inside, f"route add {cidr} via {via}")

    def _has(self, node: str) -> bool:
        return self.node(node) in list_namespaces(self.prefix)

    def _wait_for_links(self) -> None:
        """Wait until no IPv6 address is tentative: nothing can be sent from those."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if not any(
                must(("ip", "-n", one, "-6", "addr", "show", "tentative")).strip()
                for one in list_namespaces(self.prefix)
            ):
                return
            time.sleep(0.05)


@contextlib.contextmanager
def build_network(prefix: str, topology: Topology) -> Iterator[Network]:
    """Yield the network, without leftovers of an earlier one; nothing of it stays behind."""
    remove_leftovers(prefix)
    try:
        network = Network(prefix, topology)
        network.build()
        yield network
    finally:
        with undisturbed():
            remove_leftovers(prefix)


def remove_leftovers(prefix: str) -> None:
    """Remove every namespace with the prefix, and whatever still runs in them."""
    for name in list_namespaces(prefix):
        for pid in run(("ip", "netns", "pids", name)).stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        # Links go at once; a namespace that something holds may linger.
        for link in _links(name):
            run(("ip", "-n", name, "link", "del", "dev", link))
        must(("ip", "netns", "del", name))
    for folder in sorted(ETC.glob(f"{prefix}-*")):
        shutil.rmtree(folder)
    with contextlib.suppress(OSError):
        ETC.rmdir()


def list_namespaces(prefix: str) -> list[str]:
    """Return the names of the namespaces with the prefix, in order."""
    words = (line.split() for line in run(("ip", "netns", "list")).stdout.splitlines())
    return sorted(word[0] for word in words if word and word[0].startswith(f"{prefix}-"))


def _links(namespace: str) -> list[str]:
    lines = run(("ip", "-n", namespace, "-o", "link", "show", "type", "veth")).stdout
    return [line.split(": ")[1].partition("@")[0] for line in lines.splitlines()]


def _ip(namespace: str, *commands: str) -> None:
    must(("ip", "-n", namespace, "-batch", "-"), given="\n".join(commands) + "\n")


def _set(namespace: str, *settings: str) -> None:
    must(within(namespace, "sysctl", "-q", "-w", *settings))


def _forward(namespace: str) -> None:
    _set(
        namespace,
        "net.ipv4.ip_forward=1",
        "net.ipv6.conf.all.forwarding=1",
        "net.ipv6.conf.default.accept_dad=0",
        "net.ipv4.conf.all.rp_filter=0",
        "net.ipv4.conf.default.rp_filter=0",
        "net.ipv4.conf.all.send_redirects=0",
        "net.ipv4.conf.default.send_redirects=0",
    )


def _track(namespace: str, time_wait: int) -> None:
    """Count packets, note starts, and forget closed connections soon."""
    _set(
        namespace,
        "net.netfilter.nf_conntrack_acct=1",
        "net.netfilter.nf_conntrack_timestamp=1",
        "net.netfilter.nf_conntrack_events=1",
        f"net.netfilter.nf_conntrack_tcp_timeout_time_wait={time_wait}",
    )


def _add_address(address: str, width: int, link: str) -> str:
    last = " nodad" if ip_address(address).version == 6 else ""
    return f"addr add {address}/{width} dev {link}{last}"


def _whole(address: str) -> int:
    return ip_address(address).max_prefixlen


def _subnet(address: str) -> int:
    return _SUBNET_WIDTH[ip_address(address).version]


def _own_address(node: Node, version: int) -> str:
    return next(one for one in node.addresses if ip_address(one).version == version)


def _router_addresses(topology: Topology) -> list[str]:
    """Return the last address but one of each family's subnet."""
    first = topology.nodes[0]
    nets = (ip_network(f"{one}/{_subnet(one)}", strict=False) for one in first.addresses)
    return [str(net[254]) for net in nets]


def _link_name(pod: str) -> str:
    """Return a name of 15 letters at most, the longest that Linux takes."""
    return f"veth{pod[-11:]}".replace(".", "")
