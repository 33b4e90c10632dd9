"""Denial logs as rows that policies can judge: who was denied what, and how often."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.edges.settle import settle
from synth.engines.local import Report
from synth.evaluator.traffic import Traffic
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.listeners import listeners, service_listeners
from synth.inventory.model import Inventory
from synth.learner.workloads import find_present
from synth.ledger import Ledger
from synth.proof.results import InputFile
from synth.sources.denials.sniff import choose
from synth.sources.files import find_files, open_file

ROWS_HELD = 200_000
"""Partial rows that are held before they are merged."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Denied:
    """What the logs say was denied, as settled edges; and what else they hold."""

    edges: Edges
    skipped: Ledger
    inputs: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to judge: each stands for an edge, or for one backend of the Service it went to.

    ``edge[i]`` is the edge of row i; ``service[i]`` the Service asked for, or nothing; ``leads[i]``
    whether it is the first row of its edge, so that counts are taken once.
    """

    traffic: Traffic
    edge: Sequence[int]
    service: Sequence[str]
    leads: Sequence[bool]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.edge)

    def ends(self, row: int) -> tuple[Endpoint, Endpoint]:
        """Return client and server of the row."""
        ends, traffic = self.traffic.endpoints, self.traffic
        return ends[traffic.client[row]], ends[traffic.server[row]]


def read_denied(logs: Sequence[str], inventory: Inventory, progress: Report) -> Denied:
    """Return what the logs say was denied.

    Raises
    ------
    InputError
        If a file cannot be used.

    """
    declared = listeners(inventory)
    whole, waiting, skipped = Edges.empty(), list[Edges](), Ledger()
    inputs = []
    paths = find_files(logs)
    for done, path in enumerate(paths):
        progress("reading", done, len(paths))
        log, records = choose(path), 0
        for batch in log.read(path):
            records += batch.records
            skipped += batch.skipped
            waiting.append(fold(batch, inventory, declared))
            if sum(map(len, waiting)) > ROWS_HELD:
                whole, waiting = collapse(merge([whole, *waiting])), []
        inputs.append(InputFile(path, log.NAME, records, _digest(path)))
    whole = collapse(merge([whole, *waiting]))
    return Denied(settle(whole), skipped, tuple(inputs))


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def spread(edges: Edges, inventory: Inventory) -> Rows:
    """Return the rows of the edges; an edge to a Service stands once for each of its backends."""
    backends = _Backends(inventory)
    found = [
        (row, server, port, service, not number)
        for row in range(len(edges))
        for number, (server, port, service) in enumerate(backends.of(edges, row))
    ]
    endpoints = tuple(sorted({*edges.endpoints, *(server for _, server, *_ in found)}))
    place = {end: at for at, end in enumerate(endpoints)}
    picked = np.array([row for row, *_ in found], np.int64)
    moved = np.array([place[end] for end in edges.endpoints], np.int32)
    client = moved[edges.client[picked]]
    traffic = Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=np.array([place[server] for _, server, *_ in found], np.int32),
        protocol=edges.protocol[picked],
        port=np.array([port for _, _, port, *_ in found], np.int32),
        same_node=edges.same_node[picked],
        same_pod=edges.same_pod[picked],
        decided=edges.decided[picked],
    )
    return Rows(
        traffic,
        [row for row, *_ in found],
        [service for *_, service, _ in found],
        [leads for *_, leads in found],
    )


class _Backends:
    """Finds the pods behind Services."""

    def __init__(self, inventory: Inventory) -> None:
        """Take the pods that are there."""
        present = find_present(inventory)
        self.inventory = inventory
        self.pods: dict[tuple[str, str], list[Endpoint]] = {}
        for one in inventory.endpoints:
            key = one.namespace, one.workload
            if one.kind is Kind.POD and key in present:
                self.pods.setdefault(key, []).append(one)

    def of(self, edges: Edges, row: int) -> Iterator[tuple[Endpoint, int, str]]:
        """Yield server, port and Service of the edge: itself, unless it goes to a Service."""
        server, port = edges.endpoints[edges.server[row]], int(edges.port[row])
        found = []
        if server.kind is Kind.SERVICE and edges.decided[row]:
            found = list(self._behind(server, int(edges.protocol[row]), port))
        yield from found or [(server, port, "")]

    def _behind(
        self, server: Endpoint, protocol: int, port: int
    ) -> Iterator[tuple[Endpoint, int, str]]:
        for one in self.inventory.services:
            if (one.namespace, one.name) != (server.namespace, server.workload):
                continue
            ports = [p for p in one.ports if (p.protocol.number, p.port) == (protocol, port)]
            alone = replace(self.inventory, services=(replace(one, ports=tuple(ports)),))
            for _, (namespace, workload, _, target) in service_listeners(alone):
                for pod in self.pods.get((namespace, workload), ()):
                    yield pod, target, f"{one.namespace}/{one.name}"
