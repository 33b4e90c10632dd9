"""Whether this machine can enforce policies: where not, tests are skipped with the reason."""

import os
from typing import Final

import pytest

from tests.lab.wall import missing_for_wall

IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}


def check_able(reason: str | None = None) -> None:
    """Skip the test with the reason, or else with what is missing; in CI that is a failure."""
    found = missing_for_wall() if reason is None else reason
    if found and IN_CI:
        pytest.fail(found)
    if found:
        pytest.skip(found)
