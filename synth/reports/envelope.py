"""What every JSON result begins with."""

from collections.abc import Mapping

import synth

SCHEMA = 1
"""Raised whenever a key that programs may rely on changes its meaning."""


def envelope(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values behind the version of synth and of the keys."""
    return {"synth": synth.__version__, "schema": SCHEMA, **values}
