"""The formats of denial logs: one module each, from a file to ``FlowBatch`` values.

A format is added with one module (see ``synth.sources.denials.interface.DenialLog``) and one line
here. Of a file that several recognise, the first is taken.
"""

from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from synth.sources.denials.interface import DenialLog

DENIALS: dict[str, str] = {
    "hubble": "synth.sources.denials.hubble",
    "aws": "synth.sources.denials.aws",
    "nflog-json": "synth.sources.denials.nflog_json",
    "calico": "synth.sources.denials.calico",
    "nflog-text": "synth.sources.denials.nflog_text",
}
"""Name → module; the modules are imported when they are needed."""


def load(name: str) -> "DenialLog":
    """Return the format of this name.

    Raises
    ------
    KeyError
        If no format has this name.

    """
    return cast("DenialLog", import_module(DENIALS[name]))
