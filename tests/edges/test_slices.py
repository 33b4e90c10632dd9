"""What the fold does to large batches, on small ones: slices, numbered keys, sorted listeners."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.edges import fold as folding
from synth.edges import groups, listening
from synth.edges.connections import hash_addresses, hash_connections
from synth.edges.groups import Groups, Part
from tests.edges.strategies import Line, assert_same, folded, lines


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Leave room for nothing: three records a slice, no table, a number for every part."""
    with monkeypatch.context() as context:
        yield context


def cramp(context: pytest.MonkeyPatch) -> None:
    context.setattr(folding, "SLICE_ROWS", 3)
    context.setattr(listening, "_LARGEST_TABLE", 0)
    context.setattr(groups, "_LARGEST", 1 << 20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some=st.lists(lines(), min_size=4, max_size=20))
def test_room_makes_no_difference(some: Sequence[Line], small: pytest.MonkeyPatch) -> None:
    wide = folded(*some)
    with small.context() as context:
        cramp(context)
        narrow = folded(*some)
    assert_same(wide, narrow)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 900)), min_size=1))
def test_groups_by_parts_are_the_distinct_rows(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows).T
    parts = [Part(columns[0], 5), Part(columns[1], 2), Part.packed(columns[2], 901)]
    found = Groups.by_parts(parts)
    assert len(found.one) == len(set(rows))
    assert [rows[found.one[number]] for number in found.of] == rows


def test_a_connection_has_one_hash_from_either_end_and_another_with_ports_changed_over() -> None:
    hashes = hash_addresses([bytes(16), bytes(15) + b"\1"])
    here, there = np.array([0]), np.array([1])
    low, high = np.array([80], np.uint16), np.array([40000], np.uint16)
    request = hash_connections(hashes, (here, there), (high, low))
    assert request == hash_connections(hashes, (there, here), (low, high))
    assert request != hash_connections(hashes, (here, there), (low, high))
