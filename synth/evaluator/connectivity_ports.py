"""The ports between whose ends no policy tells anything apart, whatever server they belong to."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.ports import PROTOCOLS, SPAN, PortClasses
from synth.policy.ports import PortRange, PortSet

Profile = tuple[tuple[int, int], ...]
"""Of a server: protocol and port as one number → port class, where a name is spoken of."""
Servers = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """Ports of one port class; at the servers of ``named``, which name them, of another one."""

    ports: PortSet
    plain: int
    named: tuple[tuple[int, Servers], ...] = ()


def list_profiles(ports: PortClasses, endpoints: int) -> list[Profile]:
    """Return the profile of each of the first so many endpoints, as a server."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(endpoints)]
    for place, number in zip(ports.places.tolist(), ports.named.tolist(), strict=True):
        server, port = divmod(place, len(PROTOCOLS) * SPAN)
        if server >= endpoints:
            break
        found[server].append((port, number))
    return [tuple(sorted(pairs)) for pairs in found]


def list_cells(ports: PortClasses, profiles: Sequence[Profile]) -> tuple[Cell, ...]:
    """Return the cells, given the profile of each server; cells share no port, and hold all.

    Ports that every port set holds alike, at every server, are one cell.
    """
    alike = _alike(ports)
    servers = _servers(profiles, alike)
    merged: dict[tuple[int, tuple[tuple[int, Servers], ...]], list[PortRange]] = {}
    for first, last in _pieces(ports.interval, servers):
        plain = int(alike[ports.interval[first]])
        named = servers.get(first, {}) if first == last else {}
        told = tuple((other, at) for other, at in sorted(named.items()) if other != plain)
        protocol, low = divmod(first, SPAN)
        one = PortRange(PROTOCOLS[protocol], low, last % SPAN)
        merged.setdefault((plain, told), []).append(one)
    return tuple(Cell(PortSet(tuple(ranges)), *key) for key, ranges in merged.items())


def _alike(ports: PortClasses) -> NDArray[np.int64]:
    """Return int64[K]: the first port class that the same port sets hold, of each."""
    packed, columns = ports.table.packed, ports.table.columns
    if not len(packed):
        return np.zeros(columns, np.int64)
    table = np.unpackbits(packed, axis=1, count=columns, bitorder="little")
    _, first, inverse = np.unique(table, axis=1, return_index=True, return_inverse=True)
    found: NDArray[np.int64] = first[inverse.ravel()]
    return found


def _servers(
    profiles: Sequence[Profile], alike: NDArray[np.int64]
) -> Mapping[int, Mapping[int, Servers]]:
    """Return port → port class → the servers where the port is of that class."""
    found: dict[int, dict[int, list[int]]] = {}
    for server, profile in enumerate(profiles):
        for port, number in profile:
            found.setdefault(port, {}).setdefault(int(alike[number]), []).append(server)
    return {
        port: {number: tuple(some) for number, some in numbers.items()}
        for port, numbers in found.items()
    }


def _pieces(
    interval: NDArray[np.int32], singles: Mapping[int, object]
) -> Iterator[tuple[int, int]]:
    """Yield first and last port of each interval, cut around the single ports; none holds 0."""
    begins = np.flatnonzero(np.diff(interval, prepend=-1))
    zeros = np.arange(len(PROTOCOLS)) * SPAN
    alone = np.array(sorted(singles), np.int64)
    cuts = np.unique(np.concatenate([begins, zeros, zeros + 1, alone, alone + 1, [len(interval)]]))
    for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        if low % SPAN:
            yield low, high - 1
