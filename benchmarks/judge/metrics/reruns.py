"""What a second run changes: nothing if nothing changed, little from one day to the next."""

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.judge.case import Prepared
from benchmarks.judge.contestants import CONTESTANTS
from benchmarks.judge.proposal import Proposal
from synth.policy.model import Direction, PolicySet

Atom = tuple[str, Direction, str, str]
"""Subject, direction, peer, port: what one line of a rule admits."""


def list_atoms(policies: PolicySet) -> Iterator[Atom]:
    """Yield what the rules admit, one peer and port term at a time."""
    for policy in policies:
        subject = f"{policy.namespace} {policy.pods}"
        for direction in Direction:
            for rule in policy.rules(direction) or ():
                for peer in rule.peers or ("everyone",):
                    for term in rule.ports.terms:
                        yield subject, direction, str(peer), str(term)


def jaccard(one: PolicySet, other: PolicySet) -> float:
    """Return the shared atoms / all atoms of both; 1 of two empty sets."""
    here, there = set(list_atoms(one)), set(list_atoms(other))
    return len(here & there) / len(here | there) if here | there else 1.0


def determinism(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return 1 if a second run proposes the very same, else 0; None unless asked for."""
    if not prepared.case.reruns:
        return None
    again = CONTESTANTS[proposal.contestant].propose(replace(prepared))
    return float(again.policies == proposal.policies)


def stability(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the Jaccard index of the rules and those of the day before; None unless asked for."""
    if not prepared.case.reruns or prepared.yesterday is None or proposal.repaired:
        return None
    before = CONTESTANTS[proposal.contestant].propose(prepared.yesterday)
    return jaccard(before.policies, proposal.policies)
