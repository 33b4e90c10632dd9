"""One direction of the policies as bit tables: who is isolated, and what each rule admits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Bits, Row
from synth.evaluator.match import Matcher
from synth.policy.model import Direction, Peer, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import PortSet


@dataclass(frozen=True, slots=True, order=True)
class RuleRef:
    """A rule by its place: number ``index``, as in the file, of a policy's direction."""

    namespace: str
    policy: str
    direction: Direction
    index: int

    def __str__(self) -> str:
        """Return ``shop/db ingress[0]``."""
        return f"{self.namespace}/{self.policy} {self.direction.lower()}[{self.index}]"


@dataclass(frozen=True, slots=True)
class Lists:
    """Lists of numbers, one after the other: list i is ``numbers[first[i] : first[i + 1]]``."""

    first: NDArray[np.int64]
    numbers: NDArray[np.int32]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> "Lists":
        """Return the lists."""
        first = np.concatenate([[0], np.cumsum([len(one) for one in lists], dtype=np.int64)])
        return cls(first, np.fromiter(chain.from_iterable(lists), np.int32))

    def __getitem__(self, number: int) -> NDArray[np.int32]:
        """Return the list of this number."""
        return self.numbers[self.first[number] : self.first[number + 1]]


@dataclass(frozen=True, slots=True)
class Side:
    """One direction: G groups of classes that the same policies isolate, and R rules.

    | field | meaning |
    |---|---|
    | group | int32[C]: group of each endpoint class; -1: no policy isolates it |
    | policies, rules | of each group: the policies that isolate it, and all their rules |
    | names, refs | of each policy and rule |
    | peers, ports | int32[R]: row of each rule in the table of peers, and in that of ports |
    """

    group: NDArray[np.int32]
    policies: Lists
    rules: Lists
    names: tuple[tuple[str, str], ...]
    refs: tuple[RuleRef, ...]
    peers: NDArray[np.int32]
    ports: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Tables:
    """Bits[p, C], which endpoint classes are among which peers, and Bits[s, K], likewise ports."""

    peers: Bits
    ports: Bits


@dataclass(frozen=True, slots=True)
class Written:
    """The rules of some policies in one direction, as written.

    ``peers`` and ``ports`` tell of each rule the number of its peers and of its port set, as
    ``Terms`` has them.
    """

    policies: Sequence[Policy]
    rules: Sequence[Sequence[Rule]]
    peers: Sequence[int]
    ports: Sequence[int]


@dataclass(frozen=True, slots=True)
class Terms:
    """What rules are made of, each once: hashing a rule's terms is most of the cost of reading it.

    ``sides`` holds the policies that isolate each direction.
    """

    peers: Sequence[tuple[Peer, ...]]
    ports: Sequence[PortSet]
    sides: Mapping[Direction, Written]

    @classmethod
    def of(cls, policies: PolicySet) -> "Terms":
        """Return the terms of the policies' rules."""
        peers: dict[tuple[Peer, ...], int] = {}
        ports: dict[PortSet, int] = {}
        sides: dict[Direction, Written] = {}
        for direction in Direction:
            isolating = [policy for policy in policies if policy.rules(direction) is not None]
            rules = [policy.rules(direction) or () for policy in isolating]
            own = [*chain.from_iterable(rules)]
            sides[direction] = Written(
                isolating,
                rules,
                [peers.setdefault(rule.peers, len(peers)) for rule in own],
                [ports.setdefault(rule.ports, len(ports)) for rule in own],
            )
        return cls([*peers], [*ports], sides)


class PeerTable:
    """Rows of peers, each computed once, for both directions."""

    def __init__(self, matcher: Matcher, terms: Sequence[tuple[Peer, ...]]) -> None:
        self.matcher = matcher
        self.terms = terms
        self.own = [
            any(isinstance(peer, PodPeer) and peer.namespaces is None for peer in peers)
            for peers in terms
        ]
        self.numbers: dict[tuple[str, int], int] = {}
        self.sure: list[Row] = []
        self.maybe: list[Row] = []

    def row(self, namespace: str, peers: int) -> int:
        """Return the number of the row of these peers, in a policy of the namespace."""
        key = namespace if self.own[peers] else "", peers
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self.sure):
            sure, maybe = self._rows(namespace, self.terms[peers])
            self.sure.append(sure)
            self.maybe.append(maybe)
        return number

    def tables(self) -> tuple[Bits, Bits]:
        """Return the tables of sure and possible peers; one table if nothing is unsure."""
        columns = len(self.matcher.classes)
        sure = Bits.of_rows(self.sure, columns)
        return sure, sure if self.sure == self.maybe else Bits.of_rows(self.maybe, columns)

    def _rows(self, namespace: str, peers: tuple[Peer, ...]) -> tuple[Row, Row]:
        if not peers:
            everyone = (1 << len(self.matcher.classes)) - 1
            return everyone, everyone
        sure = maybe = 0
        for peer in peers:
            if isinstance(peer, PodPeer):
                sure |= self.matcher.peer(peer, namespace)
            else:
                inside, touched = self.matcher.block(peer.block)
                sure |= inside
                maybe |= touched
        return sure, sure | maybe


def compile_side(direction: Direction, written: Written, peer_table: PeerTable) -> Side:
    """Return the direction, compiled."""
    group, members = _group(written.policies, peer_table.matcher)
    begin = np.cumsum([0, *map(len, written.rules)]).tolist()
    spaces = chain.from_iterable(
        repeat(policy.namespace, len(own))
        for policy, own in zip(written.policies, written.rules, strict=True)
    )
    peers = [*map(peer_table.row, spaces, written.peers)]
    return Side(
        group=group,
        policies=Lists.of(members),
        rules=Lists.of(
            [[*chain.from_iterable(range(*begin[p : p + 2]) for p in own)] for own in members]
        ),
        names=tuple(policy.key for policy in written.policies),
        refs=tuple(
            RuleRef(policy.namespace, policy.name, direction, index)
            for policy, own in zip(written.policies, written.rules, strict=True)
            for index in range(len(own))
        ),
        peers=np.array(peers, np.int32),
        ports=np.array(written.ports, np.int32),
    )


def _group(
    isolating: Sequence[Policy], matcher: Matcher
) -> tuple[NDArray[np.int32], list[tuple[int, ...]]]:
    """Return the group of each class, and the policies that isolate each group."""
    selecting: dict[Row, list[int]] = {}
    for number, policy in enumerate(isolating):
        selected = matcher.pods(policy.pods, policy.namespace)
        selecting.setdefault(selected, []).append(number)
    chosen: dict[int, list[int]] = {}
    for selected, numbers in selecting.items():
        for one in matcher.numbers_of(selected):
            chosen.setdefault(one, []).extend(numbers)
    group = np.full(len(matcher.classes), -1, np.int32)
    groups: dict[tuple[int, ...], int] = {}
    for one in sorted(chosen):
        group[one] = groups.setdefault(tuple(sorted(chosen[one])), len(groups))
    return group, list(groups)
