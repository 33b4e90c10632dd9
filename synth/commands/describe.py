"""``describe``: what the logs are, and what learning would miss in them."""

from collections.abc import Sequence

from synth.sources.describe import Description
from synth.sources.describe import describe as describe_files
from synth.sources.files import find_files


def describe(
    flows: Sequence[str], *, source: str | None = None, fields: Sequence[str] = ()
) -> tuple[Description, ...]:
    """Return a description of each file.

    Raises
    ------
    InputError
        If a file cannot be used.

    """
    return describe_files(find_files(flows), source, tuple(fields))
