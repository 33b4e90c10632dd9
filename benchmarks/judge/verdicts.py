"""What proposals make of traffic, by the evaluator; the last few answers are kept."""

from functools import lru_cache
from ipaddress import ip_network

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.commands.cluster import named_blocks
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.inventory.model import Inventory
from synth.policy.model import PolicySet


@lru_cache(maxsize=8)
def judge_training(prepared: Prepared, proposal: Proposal) -> Verdicts:
    """Return the verdicts on the edges that the proposal was learned from."""
    inventory = proposal.world(prepared).learnt.inventory
    check_blocks(proposal.policies, inventory)
    return evaluate(proposal.policies, Traffic.of(proposal.edges), inventory.namespace_labels)


@lru_cache(maxsize=8)
def judge_held_out(prepared: Prepared, proposal: Proposal) -> Verdicts:
    """Return the verdicts on the edges of the days after."""
    world = proposal.world(prepared)
    check_blocks(proposal.policies, world.ahead.inventory)
    traffic = Traffic.of(world.held_out.settled)
    return evaluate(proposal.policies, traffic, world.ahead.inventory.namespace_labels)


def check_blocks(policies: PolicySet, inventory: Inventory) -> None:
    """Raise if a block cuts the pods in a way that the endpoints do not tell.

    Edges are read once for all proposals, their pods told apart by declared ranges alone.

    Raises
    ------
    ValueError
        Naming the block.

    """
    pods = [ip_network(one) for one in inventory.ranges.pods]
    for text in sorted(named_blocks(policies) - set(inventory.separators)):
        block = ip_network(text)
        if any(block.version == one.version and block.overlaps(one) for one in pods):
            raise ValueError(f"{text}: expected a block outside the pod ranges, or a declared one")
