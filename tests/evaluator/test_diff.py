"""The laws of edits, and connections compared by probing both sides of every change."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.commands.cluster import named_blocks
from synth.dialects.kubernetes import parse_policies
from synth.evaluator.connectivity import connect
from synth.evaluator.diff import (
    Added,
    Changed,
    Edit,
    Removed,
    diff,
    edit_of,
    ends_of,
    invert,
    subject_of,
)
from synth.evaluator.outside import without
from synth.evaluator.reach import End, Reach
from synth.evaluator.reach_diff import Member, diff_connections
from synth.evaluator.spans import span_of
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy import PodPeer, Policy, PolicySet, PortSet, Protocol, Rule
from synth.policy.address import parse_address, parse_network
from tests.evaluator.cluster import NAMESPACES, block, labelled, pod, ports
from tests.worlds import world

States = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 2))


@given(States)
def test_nothing_differs_from_itself(state: dict[str, int]) -> None:
    assert diff(state, dict(reversed(state.items()))) == ()


@given(States, States)
def test_the_way_back_is_the_inverse(old: dict[str, int], new: dict[str, int]) -> None:
    edits = diff(old, new)
    assert invert(edits) == diff(new, old)
    assert invert(invert(edits)) == edits


@given(States, States)
def test_edits_lead_from_old_to_new(old: dict[str, int], new: dict[str, int]) -> None:
    before = diff({key: (key, value) for key, value in old.items()}, {})
    assert [ends_of(edit)[0] for edit in before] == sorted(old.items())
    edits = diff(
        {key: (key, value) for key, value in old.items()},
        {key: (key, value) for key, value in new.items()},
    )
    state = dict(old)
    for was, becomes in map(ends_of, edits):
        if was:
            assert state.pop(was[0]) == was[1]
        if becomes:
            state[becomes[0]] = becomes[1]
    assert state == new


def test_an_edit_is_of_something() -> None:
    assert edit_of(1, None) == Removed(1)
    assert edit_of(None, 1) == Added(1)
    assert edit_of(0, 1) == Changed(0, 1)
    with pytest.raises(ValueError, match="nothing"):
        edit_of(None, None)


# -- connections

WEB, API, DB = pod(app="web"), pod(app="api"), pod(app="db")
DB_TOO = pod(app="db", tier="back")


def shop_db(*rules: Rule) -> Policy:
    return Policy("shop", "db", labelled(app="db"), ingress=rules)


def compare(
    old: Sequence[Policy], new: Sequence[Policy], *pods: tuple[Endpoint, str]
) -> list[Edit[Reach]]:
    endpoints = tuple(dict.fromkeys(one for one, _ in pods))
    members = [Member(endpoints.index(one), one.name, name, (4,)) for one, name in pods]
    before, after = (connect(PolicySet.of(one), endpoints, NAMESPACES) for one in (old, new))
    edits = diff_connections(before, after, members, [span_of("10.0.0.0/8")])
    return list(edits)


THREE = ((WEB, "web-0"), (API, "api-0"), (DB, "db-0"))
EVERYTHING = PortSet.every()
FROM_API = Rule((PodPeer(labelled(app="api")),), ports("TCP 3306"))
SHOP_DB = End("shop/db")
ABROAD = End(spans=without([span_of("0.0.0.0/0")], [span_of("10.0.0.0/8")]))


def test_a_first_policy_removes_what_it_does_not_admit() -> None:
    found = compare([], [shop_db(FROM_API)], *THREE)
    assert found == [
        Changed(
            Reach(End("shop/api"), (SHOP_DB,), EVERYTHING),
            Reach(End("shop/api"), (SHOP_DB,), ports("TCP 3306")),
        ),
        Removed(Reach(End("shop/web"), (SHOP_DB,), EVERYTHING)),
        Removed(Reach(ABROAD, (SHOP_DB,), EVERYTHING)),
    ]


def test_the_same_meaning_in_other_words_is_no_difference() -> None:
    split = [
        Policy("shop", name, labelled(app="db"), ingress=(Rule(FROM_API.peers, ports(text)),))
        for name, text in (("one", "TCP 3306"), ("two", "TCP 3307"))
    ]
    joined = [shop_db(Rule(FROM_API.peers, ports("TCP 3306-3307")))]
    assert compare(split, joined, *THREE) == []


def test_addresses_that_change_alike_are_one_connection() -> None:
    old = [shop_db(FROM_API)]
    new = [shop_db(FROM_API, Rule((block("203.0.113.0/25"), block("203.0.113.128/25"))))]
    assert compare(old, new, *THREE) == [
        Added(Reach(End(spans=(span_of("203.0.113.0/24"),)), (SHOP_DB,), EVERYTHING))
    ]


def test_what_differs_for_some_pods_only_says_so() -> None:
    old = [shop_db(FROM_API)]
    more = Policy(
        "shop", "more", labelled(tier="back"), ingress=(Rule((PodPeer(labelled(app="web")),)),)
    )
    twice = Endpoint(Kind.POD, "shop", DB.workload, DB_TOO.labels)
    found = compare(old, [*old, more], *THREE, (twice, "db-1"))
    assert found == [Added(Reach(End("shop/web"), (SHOP_DB,), EVERYTHING, some=True))]


def test_addresses_that_reach_some_pods_only_say_so() -> None:
    twice = Endpoint(Kind.POD, "shop", DB.workload, DB_TOO.labels)
    old = [shop_db(FROM_API)]
    place = "203.0.113.0/24"
    more = Policy("shop", "more", labelled(tier="back"), ingress=(Rule((block(place),)),))
    found = compare(old, [*old, more], *THREE, (twice, "db-1"))
    end = End(spans=(span_of(place),))
    assert found == [Added(Reach(end, (SHOP_DB,), EVERYTHING, some=True))]


@pytest.mark.parametrize("place", ["203.0.113.7/32", "0.0.0.0/32", "255.255.255.255/32"])
def test_one_address_is_one_address(place: str) -> None:
    old = [shop_db(FROM_API)]
    new = [shop_db(FROM_API, Rule((block(place),), ports("TCP 3306")))]
    end = End(spans=(span_of(place),))
    assert compare(old, new, *THREE) == [Added(Reach(end, (SHOP_DB,), ports("TCP 3306")))]
    assert compare(new, old, *THREE) == [Removed(Reach(end, (SHOP_DB,), ports("TCP 3306")))]


def test_a_single_pod_has_no_one_to_talk_to() -> None:
    alone = compare([], [shop_db()], (DB, "db-0"))
    assert [one.destinations for one in map(subject_of, alone)] == [(SHOP_DB,)]
    assert subject_of(alone[0]).source == ABROAD
    replicas = compare([], [shop_db()], (DB, "db-0"), (DB, "db-1"))
    assert Removed(Reach(SHOP_DB, (SHOP_DB,), EVERYTHING)) in replicas
    template = compare([], [shop_db()], (DB, ""))
    assert Removed(Reach(SHOP_DB, (SHOP_DB,), EVERYTHING)) in template


def test_families_never_meet() -> None:
    endpoints = (WEB, DB)
    members = [Member(0, WEB.name, "web-0", (6,)), Member(1, DB.name, "db-0", (4,))]
    before, after = (connect(PolicySet.of(one), endpoints, NAMESPACES) for one in ([], [shop_db()]))
    found = diff_connections(before, after, members)
    assert found == (Removed(Reach(End(spans=(span_of("0.0.0.0/0"),)), (SHOP_DB,), EVERYTHING)),)


# -- the evaluator probed


def worlds_apart(
    seed: int,
) -> tuple[PolicySet, PolicySet, tuple[Endpoint, ...], dict[str, dict[str, str]]]:
    """Return two sets of policies, often nearly alike, for the pods of one world."""
    drawn = world(seed, edges=1)
    documents = drawn.policies
    sets = [parse_policies(some, "world").policies for some in (documents, documents[1:])]
    blocks = sorted({str(one) for policies in sets for one in named_blocks(policies)})
    pods = tuple(
        Endpoint(
            Kind.POD,
            one.namespace,
            f"Pod/{one.name}",
            tuple(sorted(one.labels.items())),
            (),
            tuple(text for text in blocks if parse_address(one.address) in parse_network(text)),
        )
        for one in drawn.pods
    )
    spaces = {name: dict(labels) for name, labels in drawn.namespaces.items()}
    return sets[0], sets[1], tuple(dict.fromkeys(pods)), spaces


def probes(pods: Sequence[Endpoint], more: Sequence[Endpoint], numbers: Sequence[int]) -> Traffic:
    """Return every pod to every other thing and back, on all probed ports."""
    ends = (*pods, *more)
    rows = [
        (client, server, protocol.number, port)
        for client, server in product(range(len(ends)), repeat=2)
        if client != server and min(client, server) < len(pods)
        for protocol in Protocol
        for port in numbers
    ]
    table = np.array(rows)
    never = np.zeros(len(rows), np.bool_)
    return Traffic(
        endpoints=ends,
        client=table[:, 0].astype(np.int32),
        client_seen=table[:, 0].astype(np.int32),
        server=table[:, 1].astype(np.int32),
        protocol=table[:, 2].astype(np.uint8),
        port=table[:, 3].astype(np.int32),
        same_node=never,
        same_pod=never,
        decided=~never,
    )


def borders(*sets: PolicySet) -> list[int]:
    """Return a port of every interval that some rule can tell apart from its neighbours."""
    ranges = [
        one
        for policies in sets
        for policy in policies
        for rule in (*(policy.ingress or ()), *(policy.egress or ()))
        for one in rule.ports.ranges
    ]
    return sorted(
        {7} | {one.first for one in ranges} | {min(65535, one.last + 1) for one in ranges}
    )


def test_connections_differ_exactly_where_verdicts_do() -> None:
    differing = 0
    for seed in range(30):
        old, new, pods, spaces = worlds_apart(seed)
        sides = [connect(one, pods, spaces) for one in (old, new)]
        members = [Member(at, f"pod {at}", f"pod {at}", (4, 6)) for at in range(len(pods))]
        edits = diff_connections(sides[0], sides[1], members)
        outside = dict.fromkeys(one.endpoint for side in sides for one in side.outside)
        asked = probes(pods, tuple(outside), borders(old, new))
        before, after = (evaluate(one, asked, spaces).allowed for one in (old, new))
        expected = (np.where(before != after, after.astype(int), -1)).tolist()
        assert told(edits, asked) == expected, seed
        assert diff_connections(sides[1], sides[0], members) == tuple(
            sorted(invert(edits), key=order)
        )
        differing += sum(one >= 0 for one in expected)
    assert differing > 1_000


def told(edits: Sequence[Edit[Reach]], asked: Traffic) -> list[int]:
    """Return what the edits say of each probe: allowed now (1), no longer (0), no change (-1)."""
    ends = range(len(asked.endpoints))
    about: dict[tuple[int, int], list[Edit[Reach]]] = {}
    for edit in edits:
        one = subject_of(edit)
        clients, servers = (
            [at for at in ends if stands_for(end, at, asked)]
            for end in (one.source, one.destinations[0])
        )
        for pair in product(clients, servers):
            about.setdefault(pair, []).append(edit)
    protocols = {one.number: one for one in Protocol}
    found = []
    for row in range(len(asked)):
        pair = int(asked.client[row]), int(asked.server[row])
        port = protocols[int(asked.protocol[row])], int(asked.port[row])
        words = {
            bool(new and new.ports.contains(*port))
            for old, new in map(ends_of, about.get(pair, ()))
            if bool(old and old.ports.contains(*port)) != bool(new and new.ports.contains(*port))
        }
        assert len(words) < 2
        found.append(int(words.pop()) if words else -1)
    return found


def stands_for(end: End, number: int, asked: Traffic) -> bool:
    endpoint = asked.endpoints[number]
    if endpoint.kind is Kind.POD:
        return end.name == f"pod {number}"
    place, _ = span_of(endpoint.address)
    return any(low <= place <= high for low, high in end.spans)


def order(edit: Edit[Reach]) -> tuple[object, ...]:
    old, new = ends_of(edit)
    one = subject_of(edit)
    ports = str(old and old.ports), str(new and new.ports)
    return one.source.sort_key, one.destinations[0].sort_key, *ports
