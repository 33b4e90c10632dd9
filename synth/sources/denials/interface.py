"""What the module of a denial log's format offers."""

from collections.abc import Iterator
from typing import Protocol

from synth.flows import FlowBatch
from synth.sources.interface import Head


class DenialLog(Protocol):
    """A format of denial logs; its module is the implementation."""

    NAME: str
    DESCRIPTION: str

    def recognises(self, head: Head) -> bool:
        """Return whether the file is of this format."""
        ...

    def read(self, path: str) -> Iterator[FlowBatch]:
        """Yield the denied packets of the file; every line that is not empty is counted once.

        Raises
        ------
        InputError
            If the file cannot be read, or no line is readable.

        """
        ...
