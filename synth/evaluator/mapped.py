"""Blocks written as IPv4-mapped IPv6 ranges, read as the IPv4 ranges that they contain."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from synth.policy.address import IpBlock, Network, parse_network
from synth.policy.model import AddressPeer, Direction, Peer, PolicySet, Rule


def read_as_ipv4(policies: PolicySet) -> PolicySet:
    """Return the policies with every mapped block as an IPv4 block; itself if there is none."""
    rules = chain.from_iterable(
        policy.rules(direction) or () for policy in policies for direction in Direction
    )
    if not any(are_mapped(rule.peers) for rule in rules):
        return policies
    return PolicySet.of(
        replace(policy, ingress=_rules(policy.ingress), egress=_rules(policy.egress))
        for policy in policies
    )


def are_mapped(peers: Iterable[Peer]) -> bool:
    """Return whether some of the peers is a mapped block."""
    return any(isinstance(peer, AddressPeer) and _is_mapped(peer.block.cidr) for peer in peers)


def _rules(rules: tuple[Rule, ...] | None) -> tuple[Rule, ...] | None:
    if rules is None:
        return None
    return tuple(replace(rule, peers=tuple(map(_peer, rule.peers))) for rule in rules)


def _peer(peer: Peer) -> Peer:
    if not isinstance(peer, AddressPeer) or not _is_mapped(peer.block.cidr):
        return peer
    cidr, *excepts = map(_plain, (peer.block.cidr, *peer.block.excepts))
    return AddressPeer(IpBlock(cidr, tuple(excepts)))


def _is_mapped(network: Network) -> bool:
    # The short way out first: an IPv4 block costs nothing that way, and there may be thousands.
    return network.version == 6 and _plain(network).version == 4  # noqa: PLR2004 - families


def _plain(network: Network) -> Network:
    return parse_network(str(network))
