"""Field names as people spell them: ``pkt-srcaddr``, ``pkt_srcAddr``, ``orig.ip.saddr``."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from synth.errors import Fault, InputError

NAMES_SHOWN = 12
NAME_SHOWN = 40


def squeeze(name: str) -> str:
    """Return what is equal for all spellings of a name: its letters and digits, in lower case."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def spellings(fields: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return squeezed name → field, for each field and its other names."""
    return {squeeze(name): field for field, names in fields.items() for name in (field, *names)}


def fields_of(path: str, names: Sequence[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return field → the file's name of it, for the names that are known; others are ignored.

    Raises
    ------
    InputError
        If several names of the file mean one field.

    """
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        field = known.get(squeeze(name))
        if field is not None:
            found[field].append(name)
    faults = [
        Fault(path, f"one column for {field!r}", shown(several), "Remove or rename the others.")
        for field, several in found.items()
        if len(several) > 1
    ]
    if faults:
        raise InputError(*faults)
    return {field: name for field, (name,) in found.items()}


def shown(names: Sequence[str]) -> str:
    """Return the names for a message, the first few of many, long ones shortened."""
    some = [name if len(name) <= NAME_SHOWN else f"{name[:NAME_SHOWN]}…" for name in names]
    more = f" and {len(some) - NAMES_SHOWN} more" if len(some) > NAMES_SHOWN else ""
    return ", ".join(some[:NAMES_SHOWN]) + more
