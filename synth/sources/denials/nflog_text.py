"""NFLOG through ulogd's LOGEMU or SYSLOG, and the LOG target of other plugins: lines of words.

kube-router sends what it denies to NFLOG group 100; Weave Net's own prefix says ``dropped``.
"""

from collections.abc import Iterator

from synth.flows import FlowBatch
from synth.sources import sieve as fate
from synth.sources.denials.netfilter import LINE, parse_packet, prefix_of
from synth.sources.denials.packets import NOT_A_DENIAL, Parsed, lets_through, read_lines
from synth.sources.interface import Head

NAME = "nflog-text"
DESCRIPTION = "NFLOG or LOG lines of netfilter, text"


def recognises(head: Head) -> bool:
    """Return whether a line tells a packet as netfilter does."""
    return head.columns is None and bool(LINE.search(head.text))


def read(path: str) -> Iterator[FlowBatch]:
    """Yield the packets that no prefix says were accepted.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is readable.

    """
    return read_lines(path, NAME, parse)


def parse(line: str) -> Parsed:
    """Return the packet of the line, or what else the line is."""
    if "IN=" not in line or "OUT=" not in line:
        return fate.NOT_A_RECORD
    if lets_through(prefix_of(line)):
        return NOT_A_DENIAL
    return parse_packet(line)
