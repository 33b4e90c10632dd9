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
from synth.learner.workloads import identity
from synth.policy.model import Direction
from synth.policy.ports import Protocol

VPC_BIT, CONNTRACK_BIT = 1, 2
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


def control_plane(inventory: Inventory, role: Role) -> dict[str, Question]:
    """Return Service → question, for the role's Services that the API server itself calls."""
    found: dict[str, Question] = {}
    called = tuple(
        one
        for one in inventory.services
        if one.namespace == role.namespace and f"{one.namespace}/{one.name}" in inventory.admission
    )
    if not called:
        return found
    for service, (_, workload, _, _) in service_listeners(replace(inventory, services=called)):
        name = f"{service.namespace}/{service.name}"
        if workload in role.workloads:
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
