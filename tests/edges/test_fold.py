"""Records against a fold written out by hand, and the cases that logs are known for."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.schema import KEY, MEASURES, Edges, Source
from synth.flows import Initiator, Outcome, Rung, Vantage
from synth.inventory.model import Node
from tests.edges.scalar import ScalarFold
from tests.edges.strategies import (
    API,
    CLUSTER,
    DAY,
    DB,
    DECLARED,
    HANDED,
    HOUR,
    NODE1,
    NODE2,
    NOON,
    OUTSIDE,
    PEER1,
    PEER2,
    SECOND,
    SERVICE,
    SHARED,
    UDP,
    UNHELD,
    WEB1,
    WEB2,
    Line,
    batch,
    cluster,
    folded,
    lines,
    names,
    only,
    rows,
    syn,
    syn_ack,
    tracked,
)


def compare(edges: Edges, scalar: ScalarFold) -> None:
    """Assert that both hold the same edges with the same measures."""
    plain = {tuple(row[name] for name in KEY): row for row in rows(edges)}
    assert plain.keys() == scalar.edges.keys()
    for key, wanted in scalar.edges.items():
        found = plain[key]
        for side in ("client", "server"):
            members = wanted[f"{side}_members"]
            assert found[f"least_{side}"] == min(members)
            assert found[f"greatest_{side}"] == max(members)
        single = found["least_connection"] == found["greatest_connection"]
        assert single == (len(scalar.connections[key]) == 1)
        for name in (*MEASURES, "rungs", "half_days", "asked", "example"):
            if name in wanted:
                assert found[name] == wanted[name], (name, key)


@settings(max_examples=150)
@given(st.lists(lines(), min_size=1, max_size=30), st.sampled_from((0, 60 * SECOND)))
def test_the_fold_is_what_one_record_after_the_other_gives(
    some: Sequence[Line], slack: int
) -> None:
    scalar = ScalarFold(CLUSTER)
    for one in some:
        scalar.add(one, slack=slack)

    edges = folded(*some, slack=slack)

    compare(edges, scalar)
    keys = [tuple(row[name] for name in KEY) for row in rows(edges)]
    assert keys == sorted(keys)
    assert set(edges.files) == {"a.log"}
    assert collapse(edges) is edges


@settings(max_examples=50)
@given(st.lists(lines(), min_size=1, max_size=12))
def test_turning_every_record_round_changes_no_key(some: Sequence[Line]) -> None:
    one_way = [
        line
        for line in some
        if not line.bidirectional
        and line.seen_src is None
        and (line.src, line.src_port) != (line.dst, line.dst_port)
    ]
    edges = folded(*one_way)
    turned = folded(*(line.turned for line in one_way))

    keys = (*KEY, "records", "failed", "denied", "first", "last", "least_connection")
    extremes = [f"{which}_{end}" for which in ("least", "greatest") for end in ("client", "server")]

    def kept(given: Edges) -> list[tuple[object, ...]]:
        return [tuple(row[name] for name in (*keys, *extremes)) for row in rows(given)]

    assert kept(edges) == kept(turned)
    assert edges.from_client.tolist() == turned.from_server.tolist()
    assert edges.heard_client.tolist() == turned.heard_server.tolist()
    assert edges.packets_out.tolist() == turned.packets_back.tolist()
    assert edges.bytes_out.tolist() == turned.bytes_back.tolist()
    assert edges.opened_at_client.tolist() == turned.opened_at_client.tolist()


def test_no_records_are_no_edges() -> None:
    assert len(folded()) == 0


def test_one_connection_in_the_logs_of_both_interfaces_is_one() -> None:
    told = [
        line
        for vantage, other in ((Vantage.AT_SRC, Vantage.AT_DST), (Vantage.AT_DST, Vantage.AT_SRC))
        for line in (syn(WEB1, DB, 3306, vantage=vantage), syn_ack(WEB1, DB, 3306, vantage=other))
    ]

    edges = folded(*told)

    assert only(edges)["records"] == 4
    assert edges.connections.tolist() == [1]
    assert edges.single_connection.tolist() == [True]
    assert edges.answered.tolist() == [2]


def test_one_connection_at_both_nodes_trackers_is_one() -> None:
    edges = folded(
        *(tracked(WEB1, DB, 3306, opening=True, observer=node) for node in ("n1", "n2")),
        source="conntrack-text",
    )

    assert edges.connections.tolist() == [1]
    assert edges.single_connection.tolist() == [True]


def test_two_connections_at_both_nodes_trackers_are_two() -> None:
    told = [
        tracked(WEB1, DB, 3306, port, opening=True, observer=node)
        for node in ("n1", "n2")
        for port in (40000, 40001)
    ]

    edges = folded(*told, source="conntrack-text")

    assert edges.connections.tolist() == [2]
    assert edges.single_connection.tolist() == [False]


def test_a_connection_within_one_node_is_counted_once() -> None:
    edges = folded(tracked(WEB1, API, 5000, opening=True, observer="n1"))

    assert only(edges)["same_node"]
    assert edges.connections.tolist() == [1]


@pytest.mark.parametrize("observer", [None, "elsewhere"])
def test_an_opening_that_nobody_can_place_leaves_the_count_unknown(observer: str | None) -> None:
    edges = folded(tracked(WEB1, DB, 3306, opening=True, observer=observer))

    assert edges.connections.tolist() == [-1]


def test_request_and_reply_in_records_of_their_own_are_an_answered_edge() -> None:
    edge = only(folded(syn(WEB1, DB, 3306), syn_ack(WEB1, DB, 3306)))

    assert (edge["answered"], edge["failed"], edge["denied"]) == (1, 0, 0)
    assert (edge["from_client"], edge["from_server"]) == (1, 1)
    assert (edge["packets_out"], edge["packets_back"]) == (3, 3)


def test_a_syn_alone_is_not_answered() -> None:
    edge = only(folded(syn(WEB1, DB, 3306)))

    assert (edge["answered"], edge["failed"], edge["denied"]) == (0, 0, 0)


def test_a_refused_syn_is_denied() -> None:
    edge = only(folded(syn(WEB1, DB, 3306, outcome=Outcome.DENIED, opening=False)))

    assert (edge["answered"], edge["denied"]) == (0, 1)


def test_a_rejected_record_after_the_end_is_no_denial() -> None:
    late = Line(WEB1, API, 41822, 5000)

    edge = only(folded(syn(WEB1, API, 5000), syn_ack(WEB1, API, 5000), late))

    assert (edge["records"], edge["answered"], edge["denied"]) == (3, 1, 0)


def test_masquerade_shows_the_server_another_client() -> None:
    edge = only(folded(tracked(WEB1, DB, 3306, seen_src=NODE1)))

    assert edge["client"].name == "shop/web"
    assert edge["client_seen"].name == "node n1"


def test_counters_follow_the_client() -> None:
    edge = only(folded(tracked(WEB1, API, 5000, initiator=Initiator.DST, fwd=7, rev=2)))

    assert (edge["client"].name, edge["server"].name) == ("shop/api", "shop/web")
    assert (edge["packets_out"], edge["packets_back"]) == (2, 7)
    assert (edge["bytes_out"], edge["bytes_back"]) == (20, 700)


def test_a_pod_to_itself() -> None:
    assert only(folded(tracked(API, API, 5000)))["same_pod"]
    assert not only(folded(tracked(WEB1, WEB2, 5000)))["same_pod"]
    assert not only(folded(tracked(OUTSIDE, OUTSIDE, 5000)))["same_pod"]


def test_an_address_at_its_handover_is_ambiguous_or_of_one_workload() -> None:
    across = {"start": NOON - HOUR, "end": NOON + HOUR}

    assert only(folded(syn(WEB1, SHARED, 80, **across)))["server"].name == "shop/job"
    assert only(folded(syn(WEB1, HANDED, 80, **across)))["server"].name == "shop/new or shop/old"
    gap = {"start": NOON + 2 * SECOND, "end": NOON + 3 * SECOND}
    assert only(folded(syn(WEB1, HANDED, 80, **gap)))["server"].name == HANDED


def test_what_nobody_holds_has_a_kind_of_its_own() -> None:
    found = {
        row["server"].kind.value
        for row in rows(
            folded(syn(WEB1, UNHELD, 80), syn(WEB1, OUTSIDE, 80), syn(WEB1, SERVICE, 80))
        )
    }

    assert found == {"unheld", "address", "service"}


def test_the_service_asked_for_is_kept() -> None:
    edge = only(folded(tracked(WEB1, API, 5000, asked=SERVICE), tracked(WEB1, API, 5000)))

    assert edge["asked"].name == "service shop/api"


@pytest.mark.parametrize(
    ("start", "number"),
    [(0, 0), (12 * HOUR - 1, 0), (12 * HOUR, 1), (DAY - 1, 1), (DAY, 2), (NOON, 40_001)],
)
def test_half_days_begin_at_midnight_and_noon(start: int, number: int) -> None:
    edge = only(folded(syn(WEB1, DB, 3306, start=start, end=start)))

    assert edge["half_days"] == {number}


def test_half_days_of_months_apart() -> None:
    days = (0, 31, 32, 33, 100)
    told = [syn(WEB1, DB, 3306, start=NOON + day * DAY, end=NOON + day * DAY) for day in days]

    assert only(folded(*told))["half_days"] == {40_001 + 2 * day for day in days}


def test_records_without_time_have_no_half_day() -> None:
    edge = only(folded(syn(WEB1, DB, 3306, start=None, end=None)))

    assert edge["half_days"] == set()
    assert edge["first"] > edge["last"]


def test_an_open_connection_is_an_undecided_pair_without_its_ephemeral_port() -> None:
    edge = only(folded(Line(WEB1, DB, 41822, 3306), Line(DB, WEB1, 3306, 41822)))

    assert not edge["decided"]
    assert {edge["client_port"], edge["port"]} == {0, 3306}
    assert edge["heard_client"] == edge["heard_server"] == 1
    assert edge["rungs"][Rung.NONE] == 2


def test_a_declared_listener_decides_at_once() -> None:
    edge = only(folded(Line(API, WEB1, 5000, 41822), Line(WEB1, API, 41822, 5000)))

    assert edge["decided"]
    assert edge["server"].name == "shop/api"
    assert edge["answered"] == 1
    assert edge["rungs"][Rung.DECLARED] == 2


def test_a_late_answer_is_turned_round_and_is_an_answer() -> None:
    late = tracked(API, WEB1, 41822, 53, protocol=UDP, rev=0)

    edge = only(folded(late))

    assert (edge["client"].name, edge["server"].name, edge["port"]) == ("shop/web", "shop/api", 53)
    assert edge["answered"] == 1


def test_replicas_of_one_workload_on_one_port_keep_their_sides() -> None:
    there, back = Line(PEER1, PEER2, 7000, 7000), Line(PEER2, PEER1, 7000, 7000)

    edge = only(folded(there, back))

    assert names(folded(there, back)) == [("shop/peer", "shop/peer", 7000, False)]
    assert (edge["from_client"], edge["from_server"]) == (1, 1)
    assert edge["least_client"] == edge["greatest_client"]
    assert edge["least_server"] == edge["greatest_server"]


@pytest.mark.parametrize(
    ("source", "hidden", "expected"),
    [
        ("vpc-text", False, Source.VPC),
        ("vpc-text", True, Source.VPC | Source.INTERFACES),
        ("conntrack-text", False, Source.CONNTRACK),
    ],
)
def test_an_edge_keeps_which_logs_saw_it(source: str, hidden: bool, expected: Source) -> None:  # noqa: FBT001
    one = replace(batch([syn(WEB1, DB, 3306)], source=source), interfaces=hidden)

    edges = fold(one, CLUSTER, DECLARED)

    assert edges.sources.tolist() == [expected]


@pytest.mark.parametrize("gateway", ["10.0.1.0", "10.0.1.1"])
def test_a_probe_from_the_nodes_bridge_is_of_the_pods_own_node(gateway: str) -> None:
    nodes = (Node("n1", (NODE1,), ("10.0.1.0/24",)), Node("n2", (NODE2,), ("10.0.2.0/24",)))
    inventory = cluster(nodes=nodes)

    edges = fold(batch([syn(gateway, API, 5000), syn(gateway, DB, 5000)]), inventory, DECLARED)

    told = {(row["client"].name, row["server"].name, row["same_node"]) for row in rows(edges)}
    assert told == {("node n1", "shop/api", True), ("node n1", "shop/db", False)}
