"""Who opened the connection, as far as a record and the declared listeners tell."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synth.direction import (
    FIRST_EPHEMERAL,
    LAST_EPHEMERAL,
    Listeners,
    Orientation,
    encode,
    looks_ephemeral,
    may_be_late_answer,
    orient,
)
from synth.flows import Initiator, Outcome, Rung
from synth.inventory.endpoint import Endpoint, Kind

POD = Endpoint(Kind.POD, "shop", "Deployment/db")
OTHER_CLASS = Endpoint(Kind.POD, "shop", "Deployment/db", labels=(("track", "canary"),))
ELSEWHERE = Endpoint(Kind.POD, "bank", "Deployment/db")
SERVICE = Endpoint(Kind.SERVICE, "shop", "db", address="10.96.0.1")
ENDPOINTS = (ELSEWHERE, POD, OTHER_CLASS, SERVICE)
TCP, UDP = 6, 17


def told(
    initiator: Initiator, rung: Rung, *, late: bool = False, src: bool = False, dst: bool = False
) -> tuple[bool, Rung]:
    """Return whether src is the server, and the rung, of one record."""
    found = orient(
        np.array([initiator], np.uint8),
        np.array([rung], np.uint8),
        np.array([late]),
        np.array([src]),
        np.array([dst]),
    )
    return bool(found.swap[0]), Rung(found.rung[0])


@pytest.mark.parametrize("rung", [Rung.FLAGS, Rung.TUPLE, Rung.REPORTED])
@pytest.mark.parametrize("src", [False, True])
@pytest.mark.parametrize("dst", [False, True])
def test_what_the_record_tells_stands(rung: Rung, src: bool, dst: bool) -> None:  # noqa: FBT001
    assert told(Initiator.SRC, rung, src=src, dst=dst) == (False, rung)
    assert told(Initiator.DST, rung, src=src, dst=dst) == (True, rung)


def test_a_declared_listener_on_one_side_decides() -> None:
    assert told(Initiator.UNKNOWN, Rung.NONE, dst=True) == (False, Rung.DECLARED)
    assert told(Initiator.UNKNOWN, Rung.NONE, src=True) == (True, Rung.DECLARED)


def test_listeners_on_both_sides_or_none_decide_nothing() -> None:
    assert told(Initiator.UNKNOWN, Rung.NONE)[1] == Rung.NONE
    assert told(Initiator.UNKNOWN, Rung.NONE, src=True, dst=True)[1] == Rung.NONE


def test_a_late_answer_is_turned_round_by_its_source_alone() -> None:
    assert told(Initiator.SRC, Rung.TUPLE, late=True, src=True) == (True, Rung.DECLARED)
    assert told(Initiator.SRC, Rung.TUPLE, late=True) == (False, Rung.TUPLE)
    assert told(Initiator.SRC, Rung.TUPLE, late=True, dst=True) == (False, Rung.TUPLE)
    assert told(Initiator.SRC, Rung.TUPLE, late=True, src=True, dst=True) == (False, Rung.TUPLE)


RECORDS = st.lists(
    st.tuples(
        st.sampled_from([(0, 0), (1, 1), (2, 1), (1, 2), (2, 3)]),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
)


@given(RECORDS)
def test_columns_are_judged_row_by_row(records: list[Any]) -> None:
    initiator, rung = np.array([one[0] for one in records], np.uint8).T
    late, src, dst = np.array([one[1:] for one in records], np.bool_).T

    found = orient(initiator, rung, late, src, dst)

    assert found.swap.dtype == np.bool_
    assert found.rung.dtype == np.uint8
    for at, ((who, how), *flags) in enumerate(records):
        one = told(Initiator(who), Rung(how), late=flags[0], src=flags[1], dst=flags[2])
        assert (bool(found.swap[at]), Rung(found.rung[at])) == one


@given(RECORDS)
def test_turned_records_are_turned(records: list[Any]) -> None:
    initiator, rung = np.array([one[0] for one in records], np.uint8).T
    _, src, dst = np.array([one[1:] for one in records], np.bool_).T
    never = np.zeros(len(records), np.bool_)

    here = orient(initiator, rung, never, src, dst)
    there = orient(np.array([0, 2, 1], np.uint8)[initiator], rung, never, dst, src)

    decided = here.rung > 0
    assert np.array_equal(here.rung, there.rung)
    assert np.array_equal(here.swap[decided], ~there.swap[decided])


def test_an_orientation_is_of_arrays() -> None:
    found = orient(*(np.zeros(0, kind) for kind in (np.uint8, np.uint8, bool, bool, bool)))

    assert isinstance(found, Orientation)
    assert len(found.swap) == len(found.rung) == 0


def holds(listeners: Listeners, endpoint: int, protocol: int, port: int) -> bool:
    columns: tuple[NDArray[Any], ...] = (
        np.array([endpoint], np.int32),
        np.array([protocol], np.uint8),
        np.array([port], np.uint16),
    )
    return bool(listeners.holds(*columns)[0])


def test_listeners_are_of_a_workload_and_all_its_classes() -> None:
    found = Listeners.of(ENDPOINTS, {("shop", "Deployment/db", TCP, 3306)})

    assert holds(found, 1, TCP, 3306)
    assert holds(found, 2, TCP, 3306)
    assert not holds(found, 0, TCP, 3306)
    assert not holds(found, 3, TCP, 3306)
    assert not holds(found, 1, UDP, 3306)
    assert not holds(found, 1, TCP, 3307)


def test_the_last_port_of_the_last_endpoint_is_no_border() -> None:
    found = Listeners.of(ENDPOINTS, {("shop", "Deployment/db", 255, 65535)})

    assert holds(found, 2, 255, 65535)
    assert not holds(found, 3, 0, 0)
    assert not holds(found, 3, 255, 65535)


def test_nobody_declares_anything() -> None:
    assert not holds(Listeners.of(ENDPOINTS, ()), 1, TCP, 3306)
    assert not holds(Listeners.of((), {("shop", "Deployment/db", TCP, 3306)}), 1, TCP, 3306)


@given(st.integers(0, 2**31 - 1), st.integers(0, 255), st.integers(0, 65535))
def test_codes_are_unique_and_sorted_as_their_parts(
    endpoint: int, protocol: int, port: int
) -> None:
    code = encode(endpoint, protocol, port)
    many = encode(np.array([endpoint]), np.array([protocol], np.uint8), np.array([port], np.uint16))

    assert many.tolist() == [code]
    assert (code >> 24, code >> 16 & 255, code & 65535) == (endpoint, protocol, port)


def test_the_ephemeral_range_is_that_of_linux() -> None:
    ports = np.array([0, FIRST_EPHEMERAL - 1, FIRST_EPHEMERAL, 50051, LAST_EPHEMERAL, 61000, 65535])

    assert looks_ephemeral(ports).tolist() == [False, False, True, True, True, False, False]


def test_only_unanswered_tracked_udp_may_be_a_late_answer() -> None:
    protocol = np.array([UDP, UDP, UDP, TCP], np.uint8)
    outcome = np.array([Outcome.UNKNOWN, Outcome.ANSWERED, Outcome.UNKNOWN, Outcome.UNKNOWN])
    both_ways = np.array([True, True, False, True])

    found = may_be_late_answer(protocol, outcome.astype(np.uint8), both_ways)

    assert found.tolist() == [True, False, False, False]
