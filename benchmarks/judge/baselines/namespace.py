"""Whole-namespace allow: each namespace admits the namespaces and addresses that it talks with."""

import time
from collections import defaultdict

from benchmarks.judge.baselines.traffic import Traffic
from benchmarks.judge.baselines.write import NAMESPACE_NAME, name_peer, select_all, to_policies
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.model import Direction, Peer, PodPeer, Rule
from synth.policy.selector import Selector

EVERYTHING = Selector()


def propose_namespace(prepared: Prepared) -> Proposal:
    """Return one policy for each namespace, every port open to each peer."""
    traffic = Traffic(prepared.plain)
    _ = traffic.edges  # read before the clock starts
    began = time.perf_counter()
    peers: dict[tuple[str, Selector], dict[Direction, set[Peer]]] = defaultdict(dict)
    for one in traffic.contacts(traffic.answered):
        ways = peers[one.subject.namespace, EVERYTHING]
        ways.setdefault(one.direction, set()).add(_peer(one.peer))
    rules = {
        subject: {way: (Rule(tuple(some)),) for way, some in ways.items()}
        for subject, ways in peers.items()
    }
    names = traffic.world.names
    return Proposal(
        contestant="namespace",
        policies=to_policies(rules),
        edges=traffic.edges,
        accepted=traffic.answered,
        roles={word: space for (space, _), word in names.workload_of.items()},
        selections=select_all(traffic, traffic.answered, lambda _: EVERYTHING),
        seconds=time.perf_counter() - began,
        records=int(traffic.edges.records.sum()) + traffic.world.capture.skipped.total,
    )


def _peer(endpoint: Endpoint) -> Peer:
    if endpoint.kind is Kind.POD:
        return PodPeer(EVERYTHING, Selector.equal({NAMESPACE_NAME: endpoint.namespace}))
    return name_peer(endpoint, EVERYTHING, "")
