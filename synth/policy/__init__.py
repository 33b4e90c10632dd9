"""What a NetworkPolicy says, as closed, frozen, plain-Python values."""

from synth.policy.address import IpBlock
from synth.policy.model import AddressPeer, Direction, Peer, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import NamedPort, PortRange, PortSet, Protocol
from synth.policy.selector import Operator, Requirement, Selector

__all__ = [
    "AddressPeer",
    "Direction",
    "IpBlock",
    "NamedPort",
    "Operator",
    "Peer",
    "PodPeer",
    "Policy",
    "PolicySet",
    "PortRange",
    "PortSet",
    "Protocol",
    "Requirement",
    "Rule",
    "Selector",
]
