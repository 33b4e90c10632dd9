"""Label intersection: peers that share a combination of labels are one, by what they share.

For each subject, direction and port, the combination of labels that most of the observed peers
carry, of those the longest, is tried first; two peers or more that carry it become one peer term.
Nobody asks what else carries it. Subjects are selected by all of their labels.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from benchmarks.judge.baselines.label_copy import copy_labels
from benchmarks.judge.baselines.traffic import Traffic
from benchmarks.judge.baselines.write import group_by_ports, name_peer, select_all, to_policies
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal, Selection
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Labels
from synth.policy.model import Direction, Peer, Rule
from synth.policy.ports import PortSet
from synth.policy.selector import Selector

Subject = tuple[str, Selector]
Merged = dict[Selector, frozenset[Endpoint]]
LONGEST = 3
"""Labels in a combination that is tried; a peer that shares none is selected by all of its own."""


def merge_peers(peers: Iterable[Endpoint]) -> Merged:
    """Return selector → the peers that it was made from, all of one namespace."""
    left, found = set(peers), Merged()
    while left:
        combination = _most_shared(left)
        if combination is None:
            break
        some = frozenset(one for one in left if set(combination) <= set(one.labels))
        found[Selector.equal(dict(combination))] = some
        left -= some
    for one in left:
        own = copy_labels(one)
        found[own] = found.get(own, frozenset()) | {one}
    return found


def _most_shared(peers: Iterable[Endpoint]) -> Labels | None:
    """Return the combination that most workloads carry, then the longest, then the first."""
    carriers: dict[Labels, set[str]] = defaultdict(set)
    for one in peers:
        for size in range(1, LONGEST + 1):
            for combination in combinations(one.labels, size):
                carriers[combination].add(one.workload)
    shared = [one for one, some in carriers.items() if len(some) > 1]
    return min(shared, key=lambda one: (-len(carriers[one]), -len(one), one), default=None)


def propose_label_intersection(prepared: Prepared) -> Proposal:
    """Return policies whose peers are merged by labels that they share."""
    traffic = Traffic(prepared.plain)
    _ = traffic.edges  # read before the clock starts
    began = time.perf_counter()
    met: dict[tuple[Subject, Direction, PortSet], set[Endpoint]] = defaultdict(set)
    for one in traffic.contacts(traffic.answered):
        subject = one.subject.namespace, copy_labels(one.subject)
        met[subject, one.direction, one.ports].add(one.peer)
    ports: dict[tuple[Subject, Direction], dict[Peer, PortSet]] = defaultdict(dict)
    merged: dict[tuple[str, Selector], set[Endpoint]] = defaultdict(set)
    for (subject, way, port), some in met.items():
        for peer in _name_all(subject, some, merged):
            ports[subject, way][peer] = ports[subject, way].get(peer, PortSet()) | port
    rules: dict[Subject, dict[Direction, tuple[Rule, ...]]] = defaultdict(dict)
    for (subject, way), found in ports.items():
        rules[subject][way] = group_by_ports(found)
    return Proposal(
        contestant="label-intersection",
        policies=to_policies(rules),
        edges=traffic.edges,
        accepted=traffic.answered,
        roles={},
        selections=(
            *select_all(traffic, traffic.answered, copy_labels),
            *_selections(traffic, merged),
        ),
        seconds=time.perf_counter() - began,
        records=int(traffic.edges.records.sum()) + traffic.world.capture.skipped.total,
    )


def _name_all(
    subject: Subject, peers: Iterable[Endpoint], merged: dict[tuple[str, Selector], set[Endpoint]]
) -> Iterable[Peer]:
    """Yield the peers of one port, and remember what their selectors were made from."""
    spaces: dict[str, set[Endpoint]] = defaultdict(set)
    for one in peers:
        if one.kind is Kind.POD:
            spaces[one.namespace].add(one)
        else:
            yield name_peer(one, Selector(), subject[0])
    for namespace, some in spaces.items():
        for selector, ends in merge_peers(some).items():
            merged[namespace, selector] |= ends
            yield name_peer(next(iter(ends)), selector, subject[0])


def _selections(
    traffic: Traffic, merged: Mapping[tuple[str, Selector], Iterable[Endpoint]]
) -> Iterable[Selection]:
    for (namespace, selector), some in sorted(merged.items(), key=lambda item: item[0]):
        yield Selection(namespace, selector, traffic.true_names(some))
