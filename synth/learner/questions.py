"""Open questions: what a person must judge before a direction is ready."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.listeners import service_listeners
from synth.inventory.model import Inventory
from synth.learner.model import Answer, Question, Role, Screen, Screening
from synth.learner.workloads import Key, identity
from synth.policy.model import Direction
from synth.policy.ports import Protocol

UNSEEN = frozenset({"blind-spot", "control-plane"})
"""Kinds of questions about traffic that is not in the capture at all."""
_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class AskedEdges:
    """A question about one contact, and the rows of the edges that it covers."""

    question: Question
    rows: tuple[int, ...]


def edge_questions(
    edges: Edges, screening: Screening, role_of: Mapping[tuple[str, str], Role]
) -> tuple[AskedEdges, ...]:
    """Return one question for each contact that waits, sorted by who, whom and port."""
    contacts: dict[tuple[str, str, int, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(screening.asks):
        client, server = edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]]
        contact = identity(client), identity(server)
        contacts[*contact, int(edges.protocol[row]), int(edges.port[row])].append(int(row))
    asked = [_ask(edges, screening, rows, role_of) for _, rows in sorted(contacts.items())]
    return tuple(one for one in asked if one.question.concerns)


def _ask(
    edges: Edges,
    screening: Screening,
    rows: Sequence[int],
    role_of: Mapping[tuple[str, str], Role],
) -> AskedEdges:
    row = rows[0]
    client, server = edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]]
    records = int(edges.records[rows].sum())
    file, line = edges.example_of(min(rows, key=edges.example_of))
    text = f"{contact_text(edges, row)}: {screening.reason_of(row)}"
    acceptable = all(_acceptable(edges, one) for one in rows)
    first = f"{records} record{'s' if records != 1 else ''}, first {file}:{line}"
    question = Question(
        key=stable_key(
            identity(client), identity(server), str(edges.protocol[row]), str(edges.port[row])
        ),
        kind=Screen(int(screening.status[row])).word,
        text=text,
        concerns=_concerned(edges, rows, role_of),
        edge=row,
        records=records,
        evidence=first if acceptable else f"{first}; no rule can admit it, so only refuse it",
        acceptable=acceptable,
    )
    return AskedEdges(question, tuple(rows))


def contact_text(edges: Edges, row: int) -> str:
    """Return ``shop/web → shop/db TCP 3306``; an undecided pair with ``↔``."""
    client, server = edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]]
    protocol = _PROTOCOLS.get(int(edges.protocol[row]), str(edges.protocol[row]))
    if not edges.decided[row]:
        ports = f"ports {int(edges.client_port[row]) or '?'} and {int(edges.port[row]) or '?'}"
        return f"{client.name} ↔ {server.name} {protocol} {ports}"
    return f"{client.name} → {server.name} {protocol} {edges.port[row]}"


def _concerned(
    edges: Edges, rows: Iterable[int], role_of: Mapping[tuple[str, str], Role]
) -> tuple[tuple[str, Direction], ...]:
    found: set[tuple[str, Direction]] = set()
    for row in rows:
        ends = edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]]
        for role in _roles(ends[0], role_of):
            found.add((str(role), Direction.EGRESS))
        for role in _roles(ends[1], role_of):
            found.add((str(role), Direction.INGRESS))
        if not edges.decided[row]:
            found |= {(str(role), Direction.INGRESS) for role in _roles(ends[0], role_of)}
            found |= {(str(role), Direction.EGRESS) for role in _roles(ends[1], role_of)}
    return tuple(sorted(found))


def _roles(endpoint: Endpoint, role_of: Mapping[tuple[str, str], Role]) -> list[Role]:
    ends = endpoint.candidates or (endpoint,)
    found = (role_of.get((one.namespace, one.workload)) for one in ends if one.kind is Kind.POD)
    return [role for role in found if role is not None]


def _acceptable(edges: Edges, row: int) -> bool:
    """Return whether rules can admit the edge: its direction, its ends and its port are known."""
    ends = edges.endpoints[edges.client[row]], edges.endpoints[edges.server[row]]
    some = {one.kind for end in ends for one in (end.candidates or (end,))}
    named = some <= {Kind.POD, Kind.NODE, Kind.ADDRESS}
    return bool(edges.decided[row] and edges.port[row] > 0 and named)


def stable_key(*parts: str) -> str:
    """Return a short hash of what is asked, the same in every run."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def find_called(inventory: Inventory) -> Mapping[Key, tuple[str, ...]]:
    """Return, by workload, its Services that the API server itself calls."""
    names = frozenset(inventory.admission)
    called = tuple(one for one in inventory.services if f"{one.namespace}/{one.name}" in names)
    found: dict[Key, set[str]] = defaultdict(set)
    if called:
        for service, target in service_listeners(replace(inventory, services=called)):
            found[target[0], target[1]].add(f"{service.namespace}/{service.name}")
    return {key: tuple(sorted(some)) for key, some in found.items()}


def control_plane(called: Mapping[Key, tuple[str, ...]], role: Role) -> dict[str, Question]:
    """Return Service → question, for the role's Services that the API server itself calls."""
    found: dict[str, Question] = {}
    for workload in role.workloads:
        for name in called.get((role.namespace, workload), ()):
            text = f"the API server calls {role} through Service {name}, from addresses that rotate"
            key = stable_key("control-plane", str(role), name)
            concerns = ((str(role), Direction.INGRESS),)
            found[name] = Question(key, "control-plane", text, concerns)
    return found


def answer_of(
    question: Question, answers: Mapping[str, Answer], assume: Answer | None
) -> Answer | None:
    """Return what a person, or ``assume``, said, as far as it settles the question.

    What pods are called cannot be answered away, and what no rule can say cannot be accepted. To
    refuse what the logs cannot show must be said of each question by itself.
    """
    if question.kind == "selector":
        return None
    blindly = assume is Answer.REFUSE and question.kind in UNSEEN
    said = answers.get(question.key, None if blindly else assume)
    return said if question.acceptable or said is Answer.REFUSE else None
