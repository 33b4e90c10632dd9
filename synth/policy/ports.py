"""Sets of ports: closed ranges by protocol, and names that each destination pod resolves."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

LAST_PORT = 65535


class Protocol(StrEnum):
    """The protocols of the NetworkPolicy API; nothing else has policy semantics."""

    SCTP = "SCTP"
    TCP = "TCP"
    UDP = "UDP"

    @property
    def number(self) -> int:
        """The IANA protocol number."""
        return {"SCTP": 132, "TCP": 6, "UDP": 17}[self.value]


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """The ports ``first`` to ``last`` of one protocol, both ends included, within 1 to 65535."""

    protocol: Protocol
    first: int
    last: int

    def __post_init__(self) -> None:
        """Check the bounds.

        Raises
        ------
        ValueError
            If not 1 <= first <= last <= 65535.

        """
        if not 1 <= self.first <= self.last <= LAST_PORT:
            message = (
                f"ports must satisfy 1 <= first <= last <= 65535, not {self.first}-{self.last}"
            )
            raise ValueError(message)

    @property
    def every(self) -> bool:
        """Whether all ports of the protocol are meant."""
        return (self.first, self.last) == (1, LAST_PORT)

    def __str__(self) -> str:
        """Return ``TCP 80``, ``TCP 80-90`` or ``TCP`` for all ports."""
        if self.every:
            return self.protocol.value
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{self.protocol.value} {ports}"


@dataclass(frozen=True, slots=True, order=True)
class NamedPort:
    """A container port's name, which every destination pod resolves for itself."""

    protocol: Protocol
    name: str

    def __str__(self) -> str:
        """Return ``TCP http``."""
        return f"{self.protocol.value} {self.name}"


@dataclass(frozen=True, slots=True)
class PortSet:
    """A set of ports in normal form: disjoint, non-adjacent, sorted ranges, and sorted names.

    Names are opaque: they never merge with ranges. ``PortSet.every()`` is what a rule without
    ``ports`` means: all ports of all three protocols.
    """

    ranges: tuple[PortRange, ...] = ()
    names: tuple[NamedPort, ...] = ()

    def __post_init__(self) -> None:
        """Bring the ranges and names into normal form."""
        object.__setattr__(self, "ranges", _normal(self.ranges))
        object.__setattr__(self, "names", tuple(sorted(set(self.names))))

    @classmethod
    def of(cls, *terms: PortRange | NamedPort) -> "PortSet":
        """Return the set of all the terms."""
        return cls(
            tuple(term for term in terms if isinstance(term, PortRange)),
            tuple(term for term in terms if isinstance(term, NamedPort)),
        )

    @classmethod
    def port(cls, protocol: Protocol, number: int) -> "PortSet":
        """Return the set of one port."""
        return cls((PortRange(protocol, number, number),))

    @classmethod
    def every(cls, *protocols: Protocol) -> "PortSet":
        """Return all ports of the protocols; of all three if none is named."""
        return cls(tuple(PortRange(one, 1, LAST_PORT) for one in protocols or Protocol))

    @property
    def unrestricted(self) -> bool:
        """Whether every port of every protocol is in the set."""
        return self.ranges == PortSet.every().ranges

    @property
    def terms(self) -> tuple[PortRange | NamedPort, ...]:
        """The ranges, then the names."""
        return (*self.ranges, *self.names)

    def __bool__(self) -> bool:
        """Return whether the set holds anything."""
        return bool(self.ranges or self.names)

    def contains(self, protocol: Protocol, number: int) -> bool:
        """Return whether the numbered port is in one of the ranges; names do not count."""
        return any(
            some.protocol == protocol and some.first <= number <= some.last for some in self.ranges
        )

    def __or__(self, other: "PortSet") -> "PortSet":
        """Return the union."""
        return PortSet((*self.ranges, *other.ranges), (*self.names, *other.names))

    def __and__(self, other: "PortSet") -> "PortSet":
        """Return the intersection; a name is common only if both sets hold it."""
        common = chain.from_iterable(_meet(a, b) for a in self.ranges for b in other.ranges)
        return PortSet(tuple(common), tuple(set(self.names) & set(other.names)))

    def __sub__(self, other: "PortSet") -> "PortSet":
        """Return what is in this set and not in the other."""
        ranges: Iterable[PortRange] = self.ranges
        for hole in other.ranges:
            ranges = [piece for some in ranges for piece in _without(some, hole)]
        return PortSet(tuple(ranges), tuple(set(self.names) - set(other.names)))

    def __le__(self, other: "PortSet") -> bool:
        """Return whether this set is a subset of the other."""
        return not self - other

    def __str__(self) -> str:
        """Return ``TCP 80, UDP 53``, ``every port`` or ``no port``."""
        if self.unrestricted:
            return "every port"
        return ", ".join(map(str, self.terms)) or "no port"


def _normal(ranges: Iterable[PortRange]) -> tuple[PortRange, ...]:
    merged: list[PortRange] = []
    for some in sorted(ranges):
        before = merged[-1] if merged else None
        if before and before.protocol == some.protocol and some.first <= before.last + 1:
            merged[-1] = PortRange(some.protocol, before.first, max(before.last, some.last))
        else:
            merged.append(some)
    return tuple(merged)


def _meet(a: PortRange, b: PortRange) -> tuple[PortRange, ...]:
    first, last = max(a.first, b.first), min(a.last, b.last)
    if a.protocol != b.protocol or first > last:
        return ()
    return (PortRange(a.protocol, first, last),)


def _without(some: PortRange, hole: PortRange) -> tuple[PortRange, ...]:
    if not _meet(some, hole):
        return (some,)
    bounds = ((some.first, hole.first - 1), (hole.last + 1, some.last))
    return tuple(PortRange(some.protocol, low, high) for low, high in bounds if low <= high)
