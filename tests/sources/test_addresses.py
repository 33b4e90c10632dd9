import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.sources.addresses import BAD, NULL, code_addresses, is_complete, parse_address
from tests.sources.samples import address

TEXTS = (
    None,
    "-",
    "",
    "10.0.0.1",
    " 10.0.0.1 ",
    "10.0.0.2",
    "::ffff:10.0.0.1",
    "fe80::1%eth0",
    "x",
)
CELLS = st.lists(st.sampled_from(TEXTS), max_size=8)


def coded(cells: list[str | None]) -> pa.Array:
    return pa.array(cells, pa.utf8()).dictionary_encode()


@given(one=CELLS, other=CELLS, as_dictionary=st.booleans())
def test_equal_addresses_have_one_code_in_all_columns(
    *, one: list[str | None], other: list[str | None], as_dictionary: bool
) -> None:
    make = coded if as_dictionary else lambda cells: pa.array(cells, pa.utf8())
    addresses = code_addresses([make(one), make(other)])
    known = addresses.values.to_pylist()
    assert len(set(known)) == len(known)
    for cells, codes in zip((one, other), addresses.columns, strict=True):
        for cell, code in zip(cells, codes.tolist(), strict=True):
            parsed = parse_address(cell)
            special = {b"": NULL, None: BAD}.get(parsed)
            assert code == special if special is not None else known[code] == parsed


def test_a_column_may_be_missing() -> None:
    addresses = code_addresses([pa.nulls(2), coded(["10.0.0.1", None])])
    assert [codes.tolist() for codes in addresses.columns] == [[NULL, NULL], [0, NULL]]
    assert addresses.values.to_pylist() == [address("10.0.0.1")]


def test_chosen_rows_may_be_all_or_some() -> None:
    addresses = code_addresses([coded(["10.0.0.1", None, "10.0.0.2"])])
    (codes,) = addresses.columns
    first, second = address("10.0.0.1"), address("10.0.0.2")
    assert addresses.array(codes, slice(None)).to_pylist() == [first, None, second]
    assert addresses.array(codes, np.array([2])).to_pylist() == [second]


@pytest.mark.parametrize(
    ("cells", "complete"),
    [
        (["10.0.0.1", "10.0.0.1"], True),
        (["10.0.0.1", "x"], True),
        (["10.0.0.1", None], False),
        (["10.0.0.1", "-"], False),
        ([], True),
    ],
)
def test_complete_means_that_none_is_missing(cells: list[str | None], *, complete: bool) -> None:
    assert is_complete(coded(cells)) is complete
    assert is_complete(pa.array(cells, pa.utf8())) is complete


def test_a_column_that_is_not_there_is_not_complete() -> None:
    assert not is_complete(pa.nulls(3))
