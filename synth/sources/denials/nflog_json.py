"""NFLOG through ulogd's JSON output: one object a packet."""

import re
from collections.abc import Iterator, Mapping

from synth.flows import FlowBatch, Rung
from synth.sources import sieve as fate
from synth.sources.denials.packets import (
    NOT_A_DENIAL,
    NOT_AN_OPENING,
    UNREADABLE,
    Packet,
    Parsed,
    lets_through,
    protocol_of,
    read_lines,
    read_object,
    text_of,
)
from synth.sources.interface import Head

NAME = "nflog-json"
DESCRIPTION = "NFLOG packets of ulogd, JSON lines"

_PACKET = re.compile(rb'"(oob\.prefix|oob\.hook|raw\.pktlen|ip\.protocol)"\s*:')
_SET = frozenset({"1", "true"})


def recognises(head: Head) -> bool:
    """Return whether the text holds packets as JSON; connections (``ct.id``) are none."""
    return head.columns is None and bool(_PACKET.search(head.text)) and b'"orig.' not in head.text


def read(path: str) -> Iterator[FlowBatch]:
    """Yield the packets that neither action nor prefix says were accepted.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is readable.

    """
    return read_lines(path, NAME, parse)


def parse(line: str) -> Parsed:
    """Return the packet of the line, or what else the line is."""
    packet = read_object(line)
    if packet is None:
        return UNREADABLE if "{" in line else fate.NOT_A_RECORD
    if text_of(packet, "action") == "allowed" or lets_through(text_of(packet, "oob.prefix")):
        return NOT_A_DENIAL
    opens = Rung.NONE
    flags = {name for name in ("syn", "ack", "rst", "fin") if _is_set(packet, f"tcp.{name}")}
    if flags:
        if flags != {"syn"}:
            return NOT_AN_OPENING
        opens = Rung.FLAGS
    return Packet(
        protocol=protocol_of(text_of(packet, "ip.protocol", "ip6.nexthdr")),
        src=text_of(packet, "src_ip", "ip.saddr.str", "ip.saddr"),
        dst=text_of(packet, "dest_ip", "ip.daddr.str", "ip.daddr"),
        src_port=text_of(packet, "src_port", "tcp.sport", "udp.sport", "sctp.sport"),
        dst_port=text_of(packet, "dest_port", "tcp.dport", "udp.dport", "sctp.dport"),
        time=_time(packet),
        opens=opens,
    )


def _is_set(packet: Mapping[str, object], name: str) -> bool:
    value = packet.get(name)
    return value is True or text_of(packet, name).lower() in _SET


def _time(packet: Mapping[str, object]) -> str:
    """Return microseconds, or the time as written if it names a zone."""
    seconds, micros = (text_of(packet, f"oob.time.{one}") for one in ("sec", "usec"))
    if seconds.isascii() and seconds.isdigit() and len(seconds) < 12:  # noqa: PLR2004 - digits
        part = micros if micros.isascii() and micros.isdigit() and len(micros) <= 6 else "0"  # noqa: PLR2004
        return str(int(seconds) * 1_000_000 + int(part))
    stamp = text_of(packet, "timestamp")
    return stamp if re.search(r"(Z|[+-]\d\d:?\d\d)$", stamp) else ""
