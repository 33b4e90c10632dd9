"""What flows between whom: every legitimate edge, how often, and by what schedule.

| group | edges |
|---|---|
| core | the pairs of the topology; the connections of `options.connections` |
| dns | every caller asks CoreDNS: a tenth more |
| outside | workloads that call a CDN's pool or a partner: a twentieth more |
| users | users of exposed Services: a twentieth more |
| peers | replicas of one StatefulSet among themselves: a fiftieth more |
| strangers | any address outside, to and from any workload: a share of the core |

An end below 0 is outside: -1 is the first pool.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from datasets.generator.options import DAY, NEVER, START, Options
from datasets.generator.outside import STRANGERS, USERS, Pool
from datasets.generator.seeds import Floats, Ints, luck, stream
from datasets.generator.tails import MANY_EDGES, shares
from datasets.generator.workloads import CRON_JOB, TCP, Workload

Bools = NDArray[np.bool_]
GROUPS = ("core", "dns", "outside", "users", "peers", "strangers", "attack")
(CORE, DNS, OUTSIDE, OF_USERS, PEERS, OF_STRANGERS, ATTACK) = range(len(GROUPS))
PATTERNS = (
    "steady",
    "bursty",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "failover",
    "cron",
    "attack",
)
(STEADY, BURSTY, HOURLY, DAILY, WEEKLY, MONTHLY, FAILOVER, BY_CRON, BY_ATTACKER) = range(
    len(PATTERNS)
)
_HORIZON = 60
_SHARES = {DNS: 0.1, OUTSIDE: 0.05, OF_USERS: 0.05, PEERS: 0.02}


@dataclass(frozen=True, slots=True)
class Edges:
    """Arrays by edge, in the order of their groups.

    ``rate`` is connections a day, of steady and bursty ones. ``kept``: connections are older than
    the logs. ``named``: the client's environment names the server. ``since`` and ``until`` are
    seconds; an edge is legitimate in between.
    """

    group: Ints
    client: Ints
    server: Ints
    protocol: Ints
    port: Ints
    pattern: Ints
    rate: Floats
    kept: Bools
    named: Bools
    since: Ints
    until: Ints

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.group)


def join(parts: Sequence[Edges]) -> Edges:
    """Return the edges of all parts."""
    return Edges(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Edges))
    )


def make_edges(
    options: Options, workloads: list[Workload], pairs: tuple[Ints, Ints], pools: list[Pool]
) -> Edges:
    """Return every legitimate edge."""
    client, server = pairs
    parts = [_of_core(options, workloads, client, server)]
    callers = np.unique(client)
    if options.dns:
        dns = options.workloads
        parts.append(_plain(options, workloads, DNS, callers, np.full(len(callers), dns)))
    parts += [*_of_outside(options, workloads, callers, pools)]
    exposed = np.array([one.number for one in workloads if one.exposed], np.int64)
    users = np.full(len(exposed), -1 - _pool(pools, USERS))
    parts.append(_plain(options, workloads, OF_USERS, users, exposed))
    peers = np.array([x.number for x in workloads if x.peers and x.replicas > 1], np.int64)
    parts.append(_plain(options, workloads, PEERS, peers, peers))
    if options.strangers:
        parts.append(_of_strangers(options, workloads, pools))
    return join(parts)


def _pool(pools: list[Pool], name: str) -> int:
    return next(number for number, one in enumerate(pools) if one.name == name)


def _of_core(options: Options, workloads: list[Workload], client: Ints, server: Ints) -> Edges:
    firsts = np.array([one.ports[0].number if one.ports else 0 for one in workloads])
    seconds = np.array([one.ports[1].number if _has_second(one) else 0 for one in workloads])
    protocol = np.array([one.ports[0].protocol if one.ports else TCP for one in workloads])
    second = (seconds[server] > 0) & (luck(options.seed, "which port", client, server) < 0.2)
    first_ones = (client < options.workloads) & (server < options.workloads)
    life = _churned(options, client, server, first_ones)
    pattern = _patterns(options, workloads, client, server)
    rated = first_ones & ((pattern == STEADY) | (pattern == BURSTY))
    return Edges(
        group=np.full(len(client), CORE),
        client=client,
        server=server,
        protocol=protocol[server],
        port=np.where(second, seconds[server], firsts[server]),
        pattern=pattern,
        rate=_rates(options, workloads, client, (first_ones, rated)),
        kept=luck(options.seed, "kept open", client, server) < options.kept_open,
        named=luck(options.seed, "references", client, server) < options.references,
        **_lives(workloads, client, server, life),
    )


def _has_second(workload: Workload) -> bool:
    return len([port for port in workload.ports if port != workload.peers]) > 1


def _patterns(options: Options, workloads: list[Workload], client: Ints, server: Ints) -> Ints:
    """Return int64[n]; the edges of a CronJob follow its runs."""
    shares_of = (
        options.bursty,
        options.hourly,
        options.daily,
        options.weekly,
        options.monthly,
        options.failover,
    )
    chance = luck(options.seed, "pattern", client, server)
    pattern = np.searchsorted(np.cumsum(shares_of), chance, side="right") + BURSTY
    pattern = np.where(pattern > FAILOVER, STEADY, pattern)
    cron = np.array([one.kind == CRON_JOB for one in workloads])
    return np.where(cron[client], BY_CRON, pattern)


def _rates(
    options: Options, workloads: list[Workload], client: Ints, which: tuple[Bools, Bools]
) -> Floats:
    """Return float64[n]: connections a day; those of the rated edges add up to the wanted.

    ``which`` are the edges among the first workloads, and those of them that have a rate.
    """
    first_ones, rated = which
    total = options.connections_a_day * (1 - options.strangers)
    if options.pairs:
        weight = 1 / np.arange(1.0, len(client) + 1) ** options.zipf
        return np.asarray(total * weight / weight.sum())
    busy = _busyness(options, np.arange(len(workloads)))
    # What comes later must not change what was there before.
    part = np.exp(np.log(1e-3) * luck(options.seed, "late share", client, np.arange(len(client))))
    rows = np.flatnonzero(first_ones)
    order = rows[np.argsort(client[rows], kind="stable")]
    bounds = np.searchsorted(client[order], np.arange(len(workloads) + 1))
    for caller in np.unique(client[order]):
        own = order[bounds[caller] : bounds[caller + 1]]
        drawn = shares(stream(options.seed, "rarity", int(caller)), len(own))
        part[own] = drawn if len(own) >= MANY_EDGES else drawn / drawn.sum()
    weight = busy[client] * part
    return np.asarray(total * weight / max(weight[rated].sum(), 1e-12))


def _busyness(options: Options, numbers: Ints) -> Floats:
    """Return float64[n]: how busy a caller is; over all of them, by Zipf's law."""
    place = 1 + luck(options.seed, "zipf", numbers) * options.workloads
    return np.asarray(place**-options.zipf)


