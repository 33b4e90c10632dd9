"""Lines of every kind that a kernel prints, as rows of Parquet that synth reads alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from datasets.recorder.conntrack_parquet import SCHEMA, export, parse_line, read_events
from tests.sources.samples import ledger_of, read, rows_of, without_file

SIX = (
    "[1700000000.000001]\t    [NEW] ipv6     10 tcp      6 120 SYN_SENT src=2001:db8:1::5 "
    "dst=2001:db8:2::7 sport=40000 dport=8080 [UNREPLIED] src=2001:db8:2::7 dst=2001:db8:1::5 "
    "sport=8080 dport=40000 id=11"
)
PING_SIX = (
    "[1700000001.000002]\t    [NEW] ipv6     10 icmpv6   58 30 src=2001:db8:1::5 "
    "dst=2001:db8:2::7 type=128 code=0 id=77 [UNREPLIED] src=2001:db8:2::7 dst=2001:db8:1::5 "
    "type=129 code=0 id=77 id=12"
)
GROUP = (
    "[1700000002.000003]\t    [NEW] ipv4     2 unknown  2 600 src=10.244.1.5 dst=224.0.0.22 "
    "[UNREPLIED] src=224.0.0.22 dst=10.244.1.5 id=13"
)
FLUSHED = (
    "[1700000003.000004]\t[DESTROY] ipv4     2 tcp      6 FIN_WAIT src=10.244.1.5 dst=10.96.0.9 "
    "sport=40001 dport=80 packets=4 bytes=260 src=10.244.2.7 dst=10.0.0.11 sport=8080 dport=40001 "
    "packets=3 bytes=180 [ASSURED] mark=7 delta-time=2 id=14 [USERSPACE] portid=81 "
    "progname=conntrack"
)
BY_NOBODY = FLUSHED.replace(" progname=conntrack", "")
QUESTION = (
    "[1700000004.000005]\t [UPDATE] ipv4     2 udp      17 120 src=10.244.1.5 dst=10.96.0.10 "
    "sport=5000 dport=53 src=10.244.2.3 dst=10.244.1.5 sport=53 dport=5000 [ASSURED] id=15"
)
LINES = (SIX, PING_SIX, GROUP, FLUSHED, BY_NOBODY, QUESTION)


def filled(line: str) -> dict[str, Any]:
    """Return the columns of the line that hold something."""
    row = parse_line(line, "node1")
    return {name: value for name, value in row.items() if value not in {None, False}}


def write(folder: Path, *lines: str) -> Path:
    """Return the event log of node 1 that holds the lines."""
    path = folder / "node1.events.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_a_translated_and_flushed_connection() -> None:
    row = filled(FLUSHED)
    assert row.pop("ts").timestamp() == 1700000003.000004
    assert row == {
        "event": "destroy",
        "node": "node1",
        "ct_id": 14,
        "l3": 2,
        "proto": 6,
        "orig_src": "10.244.1.5",
        "orig_dst": "10.96.0.9",
        "reply_src": "10.244.2.7",
        "reply_dst": "10.0.0.11",
        "orig_sport": 40001,
        "orig_dport": 80,
        "reply_sport": 8080,
        "reply_dport": 40001,
        "orig_packets": 4,
        "orig_bytes": 260,
        "reply_packets": 3,
        "reply_bytes": 180,
        "tcp_state": "FIN_WAIT",
        "assured": True,
        "mark": 7,
        "delta_time": 2,
    }
    assert filled(BY_NOBODY) == filled(FLUSHED)


def test_the_families_and_protocols() -> None:
    names = ("l3", "proto", "orig_sport", "reply_sport", "icmp_type", "icmp_id", "ct_id")
    rows = [parse_line(line, "node1") for line in (SIX, PING_SIX, GROUP, QUESTION)]
    assert [tuple(row[name] for name in names) for row in rows] == [
        (10, 6, 40000, 8080, None, None, 11),
        (10, 58, None, None, 128, 77, 12),
        (2, 2, None, None, None, None, 13),
        (2, 17, 5000, 53, None, None, 15),
    ]
    assert [row["unreplied"] for row in rows] == [True, True, True, False]


def test_synth_reads_the_parquet_as_it_reads_the_text(tmp_path: Path) -> None:
    events, parquet = write(tmp_path, *LINES), tmp_path / "node1.parquet"
    export(events, parquet)
    text, table = read(events), read(parquet)
    assert rows_of(text) == rows_of(table)
    assert without_file(ledger_of(text)) == without_file(ledger_of(table))
    assert ledger_of(text).counts == {"no-policy-semantics": 2}
    assert len(rows_of(text)) == len(LINES) - 2


def test_the_parquet_holds_every_line_in_order(tmp_path: Path) -> None:
    events, parquet = write(tmp_path, *LINES * 100), tmp_path / "node1.parquet"
    export(events, parquet)
    assert pq.read_schema(parquet) == SCHEMA
    assert pq.read_table(parquet).to_pylist() == read_events(events)
    assert pq.read_metadata(parquet).num_row_groups == 3


@pytest.mark.parametrize(
    ("line", "part", "damaged"),
    [
        (FLUSHED, "packets=3 ", ""),
        (FLUSHED, "progname=conntrack", "progname="),
        (QUESTION, "[ASSURED] ", "[ASSURED] zone=4 "),
        (PING_SIX, "id=77 id=12", "id=78 id=12"),
        (SIX, "tcp      6", "sctp     132"),
        (SIX, "[1700000000.000001]\t", ""),
    ],
)
def test_a_line_not_understood_in_full_is_named(
    line: str, part: str, damaged: str, tmp_path: Path
) -> None:
    events = write(tmp_path, SIX, line.replace(part, damaged, 1))
    with pytest.raises(ValueError, match=r"node1\.events\.txt:2: not a conntrack event"):
        export(events, tmp_path / "node1.parquet")
    assert not (tmp_path / "node1.parquet").exists()


@pytest.mark.parametrize("name", [".events.txt", "node1.txt"])
def test_the_name_of_the_file_must_name_the_node(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, SIX).rename(tmp_path / name)
    with pytest.raises(ValueError, match="expected a file NODE"):
        export(path, tmp_path / "node1.parquet")
