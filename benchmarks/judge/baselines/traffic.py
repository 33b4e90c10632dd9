"""What the baselines learn from: answered contacts, by workload, with its labels and selector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.world import World
from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Labels
from synth.inventory.volatile import VOLATILE
from synth.policy.model import Direction
from synth.policy.ports import PortSet, Protocol

SYSTEM = "kube-system"
UDP = Protocol.UDP.number
_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class Contact:
    """One endpoint as subject, in one direction: its peer and the port of the server."""

    row: int
    subject: Endpoint
    direction: Direction
    peer: Endpoint
    ports: PortSet


@dataclass(frozen=True, eq=False)
class Traffic:
    """The edges of a world, and which of them count as seen: bool[n], decided and answered."""

    world: World

    @property
    def edges(self) -> Edges:
        """The edges, as the real readers have them."""
        return self.world.capture.settled

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """bool[n]: edges between ends with a name, answered or one-way by nature."""
        plain = (Kind.POD, Kind.NODE, Kind.ADDRESS)
        named = np.array([one.kind in plain for one in self.edges.endpoints], np.bool_)
        edges = self.edges
        ends = named[edges.client] & named[edges.server]
        # UDP need not be answered.
        one_way = (edges.protocol == UDP) & (edges.failed + edges.denied < edges.records)
        seen = (edges.answered > 0) | one_way
        seen &= edges.decided & (edges.port > 0) & ~edges.same_pod
        return np.asarray(seen & ends & np.isin(edges.protocol, list(_PROTOCOLS)))

    def contacts(self, rows: NDArray[np.bool_]) -> Iterator[Contact]:
        """Yield the rows as each of their pods has them; those of the system are no subjects."""
        edges = self.edges
        for row in np.flatnonzero(rows).tolist():
            client, seen, server = (
                edges.endpoints[int(column[row])]
                for column in (edges.client, edges.client_seen, edges.server)
            )
            ports = PortSet.port(_PROTOCOLS[int(edges.protocol[row])], int(edges.port[row]))
            if is_subject(client):
                yield Contact(row, client, Direction.EGRESS, server, ports)
            if is_subject(server) and not (seen.kind is Kind.NODE and edges.same_node[row]):
                yield Contact(row, server, Direction.INGRESS, seen, ports)

    @cached_property
    def match_labels(self) -> dict[tuple[str, str], Labels]:
        """The labels that an owner selects its pods by; of one without, those of its template."""
        found = {}
        for one in self.world.learnt.inventory.workloads:
            stable = tuple(pair for pair in one.template_labels or () if pair[0] not in VOLATILE)
            found[one.namespace, one.key] = one.match_labels or stable
        return found

    def true_names(self, endpoints: Iterable[Endpoint]) -> frozenset[str]:
        """Return the true names of the workloads of these pods."""
        return frozenset(self.world.names.of_endpoint(one) for one in endpoints)


def is_subject(endpoint: Endpoint) -> bool:
    """Return whether policies are written for the endpoint."""
    return endpoint.kind is Kind.POD and endpoint.namespace != SYSTEM
