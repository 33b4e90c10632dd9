"""A value in a document, where it stands, and the faults found on the way."""

import re
import reprlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches

from synth.errors import Fault, InputError

MOST_FAULTS = 10_000

QUOTE = "Put it in quotes: YAML reads no, on, y, 080 and the like as something else than text."


_PLAIN_KEY = re.compile(r"[A-Za-z0-9._/-]{1,100}")


class _Shortened(reprlib.Repr):
    """``repr`` of at most about a hundred characters, whatever the value."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 2, 100, 100

    def repr_int(self, x: int, level: int) -> str:
        """Return the number, or its size if it is too long to be printed."""
        return super().repr_int(x, level) if x.bit_length() <= 256 else "a huge number"  # noqa: PLR2004


def shown(value: object) -> str:
    """Return the value as a message shows it: short, on one line, printable."""
    return _Shortened().repr(value)


def _shown_key(key: object) -> str:
    plain = isinstance(key, str) and _PLAIN_KEY.fullmatch(key)
    return str(key) if plain else shown(key)


@dataclass(slots=True)
class Faults:
    """The faults of all files, in the order they were found; at most ``MOST_FAULTS`` are kept."""

    found: list[Fault] = field(default_factory=list)
    more: int = 0

    def add(self, fault: Fault) -> None:
        """Keep the fault."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(fault)
        else:
            self.more += 1

    def raise_any(self) -> None:
        """Do nothing if there is no fault.

        Raises
        ------
        InputError
            If there is any.

        """
        if self.more:
            got = f"{MOST_FAULTS + self.more}"
            self.found.append(Fault("all files", f"at most {MOST_FAULTS} faults", got))
        if self.found:
            raise InputError(*self.found)


@dataclass(frozen=True, slots=True)
class Node:
    """A value, the object it belongs to (``file.yaml: shop/db``), and its path in that object."""

    value: object
    owner: str
    faults: Faults
    path: str = ""

    def refuse(self, expected: str, remedy: str = "", got: str = "") -> None:
        """Add a fault at this place."""
        place = f"{self.owner} {self.path}".rstrip()
        self.faults.add(Fault(place, expected, got or shown(self.value), remedy))

    def at(self, key: str, value: object) -> "Node":
        """Return the value as the field ``key`` of this one."""
        return Node(value, self.owner, self.faults, f"{self.path}.{key}" if self.path else key)

    def fields(self, *known: str) -> dict[str, "Node"]:
        """Return the fields that are not null, by name; faults if there are others than known."""
        if not isinstance(self.value, dict):
            self.refuse("a mapping")
            return {}
        for key in self.value:
            if key not in known:
                self._refuse_key(key, known)
        there = {key: self.value[key] for key in known if self.value.get(key) is not None}
        return {key: self.at(key, value) for key, value in there.items()}

    def _refuse_key(self, key: object, known: tuple[str, ...]) -> None:
        close = get_close_matches(key[:40], known, 1) if isinstance(key, str) else []
        remedy = f"Did you mean {close[0]}?" if close else "Remove it."
        self.refuse(f"no other fields than {', '.join(known)}", remedy, shown(key))

    def items(self) -> list["Node"]:
        """Return the elements of the list; faults where it is none or an element is null."""
        if not isinstance(self.value, list):
            self.refuse("a list")
            return []
        elements = [
            Node(value, self.owner, self.faults, f"{self.path}[{index}]")
            for index, value in enumerate(self.value)
        ]
        for element in elements:
            if element.value is None:
                element.refuse("no null in a list", "Write {} if an empty element is meant.")
        return [element for element in elements if element.value is not None]

    def texts(self) -> Iterator[tuple[str, "Node"]]:
        """Return an iterator over the keys and values of a mapping of strings to strings."""
        if not isinstance(self.value, dict):
            self.refuse("a mapping")
            return
        for key, value in self.value.items():
            node = Node(value, self.owner, self.faults, f"{self.path}[{_shown_key(key)}]")
            if not isinstance(key, str):
                node.refuse("a string as key", QUOTE, shown(key))
            elif node.text() is not None:
                yield key, node

    def text(self) -> str | None:
        """Return the string; None, and a fault, if it is none."""
        if not isinstance(self.value, str):
            self.refuse("a string", "" if isinstance(self.value, dict | list) else QUOTE)
            return None
        try:
            self.value.encode()
        except UnicodeEncodeError:
            self.refuse("text without lone surrogates")
            return None
        return self.value
