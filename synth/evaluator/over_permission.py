"""What policies admit beyond what was seen: cells inside the cluster, addresses outside it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from synth.edges.schema import Edges
from synth.evaluator.connectivity import Connectivity
from synth.evaluator.outside import family_of, join, spans_of_networks, without
from synth.evaluator.ports import PROTOCOLS
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.model import Direction, PolicySet
from synth.policy.ports import PortRange, PortSet

Role = tuple[str, str]
"""Namespace and workload key."""
_PROTOCOLS = {protocol.number: protocol for protocol in PROTOCOLS}


@dataclass(frozen=True, slots=True)
class OverPermission:
    """Cells (client workload, server workload, protocol, port) that rules admit, and those unseen.

    A cell is admitted if policies have a say on it, at either side, and both sides let it through.
    ``addresses`` tells for each direction how many addresses outside rules admit, by family.
    """

    admitted: int
    never_seen: int
    addresses: Mapping[Direction, Mapping[int, int]]


@dataclass(frozen=True)
class Cells:
    """The cells of a connectivity, workloads alike in their classes counted together."""

    connectivity: Connectivity
    ports: PortSet
    """All ports that cells are about."""
    known: dict[tuple[frozenset[int], frozenset[int]], PortSet] = field(default_factory=dict)

    @cached_property
    def classes(self) -> Mapping[Role, frozenset[int]]:
        """Workload → the classes of its pods."""
        found: dict[Role, set[int]] = {}
        for endpoint, number in zip(
            self.connectivity.endpoints, self.connectivity.class_of.tolist(), strict=False
        ):
            found.setdefault(role_of(endpoint), set()).add(number)
        return {role: frozenset(some) for role, some in found.items()}

    def between(self, clients: frozenset[int], servers: frozenset[int]) -> PortSet:
        """Return the ports that rules admit between any of these classes."""
        if (clients, servers) not in self.known:
            found = PortSet()
            for client in sorted(clients):
                for server in sorted(servers):
                    if self._have_say(client, server):
                        found |= self.connectivity.sets[self.connectivity.pairs[client, server]]
            self.known[clients, servers] = found & self.ports
        return self.known[clients, servers]

    def count(self, observed: Mapping[tuple[Role, Role], PortSet]) -> tuple[int, int]:
        """Return how many cells rules admit, and how many of these are not among those observed."""
        alike = Counter(self.classes.values())
        admitted = self._count_single(alike) + sum(
            size_of(self.between(clients, servers)) * alike[clients] * alike[servers]
            for clients in alike
            for servers in alike
            if len(clients) > 1 or len(servers) > 1
        )
        seen = sum(
            size_of(self.between(self.classes[client], self.classes[server]) & ports)
            for (client, server), ports in observed.items()
            if client in self.classes and server in self.classes
        )
        return admitted, admitted - seen

    def _count_single(self, alike: Mapping[frozenset[int], int]) -> int:
        """Return how many cells there are between workloads of one class each, all at once."""
        found = self.connectivity
        single = np.zeros(len(found.pairs), np.int64)
        for classes, count in alike.items():
            if len(classes) == 1:
                single[next(iter(classes))] = count
        own = np.flatnonzero(single)
        sizes = np.array([size_of(ports & self.ports) for ports in found.sets], np.int64)
        say = found.isolated_out[own, None] | found.isolated_in[None, own]
        cells = np.where(say, sizes[found.pairs[np.ix_(own, own)]], 0)
        return int(single[own] @ cells @ single[own])

    def _have_say(self, client: int, server: int) -> bool:
        found = self.connectivity
        return bool(found.isolated_out[client] or found.isolated_in[server])


def measure_over_permission(
    connectivity: Connectivity,
    policies: PolicySet,
    edges: Edges,
    declared: Iterable[tuple[int, int]],
    pod_ranges: Iterable[str] = (),
) -> OverPermission:
    """Return what the policies admit beyond the edges, over the ports that anything speaks of.

    Cells are about the ports that are ``declared`` (IANA protocol, port), that an edge shows or
    that a rule names, one by one or as a range; *all ports* names none. Addresses in the
    ``pod_ranges`` are not outside.
    """
    observed = observe(edges)
    ports = PortSet.of(*_named(policies))
    for protocol, port in sorted(set(declared)):
        ports |= _port(protocol, port)
    for one in observed.values():
        ports |= one
    admitted, never = Cells(connectivity, ports).count(observed)
    return OverPermission(admitted, never, _addresses(connectivity, tuple(pod_ranges)))


def observe(edges: Edges) -> Mapping[tuple[Role, Role], PortSet]:
    """Return client and server workload → the ports that were used without failing.

    A record that failed or was denied shows nothing, nor does an undecided pair. Of an ambiguous
    end, every candidate counts as seen.
    """
    found: dict[tuple[Role, Role], PortSet] = {}
    for row in np.flatnonzero(edges.decided & (edges.records > edges.failed + edges.denied)):
        ports = _port(int(edges.protocol[row]), int(edges.port[row]))
        for client in _roles(edges.endpoints[edges.client[row]]):
            for server in _roles(edges.endpoints[edges.server[row]]):
                found[client, server] = found.get((client, server), PortSet()) | ports
    return found


def role_of(endpoint: Endpoint) -> Role:
    """Return the workload of a pod's endpoint."""
    return endpoint.namespace, endpoint.workload


def size_of(ports: PortSet) -> int:
    """Return how many ports the ranges hold."""
    return sum(one.last - one.first + 1 for one in ports.ranges)


def _roles(endpoint: Endpoint) -> tuple[Role, ...]:
    ends = endpoint.candidates or (endpoint,)
    return tuple(dict.fromkeys(role_of(one) for one in ends if one.kind is Kind.POD))


def _port(protocol: int, port: int) -> PortSet:
    """Return the set of the port; an empty one where policies have no word for it."""
    known = _PROTOCOLS.get(protocol)
    return PortSet.port(known, port) if known and port else PortSet()


def _named(policies: PolicySet) -> Iterable[PortRange]:
    return (
        one
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction) or ()
        for one in rule.ports.ranges
        if not one.every
    )


def _addresses(
    connectivity: Connectivity, pod_ranges: tuple[str, ...]
) -> Mapping[Direction, Mapping[int, int]]:
    """Return how many addresses outside rules admit to, or from, any isolated pod."""
    count = len(connectivity.endpoints)
    pods = np.unique(connectivity.class_of[:count])
    outside = connectivity.class_of[count : count + len(connectivity.outside)]
    into, out = (
        pods[isolated[pods]] for isolated in (connectivity.isolated_in, connectivity.isolated_out)
    )
    reached = {
        Direction.INGRESS: np.asarray(
            (connectivity.pairs[np.ix_(outside, into)] > 0).any(axis=1), np.bool_
        ),
        Direction.EGRESS: np.asarray(
            (connectivity.pairs[np.ix_(out, outside)] > 0).any(axis=0), np.bool_
        ),
    }
    holes = spans_of_networks(pod_ranges)
    found = {}
    for direction, mask in reached.items():
        pieces = zip(connectivity.outside, mask.tolist(), strict=True)
        spans = without(join(one.span for one, reachable in pieces if reachable), holes)
        sizes: Counter[int] = Counter({4: 0, 6: 0})
        for span in spans:
            sizes[family_of(span)] += span[1] - span[0] + 1
        found[direction] = dict(sizes)
    return found
