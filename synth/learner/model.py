"""What learning finds, as values: screening, roles, subjects, questions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from synth.policy.model import Direction, PolicySet, Rule
from synth.policy.selector import Selector


class Screen(IntEnum):
    """What the screen says of an edge."""

    ACCEPTED = 0
    QUARANTINED = 1
    REJECTED = 2
    UNRESOLVED = 3
    RETIRED = 4

    @property
    def word(self) -> str:
        """The word that reports use."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Screening:
    """The screen's answer for each of n edges.

    ``status`` is uint8[n] of ``Screen``; ``reason`` is int16[n], numbers into ``reasons``;
    ``ruled`` is bool[n]: edges that call for a rule, learned or declared (own-node and same-pod
    traffic needs none); ``asks`` is bool[n]: edges that are an open question to a person.
    """

    status: NDArray[np.uint8]
    reason: NDArray[np.int16]
    reasons: tuple[str, ...]
    ruled: NDArray[np.bool_]
    asks: NDArray[np.bool_]

    def is_(self, screen: Screen) -> NDArray[np.bool_]:
        """Return bool[n]: the edges with this status."""
        return np.asarray(self.status == screen)

    def reason_of(self, row: int) -> str:
        """Return why the edge has its status."""
        return self.reasons[int(self.reason[row])]


@dataclass(frozen=True, slots=True)
class Role:
    """Workloads that behave as one and that one exact selector names.

    ``endpoints`` are numbers into the endpoints of the edges. ``selector`` is None if no selector
    picks exactly these pods. ``pods`` names the members, for the certificate.
    """

    namespace: str
    name: str
    workloads: tuple[str, ...]
    selector: Selector | None
    endpoints: tuple[int, ...] = ()
    pods: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return ``namespace/name``."""
        return f"{self.namespace}/{self.name}"


class Answer(StrEnum):
    """What a person said to a question."""

    ACCEPT = "accept"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a person must judge before a direction is ready.

    ``key`` is a short, stable hash of what is asked; ``kind`` is one of ``quarantined``,
    ``unresolved``, ``blind-spot``, ``selector``, ``control-plane``; ``text`` is one sentence;
    ``concerns`` are the subject directions that wait for it; ``edge`` is the row of the edge, -1
    if the question is about none; ``acceptable`` is whether some rule could admit it, else it can
    only be refused.
    """

    key: str
    kind: str
    text: str
    concerns: tuple[tuple[str, Direction], ...]
    edge: int = -1
    records: int = 0
    evidence: str = ""
    answer: Answer | None = None
    acceptable: bool = True


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """A learned or declared rule and what it rests on.

    ``edges`` are rows; ``declared`` says why the rule was added without being observed (``dns``,
    ``exposed service shop/web``, …), empty for a learned one; ``widened`` counts what it admits
    beyond what was observed (addresses for a CIDR, never-seen cells otherwise).
    """

    rule: Rule
    edges: tuple[int, ...] = ()
    declared: str = ""
    widened: int = 0


@dataclass(frozen=True, slots=True)
class Subject:
    """One direction of one role: what it may receive (Ingress) or open (Egress).

    ``ready`` is whether no question is open; ``cost`` and ``optimum`` are the size of the learned
    rules (1 a rule, 1 a peer term, 1 a port term) and its proven lower bound.
    """

    role: Role
    direction: Direction
    rules: tuple[RuleEvidence, ...]
    questions: tuple[Question, ...] = ()
    cost: int = 0
    optimum: int = 0

    @property
    def open_questions(self) -> tuple[Question, ...]:
        """The questions that nobody has answered."""
        return tuple(question for question in self.questions if question.answer is None)

    @property
    def ready(self) -> bool:
        """Whether the direction may be applied."""
        return not self.open_questions and not self.left_open

    @property
    def left_open(self) -> bool:
        """Whether a person said not to isolate what the capture cannot show."""
        return any(
            question.kind == "blind-spot" and question.answer is Answer.REFUSE
            for question in self.questions
        )


@dataclass(frozen=True, slots=True)
class Learned:
    """The policies, and all they rest on.

    ``policies`` holds the ready directions; ``pending`` holds, for each role with a waiting
    direction, the whole policy as it would be if every open question were refused. ``silent``
    are directions of roles without evidence: left open. ``questions`` are all questions.
    """

    policies: PolicySet
    pending: PolicySet
    roles: tuple[Role, ...]
    subjects: tuple[Subject, ...]
    screening: Screening
    questions: tuple[Question, ...] = ()
    silent: tuple[tuple[str, Direction], ...] = ()
    warnings: tuple[str, ...] = ()
    policy_of: Mapping[str, str] = field(default_factory=dict)
    """``namespace/role`` → name of its policy."""
