"""Verdicts of edges, counted in records: the matrix, and the denied edges one by one."""

from typing import TYPE_CHECKING

import numpy as np

from synth.edges.schema import Edges
from synth.evaluator.verdicts import Verdicts
from synth.learner.model import Screen, Screening
from synth.ledger import Example, Ledger
from synth.policy.ports import Protocol
from synth.proof.replay import Denial, Replay, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}


def replay_edges(edges: Edges, screening: Screening, verdicts: Verdicts, skipped: Ledger) -> Replay:
    """Return the replay of every record, those that became no edge included."""
    masks = {
        Verdict.ALLOWED: verdicts.allowed,
        Verdict.DENIED: verdicts.denied,
        Verdict.UNDETERMINED: verdicts.undetermined,
    }
    matrix = {
        verdict: {
            screen.word: int(edges.records[mask & screening.is_(screen)].sum()) for screen in Screen
        }
        for verdict, mask in masks.items()
    }
    denied = [
        _denial(edges, screening, verdicts, int(row)) for row in np.flatnonzero(verdicts.denied)
    ]
    ordered = sorted(denied, key=lambda one: (-one.records, one.source, one.destination, one.port))
    return Replay(matrix, tuple(ordered), skipped)


def _denial(edges: Edges, screening: Screening, verdicts: Verdicts, row: int) -> Denial:
    file, line = edges.example_of(row)
    protocol = int(edges.protocol[row])
    return Denial(
        source=edges.endpoints[edges.client[row]].name,
        destination=edges.endpoints[edges.server[row]].name,
        protocol=_PROTOCOLS.get(protocol, str(protocol)),
        port=int(edges.port[row]),
        records=int(edges.records[row]),
        example=f"{file}:{line}",
        reason=_sides(verdicts, row),
        screening=Screen(int(screening.status[row])).word,
    )


def _sides(verdicts: Verdicts, row: int) -> str:
    """Return which side's isolation denies: ``egress``, ``ingress`` or both."""
    sides: Mapping[str, bool] = {
        "egress": not verdicts.egress_allowed[row],
        "ingress": not verdicts.ingress_allowed[row],
    }
    return " and ".join(side for side, denies in sides.items() if denies)


def screening_ledger(edges: Edges, screening: Screening, skipped: Ledger) -> Ledger:
    """Return every record under one outcome: its screening word, or why it became no edge."""
    return Ledger.sum(_outcome(edges, screening, screen) for screen in Screen) + skipped


def _outcome(edges: Edges, screening: Screening, screen: Screen) -> Ledger:
    """Return the records of the status, with the first of them as its example."""
    rows = np.flatnonzero(screening.is_(screen))
    if not len(rows):
        return Ledger()
    first = int(rows[edges.example[rows].argmin()])
    example = Example(*edges.example_of(first))
    return Ledger.of(screen.word, int(edges.records[rows].sum()), example)
