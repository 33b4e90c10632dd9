"""What the screen asks of each edge, as boolean columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synth.direction import Listeners
from synth.edges.schema import NEVER, Edges, Source
from synth.flows import Rung
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.listeners import declared_references, exposed_ports, listeners
from synth.inventory.model import Inventory, Pod
from synth.learner.networks import within
from synth.learner.system import (
    DNS_PORT,
    KUBELET_PORTS,
    dns_listeners,
    link_local,
    node_local_dns,
)
from synth.learner.workloads import (
    Key,
    find_present,
    identity,
    is_gone,
    newest,
    pods_by_workload,
)
from synth.policy.address import parse_network
from synth.policy.ports import Protocol

Flags = NDArray[np.bool_]
DAY = 24 * 3600 * 1_000_000
HEADERS = 100
"""Bytes of a TCP packet without data, at most, with IPv6 and all options."""
_CLIENTS = "least_client", "greatest_client"
SWEEP = 10
"""Different failed contacts that make a client a sweeper, if it has few successful ones."""


@dataclass(frozen=True)
class Facts:
    """Facts about n edges; every property is bool[n] unless it says otherwise."""

    edges: Edges
    inventory: Inventory

    def of(self, column: NDArray[np.int32], test: Callable[[Endpoint], bool]) -> Flags:
        """Return bool[n]: whether the test holds for the column's endpoint."""
        holds = np.array([test(one) for one in self.edges.endpoints], np.bool_)
        return np.asarray(holds[column], np.bool_)

    def is_kind(self, column: NDArray[np.int32], *kinds: Kind) -> Flags:
        """Return bool[n]: whether the column's endpoint is of one of the kinds."""
        return self.of(column, lambda endpoint: endpoint.kind in kinds)

    def either(self, *kinds: Kind) -> Flags:
        """Return bool[n]: whether client or server is of one of the kinds."""
        return self.is_kind(self.edges.client, *kinds) | self.is_kind(self.edges.server, *kinds)

    @cached_property
    def answered(self) -> Flags:
        """Some record shows that the server took part, or, undecided, that both ends did.

        Data of a protocol with handshakes is sent only to who has answered.
        """
        edges = self.edges
        both = ~edges.decided & (edges.from_client > 0) & (edges.from_server > 0)
        data = ~self.udp & (edges.failed == 0) & (edges.bytes_out > HEADERS * edges.packets_out)
        return np.asarray((edges.answered > 0) | both | (data & edges.decided))

    @cached_property
    def failed(self) -> Flags:
        """Some record shows that the contact failed or was refused, and none that it succeeded."""
        return ~self.answered & ((self.edges.failed > 0) | (self.edges.denied > 0))

    @cached_property
    def udp(self) -> Flags:
        """Edges whose protocol has no handshake."""
        return np.asarray(self.edges.protocol == Protocol.UDP.number)

    @cached_property
    def seen_by_interfaces_only(self) -> Flags:
        """Only VPC flow logs saw it, whose interfaces would have seen an answer too."""
        return np.asarray(self.edges.sources & Source.CONNTRACK == 0)

    @cached_property
    def one_sided(self) -> Flags:
        """Its direction is an inference, and only the end that it makes the server was heard.

        So neither an opening nor an answer is proven: anybody can send such packets, from a port
        of their choice.
        """
        edges = self.edges
        inferred = edges.decided & (edges.rung >= Rung.PROVEN_SERVER)
        return np.asarray(
            inferred & (edges.heard_client == 0) & (edges.answered <= edges.heard_server)
        )

    @cached_property
    def external_client(self) -> Flags:
        """The client, as the client's own side names it, is an address outside."""
        return self.is_kind(self.edges.client, Kind.ADDRESS)

    @cached_property
    def external_server(self) -> Flags:
        """The server is an address outside."""
        return self.is_kind(self.edges.server, Kind.ADDRESS)

    @cached_property
    def private_server(self) -> Flags:
        """The server is an outside address of a private range that nobody named."""
        named = [parse_network(cidr) for cidr, _ in self.inventory.names]

        def is_unnamed(endpoint: Endpoint) -> bool:
            return endpoint.private and not any(
                within(parse_network(endpoint.address), one) for one in named
            )

        return self.of(self.edges.server, is_unnamed)

    @cached_property
    def collapsed(self) -> Flags:
        """The server is a prefix that outside addresses beyond the kept ones folded into."""
        return self.of(
            self.edges.server, lambda one: one.kind is Kind.ADDRESS and "/" in one.address
        )

    @cached_property
    def outside(self) -> Flags:
        """Neither end is a pod, or may have been one: no policy speaks of it."""
        pods = Kind.POD, Kind.AMBIGUOUS, Kind.UNHELD, Kind.SERVICE
        return ~self.is_kind(self.edges.client, *pods) & ~self.is_kind(self.edges.server, *pods)

    @cached_property
    def own_node(self) -> Flags:
        """The server's enforcement sees the server's own node, which is always admitted."""
        return self.is_kind(self.edges.client_seen, Kind.NODE) & self.edges.same_node

    @cached_property
    def by_own_node(self) -> Flags:
        """The server's own node opened it; not a pod that is merely seen as that node."""
        return self.own_node & ~self.is_kind(self.edges.client, Kind.POD, Kind.AMBIGUOUS)

    @cached_property
    def retired(self) -> Flags:
        """A pod's workload no longer exists, or the cluster's files never heard of it."""
        present = find_present(self.inventory)
        gone = np.array([is_gone(one, present) for one in self.edges.endpoints], np.bool_)
        return np.asarray(gone[self.edges.client] | gone[self.edges.server])

    @cached_property
    def sensitive(self) -> Flags:
        """The server is a link-local service (cloud metadata, pod identity) or a kubelet."""
        metadata = self.of(
            self.edges.server, lambda one: one.kind is Kind.ADDRESS and link_local(one.address)
        )
        kubelet = np.isin(self.edges.port, list(KUBELET_PORTS))
        return metadata | (self.is_kind(self.edges.server, Kind.NODE) & kubelet)

    @cached_property
    def dns(self) -> Flags:
        """The server is the cluster's DNS, on its port, or the node's own cache of it."""
        listening = Listeners.of(self.edges.endpoints, dns_listeners(self.inventory))
        behind = listening.holds(self.edges.server, self.edges.protocol, self.edges.port)
        caches = node_local_dns(self.inventory)
        cache = self.of(self.edges.server, lambda one: one.address in caches)
        return np.asarray(behind | (cache & (self.edges.port == DNS_PORT)))

    @cached_property
    def declared_listener(self) -> Flags:
        """The server declares to listen on the port."""
        declared = Listeners.of(self.edges.endpoints, listeners(self.inventory))
        return declared.holds(self.edges.server, self.edges.protocol, self.edges.port)

    @cached_property
    def declared_reference(self) -> Flags:
        """The client's own configuration names a Service of the server on the port."""
        declared = declared_references(self.inventory)
        ends = self.edges.endpoints
        return np.array(
            [
                (
                    ends[client].namespace,
                    ends[client].workload,
                    ends[server].namespace,
                    ends[server].workload,
                    int(protocol),
                    int(port),
                )
                in declared
                for client, server, protocol, port in zip(
                    self.edges.client,
                    self.edges.server,
                    self.edges.protocol,
                    self.edges.port,
                    strict=True,
                )
            ],
            np.bool_,
        )

    @cached_property
    def exposed(self) -> Flags:
        """The server's port is declared exposed to clients outside."""
        shown = {
            (namespace, workload, protocol, port)
            for (namespace, workload), ports in exposed_ports(self.inventory).items()
            for _, protocol, port in ports
        }
        listening = Listeners.of(self.edges.endpoints, shown)
        return listening.holds(self.edges.server, self.edges.protocol, self.edges.port)

    @cached_property
    def several_replicas(self) -> Flags:
        """At least two replicas of the client took part, or it never had two that could be seen."""
        lone = self.of(self.edges.client, lambda one: self._replicas(one, None) <= 1)
        return np.asarray(lone | self._alone_in_sight | self._differs(*_CLIENTS))

    @cached_property
    def _alone_in_sight(self) -> Flags:
        """Interfaces saw it, and could not have seen two replicas: the others share a node."""
        ends, found = self.edges.endpoints, np.zeros(len(self.edges), np.bool_)
        pairs: dict[tuple[int, int], bool] = {}
        for row in np.flatnonzero(self.seen_by_interfaces_only):
            pair = int(self.edges.client[row]), int(self.edges.server[row])
            if pair not in pairs:
                pairs[pair] = self._replicas(ends[pair[0]], ends[pair[1]]) <= 1
            found[row] = pairs[pair]
        return found

    def _replicas(self, client: Endpoint, server: Endpoint | None) -> int:
        """Return how many replicas there are; of a pod server, those not on its only node."""
        pods = self._newest.get((client.namespace, client.workload), ())
        nodes = set() if server is None else self._nodes.get((server.namespace, server.workload))
        return len({pod.uid for pod in pods if not nodes or not pod.node or nodes - {pod.node}})

    @cached_property
    def _newest(self) -> Mapping[Key, Sequence[Pod]]:
        return {key: newest(pods) for key, pods in pods_by_workload(self.inventory).items()}

    @cached_property
    def _nodes(self) -> Mapping[Key, set[str]]:
        found = pods_by_workload(self.inventory).items()
        return {key: {pod.node for pod in pods} for key, pods in found}

    @cached_property
    def single_connection(self) -> Flags:
        """All records of the contact belong to one connection."""
        return ~self._differs("least_connection", "greatest_connection")

    @cached_property
    def seen_on_two_days(self) -> Flags:
        """The edge was seen in at least two day-blocks."""
        days = np.zeros_like(self.edges.half_days)
        np.bitwise_or.at(days, self.contact, _by_day(self.edges))
        bits = np.bitwise_count(days).sum(axis=1)
        return np.asarray(bits[self.contact] >= 2)  # noqa: PLR2004 - two, as the name says

    @cached_property
    def contact(self) -> NDArray[np.int64]:
        """int64[n]: a number of who, whom and port, shared by the edges of one contact.

        Nodes, address families and label sets tell edges apart, which divides no evidence.
        """
        who = self._who
        ends = who[self.edges.client] * len(who) + who[self.edges.server]
        _, pair = np.unique(ends, return_inverse=True)
        port = self.edges.protocol.astype(np.int64) << 16 | self.edges.port
        contacts = pair << 25 | port << 1 | self.edges.decided
        return np.asarray(np.unique(contacts, return_inverse=True)[1])

    @cached_property
    def _who(self) -> NDArray[np.int64]:
        """int64[endpoints]: a number of the workload, or of what else the endpoint is."""
        numbers: dict[str, int] = {}
        identities = (identity(one) for one in self.edges.endpoints)
        return np.array([numbers.setdefault(one, len(numbers)) for one in identities], np.int64)

    def _differs(self, least: str, greatest: str) -> Flags:
        """Return bool[n]: whether the two hashes of the edge's contact differ."""
        columns = self.edges.columns
        smallest = np.full(len(self.edges), np.iinfo(np.uint64).max, np.uint64)
        largest = np.zeros(len(self.edges), np.uint64)
        np.minimum.at(smallest, self.contact, columns[least])
        np.maximum.at(largest, self.contact, columns[greatest])
        return np.asarray((smallest != largest)[self.contact])

    @property
    def days(self) -> float:
        """The length of the capture, in days."""
        timed = self.edges.first != NEVER
        if not timed.any():
            return 0.0
        return float(self.edges.last[timed].max() - self.edges.first[timed].min()) / DAY

    @cached_property
    def sweeper(self) -> Flags:
        """The client failed to reach many different ports, and succeeded on few."""
        first = np.zeros(len(self.edges), np.bool_)
        succeeded = np.zeros(len(self.edges), np.bool_)
        first[np.unique(self.contact, return_index=True)[1]] = True
        succeeded[self.contact[self.answered]] = True
        succeeded = succeeded[self.contact]
        in_vain = self.failed | (self.udp & ~self.answered & ~self.declared_listener)
        failures = self._by_client(first & in_vain & ~succeeded)
        successes = self._by_client(first & succeeded)
        return np.asarray((failures >= SWEEP) & (failures > 2 * successes))

    def _by_client(self, counted: Flags) -> NDArray[np.int64]:
        """Return int64[n]: how many of the counted edges the edge's client opened."""
        who = self._who[self.edges.client]
        counts = np.bincount(who[counted], minlength=len(self.edges.endpoints))
        return np.asarray(counts[who])

    @cached_property
    def guessed(self) -> Flags:
        """Only a registered port tells who opened the connection."""
        return self.edges.rung >= Rung.REGISTERED


def _by_day(edges: Edges) -> NDArray[np.uint64]:
    """Return the half-day bits folded so that each day has one bit (the base is even)."""
    even = np.uint64(0x5555555555555555)
    days = edges.half_days | (edges.half_days >> np.uint64(1))
    return days & even
