"""One small file of each format, and ways to read them."""

import ipaddress
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synth.flows import FlowBatch
from synth.ledger import Ledger
from synth.sources import load
from synth.sources.sniff import units

Row = dict[str, Any]

CONNTRACK = (
    "[1700000000.000100]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.244.1.20 "
    "dst=10.96.0.40 sport=41822 dport=80 [UNREPLIED] src=10.244.2.9 dst=10.244.1.20 sport=8080 "
    "dport=41822 id=7\n"
    "\n"
    "[1700000012.000200]\t[DESTROY] ipv4     2 tcp      6 src=10.244.1.20 dst=10.96.0.40 "
    "sport=41822 dport=80 packets=9 bytes=912 src=10.244.2.9 dst=10.244.1.20 sport=8080 "
    "dport=41822 packets=7 bytes=4110 [ASSURED] delta-time=12 id=7\n"
    "[1700000013.000300]\t    [NEW] ipv4     2 icmp     1 30 src=10.244.1.20 dst=10.244.2.9 type=8 "
    "code=0 id=12 [UNREPLIED] src=10.244.2.9 dst=10.244.1.20 type=0 code=0 id=12 id=9\n"
    "[1700000014.000400]\t    [NEW] ipv4     2 udp      17 30 src=10.244.1.20 dst=10.96.0.10 "
    "sport=70000 dport=53 [UNREPLIED] src=10.244.3.3 dst=10.244.1.20 sport=53 dport=70000 id=3\n"
)

VPC = (
    "version vpc-id interface-id account-id type srcaddr dstaddr srcport dstport pkt-srcaddr "
    "pkt-dstaddr protocol bytes packets start end action tcp-flags log-status flow-direction\n"
    "5 vpc-0a1 eni-0d4 012345678901 IPv4 10.0.1.10 10.0.2.57 41822 8080 10.0.1.77 10.0.2.57 6 1260 "
    "17 1700000000 1700000058 ACCEPT 3 OK egress\n"
    "5 vpc-0a1 eni-0d4 012345678901 IPv4 10.0.2.57 10.0.1.10 8080 41822 10.0.2.57 10.0.1.77 6 967 "
    "14 1700000000 1700000058 ACCEPT 19 OK ingress\n"
    "5 vpc-0a1 eni-0d4 012345678901 - - - - - - - - - - 1700000060 1700000118 - - NODATA -\n"
    "5 vpc-0a1 eni-0d4 012345678901 IPv4 10.0.2.57 10.0.1.10 99999 41822 10.0.2.57 10.0.1.77 6 967 "
    "14 1700000000 1700000058 ACCEPT 0 OK ingress\n"
)


def address(text: str) -> bytes:
    """Return the 16 bytes that stand for the address."""
    parsed = ipaddress.ip_address(text)
    return parsed.packed if parsed.version == 6 else bytes(10) + b"\xff\xff" + parsed.packed


def show(packed: bytes | None) -> str | None:
    """Return the address that the 16 bytes stand for."""
    if packed is None:
        return None
    six = ipaddress.IPv6Address(packed)
    return str(six.ipv4_mapped or six)


def vpc_table() -> pa.Table:
    """Return the records of ``VPC`` as AWS writes them to Parquet."""
    header, *lines = [line.split() for line in VPC.splitlines()]
    columns: dict[str, pa.Array] = {}
    for at, name in enumerate(header):
        words = [line[at] for line in lines]
        wide = {"bytes", "packets", "start", "end"}
        narrow = {"version", "srcport", "dstport", "protocol", "tcp-flags"}
        if name in wide | narrow:
            kind = pa.int64() if name in wide else pa.int32()
            columns[name.replace("-", "_")] = pa.array(
                [None if word == "-" else int(word) for word in words], kind
            )
        else:
            columns[name.replace("-", "_")] = pa.array(words)
    return pa.table(columns)


