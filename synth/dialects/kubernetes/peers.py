"""The peers of a rule, checked."""

import re
from ipaddress import ip_network

from synth.dialects.kubernetes.nodes import Node
from synth.dialects.kubernetes.selectors import read_selector
from synth.policy import AddressPeer, IpBlock, Peer, PodPeer, Selector
from synth.policy.address import Network, parse_network

A_CIDR = "an address and a prefix length, as in 10.0.0.0/8 or 2001:db8::/32"

_CIDR = re.compile(r"[0-9A-Fa-f:.]{2,45}/(0|[1-9][0-9]{0,2})")
_LEADING_ZERO = re.compile(r"(.*\.)?0[0-9]+(\..*)?/[0-9]+|[^/]*/0[0-9]+")
_LONGEST_CIDR = 64


def read_peers(node: Node) -> tuple[Peer, ...]:
    """Return the peers, without what is faulty."""
    peers = (_peer(item) for item in node.items())
    return tuple(peer for peer in peers if peer is not None)


def _peer(node: Node) -> Peer | None:
    fields = node.fields("podSelector", "namespaceSelector", "ipBlock")
    if not fields:
        if isinstance(node.value, dict):
            node.refuse("one of podSelector, namespaceSelector, ipBlock")
        return None
    pods = read_selector(fields["podSelector"]) if "podSelector" in fields else None
    others = read_selector(fields["namespaceSelector"]) if "namespaceSelector" in fields else None
    if "ipBlock" not in fields:
        return PodPeer(Selector() if pods is None else pods, others)
    if pods is not None or others is not None:
        node.refuse("no selector beside ipBlock", "Write them as two peers.")
    return _address_peer(fields["ipBlock"])


def _address_peer(node: Node) -> AddressPeer | None:
    fields = node.fields("cidr", "except")
    if "cidr" not in fields and isinstance(node.value, dict):
        node.at("cidr", None).refuse(A_CIDR, got="nothing")
    cidr = _network(fields["cidr"]) if "cidr" in fields else None
    items = fields["except"].items() if "except" in fields else []
    holes = [(item, _network(item)) for item in items]
    if cidr is None:
        return None
    inside = [hole for item, hole in holes if hole is not None and _is_hole(item, hole, cidr)]
    if any(hole.version != cidr.version for hole in inside):
        cidr, *inside = map(_unmapped, (cidr, *inside))
    return AddressPeer(IpBlock(cidr, tuple(inside)))


def _network(node: Node) -> Network | None:
    text = node.text()
    if text is None:
        return None
    if len(text) <= _LONGEST_CIDR and _LEADING_ZERO.fullmatch(text):
        remedy = "Some readers take 010 for 8, others for 10."
        node.refuse("a CIDR without leading zeros", remedy)
        return None
    try:
        network = ip_network(text, strict=False) if _CIDR.fullmatch(text) else None
    except ValueError:
        network = None
    if network is None:
        node.refuse(A_CIDR)
    return network


def _is_hole(node: Node, hole: Network, cidr: Network) -> bool:
    """Return whether a server takes the hole, which compares prefix lengths as they are written."""
    try:
        IpBlock(_unmapped(cidr), (_unmapped(hole),))
    except ValueError:
        inside = False
    else:
        inside = hole.prefixlen > cidr.prefixlen
    if not inside:
        node.refuse(f"a network inside {cidr} and smaller than it")
    return inside


def _unmapped(network: Network) -> Network:
    """Return an IPv4-mapped network as IPv4; an ``ipBlock`` keeps one that is mapped throughout."""
    return parse_network(str(network))
