"""Texts that tests compare with files."""

from collections.abc import Callable
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent.parent / "golden" / "reports"

Golden = Callable[[str, str], None]


@pytest.fixture
def golden(golden_update: bool) -> Golden:  # noqa: FBT001 - a fixture
    """Return what asserts that a text is that of the named file, or rewrites the file."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if golden_update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check
