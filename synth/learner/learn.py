"""Learning as one walk: screen, ask, name roles, write rules, gather policies."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from synth.edges.schema import Edges
from synth.inventory.model import Inventory
from synth.learner.model import Answer, Learned, Question, Role, Subject
from synth.learner.openings import Openings
from synth.learner.peers import Peers
from synth.learner.questions import AskedEdges, answered, edge_questions
from synth.learner.roles import find_roles
from synth.learner.screen import answer, screen
from synth.learner.subjects import Bench, find_subjects
from synth.learner.system import SYSTEM_NAMESPACES
from synth.policy.model import Direction, Policy, PolicySet, Rule

MANAGED = (("app.kubernetes.io/managed-by", "synth"),)
"""The label by which one delete rolls everything back."""


def _as_wanted(_: str, wanted: str) -> str:
    return wanted


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decided.

    ``answers`` maps question keys to answers, ``assume`` answers all others; ``name`` gives the
    policy's name for a namespace and a role's name.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    assume: Answer | None = None
    include_system: bool = False
    name: Callable[[str, str], str] = _as_wanted


def learn(edges: Edges, inventory: Inventory, choices: Choices) -> Learned:
    """Return the policies that the settled edges call for, and all they rest on."""
    roles = find_roles(inventory, edges.endpoints)
    peers = Peers.of(inventory, roles)
    subject_roles = [role for role in roles if _is_subject(role, choices)]
    judged = {(role.namespace, key): role for role in subject_roles for key in role.workloads}
    asked = edge_questions(edges, screening := screen(edges, inventory), judged)
    said = answered((one.question for one in asked), choices.answers, choices.assume)
    screening = answer(screening, _rows_said(asked, said))
    bench = Bench(
        edges,
        inventory,
        screening,
        peers,
        Openings(inventory, peers),
        _by_subject(one.question for one in asked),
    )
    found = [_answered(one, choices) for one in find_subjects(bench, subject_roles)]
    questions = {one.question.key: _with_answer(one.question, choices) for one in asked}
    questions |= {one.key: one for subject in found for one in subject.questions}
    names = {str(role): choices.name(role.namespace, role.name) for role in subject_roles}
    ready, pending = _gather(found, names)
    return Learned(
        policies=ready,
        pending=pending,
        roles=roles,
        subjects=tuple(found),
        screening=screening,
        questions=tuple(sorted(questions.values(), key=lambda one: (one.text, one.key))),
        silent=_silent(subject_roles, found),
        policy_of=names,
    )


def _is_subject(role: Role, choices: Choices) -> bool:
    return choices.include_system or role.namespace not in SYSTEM_NAMESPACES


def _rows_said(
    asked: Sequence[AskedEdges], said: Mapping[str, Answer]
) -> Mapping[Answer, list[int]]:
    rows: dict[Answer, list[int]] = defaultdict(list)
    for one in asked:
        if one.question.key in said:
            rows[said[one.question.key]].extend(one.rows)
    return rows


def _by_subject(
    questions: Iterable[Question],
) -> Mapping[tuple[str, Direction], tuple[Question, ...]]:
    found: dict[tuple[str, Direction], list[Question]] = defaultdict(list)
    for question in questions:
        for concern in question.concerns:
            found[concern].append(question)
    return {concern: tuple(some) for concern, some in found.items()}


def _answered(subject: Subject, choices: Choices) -> Subject:
    """Return the subject with each question's answer.

    A question about naming pods cannot be answered away: the labels must change.
    """
    questions = tuple(_with_answer(question, choices) for question in subject.questions)
    return replace(subject, questions=questions)


def _with_answer(question: Question, choices: Choices) -> Question:
    if question.kind == "selector":
        return question
    return replace(question, answer=choices.answers.get(question.key, choices.assume))


def _gather(subjects: Sequence[Subject], names: Mapping[str, str]) -> tuple[PolicySet, PolicySet]:
    """Return the ready policies, and the whole policies of roles that wait for an answer."""
    by_role: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        if subject.role.selector is not None:
            by_role[str(subject.role)].append(subject)
    ready, pending = [], []
    for name, some in sorted(by_role.items()):
        settled = [one for one in some if one.ready]
        if settled:
            ready.append(_policy(names[name], settled))
        if len(settled) < len(some):
            pending.append(_policy(names[name], some))
    return PolicySet.of(ready), PolicySet.of(pending)


def _silent(
    roles: Sequence[Role], subjects: Sequence[Subject]
) -> tuple[tuple[str, Direction], ...]:
    heard = {(str(subject.role), subject.direction) for subject in subjects}
    every = ((str(role), direction) for role in roles for direction in Direction)
    return tuple(one for one in every if one not in heard)


def _policy(name: str, subjects: Sequence[Subject]) -> Policy:
    role = subjects[0].role
    rules = {subject.direction: _rules(subject) for subject in subjects}
    if role.selector is None:
        message = f"{role} has no selector"
        raise ValueError(message)
    return Policy(
        namespace=role.namespace,
        name=name,
        pods=role.selector,
        ingress=rules.get(Direction.INGRESS),
        egress=rules.get(Direction.EGRESS),
        labels=MANAGED,
    )


def _rules(subject: Subject) -> tuple[Rule, ...]:
    return tuple(evidence.rule for evidence in subject.rules)
