"""The cluster a command works on: inventory, existing policies, endpoints told apart as needed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth.dialects.kubernetes.read import Policies, parse_policies, read_policies
from synth.errors import Fault, UsageError
from synth.inventory.endpoints import with_endpoints
from synth.inventory.model import Inventory, Ranges
from synth.inventory.read import KUBECTL, read_cluster
from synth.learner.peers import node_subnets
from synth.policy.model import AddressPeer, PodPeer, Policy, PolicySet, Rule

if TYPE_CHECKING:
    from synth.policy.selector import Selector

FAMILIES = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Cluster:
    """An inventory whose endpoints are told apart by all that ``policies`` can tell apart."""

    inventory: Inventory
    policies: PolicySet
    elsewhere: tuple[str, ...] = ()


def open_cluster(
    paths: Sequence[str],
    ranges: Ranges,
    policy_paths: Sequence[str] | None = None,
    *,
    addresses: Sequence[str] = (),
) -> Cluster:
    """Return the cluster of the files, with its own policies, or with those of ``policy_paths``.

    ``addresses`` are files that name addresses outside.

    Raises
    ------
    UsageError
        If there is no path.
    InputError
        If a file cannot be used.

    """
    if not paths:
        raise UsageError(
            Fault("--cluster", "what the cluster holds", "nothing", f"Make it with: {KUBECTL}")
        )
    inventory = read_cluster(paths, ranges=ranges, addresses=addresses)
    found = _policies(inventory, policy_paths)
    placed = tell_apart(inventory, found.policies)
    return Cluster(placed, found.policies, tuple(map(str, found.elsewhere)))


def tell_apart(inventory: Inventory, policies: Collection[Policy] | PolicySet) -> Inventory:
    """Return the inventory, its endpoints told apart by all that the policies can tell apart."""
    return with_endpoints(
        inventory,
        separators=_separators(inventory, policies),
        mentioned=_mentioned(policies),
    )


def _policies(inventory: Inventory, paths: Sequence[str] | None) -> Policies:
    if paths is None:
        return parse_policies(inventory.policies, "cluster")
    return read_policies([Path(path) for path in paths])


def _separators(inventory: Inventory, policies: Iterable[Policy]) -> tuple[str, ...]:
    """Return every CIDR that an ``ipBlock`` of these or of learned policies may name."""
    declared = {
        *FAMILIES,
        *inventory.ranges.pods,
        *map(str, node_subnets(inventory)),
        *(one for service in inventory.services for one in service.source_ranges),
    }
    return tuple(sorted(named_blocks(policies) | declared))


def named_blocks(policies: Iterable[Policy]) -> frozenset[str]:
    """Return the CIDRs and excepts of every ``ipBlock`` of the policies."""
    return frozenset(
        str(one)
        for policy in policies
        for rule in _rules(policy)
        for peer in rule.peers
        if isinstance(peer, AddressPeer)
        for one in (peer.block.cidr, *peer.block.excepts)
    )


def _mentioned(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Return the label keys of pods that the policies mention."""
    selectors: list[Selector] = []
    for policy in policies:
        selectors.append(policy.pods)
        peers = [peer for rule in _rules(policy) for peer in rule.peers]
        selectors += [peer.pods for peer in peers if isinstance(peer, PodPeer)]
    return tuple(sorted({term.key for selector in selectors for term in selector.requirements}))


def _rules(policy: Policy) -> tuple[Rule, ...]:
    return (*(policy.ingress or ()), *(policy.egress or ()))
