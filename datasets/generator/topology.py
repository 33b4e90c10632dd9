"""Who calls whom: pairs of workloads with the degrees of `tails`, and pairs of near duplicates."""

from dataclasses import dataclass

import numpy as np

from datasets.generator.options import DAY, NEVER, START, Options
from datasets.generator.seeds import Ints, luck, stream
from datasets.generator.tails import (
    NO_CALLEES,
    NO_CALLERS,
    coupled_ranks,
    fan_ins,
    fan_outs,
    replica_counts,
)

_TWIN_DEGREES = (2, 12)
_NEAREST = 64


@dataclass(frozen=True, slots=True)
class Topology:
    """The graph; arrays by workload (the first ones, CoreDNS, newcomers), and by pair.

    ``since`` and ``until`` are seconds; ``twin_of`` is the workload that one resembles, or -1;
    ``near`` says that it differs by an edge. Pairs: ``client``, ``server``.
    """

    replicas: Ints
    since: Ints
    until: Ints
    twin_of: Ints
    near: Ints
    client: Ints
    server: Ints

    @property
    def fan_in(self) -> Ints:
        """int64[workloads]: callers of each."""
        return np.bincount(self.server, minlength=len(self.replicas))

    @property
    def fan_out(self) -> Ints:
        """int64[workloads]: servers each calls."""
        return np.bincount(self.client, minlength=len(self.replicas))


def make_topology(options: Options) -> Topology:
    """Return the graph of the first workloads, and of those that come later."""
    size = options.workloads
    numbers = np.arange(size)
    replicas = _replicas(options, numbers)
    pairs = _uniform(options) if options.pairs else _with_degrees(options, replicas)
    pairs = _thinned(options, pairs)
    twin_of, near = _choose_twins(options, pairs)
    pairs = _copied(options, pairs, twin_of, near)
    births = _births(options)
    later = _newcomers(options, len(births), pairs)
    client, server = np.concatenate([pairs, later], axis=1)
    total = size + 1 + len(births)
    since = np.concatenate([np.full(size + 1, START - 30 * DAY), births])
    pad = np.zeros(total - size, np.int64)
    return Topology(
        replicas=_replicas(options, np.arange(total)),
        since=since,
        until=_deaths(options, since, np.append(twin_of, pad - 1)),
        twin_of=np.append(twin_of, pad - 1),
        near=np.append(near, pad),
        client=client,
        server=server,
    )


def _replicas(options: Options, numbers: Ints) -> Ints:
    if options.replicas is not None:
        return np.full(len(numbers), options.replicas, np.int64)
    return replica_counts(luck(options.seed, "replicas", numbers), options.replica_cap)


def _uniform(options: Options) -> Ints:
    rng = stream(options.seed, "pairs")
    return rng.integers(0, options.workloads, (2, options.pairs or 0))


def _with_degrees(options: Options, replicas: Ints) -> Ints:
    """Return int64[2, m]: clients and servers.

    Servers choose in order of their fan-in, each among the callers with edges left, those with
    many first: so the hubs' callers are as varied as their number allows.
    """
    rng, size = stream(options.seed, "degrees"), options.workloads
    servers = size - round(NO_CALLERS * size)
    opened = fan_outs(rng, size, servers - 1)
    wanted = fan_ins(rng, size, opened)
    order = coupled_ranks(rng, replicas)[:servers]
    # Silent workloads are not drawn: who calls nobody is called by somebody.
    quiet = rng.choice(order, round(NO_CALLEES * size), replace=False)
    callers = rng.permutation(np.setdiff1d(np.arange(size), quiet))
    left = np.zeros(size)
    left[callers] = opened
    clients, called = [], []
    for server, count in zip(order, wanted, strict=True):
        weight = left.copy()
        weight[server] = 0
        some = np.flatnonzero(weight > 0)
        keys = np.log(rng.random(len(some))) / weight[some]
        chosen = some[np.argsort(-keys, kind="stable")[:count]]
        left[chosen] -= 1
        clients.append(chosen)
        called.append(np.full(len(chosen), server))
    return np.stack([np.concatenate(clients), np.concatenate(called)])


def _thinned(options: Options, pairs: Ints) -> Ints:
    if options.density is None:
        return pairs
    keep = round(options.density * options.workloads**2)
    rank = np.argsort(luck(options.seed, "density", *pairs), kind="stable")
    return pairs[:, np.sort(rank[:keep])]


