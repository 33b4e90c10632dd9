"""Learning as one walk: screen, ask, name roles, write rules, gather policies."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges
from synth.inventory.model import Inventory
from synth.learner.blind_spots import Sight
from synth.learner.facts import Facts
from synth.learner.model import Answer, Learned, Question, Role, Screening, Subject
from synth.learner.openings import Openings
from synth.learner.peers import Peers
from synth.learner.questions import (
    answer_of,
    control_plane,
    edge_questions,
    find_called,
    stable_key,
)
from synth.learner.roles import find_roles
from synth.learner.screen import answer, retire_old_labels, screen, without_settled
from synth.learner.selectors import selects
from synth.learner.subjects import Bench, find_ends, find_subjects, find_unseen
from synth.learner.system import is_system
from synth.learner.workloads import Key
from synth.policy.model import Direction, Policy, PolicySet, Rule

MANAGED = (("app.kubernetes.io/managed-by", "synth"),)
"""The label by which one delete rolls everything back."""


def _as_wanted(_: str, wanted: str) -> str:
    return wanted


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decided.

    ``answers`` maps question keys to answers, ``assume`` answers all others (but refuses nothing
    that the capture cannot show); ``name`` gives the policy's name for a namespace and a role's
    name.
    """

    answers: Mapping[str, Answer] = field(default_factory=dict)
    assume: Answer | None = None
    include_system: bool = False
    name: Callable[[str, str], str] = _as_wanted


def learn(edges: Edges, inventory: Inventory, choices: Choices) -> Learned:
    """Return the policies that the settled edges call for, and all they rest on."""
    roles = find_roles(inventory, edges.endpoints)
    called = find_called(inventory)
    subject_roles = [role for role in roles if _is_subject(role, called, choices)]
    asked, screening = _ask(edges, inventory, subject_roles, choices)
    screening = retire_old_labels(screening, _old_labels(edges, roles))
    peers = Peers.of(inventory, roles)
    openings = Openings.of(inventory, peers, _let_in(called, subject_roles, choices))
    bench = Bench(
        edges=edges,
        sight=Sight.of(edges, inventory),
        called=called,
        screening=screening,
        peers=peers,
        openings=openings,
        asked=_by_subject(asked),
        own_node=Facts(edges, inventory).own_node,
        ends=find_ends(edges),
    )
    found = [_answered(one, choices) for one in find_subjects(bench, subject_roles)]
    unseen = [_with_answer(one, choices) for one in find_unseen(bench, subject_roles, found)]
    questions = {one.key: one for one in (*asked, *_questions(found), *unseen)}
    names = _names(subject_roles, choices)
    ready, pending = _gather(found, names)
    return Learned(
        policies=ready,
        pending=pending,
        roles=roles,
        subjects=tuple(found),
        screening=screening,
        questions=tuple(sorted(questions.values(), key=lambda one: (one.text, one.key))),
        silent=_silent(subject_roles, found, questions.values()),
        warnings=_warnings(openings, found),
        policy_of=names,
    )


def _is_subject(role: Role, called: Mapping[Key, tuple[str, ...]], choices: Choices) -> bool:
    """Return whether policies are for the role; else it is a peer only.

    System namespaces and what the API server calls are peers: a policy too narrow there stops
    more than the traffic that it names.
    """
    if choices.include_system:
        return True
    return not is_system(role.namespace) and not control_plane(called, role)


def _ask(
    edges: Edges, inventory: Inventory, roles: Sequence[Role], choices: Choices
) -> tuple[tuple[Question, ...], Screening]:
    """Return the questions about contacts, answered as far as they are, and the screening then.

    An answer can settle an ambiguous contact too, which is then no question any longer.
    """
    judged = {(role.namespace, key): role for role in roles for key in role.workloads}
    screened = screen(edges, inventory)
    asked = edge_questions(edges, screened, judged)
    rows: dict[Answer, list[int]] = defaultdict(list)
    for one in asked:
        if said := answer_of(one.question, choices.answers, choices.assume):
            rows[said].extend(one.rows)
    screening = without_settled(answer(screened, rows), edges, inventory)
    said_rows = {row for some in rows.values() for row in some}
    left = [
        _with_answer(one.question, choices)
        for one in asked
        if said_rows.intersection(one.rows) or screening.asks[list(one.rows)].any()
    ]
    return tuple(left), screening


def _old_labels(edges: Edges, roles: Sequence[Role]) -> NDArray[np.bool_]:
    """Return bool[n]: edges of pods that their own role's selector does not pick."""
    old = np.zeros(len(edges.endpoints), np.bool_)
    for role in roles:
        for number in role.endpoints if role.selector else ():
            labels = dict(edges.endpoints[number].labels)
            old[number] = role.selector is not None and not selects(role.selector, labels)
    return np.asarray(old[edges.client] | old[edges.server])


def _let_in(
    called: Mapping[Key, tuple[str, ...]], roles: Sequence[Role], choices: Choices
) -> frozenset[str]:
    """Return the Services whose callers, the API servers, a person let in."""
    return frozenset(
        name
        for role in roles
        for name, question in control_plane(called, role).items()
        if answer_of(question, choices.answers, choices.assume) is Answer.ACCEPT
    )


def _names(roles: Sequence[Role], choices: Choices) -> dict[str, str]:
    """Return ``namespace/role`` → its policy's name, no name twice in a namespace."""
    names: dict[str, str] = {}
    taken: set[tuple[str, str]] = set()
    for role in roles:
        name = choices.name(role.namespace, role.name)
        if (role.namespace, name) in taken:
            name = choices.name(role.namespace, f"{role.name[:200]}-{stable_key(str(role))}")
        taken.add((role.namespace, name))
        names[str(role)] = name
    return names


def _by_subject(
    questions: Iterable[Question],
) -> Mapping[tuple[str, Direction], tuple[Question, ...]]:
    found: dict[tuple[str, Direction], list[Question]] = defaultdict(list)
    for question in questions:
        for concern in question.concerns:
            found[concern].append(question)
    return {concern: tuple(some) for concern, some in found.items()}


def _answered(subject: Subject, choices: Choices) -> Subject:
    """Return the subject with each question's answer."""
    questions = tuple(_with_answer(question, choices) for question in subject.questions)
    return replace(subject, questions=questions)


def _with_answer(question: Question, choices: Choices) -> Question:
    return replace(question, answer=answer_of(question, choices.answers, choices.assume))


def _questions(subjects: Iterable[Subject]) -> Iterator[Question]:
    for subject in subjects:
        yield from subject.questions


def _warnings(openings: Openings, subjects: Sequence[Subject]) -> tuple[str, ...]:
    ingress = [rule for one in subjects if one.direction is Direction.INGRESS for rule in one.rules]
    return openings.warnings(ingress)


def _gather(subjects: Sequence[Subject], names: Mapping[str, str]) -> tuple[PolicySet, PolicySet]:
    """Return the ready policies, and the whole policies of roles that wait for an answer."""
    by_role: dict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        if subject.role.selector is not None and not subject.left_open:
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
    roles: Sequence[Role], subjects: Sequence[Subject], questions: Iterable[Question]
) -> tuple[tuple[str, Direction], ...]:
    """Return the directions that nothing was accepted for and no open question is about."""
    heard = {(str(one.role), one.direction) for one in subjects if not one.left_open}
    asked = {concern for one in questions if one.answer is None for concern in one.concerns}
    every = ((str(role), direction) for role in roles for direction in Direction)
    return tuple(one for one in every if one not in heard and one not in asked)


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
