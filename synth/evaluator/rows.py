"""Traffic between concrete endpoints: a row with an ambiguous end stands once a candidate."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.admission import Queries
from synth.evaluator.bits import Mask
from synth.evaluator.compile import Compiled
from synth.evaluator.ports import WITHOUT_SEMANTICS
from synth.evaluator.sides import Lists
from synth.evaluator.traffic import Traffic
from synth.policy.model import Direction

Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows between concrete endpoints, in the order of the traffic's rows they stand for.

    | column | meaning |
    |---|---|
    | origin | int64[N], ascending: the row of the traffic |
    | client, seen, server | int32[N]: concrete endpoints |
    | port | int32[N]: port class |
    | same_pod, own_node | bool[N]: a pod to itself; from a node to a pod on it |
    """

    origin: NDArray[np.int64]
    client: Numbers
    seen: Numbers
    server: Numbers
    port: Numbers
    same_pod: Mask
    own_node: Mask

    def __len__(self) -> int:
        """Return N."""
        return len(self.origin)


@dataclass(frozen=True, slots=True)
class Asked:
    """What N rows ask of one direction: queries, and what is allowed or open without rules.

    ``queries.group`` is -1 where no rule can answer; ``isolated`` tells isolation all the same.
    """

    queries: Queries
    isolated: Mask
    exempt: Mask
    """Allowed whatever the rules say: a pod to itself, a node to its own pods."""
    without_semantics: Mask
    """Of a protocol that policies do not speak of."""


def expand(compiled: Compiled, traffic: Traffic, chosen: NDArray[np.integer[Any]]) -> Rows:
    """Return the chosen rows (ascending) of the traffic, once for each choice of candidates."""
    origin, client, seen, server = _choices(compiled.choices, traffic, chosen.astype(np.int64))
    return Rows(
        origin=origin,
        client=client,
        seen=seen,
        server=server,
        port=compiled.ports.of_rows(traffic.protocol[origin], traffic.port[origin], server),
        same_pod=traffic.same_pod[origin],
        own_node=traffic.same_node[origin] & compiled.nodes[seen],
    )


def ask(compiled: Compiled, rows: Rows, direction: Direction) -> Asked:
    """Return what the rows ask of the direction.

    | direction | subject | peer | exempt |
    |---|---|---|---|
    | egress | client | server | to itself |
    | ingress | server | the client as seen there | to itself, from its own node |
    """
    egress = direction is Direction.EGRESS
    subject, peer = (rows.client, rows.server) if egress else (rows.server, rows.seen)
    exempt = rows.same_pod if egress else rows.same_pod | rows.own_node
    group = compiled.sides[direction].group[compiled.class_of[subject]]
    without_semantics = rows.port == WITHOUT_SEMANTICS
    answerable = ~(exempt | without_semantics)
    return Asked(
        queries=Queries(
            group=np.where(answerable, group, np.int32(-1)),
            peer=compiled.class_of[peer],
            port=rows.port,
        ),
        isolated=group >= 0,
        exempt=exempt,
        without_semantics=without_semantics,
    )


def _choices(
    choices: Lists, traffic: Traffic, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Numbers, Numbers, Numbers]:
    client, seen, server = (
        column[chosen] for column in (traffic.client, traffic.client_seen, traffic.server)
    )
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
