"""What can go wrong, as values: where, what was expected, what was found, what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one input, told in one line.

    >>> str(Fault("flows.txt:3", "a port of 0 to 65535", "99999", "Remove the line."))
    'flows.txt:3: expected a port of 0 to 65535. Got 99999 instead. Remove the line.'
    """

    place: str
    expected: str
    got: str
    remedy: str = ""

    def __str__(self) -> str:
        """Return the fault as one line of text."""
        line = f"{self.place}: expected {self.expected}. Got {self.got} instead."
        return f"{line} {self.remedy}".rstrip().replace("\n", " ")


class SynthError(Exception):
    """The root of every error that synth raises on purpose; the command line ends with 2.

    ``faults`` holds at least one fault; faults of one file are raised together.
    """

    def __init__(self, *faults: Fault) -> None:
        if not faults:
            message = "an error needs at least one fault"
            raise ValueError(message)
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


class InputError(SynthError):
    """A file, or the set of files, cannot be used."""


class UsageError(SynthError):
    """A flag, or a combination of flags, cannot be obeyed."""
