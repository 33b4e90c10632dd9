"""Pairs that no record could orient, and what the whole capture tells about them."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.edges.settle import settle
from synth.flows import Initiator, Outcome, Rung, Vantage
from tests.edges.strategies import (
    API,
    CLUSTER,
    DB,
    DECLARED,
    HOUR,
    NOON,
    OTHER_OUTSIDE,
    OUTSIDE,
    PEER1,
    PEER2,
    UDP,
    WEB1,
    WEB2,
    Line,
    assert_same,
    batch,
    folded,
    lines,
    names,
    only,
    rows,
    syn,
    syn_ack,
    tracked,
)


def open_pair(client: str, server: str, client_port: int, port: int, **more: int) -> list[Line]:
    """Return both halves of a connection that was open already."""
    there = Line(client, server, client_port, port, **more)  # type: ignore[arg-type]
    return [there, there.turned]


def settled(*some: Line) -> Edges:
    return settle(folded(*some))


def test_a_port_proven_elsewhere_decides() -> None:
    some = [*open_pair(WEB1, DB, 41822, 3306), syn(API, DB, 3306)]

    edges = settled(*some)

    assert names(edges) == [
        ("shop/api", "shop/db", 3306, True),
        ("shop/web", "shop/db", 3306, True),
    ]
    assert edges.rung.tolist() == [Rung.FLAGS, Rung.PROVEN_SERVER]
    assert edges.answered.tolist() == [0, 1]


def test_a_declared_listener_decides() -> None:
    edges = settled(*open_pair(WEB1, API, 41822, 5000))

    assert names(edges) == [("shop/web", "shop/api", 5000, True)]
    assert edges.rung.tolist() == [Rung.DECLARED]


@pytest.mark.parametrize("client_port", [32768, 41822, 60999])
def test_a_port_outside_the_ephemeral_range_decides(client_port: int) -> None:
    for port in (3306, 32767, 61000):
        edges = settled(*open_pair(WEB1, DB, client_port, port))

        assert names(edges) == [("shop/web", "shop/db", port, True)]
        assert edges.rung.tolist() == [Rung.EPHEMERAL]


def test_a_lower_port_alone_decides_nothing() -> None:
    for client_port, port in ((41822, 41000), (20000, 3306), (8080, 8079), (900, 80)):
        edge = only(settled(*open_pair(WEB1, DB, client_port, port)))

        assert not edge["decided"]
        assert {edge["client_port"], edge["port"]} == {client_port, port}


def test_two_ephemeral_ports_decide_when_one_is_declared() -> None:
    edges = settled(*open_pair(WEB1, PEER1, 41822, 50051, protocol=UDP))

    assert names(edges) == [("shop/web", "shop/peer", 50051, True)]
    assert edges.rung.tolist() == [Rung.DECLARED]


def test_two_ephemeral_ports_decide_when_one_is_proven() -> None:
    edges = settled(*open_pair(WEB1, DB, 41822, 50051), syn(API, DB, 50051))

    assert ("shop/web", "shop/db", 50051, True) in names(edges)
    assert sorted(edges.rung.tolist()) == [Rung.FLAGS, Rung.PROVEN_SERVER]


def test_two_ephemeral_ports_and_no_evidence_stay_undecided() -> None:
    edges = settled(*open_pair(WEB1, DB, 41822, 50051))

    assert edges.decided.tolist() == [False]
    assert edges.rung.tolist() == [Rung.NONE]


def test_a_proven_ephemeral_port_that_was_forgotten_is_not_held_against_its_server() -> None:
    # The client's system hands out 20000, so that 50051 looks like the client's port.
    edges = settled(*open_pair(WEB1, DB, 20000, 50051), syn(API, DB, 50051))

    assert ("shop/db", "shop/web", 20000, True) not in names(edges)
    assert [row["decided"] for row in rows(edges)] == [True, False]


def test_peers_on_one_port_stay_undecided() -> None:
    edges = settled(*open_pair(PEER1, PEER2, 7000, 7000), *open_pair(WEB1, DB, 7000, 7000))

    assert edges.decided.tolist() == [False, False]


def test_peers_with_evidence_both_ways_run_both_ways() -> None:
    edges = settled(
        syn(WEB1, DB, 7000), syn_ack(WEB1, DB, 7000), syn(DB, WEB1, 7000), syn_ack(DB, WEB1, 7000)
    )

    assert names(edges) == [
        ("shop/db", "shop/web", 7000, True),
        ("shop/web", "shop/db", 7000, True),
    ]


def test_a_pair_whose_ends_are_both_proven_is_a_conflict() -> None:
    some = [syn(API, DB, 7000), syn(API, WEB1, 7000), *open_pair(WEB1, DB, 7000, 7000)]

    edges = settled(*some)

    undecided = [row for row in rows(edges) if not row["decided"]]
    assert len(undecided) == 1
    assert undecided[0]["port"] == 7000


def test_a_conflict_is_not_settled_by_a_lesser_rung() -> None:
    some = [syn(API, DB, 80), syn(API, WEB1, 7000), *open_pair(WEB1, DB, 7000, 80)]

    assert [row["decided"] for row in rows(settled(*some))].count(False) == 1


def test_time_servers_talk_on_one_port() -> None:
    edges = settled(*open_pair(WEB1, OUTSIDE, 123, 123, protocol=UDP))

    assert edges.decided.tolist() == [False]


def test_fan_in_decides_between_ports_that_clients_are_not_given() -> None:
    some = [line for port in (7001, 7002, 7003) for line in open_pair(WEB1, DB, port, 7000)]

    edges = settled(*some)

    assert names(edges) == [("shop/web", "shop/db", 7000, True)]
    assert edges.rung.tolist() == [Rung.DEGREE]
    assert edges.records.tolist() == [6]


def test_fan_in_of_two_decides_nothing() -> None:
    some = [line for port in (7001, 7002) for line in open_pair(WEB1, DB, port, 7000)]

    assert settled(*some).decided.tolist() == [False, False]


def test_a_pair_settled_late_counts_as_evidence_for_others() -> None:
    # Three ports meet three. Once one is proven, the other end's ports have met two as servers.
    ours, theirs = (7001, 7002, 7003), (8001, 8002, 8003)
    some = [line for a in ours for b in theirs for line in open_pair(DB, OUTSIDE, b, a)]

    assert not settled(*some).decided.any()
    assert settled(*some, syn(WEB1, OUTSIDE, 7003)).decided.all()


def test_a_registered_port_decides_when_nothing_better_does() -> None:
    alone = settled(*open_pair(WEB1, DB, 20000, 80))
    proven = settled(*open_pair(WEB1, DB, 20000, 80), syn(API, WEB1, 20000))

    assert names(alone) == [("shop/web", "shop/db", 80, True)]
    assert alone.rung.tolist() == [Rung.REGISTERED]
    assert ("shop/db", "shop/web", 20000, True) in names(proven)
    assert Rung.REGISTERED not in proven.rung.tolist()


def test_a_late_answer_is_merged_with_its_connection() -> None:
    request = tracked(WEB1, API, 53, protocol=UDP, outcome=Outcome.ANSWERED)
    late = tracked(API, WEB1, 41822, 53, protocol=UDP, rev=0)

    edges = settled(request, late)

    assert names(edges) == [("shop/web", "shop/api", 53, True)]
    assert edges.answered.tolist() == [2]


def test_a_refused_syn_and_its_reset_are_a_failed_contact() -> None:
    reset = Line(DB, WEB1, 3306, 41822, outcome=Outcome.FAILED)

    edge = only(settled(syn(WEB1, DB, 3306), reset))

    assert (edge["answered"], edge["failed"], edge["denied"]) == (0, 1, 0)


def test_a_reset_by_the_client_does_not_hide_the_answer() -> None:
    reset = Line(WEB1, DB, 41822, 3306, outcome=Outcome.FAILED)

    edge = only(settled(reset, Line(DB, WEB1, 3306, 41822)))

    assert (edge["client"].name, edge["server"].name) == ("shop/web", "shop/db")
    assert (edge["answered"], edge["failed"]) == (1, 1)


def test_a_client_that_nobody_answers_is_not_answered() -> None:
    assert settled(Line(WEB1, DB, 41822, 3306)).answered.tolist() == [0]


def test_every_mirrored_column_moves() -> None:
    # The pod's name sorts before the address, so that the pair is the wrong way round.
    told = {"vantage": Vantage.AT_SRC, "opening": True}
    there = Line(OUTSIDE, DB, 3306, 41822, fwd=7, rev=2, **told)  # type: ignore[arg-type]
    pair, edge = only(folded(there)), only(settled(there))

    assert (pair["client"], pair["server"]) == (edge["server"], edge["client"])
    for one, other in (
        ("from_client", "from_server"),
        ("heard_client", "heard_server"),
        ("packets_out", "packets_back"),
        ("bytes_out", "bytes_back"),
        ("least_client", "least_server"),
        ("greatest_client", "greatest_server"),
        ("opened_at_client", "opened_at_server"),
    ):
        assert (pair[one], pair[other]) == (edge[other], edge[one])
    assert edge["client_seen"] == edge["client"]
    assert (edge["client_port"], edge["port"], edge["answered"]) == (0, 3306, 1)
    assert edge["rungs"] == tuple(int(rung == Rung.EPHEMERAL) for rung in Rung)


def test_openings_within_a_node_are_counted_once_whichever_way_the_pair_runs() -> None:
    # API sorts before WEB, so that the pair is the wrong way round until it is settled.
    known = tracked(WEB1, API, 7000, 41822, opening=True, observer="n1")
    unknown = replace(known, src_port=41823, initiator=Initiator.UNKNOWN, rung=Rung.NONE)

    assert settled(known, unknown).connections.tolist() == [2]


def test_what_is_settled_does_not_depend_on_when_it_was_merged() -> None:
    proof, pair = folded(syn(API, DB, 50051)), folded(*open_pair(WEB1, DB, 41822, 50051))

    together = settle(merge([proof, pair]))

    assert together.decided.tolist() == [True, True]
    assert settle(pair).decided.tolist() == [False]
    # Settling is what the whole capture tells, so it comes after merging, once.
    assert len(merge([settle(proof), settle(pair)])) == 2


@settings(max_examples=60)
@given(st.lists(lines(), min_size=1, max_size=25))
def test_settling_twice_is_settling_once(some: Sequence[Line]) -> None:
    once = settle(folded(*some))

    assert_same(settle(once), once)
    assert once.records.sum() == len(some)


MESH = st.lists(
    st.builds(
        Line,
        st.sampled_from((WEB1, DB, OUTSIDE, OTHER_OUTSIDE)),
        st.sampled_from((WEB2, PEER1, DB)),
        st.sampled_from((7000, 7001, 7002, 80, 0)),
        st.sampled_from((7000, 7001, 900, 0)),
        initiator=st.sampled_from((0, 0, 0, 1)),
        rung=st.just(Rung.FLAGS),
    ).map(
        lambda line: (
            line if line.initiator else Line(line.src, line.dst, line.src_port, line.dst_port)
        )
    ),
    min_size=3,
    max_size=40,
)


@settings(max_examples=60)
@given(MESH)
def test_settling_a_mesh_twice_is_settling_it_once(some: Sequence[Line]) -> None:
    once = settle(folded(*some))

    assert_same(settle(once), once)


@settings(max_examples=25)
@given(st.lists(lines(), min_size=2, max_size=25), st.randoms(use_true_random=False))
def test_settling_does_not_depend_on_the_order_of_merging(
    some: Sequence[Line], random: Random
) -> None:
    whole = settle(collapse(folded(*some)))
    parts = [fold(batch([line]), CLUSTER, DECLARED) for line in some]
    random.shuffle(parts)

    assert_same(settle(merge(parts)), whole)


@settings(max_examples=25)
@given(st.lists(lines(), min_size=1, max_size=25))
def test_no_pair_is_decided_by_nothing(some: Sequence[Line]) -> None:
    edges = settle(folded(*some))

    assert np.array_equal(edges.rung > 0, edges.decided)
    assert np.array_equal(edges.rungs.sum(axis=1), edges.records)
    assert (edges.client_port[edges.decided] == 0).all()
    assert edges.half_days.shape[0] == len(edges)
    assert edges.first.min() >= 0 or NOON < HOUR
