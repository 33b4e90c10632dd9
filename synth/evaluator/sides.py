"""One direction of the policies as bit tables: who is isolated, and what each rule admits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Bits, Mask, pack
from synth.evaluator.match import Matcher
from synth.policy.model import Direction, Peer, PodPeer, Policy, PolicySet
from synth.policy.ports import PortSet
from synth.policy.selector import Selector

_Selection = tuple[str, Selector]
"""The namespace and the selector of the pods that a policy is about."""


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


class PeerTable:
    """Rows of peers, each computed once and kept packed, for both directions."""

    def __init__(self, matcher: Matcher) -> None:
        self.matcher = matcher
        self.numbers: dict[tuple[str, tuple[Peer, ...]], int] = {}
        self.sure: list[NDArray[np.uint8]] = []
        self.maybe: list[NDArray[np.uint8]] = []

    def row(self, namespace: str, peers: tuple[Peer, ...]) -> int:
        """Return the number of the row of these peers, in a policy of the namespace."""
        own = any(isinstance(peer, PodPeer) and peer.namespaces is None for peer in peers)
        key = namespace if own else "", peers
        number = self.numbers.setdefault(key, len(self.numbers))
        if number == len(self.sure):
            sure, maybe = self._masks(namespace, peers)
            self.sure.append(pack(sure))
            self.maybe.append(self.sure[-1] if maybe is sure else pack(maybe))
        return number

    def tables(self) -> tuple[Bits, Bits]:
        """Return the tables of sure and possible peers; one table if nothing is unsure."""
        columns = len(self.matcher.classes)
        sure = Bits.of(self.sure, columns)
        same = all(a is b for a, b in zip(self.sure, self.maybe, strict=True))
        return sure, sure if same else Bits.of(self.maybe, columns)

    def _masks(self, namespace: str, peers: tuple[Peer, ...]) -> tuple[Mask, Mask]:
        sure = np.full(len(self.matcher.classes), not peers, np.bool_)
        unsure = np.zeros_like(sure)
        for peer in peers:
            if isinstance(peer, PodPeer):
                sure |= self.matcher.peer(peer, namespace)
            else:
                inside, touched = self.matcher.block(peer.block)
                sure |= inside
                unsure |= touched
        unsure &= ~sure
        return sure, sure | unsure if unsure.any() else sure


def compile_side(
    policies: PolicySet,
    direction: Direction,
    peer_table: PeerTable,
    port_rows: Mapping[PortSet, int],
) -> Side:
    """Return the direction, compiled; ``port_rows`` is the order of the table of ports."""
    isolating = [policy for policy in policies if policy.rules(direction) is not None]
    group, members = _group(isolating, peer_table.matcher)
    rules = [policy.rules(direction) or () for policy in isolating]
    begin = np.cumsum([0, *map(len, rules)]).tolist()
    peers = [
        peer_table.row(policy.namespace, rule.peers)
        for policy, own in zip(isolating, rules, strict=True)
        for rule in own
    ]
    return Side(
        group=group,
        policies=Lists.of(members),
        rules=Lists.of(
            [[*chain.from_iterable(range(*begin[p : p + 2]) for p in own)] for own in members]
        ),
        names=tuple(policy.key for policy in isolating),
        refs=tuple(
            RuleRef(*policy.key, direction, index)
            for policy, own in zip(isolating, rules, strict=True)
            for index in range(len(own))
        ),
        peers=np.array(peers, np.int32),
        ports=np.array([port_rows[rule.ports] for own in rules for rule in own], np.int32),
    )


def _group(
    isolating: Sequence[Policy], matcher: Matcher
) -> tuple[NDArray[np.int32], list[tuple[int, ...]]]:
    """Return the group of each class, and the policies that isolate each group."""
    selecting: dict[_Selection, list[int]] = {}
    for number, policy in enumerate(isolating):
        selecting.setdefault((policy.namespace, policy.pods), []).append(number)
    chosen: dict[int, list[int]] = {}
    for (namespace, pods), numbers in selecting.items():
        for one in np.flatnonzero(matcher.pods(pods, namespace)).tolist():
            chosen.setdefault(one, []).extend(numbers)
    group = np.full(len(matcher.classes), -1, np.int32)
    groups: dict[tuple[int, ...], int] = {}
    for one in sorted(chosen):
        group[one] = groups.setdefault(tuple(sorted(chosen[one])), len(groups))
    return group, list(groups)
