"""Connectivity between parties: workloads or pods by name, and addresses outside."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from synth.evaluator.bits import Mask
from synth.evaluator.connectivity import Connectivity
from synth.evaluator.outside import common
from synth.evaluator.port_spread import Spread, regroup
from synth.evaluator.spans import Span
from synth.policy.ports import PortSet

FAMILIES = (4, 6)


@dataclass(frozen=True, slots=True)
class Member:
    """One endpoint of a party: its number, the families it speaks, and the pod, if it is one."""

    number: int
    families: tuple[int, ...]
    pod: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """What a report names as one."""

    name: str
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class End:
    """A party by name, or addresses: of nodes, or of whatever else is outside."""

    name: str = ""
    spans: tuple[Span, ...] = ()
    node: bool = False

    @property
    def sort_key(self) -> tuple[bool, str, bool, tuple[Span, ...]]:
        """What orders ends: parties by name, then outside, then nodes."""
        return (not self.name, self.name, self.node, self.spans)


@dataclass(frozen=True, slots=True)
class Reach:
    """What the client may open to each of the servers; ``some``: not each of their pods."""

    source: End
    destinations: tuple[End, ...]
    ports: PortSet
    some: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether policies isolate a party's pods in a direction: all, some or none of them."""

    name: str
    ingress: str
    egress: str


