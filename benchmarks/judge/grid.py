"""Who may reach whom by the policies alone, as the metrics ask it: by workload and port."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Names
from benchmarks.judge.proposal import Proposal
from benchmarks.judge.verdicts import check_blocks
from synth.evaluator.connectivity import Connectivity, connect
from synth.evaluator.over_permission import Role, role_of, size_of
from synth.inventory.listeners import listeners
from synth.inventory.present import list_present
from synth.policy.ports import PortSet, Protocol

DNS = ("UDP", 53)
_PROTOCOLS = {6: Protocol.TCP, 17: Protocol.UDP, 132: Protocol.SCTP}
_WORDS = {one.value: one for one in Protocol}


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Connectivity when learning ended, and what is known of the W workloads there.

    ``pods`` counts the pods of each workload by class (one of a template that has none);
    ``listening`` are the ports that truly listen or are declared, by workload; ``legitimate`` are
    the ports of true edges by client and server.
    """

    connectivity: Connectivity
    pods: Mapping[Role, Mapping[int, int]]
    listening: Mapping[Role, PortSet]
    legitimate: Mapping[tuple[Role, Role], PortSet]


@lru_cache(maxsize=6)
def draw_grid(prepared: Prepared, proposal: Proposal) -> Grid:
    """Return the grid of the proposal."""
    world = proposal.world(prepared)
    inventory = world.learnt.inventory
    check_blocks(proposal.policies, inventory)
    present = list_present(inventory, inventory.separators)
    endpoints = tuple(dict.fromkeys(one.endpoint for one in present))
    found = connect(proposal.policies, endpoints, inventory.namespace_labels)
    number = dict(zip(endpoints, found.class_of.tolist(), strict=False))
    pods: dict[Role, Counter[int]] = {}
    for one in present:
        pods.setdefault(role_of(one.endpoint), Counter())[number[one.endpoint]] += 1
    legitimate = legitimate_ports(world.names, pods)
    declared = listeners(inventory)
    return Grid(found, pods, listening_ports(declared, legitimate, pods), legitimate)


def legitimate_ports(names: Names, present: Iterable[Role]) -> dict[tuple[Role, Role], PortSet]:
    """Return the ports of the legitimate edges between the workloads that are present."""
    owners: dict[str, list[Role]] = {}
    for role in present:
        owners.setdefault(names.workload_of.get(role, ""), []).append(role)
    found: dict[tuple[Role, Role], PortSet] = {}
    for client, server, protocol, port in sorted(names.legitimate):
        one = PortSet.port(_WORDS[protocol], port)
        if (protocol, port) == DNS:
            # What asks for names may ask again over TCP: declared by every contestant that knows.
            one |= PortSet.port(Protocol.TCP, port)
        for here in owners.get(client, ()):
            for there in owners.get(server, ()):
                found[here, there] = found.get((here, there), PortSet()) | one
    return found


def listening_ports(
    declared: Iterable[tuple[str, str, int, int]],
    legitimate: Mapping[tuple[Role, Role], PortSet],
    present: Iterable[Role],
) -> dict[Role, PortSet]:
    """Return the ports on which each workload listens, declared or not."""
    found = {role: PortSet() for role in present}
    for namespace, workload, protocol, port in sorted(declared):
        if (namespace, workload) in found and protocol in _PROTOCOLS:
            found[namespace, workload] |= PortSet.port(_PROTOCOLS[protocol], port)
    for (_, server), ports in legitimate.items():
        found[server] |= ports
    return found


def count_open(grid: Grid) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return int64[W, W], int64[W], int64[W].

    The first counts, by client and server, the triples of client pod, server pod and listening
    port that the policies let through; then the pods, and the listening ports, of each workload.
    """
    roles, pairs = sorted(grid.pods), grid.connectivity.pairs
    weight = np.zeros((len(roles), len(pairs)), np.int64)
    for at, role in enumerate(roles):
        for number, count in grid.pods[role].items():
            weight[at, number] = count
    ports = np.array([size_of(grid.listening[role]) for role in roles], np.int64)
    opened = np.zeros((len(roles), len(roles)), np.int64)
    sizes: dict[PortSet, NDArray[np.int64]] = {}
    for at, role in enumerate(roles):
        own = grid.listening[role]
        if own not in sizes:
            some = (size_of(one & own) for one in grid.connectivity.sets)
            sizes[own] = np.fromiter(some, np.int64)
        for number, count in grid.pods[role].items():
            opened[:, at] += weight @ sizes[own][pairs[:, number]] * count
    return opened, weight.sum(axis=1), ports
