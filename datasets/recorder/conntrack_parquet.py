"""Conntrack event logs as text, written again as Parquet.

The parser below is on purpose not the one of `synth`: two readers that share no code must agree.
It knows what `conntrack -E -o timestamp,extended,id` prints of TCP, UDP, ICMP and what has no
ports, and refuses every line that it does not understand in full.

One row a line, in the order of the file. Ports are null for ICMP, and type, code and id are null
for everything else. `l3` is the address family as conntrack prints it: 2 for IPv4, 10 for IPv6.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

ROW_GROUP = 256  # several row groups a file, so that readers meet more than one
SUFFIX = ".events.txt"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")
WORD = pa.dictionary(pa.int32(), pa.string())

SCHEMA = pa.schema(
    [
        pa.field("ts", INSTANT, nullable=False),
        pa.field("event", WORD, nullable=False),
        pa.field("node", pa.string(), nullable=False),
        pa.field("netns", pa.string()),
        pa.field("zone", pa.uint16()),
        pa.field("zone_orig", pa.uint16()),
        pa.field("zone_reply", pa.uint16()),
        pa.field("ct_id", pa.uint32()),
        pa.field("l3", pa.uint8(), nullable=False),
        pa.field("proto", pa.uint8(), nullable=False),
        pa.field("orig_src", pa.string(), nullable=False),
        pa.field("orig_dst", pa.string(), nullable=False),
        pa.field("reply_src", pa.string(), nullable=False),
        pa.field("reply_dst", pa.string(), nullable=False),
        pa.field("orig_sport", pa.uint16()),
        pa.field("orig_dport", pa.uint16()),
        pa.field("reply_sport", pa.uint16()),
        pa.field("reply_dport", pa.uint16()),
        pa.field("icmp_type", pa.uint8()),
        pa.field("icmp_code", pa.uint8()),
        pa.field("icmp_id", pa.uint16()),
        pa.field("orig_packets", pa.uint64()),
        pa.field("orig_bytes", pa.uint64()),
        pa.field("reply_packets", pa.uint64()),
        pa.field("reply_bytes", pa.uint64()),
        pa.field("tcp_state", WORD),
        pa.field("unreplied", pa.bool_(), nullable=False),
        pa.field("assured", pa.bool_(), nullable=False),
        pa.field("offload", pa.bool_(), nullable=False),
        pa.field("timeout_s", pa.uint32()),
        pa.field("delta_time", pa.uint32()),  # whole seconds, at the end of a connection
        pa.field("mark", pa.uint32()),
        pa.field("start", INSTANT),
        pa.field("stop", INSTANT),
    ]
)


def _tuple_pattern(side: str, icmp: str) -> str:
    """Return the pattern of one tuple; its groups carry the names of the columns."""
    return (
        rf"src=(?P<{side}_src>\S+) dst=(?P<{side}_dst>\S+)"
        rf"(?: sport=(?P<{side}_sport>\d+) dport=(?P<{side}_dport>\d+)|{icmp})?"
        rf"(?: packets=(?P<{side}_packets>\d+) bytes=(?P<{side}_bytes>\d+))?"
    )


# The reply to a ping repeats its id, and conntrack's own id stands at the end of the line.
ASKED = r" type=(?P<icmp_type>\d+) code=(?P<icmp_code>\d+) id=(?P<icmp_id>\d+)"
ANSWERED = r" type=\d+ code=\d+ id=(?P=icmp_id)"

LINE = re.compile(
    r"\[(?P<seconds>\d+)\.(?P<micros>\d{6})\]\t *\[(?P<event>NEW|UPDATE|DESTROY)\] "
    r"(?:ipv4|ipv6) +(?P<l3>2|10) (?:tcp|udp|icmp|icmpv6|unknown) +(?P<proto>\d+)"
    r"(?: (?P<timeout_s>\d+))?(?: (?P<tcp_state>[A-Z][A-Z_]+))? "
    + _tuple_pattern("orig", ASKED)
    + r"(?P<unreplied> \[UNREPLIED\])? "
    + _tuple_pattern("reply", ANSWERED)
    + r"(?: \[(?P<flag>ASSURED|OFFLOAD|HW_OFFLOAD)\])?"
    r"(?: mark=(?P<mark>\d+))?(?: delta-time=(?P<delta_time>\d+))? id=(?P<ct_id>\d+)"
    r"(?: \[USERSPACE\] portid=\d+(?: progname=\S+)?)?"
)

WORDS = frozenset({"orig_src", "orig_dst", "reply_src", "reply_dst", "tcp_state"})
NUMBERS = frozenset(SCHEMA.names) & frozenset(LINE.groupindex) - WORDS - {"event", "unreplied"}


def parse_line(line: str, node: str) -> dict[str, Any]:
    """Return one row: a value or None for every column of `SCHEMA`.

    Raises
    ------
    ValueError
        When any part of the line is not understood.

    """
    match = LINE.fullmatch(line)
    if match is None:
        message = f"not a conntrack event of this recording: {line!r}"
        raise ValueError(message)
    found = match.groupdict()
    since = timedelta(seconds=int(found["seconds"]), microseconds=int(found["micros"]))
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names)
    row |= {name: found[name] for name in WORDS}
    row |= {name: int(found[name]) for name in NUMBERS if found[name] is not None}
    row |= {"ts": EPOCH + since, "event": found["event"].lower(), "node": node}
    row |= {"unreplied": found["unreplied"] is not None, "assured": found["flag"] == "ASSURED"}
    row["offload"] = found["flag"] in {"OFFLOAD", "HW_OFFLOAD"}
    return row


def read_events(events: Path) -> list[dict[str, Any]]:
    """Return the rows of one node's event log, in the order of the file.

    The file's name begins with the node's: ``node1.events.txt``.

    Raises
    ------
    ValueError
        When the name or a line is not as expected; it names file and line.

    """
    node = events.name.removesuffix(SUFFIX)
    if node in {"", events.name}:
        message = f"{events}: expected a file NODE{SUFFIX}"
        raise ValueError(message)
    rows = []
    lines = events.read_text(encoding="ascii").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(parse_line(line, node))
        except ValueError as fault:
            message = f"{events}:{number}: {fault}"
            raise ValueError(message) from fault
    return rows


def export(events: Path, parquet: Path) -> None:
    """Write the event log as Parquet: the same bytes for the same pyarrow release.

    Raises
    ------
    ValueError
        When the file's name or a line is not as expected.

    """
    pq.write_table(
        pa.Table.from_pylist(read_events(events), schema=SCHEMA),
        parquet,
        row_group_size=ROW_GROUP,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=9,
        use_dictionary=True,
        write_statistics=True,
        store_schema=True,
    )
