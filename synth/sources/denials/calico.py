"""Calico: the kernel's lines of its Log action, ``calico-packet: IN=… OUT=… SRC=… DST=… …``.

A Log action logs whatever meets its rule, denied or not: the verdict of the policies tells. With
``LogAndDrop`` Felix writes ``calico-drop:`` instead.
"""

import re
from collections.abc import Iterator

from synth.flows import FlowBatch
from synth.sources import sieve as fate
from synth.sources.denials.netfilter import LINE, parse_packet
from synth.sources.denials.packets import Parsed, read_lines
from synth.sources.interface import Head

NAME = "calico"
DESCRIPTION = "Calico's denied packets, kernel log"
PODS = "cali"
"""What the interfaces of pods begin with."""

_PREFIX = re.compile(r"calico-(packet|drop)\b")


def recognises(head: Head) -> bool:
    """Return whether a line tells a packet under one of Calico's prefixes."""
    marked = b"calico-packet" in head.text or b"calico-drop" in head.text
    return head.columns is None and marked and bool(LINE.search(head.text))


def read(path: str) -> Iterator[FlowBatch]:
    """Yield the packets.

    Raises
    ------
    InputError
        If the file cannot be read, or no line is readable.

    """
    return read_lines(path, NAME, parse)


def parse(line: str) -> Parsed:
    """Return the packet of the line, or what else the line is."""
    if not _PREFIX.search(line):
        return fate.NOT_A_RECORD
    return parse_packet(line, PODS)
