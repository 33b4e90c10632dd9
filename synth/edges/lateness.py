"""What trackers tell late of connections, joined to the edges that the openings belong to.

An address that changed hands since a connection was opened leaves its later records ambiguous.
Its opening is not, nor is what it was answered; so where only one of the candidates opened such
a connection, or was opened one to, the late records are of it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import product

import numpy as np
from numpy.typing import NDArray

from synth.edges.groups import group
from synth.edges.merge import trim
from synth.edges.schema import Edges, Source
from synth.inventory.endpoint import Endpoint, Kind

Contact = tuple[int, int, int, int]
"""Numbers of client and server, IANA protocol number, port."""

_SOURCES = int(Source.VPC | Source.CONNTRACK | Source.INTERFACES)
_KEY = ("client", "client_seen", "server", "same_node", "same_pod")
_PODS = ("least_client", "greatest_client", "least_server", "greatest_server")
"""Of an ambiguous end they are of a pod that may be another's."""


def join_late(edges: Edges) -> Edges:
    """Return the edges with those of late records joined to the only ones that they can be of.

    Those that may be of several edges, or of none, stay as they are.
    """
    late = _late(edges)
    if not len(late):
        return edges
    homes = _find_homes(edges, late)
    if not homes:
        return edges
    rows, home = (np.array(some, np.int64) for some in (list(homes), list(homes.values())))
    columns = {name: values.copy() for name, values in edges.columns.items()}
    for name in (*_KEY, *_PODS):
        columns[name][rows] = columns[name][home]
    return trim(Edges(edges.endpoints, edges.files, edges.half_day_base, **group(columns)))


def _late(edges: Edges) -> NDArray[np.int64]:
    """Return the rows with an ambiguous end that trackers alone saw, and never an opening."""
    ambiguous = np.array([one.kind is Kind.AMBIGUOUS for one in edges.endpoints], np.bool_)
    if not ambiguous.any():
        return np.zeros(0, np.int64)
    ends = ambiguous[edges.client] | ambiguous[edges.server]
    tracked = edges.sources & _SOURCES == Source.CONNTRACK
    return np.flatnonzero(ends & tracked & edges.decided & ~_opened(edges))


def _opened(edges: Edges) -> NDArray[np.bool_]:
    opened = edges.opened_at_client + edges.opened_at_server + edges.opened_unplaced
    return np.asarray(opened > 0)


def _find_homes(edges: Edges, late: NDArray[np.int64]) -> dict[int, int]:
    """Return late row → the row it is of."""
    opened, number = _by_contact(edges, late), {one: at for at, one in enumerate(edges.endpoints)}
    homes: dict[int, int] = {}
    for row in late.tolist():
        found = [
            home
            for contact in _contacts(edges, row, number)
            for home in opened.get(contact, ())
            if edges.answered[home] or not edges.answered[row]
        ]
        if len({_who(edges, home) for home in found}) == 1:
            homes[row] = min(found, key=lambda home: (not _is_seen_alike(edges, row, home), home))
    return homes


def _by_contact(edges: Edges, late: NDArray[np.int64]) -> Mapping[Contact, list[int]]:
    """Return the rows of openings at the services of the late rows."""
    service = edges.protocol.astype(np.int64) << 16 | edges.port
    found: dict[Contact, list[int]] = defaultdict(list)
    near = np.isin(service, service[late]) & _opened(edges) & edges.decided
    for row in np.flatnonzero(near).tolist():
        ends = int(edges.client[row]), int(edges.server[row])
        found[*ends, int(edges.protocol[row]), int(edges.port[row])].append(row)
    return found


def _contacts(edges: Edges, row: int, number: Mapping[Endpoint, int]) -> Iterator[Contact]:
    """Yield the contacts that the row may be of, as far as both ends were met."""
    ends = (
        [number[one] for one in _candidates(edges.endpoints[end]) if one in number]
        for end in (edges.client[row], edges.server[row])
    )
    for client, server in product(*ends):
        yield client, server, int(edges.protocol[row]), int(edges.port[row])


def _candidates(endpoint: Endpoint) -> tuple[Endpoint, ...]:
    return endpoint.candidates or (endpoint,)


def _who(edges: Edges, row: int) -> tuple[tuple[str, ...], ...]:
    """Return the workloads, or whatever else, at the two ends."""
    ends = (edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]])
    return tuple((one.kind, one.namespace, one.workload, one.address) for one in ends)


def _is_seen_alike(edges: Edges, row: int, home: int) -> bool:
    """Return whether the server saw the client itself on both, or the same other peer on both."""
    masked = [edges.client_seen[one] != edges.client[one] for one in (row, home)]
    if any(masked):
        return bool(all(masked) and edges.client_seen[row] == edges.client_seen[home])
    return True
