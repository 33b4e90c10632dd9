"""The cluster over time: who held which address and labels, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import ContainerPort, Endpoint
from synth.inventory.search import Search
from synth.policy.address import pack_address, parse_address
from synth.policy.ports import Protocol

NEVER = np.iinfo(np.int64).max
"""The end of what has none, in ``holding_end``; ``-NEVER`` is the start of what has none."""

Labels = tuple[tuple[str, str], ...]
"""Labels sorted by key."""


@dataclass(frozen=True, slots=True, order=True)
class Namespace:
    """A namespace; its labels always hold ``kubernetes.io/metadata.name``."""

    name: str
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """A top-level owner of pods (ReplicaSet → Deployment, Job → CronJob), or a pod without one."""

    namespace: str
    kind: str
    name: str
    match_labels: Labels = ()
    """The owner's own ``spec.selector.matchLabels``; empty if it has none, or expressions too."""
    template_labels: Labels | None = None
    """Labels of the pods it would make; None if its template is not known."""
    ports: tuple[ContainerPort, ...] = ()
    host_network: bool = False
    exists: bool = True
    """Whether the latest snapshot still holds it (or, for an unknown owner, a live pod of it)."""
    references: tuple[str, ...] = ()
    """Services, as ``namespace/name``, that its containers' env, args or commands name."""

    @property
    def key(self) -> str:
        """``Kind/name``, as ``Endpoint.workload`` has it."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """One port of a Service; ``target`` is a number or a container port's name."""

    protocol: Protocol
    port: int
    target: int | str
    node_port: int | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A Service; ``selector`` is None where it selects no pods by itself."""

    namespace: str
    name: str
    type: str = "ClusterIP"
    selector: Labels | None = None
    addresses: tuple[str, ...] = ()
    """Cluster, external and load-balancer addresses."""
    ports: tuple[ServicePort, ...] = ()
    external_traffic_policy: str = "Cluster"
    source_ranges: tuple[str, ...] = ()
    external_addresses: tuple[str, ...] = ()
    """Those of ``addresses`` that clients outside use: externalIPs and the load balancer's."""

    @property
    def exposed(self) -> bool:
        """Whether clients outside the cluster are declared: NodePort, LoadBalancer, externalIPs."""
        return self.type in ("NodePort", "LoadBalancer") or bool(self.external_addresses)


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A node and its addresses."""

    name: str
    addresses: tuple[str, ...] = ()
    pod_cidrs: tuple[str, ...] = ()
    end: int | None = None
    """When it was gone at latest, microseconds; None: it is not known to be."""
    annotations: tuple[str, ...] = ()
    """The keys of its annotations, sorted."""


@dataclass(frozen=True, slots=True, order=True)
class Container:
    """What runs in a container of a DaemonSet, and how it was told to."""

    name: str
    image: str = ""
    arguments: tuple[str, ...] = ()
    """Its command, then its arguments."""
    environment: Labels = ()
    """Variables with a value of their own, not one that comes from elsewhere."""


@dataclass(frozen=True, slots=True, order=True)
class Daemon:
    """A DaemonSet that exists, with the containers of its template and of its live pods."""

    namespace: str
    name: str
    containers: tuple[Container, ...] = ()


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod over one stretch of time in which its labels did not change.

    ``start`` and ``end`` are microseconds since 1970 UTC, half-open; None is unbounded.
    """

    namespace: str
    name: str
    uid: str
    workload: str
    labels: Labels = ()
    ports: tuple[ContainerPort, ...] = ()
    node: str = ""
    addresses: tuple[str, ...] = ()
    host_network: bool = False
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Ranges:
    """Declared address ranges, as CIDR texts."""

    pods: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """Where addresses were at a time: runs of overlapping holdings.

    ``first`` and ``last`` are int32[n], numbers of holdings; equal: certain; -1 in both: nobody
    held the address then; ``first < last``: any holding of the run may have been meant.
    """

    first: NDArray[np.int32]
    last: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Inventory:
    """Namespaces, workloads, services, nodes and pods; and the holdings that ``locate`` searches.

    A *holding* is one address held by one pod, or by one node, for one stretch of time. Holdings
    are sorted by address, then start; ``holding_*`` arrays run over them.
    """

    namespaces: tuple[Namespace, ...] = ()
    workloads: tuple[Workload, ...] = ()
    services: tuple[Service, ...] = ()
    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    policies: tuple[Mapping[str, Any], ...] = ()
    """Documents of policy kinds found in the dump, as loaded; for the dialects to read."""
    admission: tuple[str, ...] = ()
    """``namespace/name`` of Services that webhooks, APIServices and conversions call."""
    observed: tuple[int, int] | None = None
    """First and last time that the snapshots speak of, microseconds; None if they do not say."""
    names: tuple[tuple[str, str], ...] = ()
    """CIDR and name of outside addresses, as far as the user named them; sorted."""
    warnings: tuple[str, ...] = ()
    daemons: tuple[Daemon, ...] = ()
    """What runs on every node; sorted."""
    switches: tuple[tuple[str, Labels], ...] = ()
    """Name and data of the ConfigMaps that say how the network treats policies; sorted."""

    endpoints: tuple[Endpoint, ...] = ()
    """Sorted; every class of pods and every node that holds an address."""
    separators: tuple[str, ...] = ()
    """The CIDRs that tell these endpoints apart, in canonical text; sorted."""
    mentioned: tuple[str, ...] = ()
    """Label keys that tell these endpoints apart even where they are volatile; sorted."""
    holding_address: tuple[bytes, ...] = ()
    holding_start: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    holding_end: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    holding_endpoint: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    holding_node: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    """Number in ``nodes``; -1 where the pod's node is not known."""
    holding_member: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    """A hash of the pod's uid (or the node's name): equal numbers mean the same replica."""

    @cached_property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """Labels by namespace."""
        return {one.name: dict(one.labels) for one in self.namespaces}

    @cached_property
    def search(self) -> Search:
        """The holdings, indexed by address and time."""
        return Search.of(self.holding_address, self.holding_start, self.holding_end)

    @cached_property
    def service_at(self) -> Mapping[bytes, Service]:
        """Service by address; of several at one address, the first by namespace and name."""
        pairs = [(text, one) for one in self.services for text in one.addresses]
        return {pack_address(parse_address(text)): one for text, one in reversed(pairs)}

    @cached_property
    def node_blocks(self) -> Blocks:
        """The declared ranges of nodes."""
        return Blocks.of(self.ranges.nodes)

    @cached_property
    def cluster_blocks(self) -> Blocks:
        """The declared ranges of pods and Services."""
        return Blocks.of((*self.ranges.pods, *self.ranges.services))
