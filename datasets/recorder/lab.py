"""A running cluster: pods are started and ended here, and everybody is told as it happens."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from datasets.recorder import services
from datasets.recorder.clients import find_target
from datasets.recorder.cluster import Cluster, now
from datasets.recorder.journal import Journal
from datasets.recorder.processes import Processes, within
from datasets.recorder.servers import LOOK_UPS, Site, find_command, prepare_database, wait_for
from datasets.recorder.topology import CLUSTER_DOMAIN
from datasets.recorder.truth import Truth, read_contacts

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable
    from pathlib import Path

    from datasets.recorder.cluster import Owner, Pod
    from datasets.recorder.network import Network
    from datasets.recorder.topology import Call, Node, Server, Topology, Workload

FIRST_POD: Final = 10
"""The lowest host number that a pod gets."""


@dataclass
class Lab:
    """The network with what runs on it; ``folder`` holds what the programs write."""

    topology: Topology
    network: Network
    folder: Path
    processes: Processes
    cluster: Cluster = field(init=False)
    journal: Journal = field(init=False)
    truth: Truth = field(default_factory=Truth)
    _programs: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    _taken: dict[str, int] = field(default_factory=dict)
    _database: Path | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        """Start with an empty cluster."""
        self.cluster = Cluster(self.topology)
        self.journal = Journal(self.cluster)

    def start(self) -> None:
        """Start everything that runs from the beginning."""
        services.install(self.network)
        if any(server.kind == "mysql" for one in self.topology.workloads for server in one.servers):
            self._database = prepare_database(self.folder)
        self._start_outsiders()
        threads = []
        for workload in self.topology.workloads:
            for name in workload.nodes:
                pod = self.add_pod(workload, self.topology.node(name))
                threads.append(threading.Thread(target=self.run_pod, args=(pod,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        late = [pod.name for pod in self.cluster.pods if not pod.running]
        if late:
            raise RuntimeError(f"pods that did not start: {', '.join(late)}")

    def add_pod(
        self,
        workload: Workload,
        node: Node,
        owner: Owner | None = None,
    ) -> Pod:
        """Return a pod that is bound to its node, where the kubelet has taken it up."""
        with self._lock:
            pod = self.cluster.add(workload, node, owner)
            self.journal.note("ADDED", pod)
            pod.started = now()
            self.journal.note("MODIFIED", pod)
        return pod

    def run_pod(self, pod: Pod, addresses: Iterable[str] = ()) -> None:
        """Give the pod its addresses (new ones, unless told), and run its programs."""
        with self._lock:
            pod.addresses = tuple(addresses) or self._allot(pod.node)
        self.network.attach(pod.name, pod.node, pod.addresses, self._resolver(pod.workload))
        site = Site(self.network.pod(pod.name), self.folder / pod.name)
        own = [call for call in pod.workload.calls if call.every is None]
        self._programs[pod.name] = self._serve(pod.workload.servers, own, site)
        with self._lock:
            pod.running = now()
            self.journal.note("MODIFIED", pod)
            self.route()

    def end_pod(self, pod: Pod) -> None:
        """End the pod's programs, take its link away, and tell that its containers ended."""
        self.processes.stop(*self._programs.pop(pod.name, []))
        self.network.detach(pod.name)
        with self._lock:
            pod.finished = now()
            self.journal.note("MODIFIED", pod)

    def delete(self, pod: Pod) -> None:
        """Tell that the pod is to be deleted: Services send nothing new to it, it opens nothing."""
        with self._lock:
            pod.deleted = now()
            self.journal.note("MODIFIED", pod)
            self.route()
            pod.stopping.set()

    def forget(self, pod: Pod) -> None:
        """Tell that the pod's object is gone: the kubelet has shortened its grace to nothing."""
        with self._lock:
            pod.grace = 0
            self.journal.note("MODIFIED", pod)
            self.journal.note("DELETED", pod)

    def route(self) -> None:
        """Tell the nodes which pods are ready."""
        with self._lock:
            backends: services.Backends = {}
            for pod in self.cluster.present():
                if pod.ready:
                    some = [services.Backend(pod.node.name, one) for one in pod.addresses]
                    backends.setdefault(pod.workload.key, []).extend(some)
            services.update(self.network, backends)

    def read_logs(self) -> None:
        """Add to the truth what the servers called for their own clients."""
        for pod in self.cluster.pods:
            own = [call for call in pod.workload.calls if call.every is None]
            ports = [(call, find_target(self.topology, call)[1]) for call in own]
            path = self.folder / pod.name / LOOK_UPS
            for contact in read_contacts(path, pod.workload.key, pod.name, ports):
                self.truth.add(contact)

    def _start_outsiders(self) -> None:
        for outsider in self.topology.outsiders:
            for address in outsider.addresses:
                site = Site(self.network.outside, self.folder / outsider.name, address)
                self._serve(outsider.servers, (), site)

    def _serve(
        self, servers: Iterable[Server], calls: Iterable[Call], site: Site
    ) -> list[subprocess.Popen[bytes]]:
        programs, some = [], list(calls)
        for server in servers:
            database = self._database or self.folder
            command = find_command(self.topology, server, some, site, database)
            log = site.folder / f"{server.kind}.log"
            programs.append(self.processes.start(within(site.namespace, *command), log))
        for server in servers:
            wait_for(server, site)
        return programs

    def _allot(self, node: Node) -> tuple[str, ...]:
        """Return addresses of the node's ranges that nobody has had yet."""
        number = self._taken.get(node.name, FIRST_POD)
        self._taken[node.name] = number + 1
        return node.pod_addresses(number)

    def _resolver(self, workload: Workload) -> str:
        """Return the pod's resolv.conf."""
        if self.topology.dns is None or workload == self.topology.dns:
            return "options attempts:1\n"
        search = f"{workload.namespace}.svc.{CLUSTER_DOMAIN} svc.{CLUSTER_DOMAIN} {CLUSTER_DOMAIN}"
        address = self.topology.cluster_addresses(self.topology.dns)[0]
        return f"search {search}\nnameserver {address}\noptions ndots:5\n"
