"""Open questions: what a person must judge before a direction is ready."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.learner.model import Answer, Question, Role, Screen, Screening
from synth.policy.model import Direction
from synth.policy.ports import Protocol

VPC_BIT, CONNTRACK_BIT = 1, 2
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
        contact = _identity(client), _identity(server)
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
    question = Question(
        key=stable_key(
            _identity(client), _identity(server), str(edges.protocol[row]), str(edges.port[row])
        ),
        kind=Screen(int(screening.status[row])).word,
        text=text,
        concerns=_concerned(edges, rows, role_of),
        edge=row,
        records=records,
        evidence=f"{records} record{'s' if records != 1 else ''}, first {file}:{line}",
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


def _identity(endpoint: Endpoint) -> str:
    return f"{endpoint.kind} {endpoint.namespace} {endpoint.workload} {endpoint.name}"


def stable_key(*parts: str) -> str:
    """Return a short hash of what is asked, the same in every run."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def blind_spots(
    edges: Edges, inventory: Inventory, role: Role, direction: Direction
) -> tuple[Question, ...]:
    """Return what the logs of this capture cannot show of the direction.

    VPC flow logs miss traffic within a node, and name the node instead of the pod on traffic
    that leaves the VPC (production rules: *same-node pairs*, *SNAT*).
    """
    if not len(edges) or (np.bitwise_or.reduce(edges.sources) & CONNTRACK_BIT):
        return ()
    spots = []
    if direction is Direction.EGRESS:
        text = (
            "VPC flow logs show traffic that leaves the VPC with the node's address: "
            f"what {role} opens to the Internet cannot be attributed to it"
        )
        spots.append(_blind("snat", role, direction, text))
    together = _always_together(inventory, role)
    if together:
        text = (
            f"{role} was always on one node with {', '.join(together)}: VPC flow logs do not "
            "show traffic within a node"
        )
        spots.append(_blind("same-node", role, direction, text))
    return tuple(spots)


def _blind(what: str, role: Role, direction: Direction, text: str) -> Question:
    return Question(
        key=stable_key("blind-spot", what, str(role), direction),
        kind="blind-spot",
        text=text,
        concerns=((str(role), direction),),
    )


def _always_together(inventory: Inventory, role: Role) -> tuple[str, ...]:
    """Return the other workloads that were never on another node than the role's only one."""
    nodes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in inventory.pods:
        if not pod.host_network:
            nodes[pod.namespace, pod.workload].add(pod.node)
    own = set().union(*(nodes.get((role.namespace, key), set()) for key in role.workloads))
    mine = {(role.namespace, key) for key in role.workloads}
    if len(own) != 1:
        return ()
    others = (key for key, where in nodes.items() if where == own and key not in mine)
    return tuple(sorted(f"{namespace}/{key.partition('/')[2]}" for namespace, key in others))


def answered(
    questions: Iterable[Question], answers: Mapping[str, Answer], assume: Answer | None
) -> Mapping[str, Answer]:
    """Return key → answer for the questions that a person, or ``assume``, has answered."""
    found = {question.key: answers.get(question.key, assume) for question in questions}
    return {key: answer for key, answer in found.items() if answer is not None}
