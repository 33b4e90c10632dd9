import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth.errors import InputError
from synth.flows import Initiator, Outcome, Rung, Vantage
from synth.sources import blocks
from tests.sources.samples import conntrack_table, ledger_of, read, rows_of, write_sample

DATA = Path(__file__).parent / "data"
GOOD = (
    "tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=80 src=10.0.0.2 "
    "dst=10.0.0.1 sport=80 dport=40000 [ASSURED] mark=0 use=1"
)

DESTROYED = (
    "[DESTROY] tcp 6 src=10.0.0.1 dst=10.0.0.2 sport=4 dport=80 [UNREPLIED] src=10.0.0.2 "
    "dst=10.0.0.1 sport=80 dport=4 id=1"
)
UNANSWERED = (
    "[DESTROY] tcp 6 117 SYN_SENT src=10.0.0.1 dst=10.0.0.2 sport=4 dport=80 packets=1 bytes=60 "
    "[UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=80 dport=4 packets=0 bytes=0"
)
UDP = (
    "udp 17 27 src=10.0.0.1 dst=10.0.0.2 sport=4 dport=53 src=10.0.0.2 dst=10.0.0.1 sport=53 "
    "dport=4 use=1"
)
ONE_WAY = UDP.replace(" src=10.0.0.2", " [UNREPLIED] src=10.0.0.2")
SCTP = UDP.replace("udp 17 27", "sctp 132 27 ESTABLISHED")
GRE = (
    "gre      47 29 src=10.0.0.1 dst=10.0.0.2 srckey=0x1 dstkey=0x2 src=10.0.0.2 dst=10.0.0.1 "
    "srckey=0x2 dstkey=0x1 use=1"
)
ICMPV6 = (
    "icmpv6   58 29 src=fe80::1 dst=fe80::2 type=128 code=0 id=9 src=fe80::2 dst=fe80::1 "
    "type=129 code=0 id=9 use=1"
)
IGMP = (
    "unknown  2 595 src=10.244.1.1 dst=224.0.0.22 packets=1 bytes=40 [UNREPLIED] "
    "src=224.0.0.22 dst=10.244.1.1 packets=0 bytes=0"
)


def one(tmp_path: Path, line: str) -> dict[str, Any]:
    """Return the only canonical row of the line."""
    (row,) = rows_of(read(written(tmp_path, line)))
    return row


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "node1.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_an_event_with_dnat(tmp_path: Path) -> None:
    first, last = rows_of(read(write_sample("conntrack-text", tmp_path)))
    assert first == {
        "row": 1,
        "start": 1_700_000_000_000_100,
        "end": 1_700_000_000_000_100,
        "protocol": 6,
        "src": "10.244.1.20",
        "dst": "10.244.2.9",
        "src_port": 41822,
        "dst_port": 8080,
        "asked": "10.96.0.40",
        "asked_port": 80,
        "seen_src": None,
        "initiator": Initiator.SRC,
        "rung": Rung.TUPLE,
        "outcome": Outcome.UNKNOWN,
        "opening": True,
        "bidirectional": True,
        "observer": "node1",
        "vantage": Vantage.UNKNOWN,
        "fwd_packets": None,
        "fwd_bytes": None,
        "rev_packets": None,
        "rev_bytes": None,
    }
    assert last["row"] == 3
    assert last["opening"] is False
    assert last["outcome"] == Outcome.ANSWERED  # a DESTROY without a state, but assured
    assert (last["fwd_packets"], last["fwd_bytes"]) == (9, 912)
    assert (last["rev_packets"], last["rev_bytes"]) == (7, 4110)


def test_events_are_a_second_wide_and_tables_have_no_time(tmp_path: Path) -> None:
    (events,) = read(write_sample("conntrack-text", tmp_path))
    (table,) = read(written(tmp_path, GOOD))
    assert (events.early, events.late) == (1_000_000, 1_000_000)
    assert (table.early, table.late) == (0, 0)
    assert rows_of([table])[0]["start"] is None