def conntrack_table() -> pa.Table:
    """Return the records of ``CONNTRACK`` in the recommended layout."""
    nothing = [None] * 4
    return pa.table(
        {
            "ts": pa.array(
                [
                    1700000000000100,
                    1700000012000200,
                    1700000013000300,
                    1700000014000400,
                ],
                pa.timestamp("us", "UTC"),
            ),
            "event": pa.array(["new", "destroy", "new", "new"]).dictionary_encode(),
            "node": ["node1"] * 4,
            "ct_id": pa.array([7, 7, 9, 3], pa.uint32()),
            "proto": pa.array([6, 6, 1, 17], pa.uint8()),
            "orig_src": ["10.244.1.20"] * 4,
            "orig_dst": ["10.96.0.40", "10.96.0.40", "10.244.2.9", "10.96.0.10"],
            "orig_sport": pa.array([41822, 41822, None, 70000], pa.int32()),
            "orig_dport": pa.array([80, 80, None, 53], pa.uint16()),
            "reply_src": ["10.244.2.9", "10.244.2.9", "10.244.2.9", "10.244.3.3"],
            "reply_dst": ["10.244.1.20"] * 4,
            "reply_sport": pa.array([8080, 8080, None, 53], pa.uint16()),
            "reply_dport": pa.array([41822, 41822, None, 70000], pa.int32()),
            "orig_packets": pa.array([None, 9, None, None], pa.uint64()),
            "orig_bytes": pa.array([None, 912, None, None], pa.uint64()),
            "reply_packets": pa.array([None, 7, None, None], pa.uint64()),
            "reply_bytes": pa.array([None, 4110, None, None], pa.uint64()),
            "tcp_state": pa.array(["SYN_SENT", None, None, None]).dictionary_encode(),
            "unreplied": [True, False, True, True],
            "assured": [False, True, False, False],
            "offload": [False] * 4,
            "start": pa.array(nothing, pa.timestamp("us", "UTC")),
            "stop": pa.array(nothing, pa.timestamp("us", "UTC")),
        }
    )


def write_sample(name: str, folder: Path) -> Path:
    """Write a small file of the source's format and return its path."""
    path = folder / f"node1.{name}.sample"
    match name:
        case "conntrack-text":
            path.write_text(CONNTRACK)
        case "vpc-text":
            path.write_text(VPC)
        case "conntrack-parquet":
            pq.write_table(conntrack_table(), path, row_group_size=3)
        case "vpc-parquet":
            pq.write_table(vpc_table(), path, row_group_size=3)
        case _:
            message = f"write a sample of {name} here"
            raise NotImplementedError(message)
    return path


def read(
    path: Path | str, source: str | None = None, fields: Iterable[str] = ()
) -> list[FlowBatch]:
    """Return every batch of the file."""
    found = units([str(path)], source, tuple(fields))
    return [batch for unit in found for batch in load(unit.source).read(unit)]


def rows_of(batches: Iterable[FlowBatch]) -> list[Row]:
    """Return the canonical rows, addresses as text and times as microseconds."""
    rows: list[Row] = []
    for batch in batches:
        table = batch.table
        for name in ("start", "end"):
            at = table.schema.get_field_index(name)
            table = table.set_column(at, name, table.column(name).cast(pa.int64()))
        for row in table.to_pylist():
            for name in ("src", "dst", "asked", "seen_src"):
                row[name] = show(row[name])
            rows.append(row)
    return rows


def ledger_of(batches: Iterable[FlowBatch]) -> Ledger:
    """Return what was skipped in all batches."""
    return Ledger.sum(batch.skipped for batch in batches)


def without_file(ledger: Ledger) -> Ledger:
    """Return the ledger with the files' names and texts left out of the examples."""
    examples = {
        outcome: tuple(replace(example, file="", text="") for example in some)
        for outcome, some in ledger.examples.items()
    }
    return Ledger(ledger.counts, examples)
