"""Which objects selectors and blocks pick: the only matcher outside the learner."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Mask, Row, columns_of, row_of
from synth.evaluator.classes import Classes
from synth.evaluator.spans import spans_of
from synth.policy.address import IpBlock
from synth.policy.model import PodPeer
from synth.policy.selector import Operator, Requirement, Selector

NAMESPACE_NAME = "kubernetes.io/metadata.name"
Numbers = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class LabelIndex:
    """Objects by label: the numbers of those that carry a key, and of those with a value."""

    size: int
    by_key: Mapping[str, Numbers]
    by_value: Mapping[tuple[str, str], Numbers]

    @classmethod
    def of(cls, objects: Iterable[Iterable[tuple[str, str]]]) -> Self:
        """Return the index of objects given by their labels."""
        by_key: dict[str, list[int]] = defaultdict(list)
        by_value: dict[tuple[str, str], list[int]] = defaultdict(list)
        number = -1
        for number, labels in enumerate(objects):
            for label in labels:
                by_key[label[0]].append(number)
                by_value[label].append(number)
        return cls(
            number + 1,
            {key: np.array(numbers, np.int32) for key, numbers in by_key.items()},
            {label: np.array(numbers, np.int32) for label, numbers in by_value.items()},
        )

    def select(self, selector: Selector) -> Mask:
        """Return bool[size]: the objects that meet every requirement."""
        if selector.everything:
            return np.ones(self.size, np.bool_)
        first, *others = selector.requirements
        mask = self.meet(first)
        for requirement in others:
            mask &= self.meet(requirement)
        return mask

    def meet(self, requirement: Requirement) -> Mask:
        """Return bool[size]: the objects that meet the requirement.

        | operator | with the key | without it |
        |---|---|---|
        | In | value listed | no |
        | NotIn | value not listed | yes |
        | Exists | yes | no |
        | DoesNotExist | no | yes |
        """
        mask = np.zeros(self.size, np.bool_)
        for numbers in self._named(requirement):
            mask[numbers] = True
        return mask if requirement.operator.needs_key else ~mask

    def _named(self, requirement: Requirement) -> Iterable[Numbers]:
        key = requirement.key
        if requirement.operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
            return (self.by_key[key],) if key in self.by_key else ()
        labels = ((key, value) for value in requirement.values)
        return (self.by_value[label] for label in labels if label in self.by_value)


@dataclass(frozen=True, slots=True)
class Matcher:
    """Rows of the C classes of ``classes``, by the terms that policies are made of.

    Policies repeat their selectors and blocks, so what was found for each is kept: ``picked`` and
    ``within`` for selectors of pods and of namespaces, ``held`` for blocks, ``numbers`` for rows.
    """

    classes: Classes
    every_pod: Row
    of_namespace: Mapping[str, Row]
    labels: LabelIndex
    namespaces: LabelIndex
    blocks: LabelIndex
    """Pod classes by the texts of the CIDRs around them."""
    blocks_match_pods: bool = True
    picked: dict[Selector, Row] = field(default_factory=dict)
    within: dict[Selector, Row] = field(default_factory=dict)
    held: dict[IpBlock, tuple[Row, Row]] = field(default_factory=dict)
    numbers: dict[Row, list[int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        classes: Classes,
        namespaces: Mapping[str, Mapping[str, str]],
        *,
        blocks_match_pods: bool = True,
    ) -> Self:
        """Return the matcher; a namespace that only endpoints name exists all the same."""
        labels = [dict(namespaces.get(name, {})) for name in classes.namespaces]
        named = [
            (own | {NAMESPACE_NAME: name}).items()
            for name, own in zip(classes.namespaces, labels, strict=True)
        ]
        return cls(
            classes=classes,
            every_pod=row_of(classes.pods),
            of_namespace={
                name: row_of(classes.namespace == code)
                for code, name in enumerate(classes.namespaces)
            },
            labels=LabelIndex.of(classes.labels),
            namespaces=LabelIndex.of([*named, ()]),
            blocks=LabelIndex.of(((text, "") for text in texts) for texts in classes.blocks),
            blocks_match_pods=blocks_match_pods,
        )

    def pods(self, selector: Selector, namespace: str) -> Row:
        """Return the pods of the namespace that the selector picks."""
        return self.of_namespace.get(namespace, 0) & self._picked(selector)

    def peer(self, peer: PodPeer, namespace: str) -> Row:
        """Return the pods that a peer means in a policy of the namespace."""
        if peer.namespaces is None:
            return self.pods(peer.pods, namespace)
        return self._within(peer.namespaces) & self._picked(peer.pods)

    def block(self, block: IpBlock) -> tuple[Row, Row]:
        """Return the classes surely in the block, and those that may be in it."""
        if block not in self.held:
            sure, maybe = self._in_block(block)
            self.held[block] = row_of(sure), row_of(maybe)
        return self.held[block]

    def numbers_of(self, row: Row) -> list[int]:
        """Return the classes in the row, ascending."""
        if row not in self.numbers:
            self.numbers[row] = columns_of(row).tolist()
        return self.numbers[row]

    def _picked(self, selector: Selector) -> Row:
        """Return the classes, pods or not, whose labels meet the selector."""
        row = self.picked.get(selector)
        if row is None:
            row = self.picked[selector] = row_of(self.labels.select(selector))
        return row

    def _within(self, selector: Selector) -> Row:
        """Return the pods of the namespaces that the selector picks."""
        row = self.within.get(selector)
        if row is None:
            # Of classes that are no pods, the number -1 reads what is after the last namespace.
            named = row_of(self.namespaces.select(selector)[self.classes.namespace])
            row = self.within[selector] = self.every_pod & named
        return row

    def _in_block(self, block: IpBlock) -> tuple[Mask, Mask]:
        pods = self._pods_in(block)
        sure, maybe = pods, pods | self.classes.unknown
        low, high = self.classes.low, self.classes.high
        for first, last in map(self.classes.ranks.of_span, spans_of(block)):
            sure = sure | (low >= first) & (high <= last)
            maybe = maybe | (low <= last) & (high >= first)
        return sure, maybe

    def _pods_in(self, block: IpBlock) -> Mask:
        if not self.blocks_match_pods:
            return np.zeros(len(self.classes), np.bool_)
        inside = [Requirement(str(block.cidr), Operator.EXISTS)]
        outside = [Requirement(str(hole), Operator.DOES_NOT_EXIST) for hole in block.excepts]
        return self.blocks.select(Selector.of(inside + outside))
