"""What the truth calls the ends of an edge that the readers saw."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, ip_address

import numpy as np
from numpy.typing import NDArray

from datasets.generator import TrueEdge, Truth
from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind

Key = tuple[str, str, str, int]
"""Client and server as the truth has them, protocol and port."""
Flags = NDArray[np.bool_]

NODE = "node"
_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}


@dataclass(frozen=True, eq=False)
class Names:
    """The true names of endpoints: keys of workloads, ``outside/…``, or ``node``; and true edges.

    ``workload_of`` maps namespace and ``Kind/name`` of an owner to the key of its workload (or,
    of a repaired cluster, to its role); ``edges`` are the true edges by key.
    """

    workload_of: Mapping[tuple[str, str], str]
    outside: tuple[tuple[int, int, str], ...]
    edges: Mapping[Key, tuple[TrueEdge, ...]]

    @classmethod
    def of(cls, truth: Truth, *, by_role: bool = False) -> "Names":
        """Return the names of the truth; ``by_role``, roles take the place of workloads."""
        role = {one.key: one.role for one in truth.workloads}
        owners = {
            (one.namespace, canonical_owner(truth, one.key) if by_role else owner): (
                one.role if by_role else one.key
            )
            for one in truth.workloads
            for owner in one.owners
        }
        edges: dict[Key, list[TrueEdge]] = defaultdict(list)
        for edge in truth.edges:
            ends = edge.client, edge.server
            client, server = (role.get(end, end) for end in ends) if by_role else ends
            edges[client, server, edge.protocol, edge.port].append(edge)
            if edge.masked:
                # A node's address stands for the client, or hides who called the outside.
                edges[NODE, server, edge.protocol, edge.port].append(edge)
        outside = [
            (int(ip_address(one.first)), int(ip_address(one.first)) + one.size, one.key)
            for one in truth.outside
        ]
        return cls(
            owners, tuple(sorted(outside)), {key: tuple(some) for key, some in edges.items()}
        )

    def of_endpoint(self, endpoint: Endpoint) -> str:
        """Return the endpoint's true name; empty if the truth has none for it."""
        if endpoint.kind is Kind.POD:
            return self.workload_of.get((endpoint.namespace, endpoint.workload), "")
        if endpoint.kind is Kind.NODE:
            return NODE
        if endpoint.kind is Kind.ADDRESS and ":" not in endpoint.address:
            # A prefix that addresses fold into counts as whoever is first in it.
            block = IPv4Network(endpoint.address)
            first, last = int(block[0]), int(block[-1])
            return next(
                (name for low, end, name in self.outside if first < end and low <= last), ""
            )
        return ""

    def keys(self, edges: Edges) -> list[Key | None]:
        """Return each edge's key; None where it is undecided or an end has no true name."""
        names = [self.of_endpoint(one) for one in edges.endpoints]
        rows = zip(
            edges.client.tolist(),
            edges.server.tolist(),
            edges.protocol.tolist(),
            edges.port.tolist(),
            edges.decided.tolist(),
            strict=True,
        )
        return [
            (names[client], names[server], _PROTOCOLS.get(protocol, str(protocol)), port)
            if decided and names[client] and names[server]
            else None
            for client, server, protocol, port, decided in rows
        ]

    def judge(self, edges: Edges) -> "Legitimacy":
        """Return what is true of each edge."""
        keys = self.keys(edges)
        true = [self.edges.get(key, ()) if key else () for key in keys]
        legitimate = [any(one.legitimate for one in some) for some in true]
        attack = [
            next((one.attack for one in some if one.attack), "") if not fair else ""
            for some, fair in zip(true, legitimate, strict=True)
        ]
        return Legitimacy(tuple(keys), np.array(legitimate, np.bool_), tuple(attack))

    @cached_property
    def legitimate(self) -> frozenset[Key]:
        """The keys of all legitimate edges, those seen behind nodes included."""
        return frozenset(
            key for key, some in self.edges.items() if any(one.legitimate for one in some)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Legitimacy:
    """What is true of n edges: their keys, whether they are legitimate, and which attack's.

    An edge that is neither is one that nobody opened: it was misread, or is a probe's.
    """

    keys: tuple[Key | None, ...]
    legitimate: Flags
    attack: tuple[str, ...]

    @property
    def hostile(self) -> Flags:
        """bool[n]: the edges of attacks."""
        return np.array([bool(one) for one in self.attack], np.bool_)


def canonical_owner(truth: Truth, key: str) -> str:
    """Return ``Kind/name`` of the owner that stands for the role of the workload."""
    role = next(one.role for one in truth.workloads if one.key == key)
    return min(owner for one in truth.workloads if one.role == role for owner in one.owners)
