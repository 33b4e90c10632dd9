"""Whether policies let traffic through: two judgements a row, at the client and at the server."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from synth.evaluator.admission import admit
from synth.evaluator.bits import Mask
from synth.evaluator.compile import Compiled, Namespaces, compile_policies
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.rows import Rows, ask, expand
from synth.evaluator.traffic import SERVER, Traffic
from synth.policy.model import Direction, PolicySet

CHUNK = 1 << 20
"""Rows judged at a time by a thread."""
THREADS = 2
"""How many chunks are judged at once: NumPy leaves the interpreter to others in its long loops, and
each chunk takes some 100 bytes a row."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Verdicts on n rows, bool[n] each.

    A row is allowed if both sides let it through, denied if one side surely does not, and
    undetermined if what is known of its ends does not decide. Where a side is not fully known,
    *isolated* means possibly isolated, and *allowed* surely allowed.

    | case | verdict |
    |---|---|
    | a side that is no pod, or that no policy isolates | allowed there |
    | a pod to itself | allowed on both sides (``hairpin``: through a Service as well) |
    | from a node to a pod on it | allowed at the pod (``from_own_node``) |
    | from a pod to its own node | as to any other (``to_own_node``) |
    | a Service, egress judged before DNAT | undetermined where the port asked for matters |
    | an ambiguous end | what all its candidates agree on |
    | a prefix partly inside a block, a node of unknown address | undetermined if it matters |
    | a protocol other than SCTP, TCP, UDP, at an isolated side | undetermined |
    | an undecided pair with an isolated end | undetermined |
    """

    egress_isolated: Mask
    egress_allowed: Mask
    ingress_isolated: Mask
    ingress_allowed: Mask
    undetermined: Mask

    @classmethod
    def empty(cls, rows: int) -> Self:
        """Return verdicts with every answer False."""
        return cls(*(np.zeros(rows, np.bool_) for _ in fields(cls)))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.undetermined)

    @property
    def allowed(self) -> Mask:
        """bool[n]: the rows that both sides let through."""
        return self.egress_allowed & self.ingress_allowed & ~self.undetermined

    @property
    def denied(self) -> Mask:
        """bool[n]: the rows that one side surely does not let through."""
        return ~(self.egress_allowed & self.ingress_allowed) & ~self.undetermined


def evaluate(
    policies: PolicySet, traffic: Traffic, namespaces: Namespaces, *, options: Options = DEFAULT
) -> Verdicts:
    """Return the verdicts of the policies on the traffic.

    ``namespaces`` gives namespaces' labels; one that only endpoints name exists all the same.
    """
    return judge(compile_policies(policies, traffic.endpoints, namespaces, options), traffic)


def judge(compiled: Compiled, traffic: Traffic) -> Verdicts:
    """Return the verdicts on the traffic, whose endpoints must be those compiled against."""
    verdicts = Verdicts.empty(len(traffic))

    def judge_part(low: int) -> None:
        part = slice(low, low + CHUNK)
        judged = _judge_chunk(compiled, traffic.take(part))
        for one in fields(Verdicts):
            getattr(verdicts, one.name)[part] = getattr(judged, one.name)

    with ThreadPoolExecutor(THREADS) as pool:
        deque(pool.map(judge_part, range(0, len(traffic), CHUNK)), maxlen=0)  # raises what it met
    return verdicts


@dataclass(frozen=True, slots=True)
class _Judgement:
    """One direction's judgement of concrete rows: surely allowed, and possibly allowed."""

    isolated: Mask
    sure: Mask
    maybe: Mask


def _judge_chunk(compiled: Compiled, traffic: Traffic) -> Verdicts:
    decided = np.flatnonzero(traffic.decided)
    judged = _judge_decided(compiled, expand(compiled, traffic, decided))
    if len(decided) == len(traffic):
        return judged
    verdicts = _judge_undecided(compiled, traffic)
    for one in fields(Verdicts):
        getattr(verdicts, one.name)[decided] = getattr(judged, one.name)
    return verdicts


def _judge_decided(compiled: Compiled, rows: Rows) -> Verdicts:
    """Return the verdicts on the rows of the traffic that stand in ``rows``."""
    egress = _judge_side(compiled, rows, Direction.EGRESS)
    ingress = _judge_side(compiled, rows, Direction.INGRESS)
    allowed = _every(rows, egress.sure & ingress.sure)
    possible = ~_every(rows, ~(egress.maybe & ingress.maybe))
    return Verdicts(
        egress_isolated=~_every(rows, ~egress.isolated),
        egress_allowed=_every(rows, egress.sure),
        ingress_isolated=~_every(rows, ~ingress.isolated),
        ingress_allowed=_every(rows, ingress.sure),
        undetermined=possible & ~allowed,
    )


def _judge_side(compiled: Compiled, rows: Rows, direction: Direction) -> _Judgement:
    side = compiled.sides[direction]
    asked = ask(compiled, rows, direction)
    sure = admit(side, compiled.sure, asked.queries) | asked.exempt | ~asked.isolated
    maybe = sure | asked.without_semantics
    if compiled.maybe is not compiled.sure:
        maybe |= admit(side, compiled.maybe, asked.queries)
    if asked.possible is not None:
        maybe |= admit(side, compiled.maybe, asked.possible)
    return _Judgement(asked.isolated, sure, maybe)


def _judge_undecided(compiled: Compiled, traffic: Traffic) -> Verdicts:
    """Return verdicts on all rows as if undecided: either end may have opened."""
    egress, ingress = (
        _may_be_isolated(compiled, direction) for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    out = egress[traffic.client] | egress[traffic.server]
    into = ingress[traffic.client] | ingress[traffic.server]
    itself = traffic.same_pod
    if compiled.options.hairpin == "police" and traffic.asked is not None:
        itself = itself & (traffic.asked == SERVER)
    return Verdicts(
        egress_isolated=out,
        egress_allowed=~out | itself,
        ingress_isolated=into,
        ingress_allowed=~into | itself,
        undetermined=(out | into) & ~itself,
    )


def _may_be_isolated(compiled: Compiled, direction: Direction) -> Mask:
    """Return bool[endpoints]: whether some candidate is isolated in the direction."""
    group = compiled.sides[direction].group[compiled.class_of[compiled.choices.numbers]]
    if not len(group):
        return np.zeros(0, np.bool_)
    return np.logical_or.reduceat(group >= 0, compiled.choices.first[:-1])


def _every(rows: Rows, holds: Mask) -> Mask:
    """Return, for each row of the traffic that stands in ``rows``, whether all of its rows hold."""
    return holds if rows.begin is None else np.logical_and.reduceat(holds, rows.begin)
