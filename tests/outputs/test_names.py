import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.outputs.names import LONGEST, file_name
from synth.outputs.traffic import Telling, days_of
from tests.reports import sample

TEXT = st.text(st.characters(), max_size=300)


@given(TEXT, TEXT)
def test_different_texts_have_different_names(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


@given(TEXT)
def test_names_are_safe(text: str) -> None:
    name = file_name(text)
    assert 0 < len(name.encode()) <= LONGEST
    assert "/" not in name
    assert not name.startswith((".", "-"))


@given(st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?", fullmatch=True))
def test_names_of_the_api_stay_as_they_are(text: str) -> None:
    assert file_name(text) == text


@pytest.mark.parametrize(
    ("base", "bits", "days"),
    [(0, 0b11, 1), (1, 0b11, 2), (0, 0b101, 2), (1, 0b1, 1), (0, 0, 0), (0, 1 << 63 | 1, 2)],
)
def test_days(base: int, bits: int, days: int) -> None:
    edges = sample.edges()
    changed = {name: values[:1] for name, values in edges.columns.items()}
    changed["half_days"] = np.array([[bits, 0]], np.uint64)
    one = type(edges)(endpoints=edges.endpoints, files=edges.files, half_day_base=base, **changed)
    assert days_of(one, 0) == days


def test_edges_without_times_or_openings() -> None:
    edges = sample.edges()
    edges.first[:] = np.iinfo(np.int64).max
    edges.last[:] = -np.iinfo(np.int64).max
    told = Telling.of(edges).evidence(4)
    assert told["connections"] is None
    assert told["first_seen"] is None
    assert told["last_seen"] is None
