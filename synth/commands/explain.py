"""``explain``: why one flow is allowed or denied."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from synth.commands.cluster import open_cluster
from synth.commands.explain_ends import End, difference, find_end
from synth.evaluator.explain import explain as explain_row
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.inventory.endpoint import Endpoint
from synth.inventory.model import Ranges
from synth.policy.ports import Protocol
from synth.proof.explained import FlowAnswer, Variant

MOST_PAIRS = 10_000
"""Of more pairs of kinds of pods, so many are looked at."""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A flow, as a person names it: workloads or pods (``web``, ``shop/web``) or addresses."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    cluster: tuple[str, ...]
    policies: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()


def explain(request: ExplainRequest) -> FlowAnswer:
    """Return why the flow is allowed or denied, under the given or the cluster's own policies.

    Raises
    ------
    UsageError
        If a name means nothing in the cluster, or several things.

    """
    cluster = open_cluster(
        request.cluster, request.ranges, request.policies or None, addresses=request.addresses
    )
    client = find_end(request.source, cluster.inventory, "--from")
    server = find_end(request.destination, cluster.inventory, "--to")
    pairs = _pairs(client, server)
    traffic = make_traffic(pairs, request.protocol.number, request.port)
    labels = cluster.inventory.namespace_labels
    verdicts = evaluate(cluster.policies, traffic, labels)
    notes = [one.note for one in (client, server) if one.note]
    if not request.policies:
        notes.append("no --policies: judged by the policies of the cluster files")
    return FlowAnswer(
        explain_row(cluster.policies, traffic.take(slice(1)), labels),
        tuple(notes),
        _variants(pairs, verdicts),
    )


def make_traffic(pairs: Sequence[tuple[Endpoint, Endpoint]], protocol: int, port: int) -> Traffic:
    """Return a row for each pair of client and server, on different nodes."""
    endpoints = tuple(sorted({end for pair in pairs for end in pair}))
    place = {end: at for at, end in enumerate(endpoints)}
    client = np.array([place[one] for one, _ in pairs], np.int32)
    never = np.zeros(len(pairs), np.bool_)
    return Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=np.array([place[one] for _, one in pairs], np.int32),
        protocol=np.full(len(pairs), protocol, np.uint8),
        port=np.full(len(pairs), port, np.int32),
        same_node=never,
        same_pod=never,
        decided=~never,
    )


def _pairs(client: End, server: End) -> list[tuple[Endpoint, Endpoint]]:
    """Return all pairs of kinds of pods, those that are explained first."""
    clients, servers = ((one.endpoint, *one.others) for one in (client, server))
    return list(product(clients, servers))[:MOST_PAIRS]


def _variants(
    pairs: Sequence[tuple[Endpoint, Endpoint]], verdicts: Verdicts
) -> tuple[Variant, ...]:
    """Return the pairs whose verdict is not that of the first."""
    words = [
        "undetermined" if u else "allowed" if a else "denied"
        for u, a in zip(verdicts.undetermined.tolist(), verdicts.allowed.tolist(), strict=True)
    ]
    client, server = pairs[0]
    found = {
        Variant(difference(one, client), difference(other, server), word)
        for (one, other), word in zip(pairs, words, strict=True)
        if word != words[0]
    }
    return tuple(sorted(found, key=lambda one: (one.client, one.server)))
