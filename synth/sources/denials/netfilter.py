"""A packet as the kernel's LOG target and ulogd's LOGEMU write it, in one line of words.

::

    [time] [host] [kernel: [uptime]] prefix IN=… OUT=… … SRC=… DST=… … PROTO=TCP SPT=… DPT=… … SYN …

Times without a year or a zone (``Nov 23 10:00:00``) tell no instant, and are not read.
"""

import re

from synth.flows import Rung, Vantage
from synth.sources.denials.packets import NOT_AN_OPENING, UNREADABLE, Packet, Parsed, protocol_of

LINE = re.compile(rb"\bIN=\S* OUT=\S*.*? SRC=\S+ DST=\S+", re.MULTILINE)
_WORD = re.compile(r"(?<!\S)(?P<name>IN|OUT|SRC|DST|PROTO|SPT|DPT)=(?P<value>\S*)")
_STAMP = re.compile(r"\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d))\s")
_FLAGS = re.compile(r"(?<!\S)(SYN|ACK|RST|FIN)(?!\S)")
_TCP = "6"


def parse_packet(line: str, pods: str = "") -> Parsed:
    """Return the packet of the line, or that it is none.

    ``pods`` is what the interfaces of pods begin with, by which a side is told.
    """
    # An ICMP error quotes the packet that it is about in brackets, at the end.
    own = line.partition(" [SRC=")[0]
    words: dict[str, str] = {}
    for found in _WORD.finditer(own):
        words.setdefault(found["name"], found["value"])
    if "SRC" not in words or "DST" not in words or "PROTO" not in words:
        return UNREADABLE
    flags = set(_FLAGS.findall(own.partition(" PROTO=")[2]))
    protocol = protocol_of(words["PROTO"])
    opens = Rung.NONE
    if protocol == _TCP and flags:
        if flags != {"SYN"}:
            return NOT_AN_OPENING
        opens = Rung.FLAGS
    stamp = _STAMP.match(line)
    return Packet(
        protocol=protocol,
        src=words["SRC"],
        dst=words["DST"],
        src_port=words.get("SPT", ""),
        dst_port=words.get("DPT", ""),
        time=stamp[1].replace(",", ".") if stamp else "",
        opens=opens,
        at=_side(words, pods),
    )


def prefix_of(line: str) -> str:
    """Return what stands before the packet: times, names, and the rule's own prefix."""
    found = re.search(r"\bIN=", line)
    return line[: found.start()] if found else line


def _side(words: dict[str, str], pods: str) -> Vantage:
    near, far = (bool(pods) and words.get(name, "").startswith(pods) for name in ("IN", "OUT"))
    if near == far:
        return Vantage.UNKNOWN
    return Vantage.AT_SRC if near else Vantage.AT_DST
