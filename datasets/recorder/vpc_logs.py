"""AWS VPC flow logs, as AWS would have delivered them, from packets captured on node interfaces.

Fields are all of versions 2 to 5. One record is one direction of one 5-tuple at one interface in
one window, so a packet between two nodes is logged by both, and one within a node by none, as it
never reaches an interface. What AWS leaves open is chosen here, each with its reason:

=====================  ========================================================================
window                 a whole UTC minute. AWS counts each interface's windows from a moment
                       that nobody outside knows; minutes depend on nothing but the packet
``start``, ``end``     first and last second of the window, the same for all its records: so
                       do the logs that AWS delivers, whatever the manual says of packets
direction              by address: the interface's own and those of the node's pods are on its
                       side. A packet with both or neither end there is not logged; AWS drops
                       what is neither from nor to an interface
``srcaddr``            on its own side always the interface's primary IPv4 address; of IPv6 its
``dstaddr``            own address in the packet, else its first one. ``pkt-*`` as in the packet
``tcp-flags``          FIN 1, SYN 2, RST 4, SYN-ACK 18, or-ed; null unless TCP
ports                  0 where a protocol has none; the type of an ICMP message is not kept
fragments              count to the flow of their datagram's first fragment; where that was not
                       captured in the same window, their ports are unknown: not logged
``bytes``              the IP packet with its header, without the frame's
``traffic-path``       of egress: 1 to a captured node or its pods, or to a private address; else
                       8, the Internet gateway of a Nitro instance. Null of ingress
``action``             ACCEPT: there are no security groups here
``pkt-*-aws-service``  ``-``: nobody here is in Amazon's public ranges
not logged             ARP and neighbour discovery; DHCP; multicast and broadcast; link-local
                       addresses, among them Amazon's resolver, metadata and clock, and
                       fd00:ec2::/32, the same on IPv6
NODATA                 for each window between the first and the last packet of all captures
                       in which an interface logged nothing
files                  one for each 5 minutes in which records end, of all interfaces; the hash
                       in the name is that of the content, so that the same packets give the
                       same names and bytes
missing values         a number is null in Parquet, a string is ``-``; both are ``-`` in text
=====================  ========================================================================
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from datasets.recorder.flow_windows import WINDOW, Capture, Key, Side, Sums, read_windows
from datasets.recorder.packets import TCP, read_packets
from datasets.recorder.vpc_files import ACCOUNT, REGION, Delivery, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Capture", "derive"]

SAME_VPC, INTERNET_GATEWAY = 1, 8
PRIVATE = tuple(
    ipaddress.ip_network(cidr)
    for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
_PLACE: Row = {
    "version": 5,
    "account-id": ACCOUNT,
    "vpc-id": "vpc-0a1b2c3d4e5f60718",
    "subnet-id": "subnet-0b2c3d4e5f6071829",
    "region": REGION,
    "az-id": "euc1-az2",
}


@dataclass(frozen=True, slots=True)
class Interface:
    """One captured interface, and which addresses are on its side."""

    capture: Capture
    side: Side

    def rows(self, start: int, flows: dict[Key, Sums], sides: Sequence[Side]) -> list[Row]:
        """Return the records of one window; one that says so where there is nothing."""
        window: Row = {"start": start, "end": start + WINDOW - 1}
        window |= {"interface-id": self.capture.interface_id}
        window |= {"instance-id": self.capture.instance_id}
        if not flows:
            return [_PLACE | window | {"log-status": "NODATA"}]
        return [_PLACE | window | self._flow(*flow, sides) for flow in sorted(flows.items())]

    def _flow(self, key: Key, sums: Sums, sides: Sequence[Side]) -> Row:
        src, dst = (ipaddress.ip_address(end) for end in (key.src, key.dst))
        return {
            "srcaddr": self.side.shown(key.src) if key.egress else str(src),
            "dstaddr": str(dst) if key.egress else self.side.shown(key.dst),
            "pkt-srcaddr": str(src),
            "pkt-dstaddr": str(dst),
            "srcport": key.src_port,
            "dstport": key.dst_port,
            "protocol": key.protocol,
            "packets": sums.packets,
            "bytes": sums.size,
            "tcp-flags": sums.flags if key.protocol == TCP else None,
            "type": f"IPv{src.version}",
            "action": "ACCEPT",
            "log-status": "OK",
            "flow-direction": "egress" if key.egress else "ingress",
            "traffic-path": _path(key.dst, sides) if key.egress else None,
        }


def _path(dst: bytes, sides: Sequence[Side]) -> int:
    address = ipaddress.ip_address(dst)
    near = any(side.holds(dst) for side in sides) or any(address in one for one in PRIVATE)
    return SAME_VPC if near else INTERNET_GATEWAY


def derive(captures: Sequence[Capture], out: Path) -> None:
    """Write the flow logs of the captures below ``out``, as ``text/`` and as ``parquet/``.

    Nothing is written if nothing at all was captured.

    Raises
    ------
    ValueError
        When a capture cannot be read, or interfaces share an identity.

    """
    ids = [capture.interface_id for capture in captures]
    if len(set(ids)) < len(ids):
        message = f"expected captures of different interfaces. Got {sorted(ids)} instead."
        raise ValueError(message)
    delivery = Delivery(out)
    try:
        for rows in _read(captures):
            delivery.add(rows)
        delivery.close()
    finally:
        delivery.abandon()


def _read(captures: Sequence[Capture]) -> Iterator[list[Row]]:
    """Yield the rows of all interfaces, window by window."""
    found = sorted(captures, key=lambda capture: capture.interface_id)
    interfaces = [Interface(capture, Side.of(capture)) for capture in found]
    sides = [one.side for one in interfaces]
    streams = [_windows(number, one) for number, one in enumerate(interfaces)]
    for start, some in _without_gaps(merge(*streams, key=itemgetter(0, 1))):
        yield [
            row
            for number, interface in enumerate(interfaces)
            for row in interface.rows(start, some.get(number, {}), sides)
        ]


def _windows(number: int, interface: Interface) -> Iterator[tuple[int, int, dict[Key, Sums]]]:
    packets = read_packets(interface.capture.pcap)
    for start, flows in read_windows(packets, interface.side):
        yield start, number, flows


def _without_gaps(
    windows: Iterable[tuple[int, int, dict[Key, Sums]]],
) -> Iterator[tuple[int, dict[int, dict[Key, Sums]]]]:
    """Yield every window from first to last, with the flows by the number of their interface."""
    expected = None
    for start, group in groupby(windows, key=itemgetter(0)):
        yield from ((silent, {}) for silent in range(expected or start, start, WINDOW))
        yield start, {number: flows for _, number, flows in group}
        expected = start + WINDOW
