"""Packets of one end alone, folded as logs have them: they prove neither opening nor answer.

Whoever sends them chooses the port that they come from, and with it who looks like the server.
"""

from collections.abc import Sequence

import pytest

from synth.direction import FIRST_EPHEMERAL
from synth.edges.settle import settle
from synth.flows import Initiator, Outcome, Rung
from synth.learner.learn import Choices, learn
from synth.learner.model import Learned
from synth.policy.model import Direction
from tests.edges.strategies import (
    API,
    CLUSTER,
    DB,
    UDP,
    WEB1,
    Line,
    folded,
    syn,
    syn_ack,
    tracked,
)

PORTS = range(FIRST_EPHEMERAL, FIRST_EPHEMERAL + 3)
LATE_ANSWERS = [tracked(API, DB, port, 53, protocol=UDP, rev=0) for port in PORTS]
"""UDP that nobody replied to, from a port that its sender declares to listen on."""
MIDWAY = [
    tracked(API, DB, port, 5000, initiator=Initiator.UNKNOWN, rung=Rung.NONE, rev=0)
    for port in PORTS
]
"""Acknowledgements without a connection, which a tracker takes for one picked up midway."""
FANNING = [Line(WEB1, DB, 50051, port) for port in PORTS]
RESETS = [Line(DB, WEB1, port, 50051, outcome=Outcome.FAILED) for port in PORTS]
CASES = {
    "late answers": (LATE_ANSWERS, "conntrack-text", 53),
    "picked up midway": (MIDWAY, "conntrack-text", 5000),
    "fan-in": (FANNING, "vpc-text", 50051),
    "fan-in, reset": ([*FANNING, *RESETS], "vpc-text", 50051),
}


def learned_of(lines: Sequence[Line], source: str) -> tuple[Learned, list[tuple[str, int, str]]]:
    """Return what is learned, and each edge's client, port and screening word."""
    edges = settle(folded(*lines, source=source))
    found = learn(edges, CLUSTER, Choices())
    told = [
        (
            edges.endpoints[edges.client[row]].name,
            int(edges.port[row]),
            found.screening.reason_of(row),
        )
        for row in range(len(edges))
    ]
    return found, told


@pytest.mark.parametrize("name", CASES)
def test_packets_of_one_end_alone_isolate_nobody(name: str) -> None:
    lines, source, port = CASES[name]
    found, told = learned_of(lines, source)
    reason = "only one end was heard, and it may have sent on its own"
    assert told == [("shop/db", port, reason)]
    assert found.subjects == ()
    assert len(found.policies) == len(found.pending) == 0
    (question,) = found.questions
    assert ("shop/db", Direction.EGRESS) in question.concerns


def test_an_opening_of_the_client_itself_is_heard() -> None:
    """The same packets beside one connection that its record shows being opened."""
    opened = [tracked(DB, API, 53, protocol=UDP, outcome=Outcome.ANSWERED)]
    found, told = learned_of([*LATE_ANSWERS, *opened], "conntrack-text")
    assert [reason for *_, reason in told] == ["answered, by all that could be asked for"]
    assert found.subjects


def test_both_ends_heard_is_no_one_sided_edge() -> None:
    both = [Line(API, DB, 5000, PORTS[0]), Line(DB, API, PORTS[0], 5000)]
    other = [syn(WEB1, API, 5000), syn_ack(WEB1, API, 5000)]
    _, told = learned_of([*both, *other], "vpc-text")
    assert "only one end" not in " ".join(reason for *_, reason in told)
