"""``locate`` against a loop over all holdings, row by row."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.locate import locate, resolve
from synth.inventory.model import NEVER, Inventory, Placement

ADDRESSES = tuple(bytes(15) + bytes([n]) for n in range(5))
"""The last one is never held."""


@dataclass(frozen=True)
class Holding:
    address: int
    start: int
    end: int
    endpoint: int


def build(holdings: list[Holding]) -> Inventory:
    """Return an inventory with these holdings; every two endpoints are of one workload."""
    some = sorted(holdings, key=lambda one: (one.address, one.start, one.end, one.endpoint))
    endpoints = tuple(
        Endpoint(Kind.POD, "shop", f"Deployment/w{n // 2}", (("n", str(n)),)) for n in range(6)
    )
    return Inventory(
        endpoints=endpoints,
        holding_address=tuple(ADDRESSES[one.address] for one in some),
        holding_start=np.array([one.start for one in some], np.int64),
        holding_end=np.array([one.end for one in some], np.int64),
        holding_endpoint=np.array([one.endpoint for one in some], np.int32),
    )


def find_holders(inventory: Inventory, address: bytes, start: int, end: int) -> list[int]:
    """Return the holdings that meet [start, end], by looking at each."""
    return [
        number
        for number, held in enumerate(inventory.holding_address)
        if held == address
        and inventory.holding_start[number] <= end
        and inventory.holding_end[number] > start
    ]


# Few distinct times, so that boundaries meet.
TIMES = st.integers(0, 12)


@st.composite
def holdings(draw: st.DrawFn) -> Holding:
    start, end = sorted(draw(st.tuples(TIMES, TIMES)))
    open_start, open_end = draw(st.booleans()), draw(st.booleans())
    return Holding(
        draw(st.integers(0, 3)),
        -NEVER if open_start and draw(st.booleans()) else start,
        NEVER if open_end and draw(st.booleans()) else end + 1,
        draw(st.integers(0, 5)),
    )


@st.composite
def rows(draw: st.DrawFn) -> tuple[int, int, int]:
    code = draw(st.integers(0, 4))
    if draw(st.integers(0, 9)) == 0:
        return code, -NEVER, NEVER
    start, end = sorted(draw(st.tuples(TIMES, TIMES)))
    return code, start, end


def columns(
    some: list[tuple[int, int, int]],
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    table = np.array(some, np.int64).reshape(-1, 3)
    return table[:, 0].astype(np.int32), table[:, 1], table[:, 2]


@given(st.lists(holdings(), max_size=12), st.lists(rows(), max_size=12))
def test_it_finds_what_a_loop_finds(held: list[Holding], some: list[tuple[int, int, int]]) -> None:
    inventory = build(held)
    placement = locate(inventory, ADDRESSES, *columns(some))
    assert placement.first.dtype == placement.last.dtype == np.int32
    for row, (code, start, end) in enumerate(some):
        holders = find_holders(inventory, ADDRESSES[code], start, end)
        expected = (holders[0], holders[-1]) if holders else (-1, -1)
        assert (placement.first[row], placement.last[row]) == expected


@given(st.lists(holdings(), max_size=12), st.lists(rows(), max_size=12))
def test_a_row_does_not_depend_on_the_others(
    held: list[Holding], some: list[tuple[int, int, int]]
) -> None:
    inventory = build(held)
    together = locate(inventory, ADDRESSES, *columns(some))
    for row, one in enumerate(some):
        alone = locate(inventory, ADDRESSES, *columns([one]))
        assert (alone.first[0], alone.last[0]) == (together.first[row], together.last[row])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 4, (-1, -1)),
        (0, 5, (0, 0)),
        (9, 9, (0, 0)),
        (9, 10, (0, 1)),
        (10, 10, (1, 1)),
        (19, 20, (1, 1)),
        (20, 29, (-1, -1)),
        (20, 30, (2, 2)),
        (NEVER - 1, NEVER - 1, (2, 2)),
        (-NEVER, NEVER, (0, 2)),
    ],
)
def test_boundaries_are_half_open(start: int, end: int, expected: tuple[int, int]) -> None:
    held = [Holding(0, 5, 10, 0), Holding(0, 10, 20, 2), Holding(0, 30, NEVER, 4)]
    placement = locate(build(held), ADDRESSES, *columns([(0, start, end)]))
    assert (placement.first[0], placement.last[0]) == expected


def test_no_rows_and_no_addresses() -> None:
    placement = locate(build([]), (), *columns([]))
    assert (placement.first.tolist(), placement.last.tolist()) == ([], [])


def test_resolve_names_one_workload_or_every_candidate() -> None:
    inventory = build(
        [
            Holding(0, 0, 5, 1),
            Holding(0, 5, 9, 0),
            Holding(1, 0, 5, 5),
            Holding(1, 5, 9, 2),
            Holding(1, 9, 12, 5),
        ]
    )
    first, last = [-1, 0, 0, 2, 2, 3, 4], [-1, 0, 1, 3, 4, 4, 4]
    placement = Placement(np.array(first, np.int32), np.array(last, np.int32))
    found = resolve(inventory, placement)
    assert found.endpoint.dtype == np.int32
    assert found.endpoint.tolist() == [-1, 1, 0, -2, -2, -2, 5]
    assert found.candidates == ((2, 5),)


def test_resolve_of_nothing() -> None:
    nothing = np.zeros(0, np.int32)
    found = resolve(build([]), Placement(nothing, nothing))
    assert (found.endpoint.tolist(), found.candidates) == ([], ())
