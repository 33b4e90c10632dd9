"""Traffic between concrete endpoints: a row with an ambiguous end stands once a candidate."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.admission import Queries
from synth.evaluator.bits import Mask
from synth.evaluator.compile import Compiled
from synth.evaluator.options import Options
from synth.evaluator.ports import WITHOUT_SEMANTICS
from synth.evaluator.sides import Lists
from synth.evaluator.traffic import HIDDEN, SERVER, Traffic
from synth.policy.model import Direction

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows between concrete endpoints, in the order of the traffic's rows they stand for.

    | column | meaning |
    |---|---|
    | origin | int64[N], ascending: the row of the traffic |
    | client, seen, server | int32[N]: concrete endpoints |
    | protocol, port | uint8[N], int32[N]: IANA number; port class |
    | same_pod | bool[N]: a pod to itself |
    | from_node, to_node | bool[N]: from a node to a pod on it; from a pod to its own node |
    | service | int32[N]: the concrete endpoint asked for instead of the server; -1: none |
    | begin | int64[n]: the first row of each of the traffic's; None if each stands once |
    """

    origin: NDArray[np.int64]
    client: Numbers
    seen: Numbers
    server: Numbers
    protocol: NDArray[np.uint8]
    port: Numbers
    same_pod: Mask
    from_node: Mask
    to_node: Mask
    service: Numbers
    begin: NDArray[np.int64] | None

    def __len__(self) -> int:
        """Return N."""
        return len(self.origin)


@dataclass(frozen=True, slots=True)
class Asked:
    """What N rows ask of one direction: queries, and what is allowed or open without rules.

    ``queries.group`` is -1 where no rule can answer; ``isolated`` tells isolation all the same.
    """

    queries: Queries
    possible: Queries | None
    """Judged before DNAT: what also counts, but not for sure, the pods behind a Service."""
    isolated: Mask
    exempt: Mask
    """Allowed whatever the rules say: a pod to itself, a node to its own pods."""
    without_semantics: Mask
    """Of a protocol that policies do not speak of."""


def expand(compiled: Compiled, traffic: Traffic, chosen: NDArray[np.integer[Any]]) -> Rows:
    """Return the chosen rows (ascending) of the traffic, once for each choice of candidates.

    Where it matters, a row of which nobody knows what was asked for stands both for the server
    and for some Service.
    """
    origin, client, seen, server = _choices(compiled.choices, traffic, chosen.astype(np.int64))
    service = np.broadcast_to(np.int32(SERVER), len(origin))
    if traffic.asked is not None and compiled.options.sees_services:
        turn, service = _services(compiled, traffic.take(origin))
        origin, client = origin[turn], client[turn]
        seen, server = seen[turn], server[turn]
    begin = np.flatnonzero(np.diff(origin, prepend=-1))
    single = len(begin) == len(origin)
    # Usually each row stands for itself, and copying the columns would cost as much as judging.
    own = traffic if single and len(origin) == len(traffic) else traffic.take(origin)
    return Rows(
        origin=origin,
        client=client,
        seen=seen,
        server=server,
        protocol=own.protocol,
        port=compiled.ports.of_rows(own.protocol, own.port, server),
        same_pod=own.same_pod,
        from_node=own.same_node & compiled.nodes[seen],
        to_node=own.same_node & compiled.nodes[server],
        service=service,
        begin=None if single else begin,
    )


def ask(compiled: Compiled, rows: Rows, direction: Direction) -> Asked:
    """Return what the rows ask of the direction.

    | direction | subject | peer | exempt, as the options have it |
    |---|---|---|---|
    | egress | client | server, or the Service asked for | to itself, to its own node |
    | ingress | server | the client as seen there | to itself, from its own node |
    """
    egress = direction is Direction.EGRESS
    subject, peer = (rows.client, rows.server) if egress else (rows.server, rows.seen)
    exempt = _exempt(compiled.options, rows, direction)
    group = compiled.sides[direction].group[compiled.class_of[subject]]
    without_semantics = rows.port == WITHOUT_SEMANTICS
    answerable = ~(exempt | without_semantics)
    queries = Queries(
        group=np.where(answerable, group, np.int32(-1)),
        peer=compiled.class_of[peer],
        port=rows.port,
    )
    possible = None
    if egress and compiled.options.dnat == "before":
        queries, possible = _before_dnat(compiled, rows, queries)
    return Asked(
        queries=queries,
        possible=possible,
        isolated=group >= 0,
        exempt=exempt,
        without_semantics=without_semantics,
    )


def _exempt(options: Options, rows: Rows, direction: Direction) -> Mask:
    itself = rows.same_pod
    if options.hairpin == "police":
        itself = itself & (rows.service < 0)
    if direction is Direction.EGRESS:
        return itself | rows.to_node if options.to_own_node == "allow" else itself
    return itself | rows.from_node if options.from_own_node == "allow" else itself


def _before_dnat(compiled: Compiled, rows: Rows, queries: Queries) -> tuple[Queries, Queries]:
    """Return the queries on the Services asked for, and those on the pods behind them.

    Plugins that filter so let a selector stand for the Services of the pods it selects. Either
    way nobody knows the port.
    """
    through = rows.service >= 0
    hidden = compiled.ports.hidden_of(rows.protocol)
    behind = replace(queries, port=np.where(through, hidden, queries.port))
    service = np.where(through, compiled.class_of[rows.service], queries.peer)
    return replace(behind, peer=service), behind


def _services(compiled: Compiled, traffic: Traffic) -> tuple[NDArray[np.int64], Numbers]:
    """Return which rows to take, in order, and the Service of each (-1: the server itself)."""
    asked = np.asarray(traffic.asked)
    if compiled.options.dnat == "after":
        # Nothing else can depend on it, and each row more costs time.
        asked = np.where(traffic.same_pod, asked, np.int32(SERVER))
    unknown = asked == HIDDEN
    turn = np.repeat(np.arange(len(asked)), np.where(unknown, 2, 1))
    second = np.flatnonzero(np.diff(turn, prepend=-1) == 0)
    service = np.where(unknown, np.int32(SERVER), asked)[turn]
    service[second] = compiled.nowhere
    return turn, service


def _choices(
    choices: Lists, traffic: Traffic, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Numbers, Numbers, Numbers]:
    own = traffic if len(chosen) == len(traffic) else traffic.take(chosen)
    client, seen, server = own.client, own.client_seen, own.server
    if len(choices.numbers) == len(choices.first) - 1:  # nothing is ambiguous
        return chosen, client, seen, server
    clients, sights, servers = (_counts(choices, one) for one in (client, seen, server))
    # A client that is seen as itself is one thing: its candidates are not crossed with themselves.
    sights = np.where(seen == client, 1, sights)
    times = clients * sights * servers
    row = np.repeat(np.arange(len(chosen)), times)
    turn = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    of_client, turn = turn % clients[row], turn // clients[row]
    of_server, turn = turn % servers[row], turn // servers[row]
    of_seen = np.where((seen == client)[row], of_client, turn)
    return (
        chosen[row],
        choices.numbers[choices.first[client[row]] + of_client],
        choices.numbers[choices.first[seen[row]] + of_seen],
        choices.numbers[choices.first[server[row]] + of_server],
    )


def _counts(choices: Lists, endpoints: Numbers) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = choices.first[endpoints + 1] - choices.first[endpoints]
    return counts
