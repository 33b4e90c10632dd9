"""The log formats: one module each, from a file to ``FlowBatch`` values.

A format is added with one module (see ``synth.sources.interface.Source``) and one line here.
"""

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from synth.sources.interface import Source

SOURCES: dict[str, str] = {
    "conntrack-parquet": "synth.sources.conntrack_parquet",
    "conntrack-text": "synth.sources.conntrack_text",
    "vpc-parquet": "synth.sources.vpc_parquet",
    "vpc-text": "synth.sources.vpc_text",
}
"""Name → module; the modules are imported when they are needed."""


def load(name: str) -> "Source":
    """Return the source of this name.

    Raises
    ------
    KeyError
        If no source has this name.

    """
    return cast("Source", import_module(SOURCES[name]))
