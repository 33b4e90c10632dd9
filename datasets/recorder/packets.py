"""What a flow log looks at in a packet, read from a capture file one packet at a time.

Captures are read with dpkt: it is small, pure Python, without dependencies, under a permissive
licence, reads pcap and pcapng as a stream, and does not mind packets cut off at a snap length.
(Scapy does more than is needed here, at a tenth of the speed.) 96 bytes are enough of a packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import dpkt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""Bits of a TCP header."""
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
_FRAGMENT = 44


@dataclass(frozen=True, slots=True)
class Packet:
    """One IP packet.

    Ports and flags are 0 where the protocol has none; ``size`` is the total length that the IP
    header states, in bytes; ``kind`` is the type of an ICMP message, -1 of anything else.
    ``datagram`` names what the packet is a fragment of, and ``begins`` whether it is the first.
    """

    time: float
    src: bytes
    dst: bytes
    protocol: int
    src_port: int
    dst_port: int
    flags: int
    size: int
    kind: int = -1
    datagram: tuple[bytes, bytes, int, int] | None = None
    begins: bool = True


def read_packets(path: Path) -> Iterator[Packet]:
    """Yield the IP packets of an Ethernet capture, in the order of the file.

    Raises
    ------
    ValueError
        When the file is no capture of an Ethernet interface, or is cut short, or a packet's
        length was left to the network card.

    """
    with path.open("rb") as file:
        try:
            for time, frame in _open(path, file):
                packet = _packet(float(time), frame)
                if packet is not None:
                    yield packet
        except dpkt.UnpackError as fault:
            message = f"{path}: expected a whole capture. Got one cut short instead: {fault}"
            raise ValueError(message) from fault


def _open(path: Path, file: BinaryIO) -> dpkt.pcap.Reader | dpkt.pcapng.Reader:
    try:
        reader = dpkt.pcap.UniversalReader(file)
    except ValueError as fault:
        message = f"{path}: expected a pcap or pcapng file. Got something else instead."
        raise ValueError(message) from fault
    if reader.datalink() != dpkt.pcap.DLT_EN10MB:
        message = f"{path}: expected frames of an Ethernet interface. "
        raise ValueError(message + f"Got link type {reader.datalink()} instead.")
    return reader


def _packet(time: float, frame: bytes) -> Packet | None:
    """Return the frame's IP packet; None of a frame that holds none, such as ARP."""
    held = dpkt.ethernet.Ethernet(frame).data
    if isinstance(held, dpkt.ip.IP):
        return _four(time, held)
    return _six(time, held) if isinstance(held, dpkt.ip6.IP6) else None


def _four(time: float, held: dpkt.ip.IP) -> Packet:
    if not held.len:
        raise _no_length(time)
    fragmented = bool(held.mf or held.offset)
    datagram = (held.src, held.dst, held.p, held.id) if fragmented else None
    ends = (held.src, held.dst, held.p)
    return Packet(time, *ends, *_upper(held), held.len, _kind(held), datagram, not held.offset)


def _six(time: float, held: dpkt.ip6.IP6) -> Packet:
    if not held.plen:
        raise _no_length(time)
    fragment = held.extension_hdrs.get(_FRAGMENT)
    protocol = getattr(held, "p", held.nxt)
    datagram = (held.src, held.dst, protocol, fragment.id) if fragment else None
    begins = not (fragment and fragment.frag_off)
    size = held.plen + len(held.pack_hdr())
    ends = (held.src, held.dst, protocol)
    return Packet(time, *ends, *_upper(held), size, _kind(held), datagram, begins)


def _upper(held: dpkt.ip.IP | dpkt.ip6.IP6) -> tuple[int, int, int]:
    """Return source port, destination port and TCP flags."""
    upper = held.data
    if isinstance(upper, dpkt.tcp.TCP):
        return upper.sport, upper.dport, upper.flags
    if isinstance(upper, dpkt.udp.UDP | dpkt.sctp.SCTP):
        return upper.sport, upper.dport, 0
    return 0, 0, 0


def _kind(held: dpkt.ip.IP | dpkt.ip6.IP6) -> int:
    upper = held.data
    return int(upper.type) if isinstance(upper, dpkt.icmp.ICMP | dpkt.icmp6.ICMP6) else -1


def _no_length(time: float) -> ValueError:
    message = f"packet at {time:.6f}: expected a length in the IP header. Got 0 instead. "
    return ValueError(message + "Switch segmentation offload off while capturing.")
