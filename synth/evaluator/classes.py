"""Endpoints merged into classes that no term of the policies tells apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Mask
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.spans import Ranks, span_of
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.address import IpBlock
from synth.policy.model import AddressPeer, Direction, Peer, Policy
from synth.policy.selector import Selector

NOWHERE = -1
"""The rank of what has no known address: below 1, the lowest rank inside a block."""
_NODE = "node", (), (), NOWHERE, NOWHERE
_Labels = tuple[tuple[str, str], ...]
_Key = tuple[str, _Labels, tuple[str, ...], int, int]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The label keys and blocks that policies speak of."""

    keys: frozenset[str]
    blocks: frozenset[IpBlock]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """Return the vocabulary of the policies' selectors and peers."""
        written = [*policies]
        rules = chain.from_iterable(
            policy.rules(direction) or () for policy in written for direction in Direction
        )
        return cls.of_terms((policy.pods for policy in written), (rule.peers for rule in rules))

    @classmethod
    def of_terms(cls, subjects: Iterable[Selector], peers: Iterable[tuple[Peer, ...]]) -> Self:
        """Return the vocabulary of policies' selectors and of what their rules admit."""
        keys: set[str] = set()
        blocks: set[IpBlock] = set()
        for selector in subjects:
            keys.update(_keys(selector))
        for peer in chain.from_iterable(peers):
            if isinstance(peer, AddressPeer):
                blocks.add(peer.block)
            else:
                keys.update(_keys(peer.pods))
        return cls(frozenset(keys), frozenset(blocks))

    @property
    def networks(self) -> frozenset[str]:
        """The canonical texts of all CIDRs and excepts."""
        return frozenset(
            str(network) for block in self.blocks for network in (block.cidr, *block.excepts)
        )


@dataclass(frozen=True, slots=True)
class Classes:
    """C classes of endpoints alike in all that the policies' selectors and blocks can tell.

    | column | meaning |
    |---|---|
    | namespace | int32[C]: number into ``namespaces``; -1: not a pod |
    | labels, blocks | of each class, as far as the policies mention them; empty if not a pod |
    | low, high | int64[C]: ranks of the first and last address; never in a block if a pod, or a |
    | | node that no block is to hold |
    | pods | bool[C]: whether pods |
    | unknown | bool[C]: not a pod, and its address is not known |
    """

    namespaces: tuple[str, ...]
    namespace: NDArray[np.int32]
    labels: tuple[tuple[tuple[str, str], ...], ...]
    blocks: tuple[tuple[str, ...], ...]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    pods: Mask
    unknown: Mask
    ranks: Ranks

    def __len__(self) -> int:
        """Return the number of classes."""
        return len(self.namespace)


def classify(
    endpoints: Sequence[Endpoint], vocabulary: Vocabulary, options: Options = DEFAULT
) -> tuple[Classes, NDArray[np.int32]]:
    """Return the classes, and int32[len(endpoints)]: the class of each; -1 for AMBIGUOUS."""
    ranks = Ranks.of(vocabulary.blocks)
    told = _Told(vocabulary)
    in_no_block = Kind.NODE if options.ip_block_nodes == "no" else None
    numbers: dict[_Key, int] = {}
    number = np.full(len(endpoints), -1, np.int32)
    for place, endpoint in enumerate(endpoints):
        if endpoint.kind is in_no_block:
            number[place] = numbers.setdefault(_NODE, len(numbers))
        elif endpoint.kind is not Kind.AMBIGUOUS:
            key = _key(endpoint, told, ranks)
            number[place] = numbers.setdefault(key, len(numbers))
    return _classes(list(numbers), ranks), number


class _Told:
    """What policies tell of pods' labels and blocks, found once for all pods that share them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.keys, self.networks = vocabulary.keys, vocabulary.networks
        self.labels = cache(self._labels)
        self.blocks = cache(self._blocks)

    def _labels(self, labels: _Labels) -> _Labels:
        return tuple(label for label in labels if label[0] in self.keys)

    def _blocks(self, blocks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(block for block in blocks if block in self.networks)


def _key(endpoint: Endpoint, told: _Told, ranks: Ranks) -> _Key:
    if endpoint.kind is Kind.POD:
        labels, blocks = told.labels(endpoint.labels), told.blocks(endpoint.blocks)
        return f"pod {endpoint.namespace}", labels, blocks, NOWHERE, NOWHERE
    if not endpoint.address:
        return "unknown", (), (), NOWHERE, NOWHERE
    low, high = ranks.of_span(span_of(endpoint.address)) if ranks.cuts else (0, 0)
    return "address", (), (), low, high


def _classes(keys: Sequence[_Key], ranks: Ranks) -> Classes:
    kinds = [key[0] for key in keys]
    spaces = [kind[4:] if kind.startswith("pod ") else None for kind in kinds]
    namespaces = tuple(sorted({space for space in spaces if space is not None}))
    codes = {None: -1} | {name: code for code, name in enumerate(namespaces)}
    low = np.array([key[3] for key in keys], np.int64)
    high = np.array([key[4] for key in keys], np.int64)
    return Classes(
        namespaces=namespaces,
        namespace=np.array([codes[space] for space in spaces], np.int32),
        labels=tuple(key[1] for key in keys),
        blocks=tuple(key[2] for key in keys),
        low=low,
        high=high,
        pods=np.array([space is not None for space in spaces], np.bool_),
        unknown=np.array([kind == "unknown" for kind in kinds], np.bool_),
        ranks=ranks,
    )


def _keys(selector: Selector) -> Iterable[str]:
    return [requirement.key for requirement in selector.requirements]
