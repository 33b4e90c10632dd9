"""What a rule admits among the clients, servers and ports that are known."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synth.edges.schema import Edges
from synth.evaluator.admits import admissions
from synth.evaluator.compile import compile_policies
from synth.evaluator.members import members
from synth.evaluator.sides import RuleRef
from synth.evaluator.traffic import Traffic
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory
from synth.learner.model import Screen, Screening
from synth.learner.workloads import find_present
from synth.policy.model import AddressPeer, Direction, Policy, PolicySet, Rule
from synth.proof.explained import Cell
from synth.reports.figures import protocol_name

Port = tuple[int, int]
"""IANA protocol number, and number."""
Workload = tuple[str, str]
CHUNK = 1 << 20
"""Cells judged at a time."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """The cells that a rule admits, sorted, and those of them that nobody was seen to use."""

    cells: tuple[Cell, ...]
    unseen: tuple[Cell, ...]


def find_cells(
    policy: Policy, ref: RuleRef, inventory: Inventory, edges: Edges, screening: Screening
) -> Admitted:
    """Return the cells of the rule: client, server, and a port that the server is known for.

    A server is known for the ports that it declares, and those it was seen on. A cell was seen if
    some record of it did not fail.
    """
    present = find_present(inventory)
    pods = [
        one
        for one in inventory.endpoints
        if one.kind is Kind.POD and (one.namespace, one.workload) in present
    ]
    chosen = members(policy.pods, policy.namespace, pods)
    subjects = [pods[number] for number in chosen.tolist()]
    ingress = ref.direction is Direction.INGRESS
    clients, servers = (pods, subjects) if ingress else (subjects, pods)
    ports = _known_ports(servers, inventory, edges)
    found: set[Cell] = set()
    for rows in _rows(clients, servers, ports):
        found |= _admitted(PolicySet.of([policy]), ref, inventory, rows)
    cells = tuple(sorted(found, key=_order))
    seen = _seen(edges, screening)
    return Admitted(cells, tuple(cell for cell in cells if cell not in seen))


def count_addresses(rule: Rule) -> int:
    """Return how many addresses the rule's blocks hold."""
    return sum(peer.block.size for peer in rule.peers if isinstance(peer, AddressPeer))


def subject_names(policy: Policy, inventory: Inventory) -> tuple[str, ...]:
    """Return the names of the workloads that the policy is about."""
    picked = members(policy.pods, policy.namespace, inventory.endpoints)
    return tuple(sorted({inventory.endpoints[number].name for number in picked.tolist()}))


def _order(cell: Cell) -> tuple[str, str, str, int]:
    return cell.client, cell.server, cell.protocol, cell.port


def _known_ports(
    servers: Sequence[Endpoint], inventory: Inventory, edges: Edges
) -> Mapping[Workload, Sequence[Port]]:
    known: dict[Workload, set[Port]] = defaultdict(set)
    for namespace, workload, protocol, port in listeners(inventory):
        known[namespace, workload].add((protocol, port))
    for server in servers:
        own = known[server.namespace, server.workload]
        own.update((one.protocol.number, one.number) for one in server.ports)
    for row in np.flatnonzero(edges.decided & (edges.port > 0)).tolist():
        one = edges.endpoints[edges.server[row]]
        known[one.namespace, one.workload].add((int(edges.protocol[row]), int(edges.port[row])))
    return {key: sorted(some) for key, some in known.items()}


def _rows(
    clients: Sequence[Endpoint],
    servers: Sequence[Endpoint],
    ports: Mapping[Workload, Sequence[Port]],
) -> Iterable[Sequence[tuple[Endpoint, Endpoint, Port]]]:
    rows: list[tuple[Endpoint, Endpoint, Port]] = []
    for server in servers:
        own = ports.get((server.namespace, server.workload), ())
        rows += [(client, server, port) for client in clients for port in own]
        if len(rows) > CHUNK:
            yield rows
            rows = []
    yield rows


def _admitted(
    policies: PolicySet,
    ref: RuleRef,
    inventory: Inventory,
    rows: Sequence[tuple[Endpoint, Endpoint, Port]],
) -> set[Cell]:
    if not rows:
        return set()
    endpoints = tuple(sorted({end for client, server, _ in rows for end in (client, server)}))
    place = {end: at for at, end in enumerate(endpoints)}
    client = np.array([place[one] for one, _, _ in rows], np.int32)
    never = np.zeros(len(rows), np.bool_)
    traffic = Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=np.array([place[one] for _, one, _ in rows], np.int32),
        protocol=np.array([port[0] for *_, port in rows], np.uint8),
        port=np.array([port[1] for *_, port in rows], np.int32),
        same_node=never,
        same_pod=never,
        decided=~never,
    )
    compiled = compile_policies(policies, endpoints, inventory.namespace_labels)
    found = admissions(compiled, traffic, ref.direction)
    admitted = found.row[found.rule == found.refs.index(ref)].tolist() if found.refs else []
    return {_cell(*rows[row]) for row in admitted}


def _cell(client: Endpoint, server: Endpoint, port: Port) -> Cell:
    return Cell(client.name, server.name, protocol_name(port[0]), port[1])


def _seen(edges: Edges, screening: Screening) -> frozenset[Cell]:
    rows = np.flatnonzero(edges.decided & ~screening.is_(Screen.REJECTED)).tolist()
    return frozenset(
        _cell(client, server, (int(edges.protocol[row]), int(edges.port[row])))
        for row in rows
        for client in _ends(edges.endpoints[edges.client[row]])
        for server in _ends(edges.endpoints[edges.server[row]])
    )


def _ends(endpoint: Endpoint) -> Sequence[Endpoint]:
    """Return who the endpoint may be."""
    return endpoint.candidates or (endpoint,)
