"""Names in layers: every client left of its servers, long links led through lanes of their own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Lane:
    """A place in a layer that links pass on their way to a server further right."""

    server: str
    pending: bool


Stop = str | Lane
Chain = tuple[Stop, ...]


def layers_of(links: Mapping[Pair, bool]) -> tuple[list[list[Stop]], Mapping[Pair, Chain]]:
    """Return the stops of each layer from top to bottom, and the stops of each forward link.

    ``links`` maps client and server → whether the link is pending. A link that would lead
    backwards, as some must where links form circles, has no chain.
    """
    level = _levels(sorted({name for pair in links for name in pair}), sorted(links))
    chains: dict[Pair, Chain] = {
        (client, server): (client, *_lanes(server, pending, level[server] - level[client]), server)
        for (client, server), pending in sorted(links.items())
        if level[client] < level[server]
    }
    layers: list[list[Stop]] = [[] for _ in range(max(level.values()) + 1)]
    for name in sorted(level):
        layers[level[name]].append(name)
    for (client, _), chain in chains.items():
        for further, lane in enumerate(chain[1:-1], start=level[client] + 1):
            if lane not in layers[further]:
                layers[further].append(lane)
    return _ordered(layers, chains.values()), chains


def _lanes(server: str, pending: bool, length: int) -> tuple[Lane, ...]:  # noqa: FBT001
    return (Lane(server, pending),) * (length - 1)


def _levels(names: Sequence[str], links: Sequence[Pair]) -> dict[str, int]:
    """Return the layer of each name: one more than that of its clients, circles aside."""
    servers: dict[str, list[str]] = {name: [] for name in names}
    for client, server in links:
        if client != server:
            servers[client].append(server)
    level = dict.fromkeys(names, 0)
    forward = _without_circles(servers)
    for _ in names:
        for client, server in forward:
            level[server] = max(level[server], level[client] + 1)
    return level


def _without_circles(servers: Mapping[str, Sequence[str]]) -> list[Pair]:
    """Return the links but those that close a circle, as a walk from pure clients meets them."""
    called = {server for some in servers.values() for server in some}
    kept: list[Pair] = []
    here: set[str] = set()
    done: set[str] = set()

    def walk(name: str) -> None:
        here.add(name)
        for server in servers[name]:
            if server not in here:
                kept.append((name, server))
                if server not in done:
                    walk(server)
        here.discard(name)
        done.add(name)

    for name in sorted(servers, key=lambda name: (name in called, name)):
        if name not in done:
            walk(name)
    return kept


def _ordered(layers: Sequence[Sequence[Stop]], chains: Iterable[Chain]) -> list[list[Stop]]:
    """Return the layers, each stop near the middle of the stops that lead to it."""
    before: dict[tuple[int, Stop], set[Stop]] = defaultdict(set)
    place = {stop: number for number, layer in enumerate(layers) for stop in layer}
    for chain in chains:
        first = place[chain[0]]
        for step, stop in enumerate(chain[1:], start=1):
            before[first + step, stop].add(chain[step - 1])
    ordered: list[list[Stop]] = []
    rank: dict[Stop, float] = {}
    for number, layer in enumerate(layers):
        middles = {stop: _middle([rank[one] for one in before[number, stop]]) for stop in layer}
        stops = sorted(layer, key=partial(_weight, middles))
        rank |= {stop: (at + 0.5) / len(stops) for at, stop in enumerate(stops)}
        ordered.append(stops)
    return ordered


def _weight(middles: Mapping[Stop, float], stop: Stop) -> tuple[float, str]:
    return middles[stop], str(stop)


def _middle(ranks: Sequence[float]) -> float:
    return sum(sorted(ranks)) / len(ranks) if ranks else 0.5
