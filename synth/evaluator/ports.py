"""Port classes: all that the policies' port sets can tell about a server's port.

A row's port class is the interval of its port between the bounds of all policies' ranges of its
protocol, together with the names that its server declares for that port.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Bits, Mask, pack
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy.ports import LAST_PORT, NamedPort, PortRange, PortSet, Protocol

PROTOCOLS = tuple(Protocol)
SPAN = LAST_PORT + 1
WITHOUT_SEMANTICS = -1
"""The port class of every protocol but SCTP, TCP and UDP."""
_INDEX = {protocol: index for index, protocol in enumerate(PROTOCOLS)}
_Names = frozenset[NamedPort]


def _index_by_number() -> NDArray[np.int64]:
    table = np.full(256, -1, np.int64)
    for index, protocol in enumerate(PROTOCOLS):
        table[protocol.number] = index
    return table


_INDEX_BY_NUMBER = _index_by_number()


@dataclass(frozen=True, slots=True)
class PortClasses:
    """K port classes, and which of S port sets hold them.

    | field | meaning |
    |---|---|
    | interval | int32[3 * 65536]: protocol index and port → port class without names |
    | places, named | int64[m], int32[m]: server, protocol and port → port class with names |
    | nameable | bool[3 * 65536]: protocol index and port that some server has a name for |
    | table | Bits[S, K]: which set surely holds which class |
    | possible | Bits[S, K]: which set may hold it; ``table`` itself without hidden ports |
    | hidden | the first of three more classes, one a protocol: a port that nobody knows |
    """

    interval: NDArray[np.int32]
    places: NDArray[np.int64]
    named: NDArray[np.int32]
    nameable: Mask
    table: Bits
    possible: Bits
    hidden: int

    @classmethod
    def of(
        cls, sets: Sequence[PortSet], endpoints: Sequence[Endpoint], *, hidden: bool = False
    ) -> Self:
        """Return the classes that the sets tell apart at these servers, and of hidden ports."""
        interval = _intervals(sets)
        declared = _declared(sets, endpoints)
        plain = int(interval.max()) + 1
        numbers: dict[tuple[int, _Names], int] = {}
        places = np.array([place for place, _ in declared], np.int64)
        bases = interval[places % (3 * SPAN)].tolist()
        named = [
            numbers.setdefault((base, names), plain + len(numbers))
            for base, (_, names) in zip(bases, declared, strict=True)
        ]
        known = plain + len(numbers)
        table = possible = _table(sets, interval, list(numbers), plain)
        if hidden:
            table, possible = _with_hidden(table, sets)
        nameable = np.zeros(3 * SPAN, np.bool_)
        nameable[places % (3 * SPAN)] = True
        some = np.array(named, np.int32)
        return cls(interval, places, some, nameable, table, possible, known)

    def of_rows(
        self,
        protocol: NDArray[np.uint8],
        port: NDArray[np.integer[Any]],
        server: NDArray[np.int32],
    ) -> NDArray[np.int32]:
        """Return int32[n]: each row's port class; ``WITHOUT_SEMANTICS`` for other protocols."""
        index = _INDEX_BY_NUMBER[protocol]
        place = index * SPAN + port  # negative, and then not used, without semantics
        found = np.where(index < 0, np.int32(WITHOUT_SEMANTICS), self.interval[place])
        if len(self.places):
            some = np.flatnonzero(self.nameable[place] & (index >= 0))
            asked = place[some] + server[some].astype(np.int64) * (3 * SPAN)
            at = np.minimum(np.searchsorted(self.places, asked), len(self.places) - 1)
            hit = self.places[at] == asked
            found[some[hit]] = self.named[at[hit]]
        return found

    def hidden_of(self, protocol: NDArray[np.uint8]) -> NDArray[np.int32]:
        """Return int32[n]: each row's class if nobody knows its port."""
        index = _INDEX_BY_NUMBER[protocol]
        return np.where(index < 0, WITHOUT_SEMANTICS, self.hidden + index).astype(np.int32)


def _intervals(sets: Iterable[PortSet]) -> NDArray[np.int32]:
    """Return the interval of each protocol and port, numbered from 0 along both."""
    begins = np.zeros((3, SPAN + 1), np.bool_)
    begins[:, 0] = True
    begins[:, 1] = True  # port 0 can only be part of all ports
    for one in {one for ports in sets for one in ports.ranges}:
        begins[_INDEX[one.protocol], one.first] = True
        begins[_INDEX[one.protocol], one.last + 1] = True
    return (np.cumsum(begins[:, :SPAN].ravel()) - 1).astype(np.int32)


def _declared(
    sets: Iterable[PortSet], endpoints: Sequence[Endpoint]
) -> Sequence[tuple[int, _Names]]:
    """Return the places (server, protocol, port) that have names which the sets speak of."""
    spoken = {name for ports in sets for name in ports.names}

    @cache
    def resolve(ports: tuple[ContainerPort, ...]) -> Sequence[tuple[int, _Names]]:
        names: dict[int, set[NamedPort]] = {}
        for port in ports:
            name = NamedPort(port.protocol, port.name)
            if name in spoken:
                place = _INDEX[port.protocol] * SPAN + port.number
                names.setdefault(place, set()).add(name)
        return [(place, frozenset(names[place])) for place in sorted(names)]

    if not spoken:
        return []
    span = 3 * SPAN
    return [
        (server * span + place, names)
        for server, endpoint in enumerate(endpoints)
        if endpoint.ports and endpoint.kind is Kind.POD
        for place, names in resolve(endpoint.ports)
    ]


def _table(
    sets: Sequence[PortSet],
    interval: NDArray[np.int32],
    variants: Sequence[tuple[int, _Names]],
    plain: int,
) -> Bits:
    columns = plain + len(variants)
    rows = []
    bases = np.array([base for base, _ in variants], np.int32)
    holders = _holders(variants, plain)
    for ports in sets:
        mask = np.zeros(columns, np.bool_)
        for one in ports.ranges:
            low, high = _bounds(one)
            mask[interval[low] : interval[high] + 1] = True
        mask[plain:] = mask[bases]
        for name in ports.names:
            mask[list(holders.get(name, ()))] = True
        rows.append(pack(mask))
    return Bits.of(rows, columns)


def _with_hidden(table: Bits, sets: Sequence[PortSet]) -> tuple[Bits, Bits]:
    """Return the table with a class of unknown ports a protocol: surely held, and maybe held."""
    columns = table.columns + len(PROTOCOLS)
    held = np.zeros((2, len(sets), columns), np.bool_)
    for row, ports in enumerate(sets):
        held[:, row, : table.columns] = table.union(np.array([row]))
        spoken = {term.protocol for term in ports.terms}
        held[0, row, table.columns :] = [PortSet.every(one) <= ports for one in PROTOCOLS]
        held[1, row, table.columns :] = [one in spoken for one in PROTOCOLS]
    sure, maybe = (Bits.of([pack(row) for row in rows], columns) for rows in held)
    return sure, maybe


def _holders(
    variants: Sequence[tuple[int, _Names]], plain: int
) -> Mapping[NamedPort, Sequence[int]]:
    """Return the port classes at which servers declare each name."""
    holders: dict[NamedPort, list[int]] = {}
    for number, (_, names) in enumerate(variants, plain):
        for name in names:
            holders.setdefault(name, []).append(number)
    return holders


def _bounds(one: PortRange) -> tuple[int, int]:
    start = _INDEX[one.protocol] * SPAN
    return start + (0 if one.every else one.first), start + one.last
