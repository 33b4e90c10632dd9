"""Selector exactness: selectors that choose a pod outside what they are meant for."""

from collections.abc import Mapping, Sequence

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal, Selection
from synth.evaluator.members import members
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.present import list_present


def inexact(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return how many selectors choose a pod outside their role, of all that are or were seen."""
    world = proposal.world(prepared)
    inventory = world.learnt.inventory
    held = (one for one in inventory.endpoints if one.kind is Kind.POD)
    present = (one.endpoint for one in list_present(inventory, inventory.separators))
    pods = tuple(dict.fromkeys((*held, *present)))
    return float(count_inexact(proposal.selections, pods, world.names.workload_of))


def count_inexact(
    selections: Sequence[Selection],
    pods: Sequence[Endpoint],
    workload_of: Mapping[tuple[str, str], str],
) -> int:
    """Return how many of the selections pick a pod of a workload that is not meant."""
    names = [workload_of.get((one.namespace, one.workload), "") for one in pods]
    return sum(
        any(names[at] not in one.meant for at in members(one.selector, one.namespace, pods))
        for one in selections
    )
