"""Denied packets as lines tell them, and the canonical batches that they become.

A filter that tracks connections judges the packet that opens one. What denial logs hold besides is
told apart here:

| outcome | lines |
|---|---|
| not-a-record | messages of the program that writes the log, or of others |
| not-a-denial | packets that were let through, or dropped for a reason that is no policy |
| not-an-opening | a reply, or TCP without SYN: a late packet of a connection that was forgotten |
| malformed: … | what says that it is a denied packet, and cannot be read as one |
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from synth.flows import CODED_TEXT, TIME, FlowBatch, Initiator, Outcome, Rung, Vantage
from synth.sources import judge
from synth.sources import sieve as fate
from synth.sources.addresses import code_addresses
from synth.sources.blocks import LINE_BYTES, Block, read_blocks
from synth.sources.raw import Raw
from synth.sources.sieve import Sieve
from synth.sources.text import BATCH_LINES, refuse_unreadable

NOT_A_DENIAL = "not-a-denial"
NOT_AN_OPENING = "not-an-opening"
UNREADABLE = f"{fate.MALFORMED}unreadable line"
PROTOCOLS = {
    "ICMP": "1",
    "ICMPV4": "1",
    "TCP": "6",
    "UDP": "17",
    "ICMPV6": "58",
    "SCTP": "132",
}
"""Name in capitals → IANA number."""
_LET_THROUGH = re.compile(r"(?i)(?<![a-z])(accept|allow|pass)(ed|s)?(?![a-z])")
_SLACK = 1_000_000


@dataclass(frozen=True, slots=True)
class Packet:
    """A denied packet, as text; an empty text is missing.

    ``opens`` is whether it surely opens a connection: then its sender is the client. ``at`` is on
    whose side it was denied.
    """

    protocol: str
    src: str
    dst: str
    src_port: str
    dst_port: str
    time: str = ""
    opens: Rung = Rung.NONE
    at: Vantage = Vantage.UNKNOWN
    observer: str = ""


Parsed = Packet | str
"""A packet, or the outcome of a line that holds none."""


def read_lines(path: str, name: str, parse: Callable[[str], Parsed]) -> Iterator[FlowBatch]:
    """Yield the packets that the lines parse as.

    Raises
    ------
    InputError
        If the file is corrupt, or no line is readable.

    """
    return refuse_unreadable(path, _batches(path, name, parse))


def read_object(line: str) -> Mapping[str, object] | None:
    """Return the JSON object of the line, whatever a log collector wrote before it; None if none.

    >>> read_object('2026-01-01T00:00:00Z stdout F {"a": 1}')
    {'a': 1}
    """
    start = line.find("{")
    if start < 0:
        return None
    try:
        found = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def text_of(values: object, *names: str) -> str:
    """Return the text or number under the first of the names that there is; empty if none is."""
    if isinstance(values, Mapping):
        for name in names:
            value = values.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return str(value)
    return ""


def protocol_of(name: str) -> str:
    """Return the IANA number of the protocol's name; a number as it is."""
    return PROTOCOLS.get(name.upper(), name)


def lets_through(prefix: str) -> bool:
    """Return whether a rule's own prefix says that it logs what it accepts."""
    return bool(_LET_THROUGH.search(prefix))


def _batches(path: str, name: str, parse: Callable[[str], Parsed]) -> Iterator[FlowBatch]:
    for block in read_blocks(path):
        lines = [*_lines(block)]
        for start in range(0, len(lines), BATCH_LINES):
            yield _batch(path, name, parse, lines[start : start + BATCH_LINES])


def _lines(block: Block) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not empty."""
    for number, line in enumerate(block.data.split(b"\n"), start=block.line):
        if line.strip():
            yield number, line[: LINE_BYTES + 1].decode(errors="replace").rstrip("\r")


def _batch(
    path: str, name: str, parse: Callable[[str], Parsed], lines: list[tuple[int, str]]
) -> FlowBatch:
    nothing = Packet("", "", "", "", "")
    sieve = Sieve(len(lines))
    too_long = np.array([len(line.encode()) > LINE_BYTES for _, line in lines])
    sieve.drop(f"{fate.MALFORMED}line too long", too_long)
    parsed = [
        UNREADABLE if long else parse(line) for (_, line), long in zip(lines, too_long, strict=True)
    ]
    for outcome in sorted({one for one in parsed if isinstance(one, str)}):
        sieve.drop(outcome, np.array([one == outcome for one in parsed]))
    packets = [nothing if isinstance(one, str) else one for one in parsed]
    columns = {
        field: pa.array([getattr(one, field) for one in packets], pa.utf8())
        for field in ("protocol", "src", "dst", "src_port", "dst_port", "time")
    }
    rows = np.array([number for number, _ in lines], np.int64)
    raw = Raw(path, f"denials-{name}", rows, columns, sieve, lambda row: lines[row][1])
    return _interpret(raw, packets)


def _interpret(raw: Raw, packets: list[Packet]) -> FlowBatch:
    addresses = code_addresses([raw.column("src"), raw.column("dst")])
    ports = raw.numbers("src_port"), raw.numbers("dst_port")
    protocol, time, sieve = raw.numbers("protocol"), raw.times("time"), raw.sieve
    judge.drop_bad_protocols(sieve, protocol)
    judge.drop_bad_addresses(sieve, addresses.columns)
    judge.drop_no_semantics(sieve, protocol)
    judge.drop_bad_ports(sieve, ports)
    judge.drop_bad_times(sieve, time, time)
    judge.drop_no_peers(sieve, addresses, addresses.columns)
    kept = sieve.kept
    chosen = [packets[row] for row in np.flatnonzero(kept)]
    size = len(chosen)
    opens = [one.opens for one in chosen]
    moments = time.array(pa.int64(), kept).cast(TIME)
    table = {
        "row": raw.rows[kept],
        "start": moments,
        "end": moments,
        "protocol": protocol.values[kept].astype(np.uint8),
        "src": addresses.array(addresses.columns[0], kept),
        "dst": addresses.array(addresses.columns[1], kept),
        "src_port": ports[0].array(pa.uint16(), kept),
        "dst_port": ports[1].array(pa.uint16(), kept),
        **{name: pa.nulls(size) for name in ("asked", "asked_port", "seen_src")},
        "initiator": np.array([Initiator.SRC if one else 0 for one in opens], np.uint8),
        "rung": np.array(opens, np.uint8),
        "outcome": np.full(size, Outcome.DENIED, np.uint8),
        "opening": np.ones(size, np.bool_),
        "bidirectional": np.zeros(size, np.bool_),
        "observer": pa.array([one.observer or None for one in chosen], pa.utf8()).cast(CODED_TEXT),
        "vantage": np.array([one.at for one in chosen], np.uint8),
        **{
            f"{way}_{what}": pa.nulls(size)
            for way in ("fwd", "rev")
            for what in ("packets", "bytes")
        },
    }
    slack = 0 if time.null[kept].all() else _SLACK
    return raw.batch(table, early=slack, late=slack)
