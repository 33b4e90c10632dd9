"""Names of new policies are valid, stable, readable and free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.dialects.kubernetes import policy_name
from synth.dialects.kubernetes.names import is_subdomain

WANTED = st.text(max_size=20) | st.text("ab-._ A1é", max_size=300)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("db", "db"),
        ("web.v2", "web.v2"),
        ("a--b", "a--b"),
        ("Web Front_End", "web-front-end"),
        ("Café", "cafe"),
        ("shop/db", "shop-db"),
        ("-db-", "db"),
        ("a.-b-.c", "a.b.c"),
        ("a..b.", "a.b"),
        ("", "policy"),
        ("データ", "policy"),
        ("...", "policy"),
        ("a" * 300, "a" * 253),
        ("a" * 252 + "-b", "a" * 252),
        ("a" * 252 + ".b", "a" * 252),
    ],
)
def test_a_name_like_the_one_wanted(wanted: str, name: str) -> None:
    assert policy_name(wanted, ()) == name


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("db", {"db"}, "db-2"),
        ("db", {"db", "db-2", "db-4"}, "db-3"),
        ("DB", {"db"}, "db-2"),
        ("db-2", {"db-2"}, "db-2-2"),
        ("a" * 253, {"a" * 253}, "a" * 251 + "-2"),
        ("a" * 250 + "-bb", {"a" * 250 + "-bb"}, "a" * 250 + "-2"),
        ("", ["policy"], "policy-2"),
    ],
)
def test_a_taken_name_gets_a_number(wanted: str, taken: set[str], name: str) -> None:
    assert policy_name(wanted, taken) == name


@given(WANTED, st.integers(0, 12))
def test_names_are_valid_and_free(wanted: str, number: int) -> None:
    taken: set[str] = set()
    for _ in range(number):
        name = policy_name(wanted, taken)
        assert is_subdomain(name)
        assert name not in taken
        assert policy_name(wanted, sorted(taken)) == name
        taken.add(name)


@given(WANTED)
def test_a_valid_free_name_is_kept(wanted: str) -> None:
    name = policy_name(wanted, ())
    assert policy_name(name, ()) == name
    assert not is_subdomain(wanted) or name == wanted
