"""Over-permission: what rules admit that is not legitimate, or that nobody saw."""

from collections.abc import Mapping

from benchmarks.judge.case import Prepared
from benchmarks.judge.grid import DNS, Grid, draw_grid
from benchmarks.judge.names import Names
from benchmarks.judge.proposal import Proposal
from synth.evaluator.over_permission import (
    Cells,
    Role,
    measure_over_permission,
    observe,
    size_of,
)
from synth.policy.model import Direction, PolicySet
from synth.policy.ports import PortSet, Protocol

IPV4 = 4


def against_truth(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return cells that rules admit and no truth knows / legitimate cells, inside the cluster."""
    return exceed(draw_grid(prepared, proposal), proposal.policies)


def exceed(grid: Grid, policies: PolicySet) -> float | None:
    """Return admitted but not legitimate / legitimate cells (client, server, protocol, port).

    Cells are about ports that listen or that a rule names; a cell that no policy has a say on is
    none that rules admit.
    """
    ports = PortSet()
    for one in {*grid.listening.values(), *named_ports(policies)}:
        ports |= one
    _, beyond = Cells(grid.connectivity, ports).count(grid.legitimate)
    legitimate = sum(size_of(one) for one in grid.legitimate.values())
    return beyond / legitimate if legitimate else None


def named_ports(policies: PolicySet) -> set[PortSet]:
    """Return the ports that rules name, but those that stand for all of a protocol."""
    return {
        PortSet.of(*(one for one in rule.ports.ranges if not one.every))
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction) or ()
    }


def never_seen(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return cells never observed / cells that rules admit, among roles as the logs show them."""
    grid, observed = draw_grid(prepared, proposal), with_dns(observe(proposal.edges))
    ports = PortSet()
    for one in {*grid.listening.values(), *named_ports(proposal.policies), *observed.values()}:
        ports |= one
    admitted, never = Cells(grid.connectivity, ports).count(observed)
    return never / admitted if admitted else None


def with_dns(observed: Mapping[tuple[Role, Role], PortSet]) -> dict[tuple[Role, Role], PortSet]:
    """Return the same with DNS over TCP wherever it was seen over UDP: it is declared."""
    udp, tcp = (PortSet.port(one, DNS[1]) for one in (Protocol.UDP, Protocol.TCP))
    return {pair: ports | tcp if udp <= ports else ports for pair, ports in observed.items()}


def outside_egress(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return the IPv4 addresses outside that isolated pods may open to, but legitimate ones."""
    names = proposal.world(prepared).names
    inventory = proposal.world(prepared).learnt.inventory
    found = measure_over_permission(
        draw_grid(prepared, proposal).connectivity,
        proposal.policies,
        proposal.edges,
        (),
        inventory.ranges.pods,
    )
    return float(max(found.addresses[Direction.EGRESS][IPV4] - count_outside(names), 0))


def count_outside(names: Names) -> int:
    """Return how many addresses outside are truly called."""
    called = {server for _, server, _, _ in names.legitimate}
    return sum(end - low for low, end, name in names.outside if name in called)
