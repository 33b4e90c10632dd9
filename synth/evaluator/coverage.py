"""How well policies cover traffic: what each side of every edge is, and what that adds up to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.admission import admit
from synth.evaluator.bits import Mask
from synth.evaluator.compile import Compiled
from synth.evaluator.ports import PROTOCOLS
from synth.evaluator.rows import Rows, ask, expand
from synth.evaluator.traffic import SERVER, Traffic
from synth.policy.model import Direction

States = NDArray[np.uint8]


class Scope(StrEnum):
    """The sides that a figure is about."""

    INGRESS = "ingress"
    EGRESS = "egress"
    BOTH = "both"


class State(IntEnum):
    """What one side of an edge is; of both sides, the greater counts from COVERED on.

    | state | the side is | counts as |
    |---|---|---|
    | ABSENT | no pod | nothing |
    | ITSELF, OWN_NODE, NO_SEMANTICS | beyond the say of any policy | told apart |
    | COVERED | a pod, isolated, and a rule admits | covered |
    | UNCOVERED | a pod that no policy isolates | uncovered |
    | UNDETERMINED | one of several of these, or of unknown address | uncovered |
    | DENIED | a pod, isolated, and no rule admits | denied |
    """

    ABSENT = 0
    ITSELF = 1
    OWN_NODE = 2
    NO_SEMANTICS = 3
    COVERED = 4
    UNCOVERED = 5
    UNDETERMINED = 6
    DENIED = 7


APART = {
    State.ITSELF: "a pod to itself",
    State.OWN_NODE: "from the pod's own node",
    State.NO_SEMANTICS: "a protocol that policies do not know",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum over edges: ``covered + uncovered + denied`` is ``total``.

    ``undetermined`` is that part of ``uncovered`` of which it is not known whether it is covered
    or denied: coverage is never overstated.
    """

    total: int = 0
    covered: int = 0
    uncovered: int = 0
    denied: int = 0
    undetermined: int = 0

    @classmethod
    def of(cls, states: States, weights: NDArray[np.int64]) -> Self:
        """Return the sums of the weights by state."""
        covered, bare, undetermined, denied = (
            int(weights[states == state].sum())
            for state in (State.COVERED, State.UNCOVERED, State.UNDETERMINED, State.DENIED)
        )
        uncovered = bare + undetermined
        return cls(covered + uncovered + denied, covered, uncovered, denied, undetermined)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one scope.

    ``measured`` is how many of the counted records are of edges whose bytes were measured;
    ``apart`` maps why records are not counted → how many.
    """

    records: Figure
    edges: Figure
    bytes: Figure
    measured: int
    apart: Mapping[str, int]

    @classmethod
    def of(cls, states: States, records: NDArray[np.int64], volume: NDArray[np.int64]) -> Self:
        """Return the figures; ``records`` and ``volume`` (in bytes) are int64[n]."""
        apart = {why: int(records[states == state].sum()) for state, why in APART.items()}
        return cls(
            records=Figure.of(states, records),
            edges=Figure.of(states, np.ones(len(states), np.int64)),
            bytes=Figure.of(states, volume),
            measured=int(records[(states >= State.COVERED) & (volume > 0)].sum()),
            apart={why: count for why, count in apart.items() if count},
        )


def find_states(compiled: Compiled, traffic: Traffic) -> Mapping[Scope, States]:
    """Return uint8[n] for each scope: the ``State`` of that side of every row.

    The traffic's endpoints must be the first of those compiled against.
    """
    found = _undecided(compiled, traffic)
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    for scope, states in _scopes(
        _side(compiled, rows, Direction.EGRESS), _side(compiled, rows, Direction.INGRESS)
    ).items():
        found[scope][traffic.decided] = _common(states, rows.origin)
    return found


def _side(compiled: Compiled, rows: Rows, direction: Direction) -> States:
    """Return the states of concrete rows."""
    asked, side = ask(compiled, rows, direction), compiled.sides[direction]
    subject = rows.client if direction is Direction.EGRESS else rows.server
    sure = admit(side, compiled.sure, asked.queries)
    maybe = sure
    if compiled.maybe is not compiled.sure:
        maybe = admit(side, compiled.maybe, asked.queries)
    if asked.possible is not None:
        maybe = maybe | admit(side, compiled.maybe, asked.possible)
    cases = (
        (~compiled.classes.pods[compiled.class_of[subject]], State.ABSENT),
        (rows.same_pod & asked.exempt, State.ITSELF),
        (asked.without_semantics, State.NO_SEMANTICS),
        (asked.exempt, State.OWN_NODE),
        (~asked.isolated, State.UNCOVERED),
        (sure, State.COVERED),
        (maybe, State.UNDETERMINED),
    )
    return _choose(cases, State.DENIED)


def _undecided(compiled: Compiled, traffic: Traffic) -> dict[Scope, States]:
    """Return the states of all rows as if undecided: either end may have opened."""
    itself = traffic.same_pod
    if compiled.options.hairpin == "police" and traffic.asked is not None:
        itself = itself & (traffic.asked == SERVER)
    spoken = np.isin(traffic.protocol, [protocol.number for protocol in PROTOCOLS])
    ends = {one: _ends(compiled, one) for one in Direction}

    def of(client: NDArray[np.int32], server: NDArray[np.int32]) -> dict[Scope, States]:
        return _scopes(ends[Direction.EGRESS][client], ends[Direction.INGRESS][server])

    there, back = of(traffic.client, traffic.server), of(traffic.server, traffic.client)
    found = {}
    for scope, states in there.items():
        either = np.where(states == back[scope], states, State.UNDETERMINED)
        counts = either != State.ABSENT
        cases = ((counts & itself, State.ITSELF), (counts & ~spoken, State.NO_SEMANTICS))
        found[scope] = _choose(cases, either)
    return found


def _ends(compiled: Compiled, direction: Direction) -> States:
    """Return the state of each endpoint as a subject of which only the isolation is known."""
    isolated = compiled.sides[direction].group[compiled.class_of] >= 0
    pods = compiled.classes.pods[compiled.class_of]
    concrete = _choose(((~pods, State.ABSENT), (~isolated, State.UNCOVERED)), State.UNDETERMINED)
    first = compiled.choices.first
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return _common(concrete[compiled.choices.numbers], owner)


def _scopes(egress: States, ingress: States) -> dict[Scope, States]:
    least = np.minimum(egress, ingress)
    both = np.where(least < State.COVERED, least, np.maximum(egress, ingress))
    return {Scope.INGRESS: ingress, Scope.EGRESS: egress, Scope.BOTH: both}


def _common(states: States, owner: NDArray[np.int64]) -> States:
    """Return, for each owner (ascending), the state that all of its states agree on."""
    begin = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(begin) == len(states):
        return states
    least, most = (one.reduceat(states, begin) for one in (np.minimum, np.maximum))
    return np.where(least == most, least, np.uint8(State.UNDETERMINED))


def _choose(cases: tuple[tuple[Mask, State], ...], default: States | State) -> States:
    """Return the state of the first case that holds for each row."""
    masks: list[Any] = [mask for mask, _ in cases]
    values: list[Any] = [np.uint8(state) for _, state in cases]
    chosen = default if isinstance(default, np.ndarray) else np.uint8(default)
    found: States = np.select(masks, values, chosen).astype(np.uint8)
    return found
