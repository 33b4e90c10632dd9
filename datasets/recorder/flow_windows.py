"""The packets of one interface as flows: one 5-tuple, one direction, one window of 60 seconds.

A flow's sums are kept only while its window is open, so memory is bounded by the flows of a window
and not by the length of the capture.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from datasets.recorder.packets import ACK, FIN, ICMPV6, RST, SYN, TCP, UDP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from datasets.recorder.packets import Packet

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

WINDOW = 60
LATE = 5
"""Seconds that a packet may stand behind another in the file, as CPUs hand theirs over in turn."""

_NEIGHBOURS = range(133, 138)
"""ICMPv6 types of router and neighbour discovery, which IPv4 leaves to ARP."""
_HOST_SET_UP = frozenset({67, 68, 546, 547})
"""UDP ports of DHCP and DHCPv6."""
_SERVICES = ipaddress.ip_network("fd00:ec2::/32")
"""Where Amazon's resolver, clock and instance metadata listen on IPv6."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured on a node's underlay interface.

    ``addresses`` are the interface's own, the first of each family its primary one;
    ``pod_cidrs`` the ranges of the node's pods, whose traffic the interface carries.
    """

    node: str
    interface_id: str
    instance_id: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    pcap: Path


class Key(NamedTuple):
    """What makes packets one flow: addresses as in the packet, and the direction they took."""

    egress: bool
    src: bytes
    dst: bytes
    src_port: int
    dst_port: int
    protocol: int


@dataclass(slots=True)
class Sums:
    """What a flow's packets add up to; ``flags`` as AWS records them."""

    packets: int = 0
    size: int = 0
    flags: int = 0

    def add(self, packets: int, size: int, flags: int) -> None:
        """Add packets to the sums."""
        self.packets += packets
        self.size += size
        self.flags |= flags


@dataclass(slots=True)
class Window:
    """The flows of one window, by key, and what is known of datagrams in fragments."""

    flows: dict[Key, Sums] = field(default_factory=dict)
    begun: dict[tuple[bytes, bytes, int, int], Key] = field(default_factory=dict)
    waiting: dict[tuple[bytes, bytes, int, int], list[int]] = field(default_factory=dict)

    def count(self, key: Key, packet: Packet) -> None:
        """Count the packet; a later fragment counts to the flow of its datagram's first."""
        datagram = packet.datagram
        if datagram and not packet.begins:
            if datagram not in self.begun:
                self.waiting.setdefault(datagram, []).append(packet.size)
                return
            key = self.begun[datagram]
        sums = self.flows.setdefault(key, Sums())
        sums.add(1, packet.size, recorded_flags(packet))
        if datagram and packet.begins:
            self.begun[datagram] = key
            early = self.waiting.pop(datagram, [])
            sums.add(len(early), sum(early), 0)


@dataclass(frozen=True, slots=True)
class Side:
    """Which addresses are on the node's side of its interface."""

    own: tuple[Address, ...]
    ranges: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    @classmethod
    def of(cls, capture: Capture) -> Side:
        """Return the node's side of the captured interface."""
        return cls(
            tuple(map(ipaddress.ip_address, capture.addresses)),
            tuple(map(ipaddress.ip_network, capture.pod_cidrs)),
        )

    def holds(self, packed: bytes) -> bool:
        """Return whether the address is the interface's or in the range of the node's pods."""
        address = ipaddress.ip_address(packed)
        return address in self.own or any(address in one for one in self.ranges)

    def shown(self, packed: bytes) -> str:
        """Return what the interface's own side shows: its address of that family, if any."""
        address = ipaddress.ip_address(packed)
        if address.version == 6 and address in self.own:
            return str(address)
        return str(next((one for one in self.own if one.version == address.version), address))


def read_windows(packets: Iterable[Packet], side: Side) -> Iterator[tuple[int, dict[Key, Sums]]]:
    """Yield the start of each window in which the interface saw something, and its flows.

    Raises
    ------
    ValueError
        When a packet stands more than ``LATE`` seconds behind a later one.

    """
    ways: dict[tuple[bytes, bytes], bool | None] = {}
    windows: dict[int, Window] = {}
    closed = -1
    for packet in packets:
        start = int(packet.time) // WINDOW * WINDOW
        if start <= closed:
            message = f"packet at {packet.time:.6f}: expected packets in order of time. "
            raise ValueError(message + f"Got one more than {LATE} s late instead.")
        for past in sorted(old for old in windows if old + WINDOW + LATE <= packet.time):
            closed = past
            yield past, windows.pop(past).flows
            ways.clear()
        window = windows.setdefault(start, Window())
        ends = packet.src, packet.dst
        if ends not in ways:
            ways[ends] = find_way(*ends, side)
        egress = ways[ends]
        if egress is not None and is_logged(packet):
            window.count(Key(egress, *ends, *_service(packet)), packet)
    for start in sorted(windows):
        yield start, windows[start].flows


def _service(packet: Packet) -> tuple[int, int, int]:
    return packet.src_port, packet.dst_port, packet.protocol


def find_way(src: bytes, dst: bytes, side: Side) -> bool | None:
    """Return whether packets leave the node (True) or come in; None where they are not logged.

    They are not if one end is nobody's alone, or if the interface only overheard them.
    """
    if any(_is_unlogged(ipaddress.ip_address(end)) for end in (src, dst)):
        return None
    leaves, comes = side.holds(src), side.holds(dst)
    return None if leaves == comes else leaves


def _is_unlogged(address: Address) -> bool:
    return (
        address.is_multicast
        or address.is_link_local
        or address.is_unspecified
        or address.packed == b"\xff" * 4
        or address in _SERVICES
    )


def is_logged(packet: Packet) -> bool:
    """Return whether the packet is more than what keeps the network itself going."""
    if packet.protocol == ICMPV6:
        return packet.kind not in _NEIGHBOURS
    ports = {packet.src_port, packet.dst_port}
    return packet.protocol != UDP or not ports <= _HOST_SET_UP


def recorded_flags(packet: Packet) -> int:
    """Return the flags as AWS records them: ACK only beside SYN, and never PSH or URG."""
    if packet.protocol != TCP:
        return 0
    flags = packet.flags & (FIN | SYN | RST)
    return flags | (packet.flags & ACK if flags & SYN else 0)
