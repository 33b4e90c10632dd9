"""Unquoted scalars are read as an API server's reader would, and text is quoted against others."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from synth.dialects.kubernetes.scalars import UnclearNumber, misread, resolve

NUMBERS = [
    *("080", "00", "007", "0x1F", "0o17", "0b1", "1_000", "1e3", "1E-3"),
    *("1.5", "1.", ".5", "-.5", ".inf", "-.Inf", ".nan", "+1.5e+3"),
]


@pytest.mark.parametrize("text", [*NUMBERS, "9" * 21])
def test_numbers_that_readers_disagree_on(text: str) -> None:
    assert resolve(text) == UnclearNumber(text)
    assert repr(resolve(text)) == text
    assert misread(text)


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nulls(text: str) -> None:
    assert resolve(text) is None
    assert misread(text)


@pytest.mark.parametrize(
    "text", ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"]
)
def test_true(text: str) -> None:
    assert resolve(text) is True
    assert misread(text)


@pytest.mark.parametrize(
    "text", ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"]
)
def test_false(text: str) -> None:
    assert resolve(text) is False
    assert misread(text)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("80", 80), ("-1", -1), ("+5", 5), ("65535", 65535)]
)
def test_integers(text: str, number: int) -> None:
    assert resolve(text) == number
    assert type(resolve(text)) is int
    assert misread(text)


TEXTS = [
    *("web", "nO", "tRue", "10.0.0.0/8", "::/0", "1.2.3", "1e", "0xg", "a80"),
    *("_1", ".", "-", "v1", "e3", "1-2", "inf", "nan", "3-tier"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts(text: str) -> None:
    assert resolve(text) == text
    assert not misread(text)


@pytest.mark.parametrize("text", ["22:22", "1:00:00", "2024-01-01", "2024-01-01T00:00:00Z"])
def test_texts_that_only_other_readers_take_for_something_else(text: str) -> None:
    assert resolve(text) == text
    assert misread(text)


@given(st.text("0123456789abcdefoxyn_.:+-eE~", max_size=8))
def test_what_a_common_reader_takes_for_something_else_is_misread(text: str) -> None:
    reader: Any = yaml.SafeLoader("")
    kind = reader.resolve(yaml.ScalarNode, text, (True, False))
    assert kind == "tag:yaml.org,2002:str" or misread(text) or text == "="
