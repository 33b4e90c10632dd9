"""What a recording is made of: nodes, who is outside, workloads, and what happens to them.

These are values only; `reading.py` makes them from YAML and checks them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final, Literal

CLUSTER_DOMAIN: Final = "cluster.local"
SERVERS: Final = ("nginx", "http", "tcp", "udp", "dns", "mysql")
CLIENTS: Final = ("http", "tcp", "udp", "dns", "dns-tcp", "mysql")
OWNERS: Final = ("Deployment", "StatefulSet", "DaemonSet", "CronJob")

Protocol = Literal["TCP", "UDP"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node: one address of each family, and the ranges its pods' addresses come from."""

    name: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]

    def pod_addresses(self, number: int) -> tuple[str, ...]:
        """Return the addresses with this host number, one of each range."""
        return tuple(str(ip_network(cidr)[number]) for cidr in self.pod_cidrs)

    def number_of(self, address: str) -> int | None:
        """Return the host number of a pod's address; None if it is of another node."""
        for cidr in self.pod_cidrs:
            network, one = ip_network(cidr), ip_address(address)
            if one in network:
                return int(one) - int(network.network_address)
        return None


@dataclass(frozen=True, slots=True)
class Server:
    """A listening program; ``dns`` listens on UDP and TCP."""

    kind: str
    port: int
    name: str

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols of its port."""
        if self.kind == "dns":
            return ("UDP", "TCP")
        return ("UDP",) if self.kind == "udp" else ("TCP",)


@dataclass(frozen=True, slots=True)
class Call:
    """Calls to a workload (``namespace/name``), to who is outside (a name), or to an address.

    ``every`` is in seconds; None: once for each request that the caller serves.
    """

    to: str
    kind: str
    port: int
    every: float | None
    name: str = ""
    """What is asked for; of DNS only."""

    @property
    def protocol(self) -> Protocol:
        """The transport."""
        return "UDP" if self.kind in ("udp", "dns") else "TCP"


@dataclass(frozen=True, slots=True)
class Exposure:
    """A port of every node that leads to the workload's first port."""

    node_port: int
    policy: Literal["Local", "Cluster"]


@dataclass(frozen=True, slots=True)
class Workload:
    """Pods alike, their Service (if they listen) and whom they call.

    ``nodes`` names a node for each pod that runs from the beginning.
    """

    namespace: str
    name: str
    owner: str
    nodes: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    servers: tuple[Server, ...] = ()
    calls: tuple[Call, ...] = ()
    exposure: Exposure | None = None
    dual_stack: bool = False
    probed: bool = False
    service: str = ""
    """The name of its Service; empty if it listens nowhere."""

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def host(self) -> str:
        """The name of its Service in the cluster's DNS."""
        return f"{self.service}.{self.namespace}.svc.{CLUSTER_DOMAIN}"


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody outside the cluster, on addresses of its own."""

    name: str
    addresses: tuple[str, ...]
    servers: tuple[Server, ...] = ()
    calls: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class CallOnce:
    """A pod of a workload makes one contact; a workload without that port refuses it."""

    at: float
    source: str
    call: Call
    node: str = ""


@dataclass(frozen=True, slots=True)
class Ping:
    """A pod sends echo requests to a pod of another workload."""

    at: float
    source: str
    to: str


@dataclass(frozen=True, slots=True)
class Scan:
    """A pod tries many ports of one pod of each workload."""

    at: float
    source: str
    to: tuple[str, ...]
    first_port: int
    last_port: int


@dataclass(frozen=True, slots=True)
class Replace:
    """A pod is deleted; its controller starts another under a new address at once."""

    at: float
    workload: str
    node: str
    drain: float


@dataclass(frozen=True, slots=True)
class TakeOver:
    """A workload gets one more pod, under the address that a replaced pod has given up."""

    at: float
    workload: str
    address_of: str
    delay: float


@dataclass(frozen=True, slots=True)
class RunJob:
    """A CronJob starts a pod that makes its calls for some seconds and ends."""

    at: float
    workload: str
    node: str
    seconds: float


Step = CallOnce | Ping | Scan | Replace | TakeOver | RunJob


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that a recording needs to know; ``seconds`` is how long traffic is made."""

    name: str
    seconds: float
    nodes: tuple[Node, ...]
    service_cidrs: tuple[str, ...]
    outsiders: tuple[Outsider, ...]
    workloads: tuple[Workload, ...]
    steps: tuple[Step, ...] = ()
    time_wait: int = 1
    """Seconds for which nodes keep a closed TCP connection; short, so that it is seen to end."""
    prompt_expiry: bool = False
    """Whether expired connections are looked for all the time; the kernel takes up to a minute."""
    begin_second: int | None = None
    """The second of a minute at which traffic begins; None: at once."""

    def workload(self, key: str) -> Workload:
        """Return the workload with this key."""
        return next(one for one in self.workloads if one.key == key)

    def node(self, name: str) -> Node:
        """Return the node with this name."""
        return next(one for one in self.nodes if one.name == name)

    def cluster_addresses(self, workload: Workload) -> tuple[str, ...]:
        """Return the addresses of the workload's Service; those of cluster DNS end in 10."""
        serving = [one for one in self.workloads if one.servers and not _is_dns(one)]
        number = 10 if _is_dns(workload) else 20 + 10 * serving.index(workload)
        cidrs = self.service_cidrs if workload.dual_stack else self.service_cidrs[:1]
        return tuple(str(ip_network(cidr)[number]) for cidr in cidrs)

    @property
    def dns(self) -> Workload | None:
        """The workload that is the cluster's DNS."""
        return next((one for one in self.workloads if _is_dns(one)), None)


def _is_dns(workload: Workload) -> bool:
    return any(server.kind == "dns" for server in workload.servers)


def hash_name(*parts: str, length: int = 5) -> str:
    """Return letters such as Kubernetes ends names with; the same for the same parts."""
    alphabet = "bcdfghjklmnpqrstvwxz2456789"
    digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=32).digest()
    return "".join(alphabet[byte % len(alphabet)] for byte in digest[:length])