def _choose_twins(options: Options, pairs: Ints) -> tuple[Ints, Ints]:
    """Return int64[n] twice: whom a workload resembles (-1: nobody), and whether only nearly."""
    size = options.workloads
    degrees = [np.bincount(pairs[side], minlength=size) for side in (0, 1)]
    total = degrees[0] + degrees[1]
    middling = (total >= _TWIN_DEGREES[0]) & (total <= _TWIN_DEGREES[1]) & (degrees[0] > 0)
    order = np.argsort(luck(options.seed, "twins", np.arange(size)), kind="stable")
    free = [int(one) for one in order if middling[one]]
    twin_of, near = np.full(size, -1), np.zeros(size, np.int64)
    for kind, share in enumerate((options.twins, options.near_twins)):
        wanted = max(1, round(share * size / 2)) if share else 0
        for _ in range(min(wanted, len(free) // 2)):
            one = free.pop(0)
            apart = [
                abs(degrees[0][one] - degrees[0][two]) + abs(degrees[1][one] - degrees[1][two])
                for two in free[:_NEAREST]
            ]
            two = free.pop(int(np.argmin(apart)))
            twin_of[two], near[two] = one, kind
    return twin_of, near


def _copied(options: Options, pairs: Ints, twin_of: Ints, near: Ints) -> Ints:
    """Return the pairs; those of a twin are its model's, of a near twin with one more."""
    rng = stream(options.seed, "twin edges")
    for two in np.flatnonzero(twin_of >= 0):
        one = twin_of[two]
        pairs = pairs[:, (pairs != two).all(axis=0)]
        copies = pairs[:, (pairs == one).any(axis=0)]
        pairs = np.concatenate([pairs, np.where(copies == one, two, copies)], axis=1)
        if near[two]:
            known = {one, two, *pairs[1, pairs[0] == two].tolist()}
            others = [int(x) for x in np.unique(pairs[1]) if x not in known and twin_of[x] < 0]
            others = [x for x in others if x not in twin_of]
            if others:
                extra = [[two], [others[int(rng.integers(len(others)))]]]
                pairs = np.concatenate([pairs, np.array(extra)], axis=1)
    return pairs


def _births(options: Options) -> Ints:
    """Return int64[k], sorted: when newcomers begin; the first ones are the same for any span."""
    rate = options.births * options.workloads
    days = -(-(options.end - START) // DAY)
    found = []
    for day in range(days if rate else 0):
        rng = stream(options.seed, "births", day)
        found.append(START + DAY * day + np.sort(rng.integers(0, DAY, rng.poisson(rate))))
    whole = np.concatenate([*found, np.zeros(0, np.int64)])
    return np.asarray(whole[whole < options.end]).astype(np.int64)


def _newcomers(options: Options, count: int, pairs: Ints) -> Ints:
    """Return int64[2, m]: the pairs of newcomers, with whom others call often, and with callers."""
    size = options.workloads
    popular, busy = (np.bincount(pairs[side], minlength=size) + 0.1 for side in (1, 0))
    found = [np.zeros((2, 0), np.int64)]
    for number in range(count):
        rng, new = stream(options.seed, "newcomer", number), size + 1 + number
        outs = fan_outs(rng, size, size // 2)
        calls = int(rng.choice(outs)) if rng.random() > NO_CALLEES else 0
        callers = int(rng.integers(1, 6)) if rng.random() > NO_CALLERS or not calls else 0
        servers = rng.choice(np.flatnonzero(popular >= 1), max(calls, 0), replace=True)
        clients = rng.choice(size, callers, replace=False, p=busy / busy.sum())
        servers, clients = np.unique(servers), np.unique(clients)
        found.append(np.stack([np.full(len(servers), new), servers]))
        found.append(np.stack([clients, np.full(len(clients), new)]))
    return np.concatenate(found, axis=1)


def _deaths(options: Options, since: Ints, twin_of: Ints) -> Ints:
    """Return int64[n]: when each workload is removed; twins and their models stay."""
    numbers = np.arange(len(since))
    lived = -np.log1p(-luck(options.seed, "deaths", numbers)) / max(options.deaths, 1e-12)
    until = np.maximum(since, START) + (np.minimum(lived, 10**5) * DAY).astype(np.int64)
    stays = (
        (twin_of >= 0)
        | np.isin(numbers, twin_of)
        | (numbers == options.workloads)
        | (until >= options.end)
    )
    return np.where(stays | (options.deaths == 0), NEVER, until)