SECOND = 1_000_000
TIME = 1_700_000_000
PLAIN = GOOD.replace("431999 ESTABLISHED ", "")


@pytest.mark.parametrize(
    ("line", "oldest", "youngest"),
    [
        (f"[NEW] {GOOD}", 0, 0),
        (f"[UPDATE] {GOOD}", 0, 0),
        (f"[UPDATE] {GOOD}".replace("ESTABLISHED", "FIN_WAIT"), 60, 0),
        (f"[UPDATE] {GOOD}".replace("ESTABLISHED", "CLOSE"), 60, 0),
        (f"[UPDATE] {GOOD}".replace("ESTABLISHED", "CLOSE").replace("[ASSURED] ", ""), 0, 0),
        (f"[DESTROY] {PLAIN}", 180, 0),
        (f"[DESTROY] {PLAIN} delta-time=30", 90, 30),
        (f"[DESTROY] {PLAIN} delta-time=x", 180, 0),
        (DESTROYED, 0, 0),
        (f"[DESTROY] {UDP} delta-time=31 id=9", 91, 31),
        (f"[UPDATE] {UDP}", 0, 0),
        (GOOD, 180, 0),
    ],
)
def test_what_is_told_late_may_be_of_a_connection_opened_earlier(
    line: str, oldest: int, youngest: int, tmp_path: Path
) -> None:
    timed = f"[{TIME}.000000] [NEW] {UDP}"
    (batch,) = read(written(tmp_path, f"[{TIME}.000000] {line}", f"{timed} delta-time=5", PLAIN))
    begun = batch.table.column("start").cast("int64").to_pylist()
    assert begun == [TIME * SECOND, TIME * SECOND, None]
    if not oldest:
        assert batch.opened is None
        return
    assert batch.opened is not None
    assert batch.opened.to_pydict() == {
        "first": [(TIME - oldest) * SECOND, TIME * SECOND, None],
        "last": [(TIME - youngest) * SECOND, TIME * SECOND, None],
    }


def test_masquerade_shows_whom_the_server_saw(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "tcp 6 9 ESTABLISHED src=10.244.1.5 dst=203.0.113.10 sport=40000 dport=443 "
        "src=203.0.113.10 dst=172.31.250.1 sport=443 dport=61000 [ASSURED] use=1",
    )
    assert row["src"] == "10.244.1.5"
    assert row["dst"] == "203.0.113.10"
    assert row["seen_src"] == "172.31.250.1"
    assert row["asked"] is None
    assert row["asked_port"] is None


def test_hairpin_has_one_pod_on_both_sides(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "tcp 6 9 ESTABLISHED src=10.244.1.5 dst=10.96.0.9 sport=40000 dport=80 "
        "src=10.244.1.5 dst=10.244.1.1 sport=8080 dport=40000 [ASSURED] use=1",
    )
    assert (row["src"], row["dst"], row["seen_src"]) == ("10.244.1.5", "10.244.1.5", "10.244.1.1")


