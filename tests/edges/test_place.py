"""Who held the addresses of a batch at the times of its records."""

import numpy as np
import pyarrow as pa
import pytest

from synth.edges.place import Placed, Places, distinct
from synth.flows import CODED_ADDRESS
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.endpoints import hash_member
from tests.edges.strategies import (
    API,
    CLUSTER,
    HANDED,
    NODE1,
    NODE9,
    NOON,
    OUTSIDE,
    SECOND,
    SERVICE,
    SHARED,
    SIX,
    UNHELD,
    WEB1,
    Line,
    batch,
    packed,
)


def place(*some: Line, column: str = "dst", slack: int = 0) -> tuple[list[Endpoint | None], Placed]:
    """Return the endpoints and the places of a column."""
    made = batch(some, slack=slack)
    places = Places(CLUSTER, made)
    placed = places.place(made.table.column(column))
    endpoints = (*places.endpoints, None)
    return [endpoints[number] for number in placed.endpoint], placed


def to(address: str, start: int | None = NOON, end: int | None = NOON) -> Line:
    return Line(WEB1, address, start=start, end=end)


@pytest.mark.parametrize(
    ("address", "kind", "name"),
    [
        (API, Kind.POD, "shop/api"),
        (SIX, Kind.POD, "shop/api"),
        (NODE1, Kind.NODE, "node n1"),
        (NODE9, Kind.NODE, "node "),
        (SERVICE, Kind.SERVICE, "service shop/api"),
        (UNHELD, Kind.UNHELD, UNHELD),
        (OUTSIDE, Kind.ADDRESS, OUTSIDE),
    ],
)
def test_an_address_is_what_held_it(address: str, kind: Kind, name: str) -> None:
    found, _ = place(to(address))

    assert found[0] is not None
    assert (found[0].kind, found[0].name) == (kind, name)


def test_node_and_replica_are_known_only_of_one_holder() -> None:
    _, placed = place(
        to(SHARED, NOON - 1, NOON - 1),
        to(SHARED, NOON - 1),
        to(HANDED, NOON - 1, NOON + 10 * SECOND),
        to(OUTSIDE),
    )

    assert placed.node.tolist() == [0, -1, -1, -1]
    assert placed.member.tolist() == [hash_member("uid-job-1"), hash_member("uid-job-2"), 0, 0]


def test_the_end_of_a_holding_is_not_part_of_it() -> None:
    found, placed = place(to(SHARED, NOON, NOON), to(SHARED, NOON - 1, NOON - 1))

    assert [one.name for one in found if one] == ["shop/job", "shop/job"]
    assert placed.node.tolist() == [1, 0]


def test_slack_makes_a_handover_ambiguous() -> None:
    exact, _ = place(to(HANDED, NOON - 2, NOON - 2))
    blurred, _ = place(to(HANDED, NOON - 2, NOON - 2), slack=11 * SECOND)

    assert exact[0] is not None
    assert exact[0].name == "shop/old"
    assert blurred[0] is not None
    assert blurred[0].kind is Kind.AMBIGUOUS
    assert [one.name for one in blurred[0].candidates] == ["shop/new", "shop/old"]


def test_a_record_without_time_may_mean_any_holder() -> None:
    found, _ = place(to(HANDED, None, None), to(API, None, None), to(SHARED, None, None))

    assert [one.kind for one in found if one] == [Kind.AMBIGUOUS, Kind.POD, Kind.POD]


def test_many_ambiguous_addresses_keep_their_own_names() -> None:
    found, _ = place(to(HANDED, None, None), to(OUTSIDE), to(UNHELD), to(HANDED, None, None))

    assert [one.address for one in found if one] == [HANDED, OUTSIDE, UNHELD, HANDED]


def test_a_missing_address_has_no_place() -> None:
    found, placed = place(Line(seen_src=None), Line(seen_src=NODE1), column="seen_src")

    assert [one.name if one else None for one in found] == [None, "node n1"]
    assert placed.node.tolist() == [-1, 0]
    assert placed.member.tolist() == [0, hash_member("n1")]


def test_a_column_of_nothing_has_no_places() -> None:
    found, placed = place(Line(), Line(), column="seen_src")

    assert found == [None, None]
    assert placed.member.tolist() == [0, 0]


def test_repeated_and_unused_values_of_a_dictionary_are_one() -> None:
    values = pa.array([packed(API), packed(WEB1), packed(API)], pa.binary(16))
    indices = pa.array([2, None, 0, 0], pa.int32())

    addresses, codes = distinct(pa.DictionaryArray.from_arrays(indices, values))

    assert addresses == (packed(API), packed(WEB1))
    assert codes.tolist() == [0, -1, 0, 0]


def test_an_empty_dictionary_has_no_addresses() -> None:
    addresses, codes = distinct(pa.nulls(2, CODED_ADDRESS))

    assert addresses == ()
    assert codes.tolist() == [-1, -1]
    assert codes.dtype == np.int32
