"""Explanations as values; ``explain`` finds them, and whoever renders says them in words."""

from dataclasses import dataclass
from enum import StrEnum

from synth.evaluator.sides import RuleRef
from synth.inventory.endpoint import Endpoint
from synth.policy.model import Direction, Rule


class Term(StrEnum):
    """A term of a rule that a row can fail on, in the order in which they are looked at."""

    PEER = "peer"
    PROTOCOL = "protocol"
    PORT = "port"


class Exemption(StrEnum):
    """Why a side lets a row through whatever the rules say."""

    NO_POD = "not a pod"
    NOT_ISOLATED = "isolated by no policy"
    SAME_POD = "a pod to itself"
    OWN_NODE = "from its own node"


class Doubt(StrEnum):
    """Why a row is undetermined."""

    DIRECTION = "the direction is not decided"
    PROTOCOL = "the protocol has no policy semantics"
    AMBIGUOUS = "an end is ambiguous"
    ADDRESS = "an address is known in part only"


@dataclass(frozen=True, slots=True, order=True)
class Failure:
    """A term of a rule that fails, and why in words."""

    term: Term
    why: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A rule that does not admit the row, every term that fails, and what the rule admits."""

    ref: RuleRef
    failures: tuple[Failure, ...]
    rule: Rule

    @property
    def failed(self) -> tuple[Term, ...]:
        """The terms that fail, in the order in which they are looked at."""
        return tuple(one.term for one in self.failures)

    def __str__(self) -> str:
        """Return ``shop/db ingress[0] admits pods role=api on TCP 3306 (peer)``."""
        return f"{self.ref} admits {self.rule} ({', '.join(self.failed)})"


@dataclass(frozen=True, slots=True)
class Reason:
    """One direction of a row.

    ``exemption`` is set where rules are not asked. Otherwise ``admitted_by`` holds all rules that
    admit the row, or ``closest`` the rules that fail on the fewest terms.
    """

    direction: Direction
    subject: Endpoint
    peer: Endpoint
    allowed: bool
    exemption: Exemption | None
    isolated_by: tuple[tuple[str, str], ...]
    admitted_by: tuple[RuleRef, ...]
    closest: tuple[Miss, ...]

    def __str__(self) -> str:
        """Return the reason in one line."""
        side = f"{self.direction.lower()} of {self.subject.name}"
        if self.exemption:
            return f"{side} is allowed: {self.exemption}"
        if self.admitted_by:
            return f"{side} is admitted by {', '.join(map(str, self.admitted_by))}"
        isolators = ", ".join("/".join(key) for key in self.isolated_by)
        closest = "; ".join(map(str, self.closest)) or "no rule"
        return f"{side} is isolated by {isolators}: {closest}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one row is allowed, denied or (``doubts``, one or more) undetermined."""

    client: Endpoint
    server: Endpoint
    protocol: int
    port: int
    verdict: str
    egress: Reason
    ingress: Reason
    doubts: tuple[Doubt, ...] = ()

    def __str__(self) -> str:
        """Return the verdict and both reasons, a line each."""
        doubts = f" ({', '.join(self.doubts)})" if self.doubts else ""
        head = f"{self.client.name} → {self.server.name} {self.port} is {self.verdict}{doubts}"
        return "\n".join((head, str(self.egress), str(self.ingress)))