def test_a_port_alone_may_be_translated(tmp_path: Path) -> None:
    row = one(tmp_path, GOOD.replace("sport=80 ", "sport=8080 "))
    assert (row["asked"], row["asked_port"]) == ("10.0.0.2", 80)
    assert (row["dst"], row["dst_port"]) == ("10.0.0.2", 8080)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (GOOD, Outcome.ANSWERED),
        (GOOD.replace("ESTABLISHED", "TIME_WAIT").replace("[ASSURED] ", ""), Outcome.ANSWERED),
        (GOOD.replace("431999 ESTABLISHED ", "").replace("ASSURED", "OFFLOAD"), Outcome.ANSWERED),
        (
            GOOD.replace("431999 ESTABLISHED ", "").replace("ASSURED", "HW_OFFLOAD"),
            Outcome.ANSWERED,
        ),
        (GOOD.replace("ESTABLISHED", "SYN_RECV").replace("[ASSURED] ", ""), Outcome.UNKNOWN),
        (GOOD.replace("ESTABLISHED", "CLOSE").replace("[ASSURED] ", ""), Outcome.FAILED),
        (GOOD.replace("ESTABLISHED", "CLOSE"), Outcome.ANSWERED),
        (f"[DESTROY] {GOOD}".replace("431999 ESTABLISHED ", ""), Outcome.ANSWERED),
        (DESTROYED.replace("[UNREPLIED] ", ""), Outcome.UNKNOWN),
        (DESTROYED, Outcome.FAILED),
        (UNANSWERED, Outcome.FAILED),
        (ONE_WAY, Outcome.UNKNOWN),
        (UDP, Outcome.ANSWERED),
        (SCTP, Outcome.ANSWERED),
    ],
)
def test_outcomes(line: str, outcome: Outcome, tmp_path: Path) -> None:
    assert one(tmp_path, line)["outcome"] == outcome


def test_a_refused_port_is_a_failure(tmp_path: Path) -> None:
    """As recorded: the refusal counts as a reply packet, yet the entry is still unreplied."""
    row = one(
        tmp_path,
        "[1795412730.230635]\t[DESTROY] ipv4     2 tcp      6 120 CLOSE src=10.244.1.10 "
        "dst=10.244.1.11 sport=47528 dport=8081 packets=1 bytes=60 [UNREPLIED] src=10.244.1.11 "
        "dst=10.244.1.10 sport=8081 dport=47528 packets=1 bytes=40 delta-time=0 id=754041477",
    )
    assert row["outcome"] == Outcome.FAILED
    assert row["rev_packets"] == 1


PICKED = (
    "{event} tcp 6 300 ESTABLISHED src=10.0.0.2 dst=10.0.0.1 sport=3306 dport=40000 {mark} "
    "src=10.0.0.1 dst=10.0.0.2 sport=40000 dport=3306 id={id}"
)


def picked(event: str, mark: str = "", number: int = 5) -> str:
    return PICKED.format(event=event, mark=mark, id=number)


@pytest.mark.parametrize(
    "line",
    [
        picked("[NEW]", "[UNREPLIED]"),
        picked("", "[UNREPLIED]"),
        picked("[NEW]"),
        picked("[NEW]", "[UNREPLIED]").replace("ESTABLISHED", "FIN_WAIT"),
    ],
)
def test_a_connection_picked_up_midway_tells_no_initiator(line: str, tmp_path: Path) -> None:
    row = one(tmp_path, line)
    assert (row["initiator"], row["rung"]) == (Initiator.UNKNOWN, Rung.NONE)


