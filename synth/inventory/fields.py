"""Typed reading of loaded JSON or YAML; what does not fit is kept as a fault, not raised."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from reprlib import Repr
from typing import Any

from synth.errors import Fault
from synth.inventory.model import Labels
from synth.policy.address import parse_address, parse_network
from synth.policy.ports import LAST_PORT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9.])?")  # APIServices end with a dot
_LABEL_KEY = re.compile(
    r"([a-z0-9][a-z0-9.-]{0,252}/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_BRIEF = Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60
_BRIEF.maxlist = _BRIEF.maxdict = 3
_BRIEF.maxlevel = 2


@dataclass(slots=True)
class Faults:
    """The faults of one file, in the order found."""

    file: str
    found: list[Fault] = field(default_factory=list)


@dataclass(slots=True)  # not frozen, as a large dump makes millions of them
class Field:
    """A value somewhere inside an object; a missing one reads as null.

    The readers return a neutral value ("", (), None, False) for null, and for what is of another
    type, which also becomes a fault.
    """

    value: Any
    faults: Faults
    step: str
    parent: "Field | None" = None

    @property
    def path(self) -> str:
        """Where the value stands: ``Pod shop/web-1 status.podIPs[0].ip``."""
        before = self.parent.path if self.parent else ""
        return before + self.step

    def blame(self, expected: str) -> None:
        """Keep the fault that something else was expected here."""
        place = f"{self.faults.file}: {self.path.replace(' .', ' ')}"
        self.faults.found.append(Fault(place, expected, _BRIEF.repr(self.value)))

    def at(self, *names: str) -> "Field":
        """Return the field of these nested names; what is missing ends the walk as null."""
        here = self
        for name in names:
            if here.value is None:
                return here
            here = Field(here.mapping().get(name), self.faults, f".{name}", here)
        return here

    def mapping(self) -> dict[Any, Any]:
        """Return the mapping."""
        if isinstance(self.value, dict):
            return self.value
        if self.value is not None:
            self.blame("a mapping")
        return {}

    def items(self) -> Iterator["Field"]:
        """Return an iterator over the fields of the list."""
        if isinstance(self.value, list):
            for number, value in enumerate(self.value):
                yield Field(value, self.faults, f"[{number}]", self)
        elif self.value is not None:
            self.blame("a list")

    def text(self) -> str:
        """Return the text."""
        if isinstance(self.value, str):
            return self.value
        if self.value is not None:
            self.blame("a text")
        return ""

    def name(self) -> str:
        """Return the name of an object (at most 253 characters, DNS-1123)."""
        text = self.text()
        if text and not _NAME.fullmatch(text):
            self.blame("a name of lower-case letters, digits, '-' and '.', 253 characters at most")
            return ""
        return text

    def flag(self) -> bool:
        """Return the truth value."""
        if isinstance(self.value, bool):
            return self.value
        if self.value is not None:
            self.blame("true or false")
        return False

    def port(self) -> int | None:
        """Return the port number."""
        if self.value is None:
            return None
        if type(self.value) is int and 1 <= self.value <= LAST_PORT:
            return int(self.value)
        self.blame("a port of 1 to 65535")
        return None

    def labels(self) -> Labels:
        """Return the labels, sorted by key; a null value is an empty one."""
        found = []
        for key, value in self.mapping().items():
            plain = "" if value is None else value
            if not (isinstance(key, str) and _LABEL_KEY.fullmatch(key)):
                Field(key, self.faults, " key", self).blame("a label key")
            elif not (isinstance(plain, str) and _LABEL_VALUE.fullmatch(plain)):
                Field(value, self.faults, f".{key}", self).blame("a label value")
            else:
                found.append((key, plain))
        return tuple(sorted(found))

    def time(self) -> int | None:
        """Return the time in microseconds since 1970 UTC; None for null and the year 1."""
        if self.value is None:
            return None
        time = parse_time(self.value)
        if time is None:
            self.blame("a time such as 2026-11-23T05:40:00Z")
            return None
        return time if time > 0 else None

    def address(self) -> str:
        """Return the address in canonical text."""
        text = self.text()
        try:
            return str(parse_address(text)) if text else ""
        except ValueError:
            self.blame("an IP address")
            return ""

    def network(self) -> str:
        """Return the CIDR in canonical text."""
        text = self.text().strip()
        try:
            return str(parse_network(text)) if text else ""
        except ValueError:
            self.blame("a CIDR")
            return ""


def parse_time(value: object) -> int | None:
    """Return microseconds since 1970 UTC; None if the value is not a time with a zone."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo is None:
        return None
    return (moment - _EPOCH) // _MICROSECOND
