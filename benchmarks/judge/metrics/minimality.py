"""Minimality: the size of the rules against the smallest that admit the same."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.learner.cover import cover
from synth.policy.model import Direction, Peer, PolicySet, Rule
from synth.policy.ports import NamedPort, PortRange

HUB = 5
"""Peers that make a subject's direction a hub."""
Term = PortRange | NamedPort


def size_to_optimum(_: Prepared, proposal: Proposal, __: Proposal) -> float | None:
    """Return the rules' size / the proven least size; of a learner, declared openings left out."""
    sizes = proposal.sizes or [measure_rules(rules) for rules in list_rules(proposal.policies)]
    least = sum(bound for _, bound in sizes)
    return sum(size for size, _ in sizes) / least if least else None


def rules_to_grouping(_: Prepared, proposal: Proposal, __: Proposal) -> float | None:
    """Return rules / rules by grouping peers of one port set, of subjects with many peers."""
    pairs = [count_grouped(rules) for rules in list_rules(proposal.policies)]
    hubs = [(rules, groups) for rules, groups, peers in pairs if peers >= HUB]
    groups = sum(one for _, one in hubs)
    return sum(one for one, _ in hubs) / groups if groups else None


def list_rules(policies: PolicySet) -> Iterator[Sequence[Rule]]:
    """Yield the rules of each policy's direction that has any."""
    for policy in policies:
        for direction in Direction:
            if rules := policy.rules(direction):
                yield rules


def measure_rules(rules: Sequence[Rule]) -> tuple[int, int]:
    """Return the size (1 a rule, 1 a peer, 1 a port term), and the least one of the same cells.

    A rule without peers, or without ports, counts as one of each.
    """
    size = sum(1 + max(len(rule.peers), 1) + len(_terms(rule)) for rule in rules)
    return size, cover(_cells(rules)).bound


def count_grouped(rules: Sequence[Rule]) -> tuple[int, int, int]:
    """Return the rules, those by grouping peers that have one port set, and the peers."""
    cells = _cells(rules)
    return len(rules), len(set(cells.values())), len(cells)


def _cells(rules: Sequence[Rule]) -> dict[int, frozenset[int]]:
    """Return peer number → numbers of port terms."""
    found, ports = defaultdict[Peer | None, set[int]](set), dict[Term | None, int]()
    for rule in rules:
        for peer in rule.peers or (None,):
            found[peer] |= {ports.setdefault(term, len(ports)) for term in _terms(rule)}
    return {number: frozenset(some) for number, some in enumerate(found.values())}


def _terms(rule: Rule) -> tuple[Term | None, ...]:
    return (None,) if rule.ports.unrestricted else rule.ports.terms
