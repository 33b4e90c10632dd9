"""Subjects: for each direction of each role, its rules, its declared openings, its questions."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.learner.blind_spots import Sight, blind_spots, no_dns, unseen
from synth.learner.model import Question, Role, RuleEvidence, Screening, Subject
from synth.learner.openings import Openings, admitting
from synth.learner.peers import Peers
from synth.learner.questions import contact_text, control_plane, stable_key
from synth.learner.rules import Port, find_rules
from synth.learner.workloads import Key
from synth.policy.model import AddressPeer, Direction, Peer
from synth.policy.ports import PortSet, Protocol

_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the accepted edges say of one direction of one role.

    ``cells`` are peers and ports that rules must admit; ``opened`` are the declared openings,
    with the edges that rest on them; ``nameless`` are rows whose peer no exact selector names.
    """

    cells: Mapping[tuple[Peer, Port], frozenset[int]]
    opened: tuple[RuleEvidence, ...]
    nameless: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """All that a subject is built from."""

    edges: Edges
    sight: Sight
    called: Mapping[Key, tuple[str, ...]]
    """Workload → its Services that the API server itself calls."""
    screening: Screening
    peers: Peers
    openings: Openings
    asked: Mapping[tuple[str, Direction], tuple[Question, ...]]
    """Subject direction → the questions about contacts that concern it."""
    own_node: NDArray[np.bool_]
    """bool[n]: edges that the server's enforcement sees come from its own node: always admitted."""
    ends: Mapping[Key, tuple[int, ...]]
    """Workload → numbers of the endpoints that are of it, or may be."""


def find_ends(edges: Edges) -> Mapping[Key, tuple[int, ...]]:
    """Return, by workload, the numbers of the endpoints that are of it, or may be."""
    found: dict[Key, list[int]] = defaultdict(list)
    for number, endpoint in enumerate(edges.endpoints):
        some = endpoint.candidates or (endpoint,)
        for key in {(one.namespace, one.workload) for one in some if one.kind is Kind.POD}:
            found[key].append(number)
    return {key: tuple(numbers) for key, numbers in found.items()}


def find_subjects(bench: Bench, roles: Sequence[Role]) -> Iterator[Subject]:
    """Yield a subject for each direction of each role for which something was accepted."""
    for role in roles:
        for direction in Direction:
            rows = _rows(bench, role, direction)
            if len(rows):
                yield _subject(bench, role, direction, rows)


def find_unseen(
    bench: Bench, roles: Sequence[Role], subjects: Sequence[Subject]
) -> Iterator[Question]:
    """Yield why nothing may have been seen of directions that have no subject."""
    seen = {(str(one.role), one.direction) for one in subjects}
    for role in roles:
        silent = [one for one in sorted(Direction) if (str(role), one) not in seen]
        yield from unseen(bench.sight, role, silent, _ends(bench, role))


def _ends(bench: Bench, role: Role) -> list[int]:
    return [one for key in role.workloads for one in bench.ends.get((role.namespace, key), ())]


def _rows(bench: Bench, role: Role, direction: Direction) -> NDArray[np.int64]:
    """Return the accepted edges on whose side, in this direction, a pod of the role stands."""
    edges = bench.edges
    ends = _ends(bench, role)
    if direction is Direction.EGRESS:
        return np.flatnonzero(bench.screening.ruled & np.isin(edges.client, ends))
    return np.flatnonzero(bench.screening.ruled & np.isin(edges.server, ends) & ~bench.own_node)


def _subject(bench: Bench, role: Role, direction: Direction, rows: NDArray[np.int64]) -> Subject:
    ingress = direction is Direction.INGRESS
    evidence = _evidence(bench, role, direction, rows)
    ruled = find_rules(evidence.cells)
    rules = tuple(_counted(bench, direction, one) for one in ruled.rules)
    return Subject(
        role=role,
        direction=direction,
        rules=(*rules, *evidence.opened),
        questions=(
            *bench.asked.get((str(role), direction), ()),
            *blind_spots(bench.sight, (role, direction), rows),
            *no_dns(role, direction, evidence.opened),
            *_unwritable(bench, role, direction, evidence.nameless),
            *(control_plane(bench.called, role).values() if ingress else ()),
        ),
        cost=ruled.size,
        optimum=ruled.bound,
    )


def _evidence(bench: Bench, role: Role, direction: Direction, rows: NDArray[np.int64]) -> Evidence:
    ingress = direction is Direction.INGRESS
    declared = bench.openings.ingress(role) if ingress else bench.openings.egress(role)
    cells: dict[tuple[Peer, Port], set[int]] = defaultdict(set)
    resting: dict[int, set[int]] = defaultdict(set)
    nameless = []
    for row in map(int, rows):
        port = (_PROTOCOLS[int(bench.edges.protocol[row])], int(bench.edges.port[row]))
        peers = bench.peers.name(_peer_of(bench.edges, row, direction), role.namespace)
        if not peers:
            nameless.append(row)
        for peer in peers:
            opening = admitting(declared, peer, PortSet.port(*port))
            if opening is None:
                cells[peer, port].add(row)
            else:
                resting[declared.index(opening)].add(row)
    opened = (replace(one, edges=tuple(sorted(resting[at]))) for at, one in enumerate(declared))
    return Evidence(
        {cell: frozenset(some) for cell, some in cells.items()}, tuple(opened), tuple(nameless)
    )


def _peer_of(edges: Edges, row: int, direction: Direction) -> Endpoint:
    """Return the peer as the subject's own enforcement sees it."""
    column = edges.client_seen if direction is Direction.INGRESS else edges.server
    return edges.endpoints[int(column[row])]


def _counted(bench: Bench, direction: Direction, evidence: RuleEvidence) -> RuleEvidence:
    """Return the rule with the addresses counted that its blocks admit and nobody used."""
    seen = {_peer_of(bench.edges, row, direction) for row in evidence.edges}
    used = {one.address for one in seen if one.kind is not Kind.POD and one.address}
    blocks = [peer.block for peer in evidence.rule.peers if isinstance(peer, AddressPeer)]
    admitted = sum(block.size for block in blocks)
    return replace(evidence, widened=max(admitted - len(used), 0) if blocks else 0)


def _unwritable(
    bench: Bench, role: Role, direction: Direction, nameless: Sequence[int]
) -> Iterator[Question]:
    concerns = ((str(role), direction),)
    if role.selector is None:
        text = f"no selector picks exactly the pods of {role}: give them a label of their own"
        yield Question(stable_key("selector", str(role)), "selector", text, concerns)
    contacts = {contact_text(bench.edges, row): row for row in nameless}
    for text, row in sorted(contacts.items()):
        yield Question(
            key=stable_key("selector", str(role), direction, text),
            kind="selector",
            text=f"{text}: no selector names exactly this peer",
            concerns=concerns,
            edge=row,
            records=int(bench.edges.records[row]),
        )