@dataclass(frozen=True, slots=True)
class Question:
    """Whose reach is asked for; ``clients`` and ``servers`` number parties."""

    parties: tuple[Party, ...]
    clients: tuple[int, ...]
    servers: tuple[int, ...]
    sources: tuple[End, ...] = ()
    destinations: tuple[End, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """The classes of a party's members by family: all that its reach depends on."""

    four: tuple[int, ...]
    six: tuple[int, ...]

    @classmethod
    def of(cls, party: Party, connectivity: Connectivity) -> "_Shape":
        classes = {
            family: sorted(
                {
                    int(connectivity.class_of[one.number])
                    for one in party.members
                    if family in one.families
                }
            )
            for family in FAMILIES
        }
        return cls(tuple(classes[4]), tuple(classes[6]))

    def among(self, family: int) -> tuple[int, ...]:
        return self.four if family == FAMILIES[0] else self.six


def find_reach(connectivity: Connectivity, question: Question) -> tuple[Reach, ...]:
    """Return who may open what to whom, sorted; pairs that may open nothing are left out.

    A party is listed with itself if two of its pods may connect. Ends of different address
    families never do.
    """
    asker = _Asker.of(connectivity, question)
    found = [
        *(one for number in question.clients for one in asker.from_party(number)),
        *asker.from_outside(),
    ]
    return tuple(sorted(found, key=_order))


def find_standing(connectivity: Connectivity, parties: Iterable[Party]) -> tuple[Standing, ...]:
    """Return the isolation of each party, in their order."""
    return tuple(
        Standing(
            party.name,
            _share(connectivity, party, connectivity.isolated_in),
            _share(connectivity, party, connectivity.isolated_out),
        )
        for party in parties
    )


def _share(connectivity: Connectivity, party: Party, isolated: Mask) -> str:
    found = {bool(isolated[connectivity.class_of[one.number]]) for one in party.members}
    return "some" if len(found) > 1 else "all" if True in found else "none"


def _order(one: Reach) -> tuple[object, ...]:
    destinations = tuple(end.sort_key for end in one.destinations)
    return one.source.sort_key, destinations, str(one.ports), one.some


@dataclass(frozen=True, slots=True)
class _Asker:
    connectivity: Connectivity
    question: Question
    shapes: tuple[_Shape, ...]
    ends: tuple[End, ...]
    pieces: Mapping[int, Sequence[tuple[Span, int]]]
    """Family → the pieces outside, each with its class."""

    @classmethod
    def of(cls, connectivity: Connectivity, question: Question) -> "_Asker":
        pods = len(connectivity.endpoints)
        pieces: dict[int, list[tuple[Span, int]]] = {family: [] for family in FAMILIES}
        for number, one in enumerate(connectivity.outside, pods):
            pieces[one.family].append((one.span, int(connectivity.class_of[number])))
        return cls(
            connectivity,
            question,
            tuple(_Shape.of(party, connectivity) for party in question.parties),
            tuple(End(party.name) for party in question.parties),
            pieces,
        )

    def from_party(self, number: int) -> Iterator[Reach]:
        """Yield what the party may open, servers with the same ports together."""
        own, source = self.shapes[number], self.ends[number]

        @cache
        def answer(other: _Shape) -> tuple[PortSet, PortSet]:
            pairs = ((a, b) for f in FAMILIES for a in own.among(f) for b in other.among(f))
            return self._ports(pairs)

        opened: dict[tuple[PortSet, bool], list[End]] = {}
        for server in self.question.servers:
            same = server == number
            every, some = self._itself(number) if same else answer(self.shapes[server])
            for ports, partial in ((every, False), (some, True)):
                if ports:
                    opened.setdefault((ports, partial), []).append(self.ends[server])
        for (ports, partial), ends in opened.items():
            yield Reach(source, tuple(sorted(ends, key=lambda end: end.sort_key)), ports, partial)
        for place in self.question.destinations:
            for end, ports, partial in self._spread(own, place, leaving=True):
                yield Reach(source, (end,), ports, partial)

    def from_outside(self) -> Iterator[Reach]:
        """Yield what addresses outside may open, servers with the same ports together."""
        opened: dict[tuple[End, PortSet, bool], list[End]] = {}
        for place in self.question.sources:
            for server in self.question.servers:
                for key in self._spread(self.shapes[server], place, leaving=False):
                    opened.setdefault(key, []).append(self.ends[server])
        for (source, ports, partial), ends in opened.items():
            yield Reach(source, tuple(sorted(ends, key=lambda end: end.sort_key)), ports, partial)

    def _itself(self, number: int) -> tuple[PortSet, PortSet]:
        """Return what the party's pods may open to each other."""
        class_of = self.connectivity.class_of
        pairs: set[tuple[int, int]] = set()
        for family in FAMILIES:
            pods: dict[int, set[str]] = {}
            for one in self.question.parties[number].members:
                if family in one.families:
                    pods.setdefault(int(class_of[one.number]), set()).add(one.pod)
            pairs |= {(a, b) for a in pods for b in pods if _two(pods[a], pods[b])}
        return self._ports(pairs)

    def _ports(self, pairs: Iterable[tuple[int, int]]) -> tuple[PortSet, PortSet]:
        """Return the ports that all of these pairs of classes admit, and those that some do."""
        return self._split(frozenset(int(self.connectivity.pairs[pair]) for pair in pairs))

    def _split(self, numbers: frozenset[int]) -> tuple[PortSet, PortSet]:
        sets = [self.connectivity.sets[number] for number in sorted(numbers)]
        if not sets:
            return PortSet(), PortSet()
        every = some = sets[0]
        for one in sets[1:]:
            every, some = every & one, some | one
        return every, some - every

    def _spread(
        self, shape: _Shape, place: End, *, leaving: bool
    ) -> Iterator[tuple[End, PortSet, bool]]:
        """Yield the addresses of the place that the shape's pods may open to, or be opened by."""
        alike: dict[frozenset[int], list[Span]] = {}
        for family in FAMILIES:
            own = shape.among(family)
            for span, number in self.pieces[family] if own else ():
                pairs = ((one, number) if leaving else (number, one) for one in own)
                numbers = frozenset(int(self.connectivity.pairs[pair]) for pair in pairs)
                if numbers != {0}:
                    alike.setdefault(numbers, []).append(span)
        every: Spread = []
        some: Spread = []
        for numbers, spans in alike.items():
            inside = common(place.spans, spans)
            if inside:
                for spread, ports in zip((every, some), self._split(numbers), strict=True):
                    spread.append((ports, inside))
        for spread, partial in ((every, False), (some, True)):
            for addresses, ports in regroup(spread):
                yield End(spans=addresses, node=place.node), ports, partial


def _two(some: set[str], others: set[str]) -> bool:
    """Return whether two different pods may be meant; an empty name is any number of them."""
    return "" in some | others or len(some | others) > 1