def _churned(options: Options, client: Ints, server: Ints, first_ones: Bools) -> tuple[Ints, Ints]:
    """Return int64[n] twice: since and until, of edges that come and go on their own."""
    rate = options.edge_churn
    comes, goes = (luck(options.seed, name, client, server) for name in ("comes", "goes"))
    if not rate:
        return np.full(len(client), 0), np.full(len(client), NEVER)
    # What comes within 60 days is there from the first, with no traffic until its day.
    born = np.where(comes < _HORIZON * rate, START + comes / rate * DAY, 0).astype(np.int64)
    ended = (START + np.minimum(-np.log1p(-goes) / rate, 10**4) * DAY).astype(np.int64)
    born, ended = (np.where(first_ones, one, alone) for one, alone in ((born, 0), (ended, NEVER)))
    return born, np.where(ended >= options.end, NEVER, ended)


def _lives(
    workloads: list[Workload], client: Ints, server: Ints, own: tuple[Ints, Ints] | None = None
) -> dict[str, Ints]:
    """Return since and until: both workloads exist then, and the edge's own time."""
    since = np.array([*(one.since for one in workloads), 0])
    until = np.array([*(one.until for one in workloads), NEVER])
    ends = [np.where(end < 0, len(workloads), end) for end in (client, server)]
    first, last = own or (np.zeros(len(client), np.int64), np.full(len(client), NEVER))
    return {
        "since": np.maximum(np.maximum(since[ends[0]], since[ends[1]]), first),
        "until": np.minimum(np.minimum(until[ends[0]], until[ends[1]]), last),
    }


def _of_outside(
    options: Options, workloads: list[Workload], callers: Ints, pools: list[Pool]
) -> list[Edges]:
    """Return edges to CDN pools and to partners; each caller has at most one of either."""
    parts = []
    for name, share in (("cdn", options.cdn), ("partner", options.partners)):
        some = [number for number, one in enumerate(pools) if one.name.startswith(name)]
        calling = callers[luck(options.seed, f"calls {name}", callers) < share]
        pick = (luck(options.seed, f"which {name}", calling) * len(some)).astype(np.int64)
        servers = -1 - np.array(some, np.int64)[pick]
        parts.append(_plain(options, workloads, OUTSIDE, calling, servers))
    return parts


def _of_strangers(options: Options, workloads: list[Workload], pools: list[Pool]) -> Edges:
    each = np.arange(options.workloads)
    stranger = np.full(len(each), -1 - _pool(pools, STRANGERS))
    rate = options.connections_a_day * options.strangers / (2 * len(each))
    client, server = np.concatenate([stranger, each]), np.concatenate([each, stranger])
    edges = _plain(options, workloads, OF_STRANGERS, client, server)
    edges.rate[:], edges.port[:], edges.protocol[:] = rate, 443, TCP
    return edges


def _plain(
    options: Options, workloads: list[Workload], group: int, client: Ints, server: Ints
) -> Edges:
    """Return steady edges that share the group's connections; to the outside, on 443."""
    ports = [(one.peers or one.ports[0]) if one.ports else None for one in workloads]
    inside = np.maximum(server, 0)
    port = np.array([one.number if one else 0 for one in ports])[inside]
    protocol = np.array([one.protocol if one else TCP for one in ports])[inside]
    weight = _busyness(options, np.maximum(client, server))
    old = (client <= options.workloads) & (server <= options.workloads)
    total = options.connections_a_day * _SHARES.get(group, 0)
    return Edges(
        group=np.full(len(client), group),
        client=client.astype(np.int64),
        server=server.astype(np.int64),
        protocol=np.where(server < 0, TCP, protocol),
        port=np.where(server < 0, 443, port),
        pattern=np.full(len(client), STEADY),
        rate=total * weight / max(weight[old].sum(), 1e-9),
        kept=np.full(len(client), group == PEERS),
        named=np.zeros(len(client), np.bool_),
        **_lives(workloads, client, server),
    )
