"""The VPC flow logs of the three-tier data set, against what connection tracking counted."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from typing import Any

from tests.datasets.recording import (
    FOLDER,
    NODES,
    Row,
    holds,
    own_ranges,
    read_entries,
    read_vpc,
)


def test_packets_and_bytes_are_those_of_conntrack() -> None:
    rows = [row for row in read_vpc() if row["protocol"] in (6, 17)]
    seen: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        ports = row["srcport"], row["dstport"]
        ends = row["pkt_srcaddr"], row["pkt_dstaddr"]
        sums = seen[row["interface_id"], row["protocol"], *ends, *ports]
        sums[0] += row["packets"]
        sums[1] += row["bytes"]
    counted = count_packets()
    # The tracker does not count a SYN that is sent again; here is the one that was.
    repeated = {key for key in seen if key[3] == "10.244.2.99"}
    assert {seen[key][0] for key in repeated} == {3}
    assert len(counted) > 2000
    assert {key: sums for key, sums in counted.items() if key not in repeated} == {
        key: sums for key, sums in seen.items() if key not in repeated
    }


def test_nothing_within_a_node_is_logged() -> None:
    own = {node: own_ranges(node) for node in NODES}
    for row in read_vpc():
        for ranges in own.values():
            ends = (row["pkt_srcaddr"], row["pkt_dstaddr"])
            assert not all(holds(ranges, end) for end in ends)


def test_text_and_parquet_hold_the_same_rows() -> None:
    files = sorted((FOLDER / "flows" / "vpc" / "text").rglob("*.log.gz"))
    rows: list[tuple[str, ...]] = []
    names: list[str] = []
    for path in files:
        header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        names = header.split()
        rows += [tuple(line.split()) for line in lines]
    table = [
        tuple(
            "-" if row[name.replace("-", "_")] is None else str(row[name.replace("-", "_")])
            for name in names
        )
        for row in read_vpc()
    ]
    assert Counter(rows) == Counter(table)


def test_files_are_where_aws_delivers_them() -> None:
    folder = FOLDER / "flows" / "vpc"
    parquet = sorted(folder.glob("parquet/AWSLogs/aws-account-id=*/**/*.log.parquet"))
    hive = "aws-service=vpcflowlogs/aws-region=eu-central-1/year=2026/month=11/day=23"
    assert parquet
    assert all(path.parent.as_posix().endswith(hive) for path in parquet)
    text = sorted(folder.glob("text/AWSLogs/*/vpcflowlogs/eu-central-1/2026/11/23/*.log.gz"))
    assert len(text) == len(parquet)
    assert len(sorted(folder.rglob("*.*"))) == len(text) + len(parquet)


def count_packets() -> dict[tuple[Any, ...], list[int]]:
    """Return packets and bytes of conntrack, of each direction at each node's interface."""
    interfaces = find_interfaces()
    found: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0])
    for node in NODES:
        own = own_ranges(node)
        for row in read_entries(node):
            for side in ("orig", "reply"):
                if not holds(own, row[f"{side}_src"]):
                    for key, sent in sides_of(row, side):
                        sums = found[interfaces[node], row["proto"], *key]
                        sums[0] += row[f"{sent}_packets"]
                        sums[1] += row[f"{sent}_bytes"]
    return {key: sums for key, sums in found.items() if sums[0]}


def sides_of(row: Row, side: str) -> list[tuple[tuple[Any, ...], str]]:
    """Return both directions as they cross the interface on which ``side`` came in."""
    src, dst, sport, dport = (row[f"{side}_{end}"] for end in ("src", "dst", "sport", "dport"))
    other = "reply" if side == "orig" else "orig"
    return [((src, dst, sport, dport), side), ((dst, src, dport, sport), other)]


def find_interfaces() -> dict[str, str]:
    """Return node → interface, by whose address it logs as its own."""
    rows = [row for row in read_vpc() if row["flow_direction"] == "egress"]
    pairs = {
        (node, row["interface_id"])
        for row in rows
        for node in NODES
        if holds(own_ranges(node)[:2], row["srcaddr"])
    }
    assert len(pairs) == len(NODES)
    return dict(pairs)
