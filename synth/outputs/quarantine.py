"""``quarantine.yaml``: what was not learned, with evidence, ready to be answered."""

import numpy as np

from synth.dialects.decisions import Traffic, write_questions
from synth.learner.model import Screen
from synth.outputs.traffic import Telling
from synth.proof.results import LearnResult


def quarantine(result: LearnResult) -> str:
    """Return the questions, then every other edge that was not learned, a line each."""
    telling = Telling.of(result.edges)
    learned = result.learned
    asked = {
        question.key: _traffic(result, telling, question.edge)
        for question in learned.questions
        if question.edge >= 0
    }
    rows = np.flatnonzero(learned.screening.status != Screen.ACCEPTED)
    others = sorted(_traffic(result, telling, int(row)) for row in rows)
    return write_questions(learned.questions, asked, others)


def _traffic(result: LearnResult, telling: Telling, row: int) -> Traffic:
    screening = result.learned.screening
    key = telling.key(row)
    return Traffic(
        client=str(key["client"]),
        server=str(key["server"]),
        protocol=str(key["protocol"]),
        port=int(telling.edges.port[row]),
        screening=Screen(int(screening.status[row])).word,
        reason=screening.reason_of(row),
        records=int(telling.edges.records[row]),
        example=telling.example(row),
    )