@pytest.mark.parametrize("size", [1, 300, 1 << 20])
def test_a_picked_up_connection_is_followed_to_its_end(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    path = written(
        tmp_path,
        picked("[UPDATE]"),  # before: nothing is known against it
        picked("[NEW]", "[UNREPLIED]"),
        picked("[UPDATE]"),
        picked("[UPDATE]", number=6),  # another connection
        picked("[DESTROY]"),
        picked("[UPDATE]"),  # a later one with the same tuple and id
    )
    trusted = [row["initiator"] == Initiator.SRC for row in rows_of(read(path))]
    assert trusted == [True, False, False, True, False, True]


def test_a_syn_ends_a_picked_up_connection_whose_end_was_lost(tmp_path: Path) -> None:
    fresh = picked("[NEW]", "[UNREPLIED]").replace("ESTABLISHED", "SYN_SENT")
    path = written(tmp_path, picked("[NEW]", "[UNREPLIED]"), fresh, picked("[UPDATE]"))
    trusted = [row["initiator"] == Initiator.SRC for row in rows_of(read(path))]
    assert trusted == [False, True, True]


def test_lines_that_are_no_entries(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        GOOD,
        "conntrack v1.4.8 (conntrack-tools): 42 flow entries have been shown.",
        "300 proto=6 src=10.0.0.1 dst=10.0.0.2 sport=0 dport=2121 mask-src=255.255.255.255 "
        "mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.0.1 master-dst=10.0.0.2 "
        "sport=40000 dport=21 class=0 helper=ftp",
        "   ",
        "tcp 6 9 ESTABLISHED src=10.10.47.255 // dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 "
        "dst=10.10.47.255 sport=2 dport=1",
        "nothing of the kind",
        GOOD + " " + GOOD,
    )
    batches = read(path)
    assert len(rows_of(batches)) == 1
    assert ledger_of(batches).counts == {"malformed: unreadable line": 3, "not-a-record": 2}
    assert sum(batch.records for batch in batches) == 6
    assert [example.row for example in ledger_of(batches).examples["not-a-record"]] == [2, 3]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (("src=10.0.0.1 ", "src=10.0.0.256 "), "malformed: bad address"),
        (("src=10.0.0.1 ", "src= "), "malformed: no address"),
        (("sport=40000", "sport=65536"), "malformed: port not 0 to 65535"),
        (("sport=40000", "sport="), "malformed: no port"),
        (("sport=40000", "sport=4x"), "malformed: port not 0 to 65535"),
        (("dport=80 ", ""), "malformed: unreadable line"),
        (("tcp      6", "tcp      666"), "malformed: protocol not 0 to 255"),
        (("dport=80 ", "dport=80 packets=x bytes=1 "), "malformed: bad counter"),
        (("tcp      6", "[99999.1] tcp 6"), "malformed: bad time"),
        (("tcp      6", "[5.000001x] tcp 6"), "malformed: bad time"),
        (("tcp      6", "[170000000a.000001] tcp 6"), "malformed: bad time"),
        (("tcp      6", "unknown  6x"), "malformed: protocol not 0 to 255"),
        (("dst=10.0.0.2", "dst=224.0.0.251"), "multicast-or-broadcast"),
        (("dst=10.0.0.2", "dst=255.255.255.255"), "multicast-or-broadcast"),
        (("src=10.0.0.1", "src=127.0.0.1"), "loopback"),
        (("src=10.0.0.1", "src=0.0.0.0"), "malformed: unspecified address"),
        (("tcp      6", "dccp     33"), "no-policy-semantics"),
        (("tcp      6", "unknown  2"), "no-policy-semantics"),
    ],
)
def test_what_cannot_be_a_flow(change: tuple[str, str], outcome: str, tmp_path: Path) -> None:
    batches = read(written(tmp_path, GOOD, GOOD.replace(*change, 1)))
    assert ledger_of(batches).counts == {outcome: 1}
    assert [row["row"] for row in rows_of(batches)] == [1]


@pytest.mark.parametrize("line", [GRE, ICMPV6, IGMP])
def test_protocols_without_ports(line: str, tmp_path: Path) -> None:
    batches = read(written(tmp_path, GOOD, line))
    assert ledger_of(batches).counts == {"no-policy-semantics": 1}


def test_ipv6_zones_and_mapped_addresses(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "ipv6     10 tcp      6 300 ESTABLISHED src=fe80::5%eth0 dst=::ffff:10.0.0.9 sport=40001 "
        "dport=80 src=fd00::7 dst=fe80::5%eth0 sport=8080 dport=40001 [ASSURED] mark=0",
    )
    assert (row["src"], row["dst"], row["asked"]) == ("fe80::5", "fd00::7", "10.0.0.9")
    assert row["seen_src"] is None


def test_conntrackd_offloaded_and_marked_lines(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        GOOD.replace("431999 ", "") + " [active since 536s]",
        GOOD + " secctx=a:b:c zone=3 helper=ftp labels=0x1,0x2",
        "[1700000000.000001]\t" + GOOD + " id=9 [USERSPACE] portid=1 progname=src=1.2.3.4",
    )
    batches = read(path)
    assert len(rows_of(batches)) == 3
    assert not ledger_of(batches).counts


