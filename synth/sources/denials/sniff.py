"""Which format each denial log is of, told by what it holds."""

from synth.errors import Fault, InputError
from synth.sources.denials import DENIALS, load
from synth.sources.denials.interface import DenialLog
from synth.sources.sniff import seen, sniff


def choose(path: str) -> DenialLog:
    """Return the format of the file.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or is of no known format.

    """
    head = sniff(path)
    for name in DENIALS:
        log = load(name)
        if log.recognises(head):
            return log
    known = "; ".join(f"{name} ({load(name).DESCRIPTION})" for name in DENIALS)
    raise InputError(Fault(path, f"a denial log, one of {known}", seen(head)))
