"""The cheapest selector that picks exactly the pods meant, or the proof that none exists.

Among conjunctions over the keys and values of a universe of pods, the most specific one that
covers a target says of each key: ``In`` the target's values if all of it carries the key,
``DoesNotExist`` if none does, else ``NotIn`` the values seen only outside. Every literal that
is true of the whole target is implied, on the universe, by that key's literal. So an exact
selector exists if and only if no outsider satisfies the most specific one, and one of the
target's keys is carried by all of it.

Cheapest is meant among those literals and ``Exists``: the cost of ``In`` grows with its values,
which are no more than needed, and that of the others does not. The search is complete up to
``NODES_SEARCHED`` steps; past them, the cheapest selector found by then is taken, which is exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from synth.inventory.volatile import VOLATILE
from synth.policy.selector import Operator, Requirement, Selector

LabelMap = Mapping[str, str]

PREFERRED_KEYS = (
    "app.kubernetes.io/name",
    "app",
    "k8s-app",
    "app.kubernetes.io/component",
    "name",
    "role",
    "component",
    "tier",
)
UNSTABLE_KEYS = frozenset(
    {"app.kubernetes.io/version", "helm.sh/chart", "version", "revision", "release-revision"}
)
"""Keys that change with a rollout: used only where nothing else tells the pods apart."""

NODES_SEARCHED = 20_000
_UNSTABLE_COST = 1_000_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """Numbered label sets, indexed by what they carry; ``everyone`` are the numbers that count."""

    carriers: Mapping[str, frozenset[int]]
    """Key → who carries it."""
    holders: Mapping[str, Mapping[str, frozenset[int]]]
    """Key → value → who carries it with that value."""
    everyone: frozenset[int]

    @classmethod
    def of(cls, label_sets: Sequence[LabelMap]) -> "Crowd":
        """Return the label sets, numbered by position."""
        found: dict[str, dict[str, list[int]]] = {}
        for number, labels in enumerate(label_sets):
            for key, value in labels.items():
                found.setdefault(key, {}).setdefault(value, []).append(number)
        return cls(
            {key: frozenset(chain.from_iterable(some.values())) for key, some in found.items()},
            {
                key: {value: frozenset(numbers) for value, numbers in some.items()}
                for key, some in found.items()
            },
            frozenset(range(len(label_sets))),
        )

    def without(self, some: frozenset[int]) -> "Crowd":
        """Return the crowd of all others."""
        return Crowd(self.carriers, self.holders, self.everyone - some)

    def meeting(self, term: Requirement) -> frozenset[int]:
        """Return who meets the term."""
        if term.operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST):
            named = self.carriers.get(term.key, frozenset())
        else:
            holders = self.holders.get(term.key, {})
            named = frozenset[int]().union(*(holders.get(value, ()) for value in term.values))
        return named & self.everyone if term.operator.needs_key else self.everyone - named

    def values(self, key: str) -> set[str]:
        """Return the values that somebody carries under the key."""
        holders = self.holders.get(key, {})
        return {value for value, who in holders.items() if not who.isdisjoint(self.everyone)}


@dataclass(frozen=True, slots=True)
class _Literal:
    term: Requirement
    cost: int
    admits: frozenset[int]
    """The outsiders that meet it."""

    @property
    def order(self) -> tuple[int, str]:
        return self.cost, str(self.term)


def exact_selector(
    members: Sequence[LabelMap], outsiders: Crowd, preferred: LabelMap
) -> Selector | None:
    """Return the cheapest selector that picks all members and no outsider; None if none exists.

    ``preferred``, the owner's own ``matchLabels``, wins where it is exact. The selector always
    has a term that only objects carrying the key can meet, so it never picks what is unlabelled.
    """
    own = Selector.equal(preferred)
    if preferred and _exact(own, members, outsiders):
        return own
    literals = tuple(sorted(_literals(members, outsiders), key=lambda literal: literal.order))
    best = _Search(literals, outsiders.everyone).cheapest()
    return None if best is None else Selector.of(literal.term for literal in best)


def _exact(selector: Selector, members: Sequence[LabelMap], outsiders: Crowd) -> bool:
    stable = VOLATILE.isdisjoint(term.key for term in selector.requirements)
    picks = all(selects(selector, one) for one in members)
    if not (stable and picks):
        return False
    return not frozenset.intersection(*map(outsiders.meeting, selector.requirements))


def _literals(members: Sequence[LabelMap], outsiders: Crowd) -> list[_Literal]:
    keys = {key for labels in members for key in labels} | outsiders.carriers.keys()
    return [
        _Literal(term, cost(term), outsiders.meeting(term))
        for key in sorted(keys - VOLATILE)
        for term in _terms(key, members, outsiders)
    ]


def _terms(key: str, members: Sequence[LabelMap], outsiders: Crowd) -> tuple[Requirement, ...]:
    values = {labels[key] for labels in members if key in labels}
    if not values:
        return (Requirement(key, Operator.DOES_NOT_EXIST),)
    if all(key in labels for labels in members):
        return (
            Requirement(key, Operator.IN, tuple(values)),
            Requirement(key, Operator.EXISTS),
        )
    foreign = outsiders.values(key) - values
    return (Requirement(key, Operator.NOT_IN, tuple(foreign)),) if foreign else ()


def _meets(term: Requirement, labels: LabelMap) -> bool:
    value = labels.get(term.key)
    if term.operator is Operator.IN:
        return value in term.values
    if term.operator is Operator.NOT_IN:
        return value not in term.values
    return (value is not None) == (term.operator is Operator.EXISTS)


def cost(term: Requirement) -> int:
    """Return what the term costs, in hundredths of an equality.

    | term | cost |
    |---|---|
    | ``In`` | 100, and 25 for each further value |
    | ``Exists``, ``NotIn``, ``DoesNotExist`` | 150, however many values |
    | a key's place in ``PREFERRED_KEYS`` | as many hundredths more |
    | a key in ``UNSTABLE_KEYS`` | more than all others together |
    """
    base = 100 + 25 * (len(term.values) - 1) if term.operator is Operator.IN else 150
    base += _UNSTABLE_COST if term.key in UNSTABLE_KEYS else 0
    rank = PREFERRED_KEYS.index(term.key) if term.key in PREFERRED_KEYS else len(PREFERRED_KEYS)
    return base + rank


def selects(selector: Selector, labels: LabelMap) -> bool:
    """Return whether the selector picks an object of these labels, as the learner sees it."""
    return all(_meets(term, labels) for term in selector.requirements)


class _Search:
    """Branch and bound for the cheapest literals that together admit none of ``outsiders``."""

    def __init__(self, literals: tuple[_Literal, ...], outsiders: frozenset[int]) -> None:
        self._literals = literals
        self._everyone = outsiders
        self._known: dict[int, list[_Literal]] = {}
        self._best: tuple[_Literal, ...] | None = None
        self._bound = 0
        self._steps = 0

    def cheapest(self) -> tuple[_Literal, ...] | None:
        """Return the cheapest sufficient literals, one of them positive; None if none suffice."""
        if self._everyone.intersection(*(literal.admits for literal in self._literals)):
            return None
        for literal in self._literals:
            if literal.term.operator.needs_key:
                self._extend((literal,), literal.cost, literal.admits)
        return self._best

    def _against(self, one: int) -> list[_Literal]:
        """Return the literals that do not admit this outsider, the cheapest first."""
        if one not in self._known:
            self._known[one] = [some for some in self._literals if one not in some.admits]
        return self._known[one]

    def _extend(self, chosen: tuple[_Literal, ...], spent: int, left: frozenset[int]) -> None:
        self._steps += 1
        if self._best is not None and (spent >= self._bound or self._steps > NODES_SEARCHED):
            return
        if not left:
            self._best, self._bound = chosen, spent
            return
        hardest = min(left, key=lambda one: (len(self._against(one)), one))
        for literal in self._against(hardest):
            self._extend((*chosen, literal), spent + literal.cost, left & literal.admits)