@pytest.mark.parametrize("seconds", [0, 5, 999_999_999, 1_000_000_000, 9_999_999_999])
def test_times_of_any_length(seconds: int, tmp_path: Path) -> None:
    row = one(tmp_path, f"[{seconds}.000042]\t[UPDATE] {GOOD}")
    assert row["start"] == row["end"] == seconds * 1_000_000 + 42


def test_carriage_returns_byte_order_mark_and_no_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "node1.log"
    path.write_bytes(b"\xef\xbb\xbf" + f"{GOOD}\r\n\r\n{GOOD}".encode())
    assert [row["row"] for row in rows_of(read(path))] == [1, 3]


def test_the_observer_is_the_name_of_the_file_up_to_the_dot(tmp_path: Path) -> None:
    path = tmp_path / "ip-10-0-1-7.events.txt.gz"
    path.write_bytes(gzip.compress(GOOD.encode()))
    assert rows_of(read(path))[0]["observer"] == "ip-10-0-1-7"


def test_a_line_of_ten_megabytes_is_one_malformed_record(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, "src=1 " * 1_700_000, GOOD)
    batches = read(path)
    assert ledger_of(batches).counts == {"malformed: line too long": 1}
    assert [row["row"] for row in rows_of(batches)] == [1, 3]


def test_no_readable_line_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace("=10.0.0.1 ", "=10.0.0.999 "))
    with pytest.raises(InputError, match="1 malformed of 1"):
        read(path)


def test_only_messages_are_no_error(tmp_path: Path) -> None:
    path = written(tmp_path, "conntrack v1.4.8 (conntrack-tools): 0 flow entries have been shown.")
    assert ledger_of(read(path)).counts == {"not-a-record": 1}


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir()))
def test_recorded_lines_are_read_whole(name: str) -> None:
    batches = read(DATA / name)
    lines = (DATA / name).read_text().splitlines()
    assert sum(batch.records for batch in batches) == len(lines)
    assert set(ledger_of(batches).counts) <= {"no-policy-semantics"}
    assert all(row["observer"] == name.split(".", maxsplit=1)[0] for row in rows_of(batches))


def test_recorded_events() -> None:
    rows = rows_of(read(DATA / "node2.events.txt"))
    assert [row["row"] for row in rows] == [2, 3, 4, 5, 6, 7, 9]
    assert {(row["src"], row["dst"], row["dst_port"]) for row in rows} == {
        ("10.244.2.22", "10.244.2.30", 3306)
    }
    assert [row["outcome"] for row in rows] == [0, 0, 1, 1, 1, 1, 1]
    assert rows[-1]["fwd_bytes"] == 216


def test_text_and_parquet_mean_the_same(tmp_path: Path) -> None:
    text = read(write_sample("conntrack-text", tmp_path))
    parquet = read(write_sample("conntrack-parquet", tmp_path))
    of_text, of_parquet = rows_of(text), rows_of(parquet)
    assert [row.pop("row") for row in of_text] == [1, 3]
    assert [row.pop("row") for row in of_parquet] == [1, 2]
    assert of_text == of_parquet
    assert ledger_of(text).counts == ledger_of(parquet).counts


def test_parquet_of_the_text_equals_it_for_recorded_lines(tmp_path: Path) -> None:
    """The sample's Parquet layout holds every kind of column that the reader knows."""
    table = conntrack_table()
    wide = table.set_column(
        table.schema.get_field_index("ts"),
        "timestamp",
        table.column("ts").cast(pa.timestamp("ns", "UTC")),
    )
    pq.write_table(wide, tmp_path / "wide.parquet")
    pq.write_table(table, tmp_path / "table.parquet")
    assert rows_of(read(tmp_path / "wide.parquet")) == rows_of(read(tmp_path / "table.parquet"))
