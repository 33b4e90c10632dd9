"""Rules of one subject: from accepted edges to the cheapest rules that admit exactly those."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from synth.learner.cover import cover
from synth.learner.model import RuleEvidence
from synth.policy.address import Network
from synth.policy.model import AddressPeer, Peer, Rule
from synth.policy.ports import PortRange, PortSet, Protocol

Port = tuple[Protocol, int]
Cells = Mapping[tuple[Peer, Port], frozenset[int]]
"""Peer and port → the edges (rows) that rest on it."""


@dataclass(frozen=True, slots=True)
class Ruled:
    """The rules, their size, and the proven least size of any exact rules."""

    rules: tuple[RuleEvidence, ...]
    size: int
    bound: int


def find_rules(cells: Cells) -> Ruled:
    """Return the cheapest rules that admit exactly the cells, in a canonical order.

    An address inside another peer's block on the same port adds nothing, so the block stands for
    it.
    """
    cells = _without_inner(cells)
    peers = sorted({peer for peer, _ in cells}, key=lambda peer: peer.sort_key)
    runs = _runs(cells)
    on: dict[Peer, set[int]] = defaultdict(set)
    begins = {(run.protocol, run.first): number for number, run in enumerate(runs)}
    for peer, port in cells:
        if port in begins:
            on[peer].add(begins[port])
    joined = frozenset(
        number
        for number, (one, following) in enumerate(pairwise(runs))
        if (one.protocol, one.last + 1) == (following.protocol, following.first)
    )
    found = cover({number: frozenset(on[peer]) for number, peer in enumerate(peers)}, joined)
    rules = [
        _rule(tuple(peers[at] for at in one.peers), tuple(runs[at] for at in one.ports), cells)
        for one in found.products
    ]
    ordered = tuple(sorted(rules, key=lambda evidence: evidence.rule.sort_key))
    return Ruled(ordered, found.size, found.bound)


def _without_inner(cells: Cells) -> Cells:
    """Return the cells without addresses that lie inside another peer's block on that port."""
    blocks: dict[Port, dict[Network, Peer]] = defaultdict(dict)
    for peer, port in cells:
        if isinstance(peer, AddressPeer) and peer.block.size > 1:
            blocks[port][peer.block.cidr] = peer
    lengths = {port: sorted({one.prefixlen for one in some}) for port, some in blocks.items()}
    kept: dict[tuple[Peer, Port], frozenset[int]] = {}
    for (peer, port), rows in cells.items():
        outer = _outermost(peer, blocks[port], lengths[port]) if port in blocks else peer
        kept[outer, port] = kept.get((outer, port), frozenset()) | rows
    return kept


def _outermost(peer: Peer, blocks: Mapping[Network, Peer], lengths: Sequence[int]) -> Peer:
    """Return the widest of the blocks that the peer lies in, else the peer."""
    if not isinstance(peer, AddressPeer):
        return peer
    cidr = peer.block.cidr
    around = (cidr.supernet(new_prefix=one) for one in lengths if one <= cidr.prefixlen)
    return next((blocks[one] for one in around if one in blocks), peer)


def _runs(cells: Cells) -> list[PortRange]:
    """Return the ports as runs: consecutive ports that exactly the same peers use are one."""
    users: dict[Port, set[Peer]] = defaultdict(set)
    for peer, port in cells:
        users[port].add(peer)
    runs: list[PortRange] = []
    for protocol, number in sorted(users):
        before = runs[-1] if runs else None
        if (
            before
            and before.protocol == protocol
            and before.last + 1 == number
            and users[protocol, number] == users[protocol, before.first]
        ):
            runs[-1] = PortRange(protocol, before.first, number)
        else:
            runs.append(PortRange(protocol, number, number))
    return runs


def _rule(peers: tuple[Peer, ...], runs: tuple[PortRange, ...], cells: Cells) -> RuleEvidence:
    numbers = [(run.protocol, number) for run in runs for number in range(run.first, run.last + 1)]
    edges = {row for peer in peers for port in numbers for row in cells[peer, port]}
    return RuleEvidence(Rule(peers, PortSet(runs)), tuple(sorted(edges)))
