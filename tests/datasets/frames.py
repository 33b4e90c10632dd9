"""Packets and capture files made by hand."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dpkt

from datasets.recorder.vpc_logs import Capture

MINUTE = 1_699_999_860
"""The first second of a UTC minute, the second of five: 2023-11-14 22:11."""
NODE1, NODE2, POD1, POD2 = "10.0.0.11", "10.0.0.12", "10.244.1.5", "10.244.2.7"
NODE1_SIX, POD1_SIX, POD2_SIX = "2001:db8::11", "2001:db8:1::5", "2001:db8:2::7"
SYN, SYN_ACK, ACK, PUSH, FIN, RST = 0x02, 0x12, 0x10, 0x18, 0x11, 0x14

_PAYLOADS = {
    dpkt.tcp.TCP: dpkt.ip.IP_PROTO_TCP,
    dpkt.udp.UDP: dpkt.ip.IP_PROTO_UDP,
    dpkt.icmp.ICMP: dpkt.ip.IP_PROTO_ICMP,
    dpkt.icmp6.ICMP6: dpkt.ip.IP_PROTO_ICMP6,
}
Timed = tuple[float, bytes]


def segment(flags: int, src_port: int = 40000, dst_port: int = 8080, size: int = 0) -> Any:  # noqa: ANN401
    """Return a TCP segment with ``size`` bytes of data."""
    return dpkt.tcp.TCP(sport=src_port, dport=dst_port, flags=flags, data=bytes(size))


def datagram(src_port: int, dst_port: int, size: int = 0) -> Any:  # noqa: ANN401
    """Return a UDP datagram with ``size`` bytes of data."""
    return dpkt.udp.UDP(sport=src_port, dport=dst_port, ulen=8 + size, data=bytes(size))


def echo(kind: int) -> Any:  # noqa: ANN401
    """Return an ICMP message with 8 bytes behind its header."""
    return dpkt.icmp.ICMP(type=kind, data=bytes(8))


def echo_six(kind: int) -> Any:  # noqa: ANN401
    """Return an ICMPv6 message with 8 bytes behind its header."""
    return dpkt.icmp6.ICMP6(type=kind, data=bytes(8))


def frame(src: str, dst: str, upper: Any, **four: int) -> bytes:  # noqa: ANN401
    """Return the packet in an Ethernet frame; ``four`` are fields of an IPv4 header."""
    ends = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    protocol = four.pop("p", 0) or _PAYLOADS[type(upper)]
    packed = {"src": ends[0].packed, "dst": ends[1].packed, "data": upper}
    if ends[0].version == 6:
        held = dpkt.ip6.IP6(nxt=protocol, plen=len(bytes(upper)), **packed)
        held.extension_hdrs, held.all_extension_headers = {}, []
        return bytes(dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_IP6, data=held))
    held = dpkt.ip.IP(p=protocol, **packed, **four)
    return bytes(dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_IP, data=held))


def arp() -> bytes:
    """Return a frame that holds no IP packet."""
    return bytes(dpkt.ethernet.Ethernet(type=dpkt.ethernet.ETH_TYPE_ARP, data=dpkt.arp.ARP()))


def write_pcap(path: Path, packets: Sequence[Timed], snaplen: int = 65535) -> Path:
    """Write the frames, cut off at the snap length."""
    with path.open("wb") as file:
        writer = dpkt.pcap.Writer(file, snaplen=snaplen)
        for time, data in packets:
            writer.writepkt(data[:snaplen], ts=time)
    return path


def capture(
    folder: Path, packets: Sequence[Timed], number: int = 1, snaplen: int = 65535
) -> Capture:
    """Return the capture of node ``number``, written to the folder."""
    return Capture(
        node=f"node{number}",
        interface_id=f"eni-0000000000000000{number}",
        instance_id=f"i-0000000000000000{number}",
        addresses=(f"10.0.0.1{number}", f"2001:db8::1{number}"),
        pod_cidrs=(f"10.244.{number}.0/24", f"2001:db8:{number}::/64"),
        pcap=write_pcap(folder / f"node{number}.pcap", packets, snaplen),
    )
