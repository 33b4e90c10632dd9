"""The learner under judgement, by its real command, and the oracle that bounds it.

| contestant | is |
|---|---|
| ``synth`` | ``learn --assume refuse``: a person refuses whatever is asked about an edge, and |
| | leaves open what the logs cannot show, as the answers that the command offers have it |
| ``synth-ready`` | ``learn`` without an answer: what is ready at once |
| ``oracle`` | ``learn`` on the repaired cluster and benign logs, questions answered by the |
| | truth: legitimate edges accepted, others refused, blind spots accepted where nothing is hidden |
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Key, Names
from benchmarks.judge.proposal import Proposal, Selection
from benchmarks.judge.world import RANGES, World, stay_silent
from synth.commands.learn import LearnRequest, learn
from synth.learner.model import Answer, Question, Role, Screen
from synth.policy.model import Direction
from synth.proof.results import LearnResult

ROUNDS = 3
"""How often the oracle answers: an answer may raise a question."""


def propose_synth(prepared: Prepared) -> Proposal:
    """Return what is left when a person refuses everything."""
    return _propose("synth", prepared.plain, Answer.REFUSE)


def propose_ready(prepared: Prepared) -> Proposal:
    """Return what is ready without an answer."""
    return _propose("synth-ready", prepared.plain, None)


def propose_oracle(prepared: Prepared) -> Proposal:
    """Return what the learner makes of true roles, labels and benign edges."""
    began, answers = time.perf_counter(), dict[str, Answer]()
    world = prepared.repaired
    for _ in range(ROUNDS):
        result = run(world, answers=answers)
        fresh = answer_truly(result, world.names)
        if fresh.keys() <= answers.keys():
            break
        answers |= fresh
    return to_proposal("oracle", world, run(world, answers=answers), began, repaired=True)


def run(
    world: World, *, assume: Answer | None = None, answers: Mapping[str, Answer] | None = None
) -> LearnResult:
    """Return what the command finds in the world's files."""
    with tempfile.TemporaryDirectory() as folder:
        filled = Path(folder) / "answers.yaml"
        entries = [{"key": key, "answer": word.value} for key, word in (answers or {}).items()]
        filled.write_text(json.dumps(entries), encoding="utf-8")
        request = LearnRequest(
            flows=(str(world.logs),),
            cluster=(str(world.cluster),),
            out=Path(folder) / "learned",
            ranges=RANGES,
            accept=(str(filled),) if entries else (),
            assume=assume,
        )
        return learn(request, stay_silent)


def _propose(name: str, world: World, assume: Answer | None) -> Proposal:
    began = time.perf_counter()
    return to_proposal(name, world, run(world, assume=assume), began)


def to_proposal(
    name: str, world: World, result: LearnResult, began: float, *, repaired: bool = False
) -> Proposal:
    """Return the command's result as a proposal."""
    seconds = time.perf_counter() - began
    learned, keys = result.learned, world.names.keys(result.edges)
    review = np.flatnonzero(_reviewed(result)).tolist()
    return Proposal(
        contestant=name,
        policies=learned.policies,
        edges=result.edges,
        accepted=learned.screening.is_(Screen.ACCEPTED),
        quarantined=frozenset(key for row in review if (key := keys[row])),
        roles={true: str(role) for role in learned.roles for true in _members(role, world.names)},
        selections=tuple(
            Selection(role.namespace, role.selector, frozenset(_members(role, world.names)))
            for role in learned.roles
            if role.selector is not None
        ),
        seconds=seconds,
        records=result.ledger.total,
        sizes=tuple((one.cost, one.optimum) for one in learned.subjects),
        repaired=repaired,
    )


def _members(role: Role, names: Names) -> list[str]:
    keys = ((role.namespace, workload) for workload in role.workloads)
    return [names.workload_of[key] for key in keys if key in names.workload_of]


def _reviewed(result: LearnResult) -> NDArray[np.bool_]:
    """Return bool[n]: the edges that a person was or is asked about, but accepted ones."""
    screening = result.learned.screening
    refused = [number for number, text in enumerate(screening.reasons) if "by a person" in text]
    accepted = screening.is_(Screen.ACCEPTED)
    return np.asarray((screening.asks | np.isin(screening.reason, refused)) & ~accepted)


def answer_truly(result: LearnResult, names: Names) -> dict[str, Answer]:
    """Return the true answer to each question that can be answered."""
    truth = names.judge(result.edges)
    hidden = find_hidden(result, names, truth.keys)
    answers = {}
    for one in result.learned.questions:
        if one.kind == "selector":
            continue
        fair = _is_fair(one, truth.legitimate) if one.edge >= 0 else not hidden & {*one.concerns}
        answers[one.key] = Answer.ACCEPT if fair and one.acceptable else Answer.REFUSE
    return answers


def _is_fair(question: Question, legitimate: NDArray[np.bool_]) -> bool:
    return bool(legitimate[question.edge])


def find_hidden(
    result: LearnResult, names: Names, seen: tuple[Key | None, ...]
) -> frozenset[tuple[str, Direction]]:
    """Return roles' directions with legitimate connections of which the logs show none."""
    roles = defaultdict[str, set[str]](set)
    for role in result.learned.roles:
        for true in _members(role, names):
            roles[true].add(str(role))
    shown, found = set(seen), set[tuple[str, Direction]]()
    for key, edges in names.edges.items():
        if key in shown or not any(one.legitimate and one.connections for one in edges):
            continue
        found |= {(role, Direction.EGRESS) for role in roles.get(key[0], ())}
        found |= {(role, Direction.INGRESS) for role in roles.get(key[1], ())}
    return frozenset(found)
