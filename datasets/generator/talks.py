"""Connections with both ends known: who calls from where, who answers, and what it looked like."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from datasets.generator.attacks import SILENT, Calls
from datasets.generator.edges import ATTACK, OF_USERS
from datasets.generator.outside import PROBERS
from datasets.generator.seeds import Ints, scramble, stream
from datasets.generator.workloads import TCP, UDP
from datasets.generator.world import World

Bools = NDArray[np.bool_]
FIRST_EPHEMERAL, LAST_EPHEMERAL = 32768, 60999
NODE_PORTS = 30_000
_FRESH = 3600
_GOSSIP = 7946
PROBE = -1
"""The edge of a rejected probe, which is none."""


@dataclass(frozen=True, slots=True)
class Talks:
    """Arrays by connection; addresses are codes of the address book, -1 a node that is none.

    ``client`` is the client's own address, ``client_seen`` the one that the server sees.
    ``opened``: the opening is in the logs. ``outcome``: as in ``Calls``; ``rejected``: stopped
    before it came in. ``asked`` is the code of the Service that was asked for, -1 for none.
    """

    edge: Ints
    time: Ints
    client: Ints
    client_seen: Ints
    server: Ints
    client_node: Ints
    server_node: Ints
    client_port: Ints
    seen_port: Ints
    port: Ints
    protocol: Ints
    opened: Bools
    outcome: Ints
    rejected: Bools
    asked: Ints
    asked_port: Ints

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.edge)

    def where(self, rows: Bools | Ints) -> "Talks":
        """Return these."""
        return Talks(*(getattr(self, one.name)[rows] for one in fields(self)))


def join_talks(parts: list[Talks]) -> Talks:
    """Return the talks of all parts."""
    return Talks(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Talks))
    )


@dataclass(frozen=True, slots=True)
class _Ends:
    """One side of calls: address code, node and pod (-1 outside), whether there is one."""

    address: Ints
    node: Ints
    pod: Ints
    alive: Bools


def meet(world: World, calls: Calls, purpose: str, number: int) -> Talks:
    """Return the talks of the calls whose both ends are there; ``purpose`` names the draws."""
    rng = stream(world.options.seed, f"meet {purpose}", number)
    edges, size = world.edges, len(calls.edge)
    client = _find(world, edges.client[calls.edge], calls.time, calls.client_slot, rng)
    peers = edges.client[calls.edge] == edges.server[calls.edge]
    taken = np.where(peers & (client.pod >= 0), world.pods.slot[client.pod], -1)
    server = _find(world, edges.server[calls.edge], calls.time, calls.server_slot, rng, taken)
    ports = rng.integers(FIRST_EPHEMERAL, LAST_EPHEMERAL + 1, size)
    masked = rng.integers(1024, LAST_EPHEMERAL + 1, size)
    shown, entrance = rng.random(size), rng.integers(0, world.nodes, size)
    met = client.alive & server.alive & (client.address != server.address)
    talks = _talks(world, calls, client, server, (ports, masked, shown, entrance))
    return talks.where(np.flatnonzero(met))


def _find(  # noqa: PLR0913, PLR0917 - one row of the table of ends
    world: World,
    end: Ints,
    time: Ints,
    slot: Ints,
    rng: np.random.Generator,
    taken: Ints | None = None,
) -> _Ends:
    """Return who was there: the slot's pod, any of the workload's, or any address outside.

    ``taken`` are slots that the other end holds already.
    """
    pods, book = world.pods, world.book
    chance = rng.random(len(end))
    inside = np.maximum(end, 0)
    first = pods.slots.first[inside]
    replicas = pods.slots.first[inside + 1] - first
    chosen = np.where(slot >= 0, slot, first + (chance * replicas).astype(np.int64))
    if taken is not None:
        again = np.flatnonzero(chosen == taken)
        chosen[again] = first[again] + (chosen[again] - first[again] + 1) % replicas[again]
    pod, alive = pods.at(chosen, time)
    out = end < 0
    if not out.any():
        return _Ends(pods.address[pod], pods.node[pod], pod, alive)
    pool = np.maximum(-1 - end, 0)
    sizes = np.array([one.size for one in world.pools])
    stranger = book.pool_at[pool] + (chance * sizes[pool]).astype(np.int64)
    return _Ends(
        np.where(out, stranger, pods.address[pod]),
        np.where(out, -1, pods.node[pod]),
        np.where(out, -1, pod),
        alive | out,
    )


def _talks(
    world: World,
    calls: Calls,
    client: _Ends,
    server: _Ends,
    drawn: tuple[Ints, Ints, NDArray[np.float64], Ints],
) -> Talks:
    edges, book, edge = world.edges, world.book, calls.edge
    client_port, masked, shown, entrance = drawn
    port, protocol = edges.port[edge], edges.protocol[edge]
    client_port = _kept_ports(world, calls, client, server, client_port)
    client_port = np.where((port == _GOSSIP) & (protocol == UDP), port, client_port)
    leaves = (server.node < 0) & (client.node >= 0) & world.options.snat
    through = _through_nodes(world, edge)
    seen = np.where(leaves, book.nodes_at + client.node, client.address)
    seen = np.where(through, book.nodes_at + entrance, seen)
    one_way = np.array([one.one_way for one in world.workloads])
    unanswered = one_way[np.maximum(edges.server[edge], 0)] & (edges.server[edge] >= 0)
    asked = book.services_at + np.maximum(edges.server[edge], 0)
    inside = (server.node >= 0) & (client.node >= 0)
    direct = (edges.group[edge] == ATTACK) | (edges.client[edge] == edges.server[edge]) | ~inside
    asked = np.where(direct, -1, asked)
    asked = np.where(through, book.nodes_at + entrance, asked)
    return Talks(
        edge=edge,
        time=calls.time,
        client=client.address,
        client_seen=seen,
        server=server.address,
        client_node=np.where(through, entrance, client.node),
        server_node=server.node,
        client_port=client_port,
        seen_port=np.where(seen != client.address, masked, client_port),
        port=port,
        protocol=protocol,
        opened=_shows_opening(world, calls, client, server, shown),
        outcome=np.where(unanswered, SILENT, calls.outcome),
        rejected=np.zeros(len(edge), np.bool_),
        asked=asked,
        asked_port=np.where(through, NODE_PORTS + edges.server[edge] % 2_700, port),
    )


def _through_nodes(world: World, edge: Ints) -> Bools:
    """Return bool[n]: users of a Service who arrive at any node, and go on with its address."""
    cluster = np.array([one.exposed == "Cluster" for one in world.workloads])
    of_users = world.edges.group[edge] == OF_USERS
    return np.asarray(of_users & cluster[np.maximum(world.edges.server[edge], 0)])


def _kept_ports(world: World, calls: Calls, client: _Ends, server: _Ends, port: Ints) -> Ints:
    """Return the client ports; a connection that is kept open keeps its port."""
    kept = np.flatnonzero(world.edges.kept[calls.edge])
    who = [
        np.where(end.pod < 0, end.address, world.pods.key[end.pod])[kept]
        for end in (client, server)
    ]
    edges, edge = world.edges, calls.edge[kept]
    what = edges.client[edge], edges.server[edge], edges.port[edge]
    chosen = scramble(world.options.seed, "kept port", *who, *what)
    span = np.uint64(LAST_EPHEMERAL - FIRST_EPHEMERAL + 1)
    port = port.copy()
    port[kept] = FIRST_EPHEMERAL + (chosen % span).astype(np.int64)
    return port


def _shows_opening(
    world: World, calls: Calls, client: _Ends, server: _Ends, shown: NDArray[np.float64]
) -> Bools:
    """Return bool[n]; one that is kept open shows it in the first hour of either pod alone."""
    if world.options.opening is not None:
        return np.asarray(shown < world.options.opening)
    kept = world.edges.kept[calls.edge]
    pods = world.pods
    young = [
        (end.pod >= 0) & (pods.start[end.pod] > calls.time - _FRESH) for end in (client, server)
    ]
    return np.asarray(~kept | young[0] | young[1])


def probes(world: World, start: int, end: int) -> Talks:
    """Return attempts from outside at any pod and port, which a security group stops."""
    options, pods, book = world.options, world.pods, world.book
    rng = stream(options.seed, "probes", start)
    wanted = options.probes * options.connections_a_day * (end - start) / 86_400
    size = int(rng.poisson(wanted))
    slot = rng.integers(0, int(pods.slots.first[options.workloads]), size)
    time = rng.integers(start, end, size)
    pool = next(at for at, one in enumerate(world.pools) if one.name == PROBERS)
    client = book.pool_at[pool] + rng.integers(0, world.pools[pool].size, size)
    port, client_port = (
        rng.integers(1, 65_536, size),
        rng.integers(FIRST_EPHEMERAL, LAST_EPHEMERAL, size),
    )
    pod, alive = pods.at(slot, time)
    none = np.full(size, -1)
    talks = Talks(
        edge=np.full(size, PROBE),
        time=time,
        client=client,
        client_seen=client,
        server=pods.address[pod],
        client_node=none,
        server_node=pods.node[pod],
        client_port=client_port,
        seen_port=client_port,
        port=port,
        protocol=np.full(size, TCP),
        opened=np.ones(size, np.bool_),
        outcome=np.full(size, SILENT),
        rejected=np.ones(size, np.bool_),
        asked=none,
        asked_port=port,
    )
    return talks.where(alive)


def masks(talks: Talks) -> Bools:
    """Return bool[n]: talks of which the server sees another client address than the real one."""
    return np.asarray(talks.client != talks.client_seen)
