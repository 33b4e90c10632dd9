"""Flow logs derived from hand-made packets, against records worked out by hand."""

from __future__ import annotations

import gzip
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dpkt
import pyarrow.parquet as pq
import pytest

from datasets.recorder.flow_windows import Side, read_windows
from datasets.recorder.packets import read_packets
from datasets.recorder.vpc_files import FIELDS
from datasets.recorder.vpc_logs import Capture, derive
from synth.flows import Initiator, Outcome
from tests.datasets.frames import (
    ACK,
    FIN,
    MINUTE,
    NODE1,
    NODE1_SIX,
    NODE2,
    POD1,
    POD1_SIX,
    POD2,
    POD2_SIX,
    PUSH,
    RST,
    SYN,
    SYN_ACK,
    Timed,
    arp,
    capture,
    datagram,
    echo,
    echo_six,
    frame,
    segment,
    write_pcap,
)
from tests.sources.samples import ledger_of, read, rows_of

Row = dict[str, Any]
USER = "203.0.113.9"
SHOP = "AWSLogs/aws-account-id=012345678901/aws-service=vpcflowlogs/aws-region=eu-central-1"


def parquet_rows(out: Path) -> list[Row]:
    """Rows of all Parquet files, with the names of the text."""
    found: list[Row] = []
    for path in sorted((out / "parquet").rglob("*.parquet")):
        rows = pq.ParquetFile(path).read().to_pylist()
        found += [{name.replace("_", "-"): value for name, value in row.items()} for row in rows]
    return found


def text_rows(out: Path) -> list[dict[str, str]]:
    """Words of all text files."""
    found = []
    for path in sorted((out / "text").rglob("*.log.gz")):
        header, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
        found += [dict(zip(header.split(" "), line.split(" "), strict=True)) for line in lines]
    return found


def log(folder: Path, *packets: Timed, snaplen: int = 65535) -> list[Row]:
    """Return the records of what node 1's interface saw."""
    derive([capture(folder, packets, snaplen=snaplen)], folder / "out")
    rows = parquet_rows(folder / "out")
    words = [
        {name: "-" if value is None else str(value) for name, value in row.items()} for row in rows
    ]
    assert text_rows(folder / "out") == words
    return rows


def at(second: float, src: str, dst: str, upper: Any, **four: int) -> Timed:  # noqa: ANN401
    """Return a frame, captured so many seconds after ``MINUTE``."""
    return MINUTE + second, frame(src, dst, upper, **four)


def brief(rows: Sequence[Row], *names: str) -> list[tuple[Any, ...]]:
    """Return these fields of every record."""
    return [tuple(row[name] for name in names) for row in rows]


def test_one_connection_is_two_records_worked_out_by_hand(tmp_path: Path) -> None:
    rows = log(
        tmp_path,
        at(1, POD1, POD2, segment(SYN)),
        at(1.1, POD2, POD1, segment(SYN_ACK, 8080, 40000)),
        at(1.2, POD1, POD2, segment(ACK)),
        at(1.3, POD1, POD2, segment(PUSH, size=100)),
        at(1.4, POD2, POD1, segment(PUSH, 8080, 40000, size=300)),
        at(2, POD1, POD2, segment(FIN)),
        at(2.1, POD2, POD1, segment(ACK, 8080, 40000)),
    )
    common = {
        "version": 5,
        "account-id": "012345678901",
        "interface-id": "eni-00000000000000001",
        "protocol": 6,
        "start": MINUTE,
        "end": MINUTE + 59,
        "action": "ACCEPT",
        "log-status": "OK",
        "vpc-id": "vpc-0a1b2c3d4e5f60718",
        "subnet-id": "subnet-0b2c3d4e5f6071829",
        "instance-id": "i-00000000000000001",
        "type": "IPv4",
        "region": "eu-central-1",
        "az-id": "euc1-az2",
        "sublocation-type": "-",
        "sublocation-id": "-",
        "pkt-src-aws-service": "-",
        "pkt-dst-aws-service": "-",
    }
    answer = {
        "srcaddr": POD2,
        "dstaddr": NODE1,
        "srcport": 8080,
        "dstport": 40000,
        "packets": 3,
        "bytes": 3 * 40 + 300,
        "tcp-flags": 18,
        "pkt-srcaddr": POD2,
        "pkt-dstaddr": POD1,
        "flow-direction": "ingress",
        "traffic-path": None,
    }
    request = {
        "srcaddr": NODE1,
        "dstaddr": POD2,
        "srcport": 40000,
        "dstport": 8080,
        "packets": 4,
        "bytes": 4 * 40 + 100,
        "tcp-flags": 3,
        "pkt-srcaddr": POD1,
        "pkt-dstaddr": POD2,
        "flow-direction": "egress",
        "traffic-path": 1,
    }
    assert rows == [common | answer, common | request]


@pytest.mark.parametrize(
    ("flags", "recorded"),
    [
        ([SYN], 2),
        ([SYN_ACK], 18),
        ([ACK], 0),
        ([PUSH], 0),
        ([FIN], 1),
        ([RST], 4),
        ([SYN, FIN], 3),
        ([SYN_ACK, ACK, FIN], 19),
        ([SYN, RST], 6),
        ([0x20 | ACK, 0xC2], 2),  # URG; SYN with ECE and CWR
    ],
)
def test_flags_are_ored_as_aws_records_them(
    flags: list[int], recorded: int, tmp_path: Path
) -> None:
    rows = log(tmp_path, *(at(n, POD1, POD2, segment(flag)) for n, flag in enumerate(flags)))
    assert brief(rows, "tcp-flags", "packets") == [(recorded, len(flags))]


def test_a_window_is_a_minute_and_a_long_connection_repeats_without_flags(tmp_path: Path) -> None:
    rows = log(
        tmp_path,
        at(58, POD1, POD2, segment(SYN)),
        at(59.999999, POD1, POD2, segment(ACK)),
        at(60, POD1, POD2, segment(PUSH, size=10)),
        at(61, POD1, POD2, segment(ACK, 40001)),
    )
    assert brief(rows, "start", "end", "srcport", "tcp-flags", "packets", "bytes") == [
        (MINUTE, MINUTE + 59, 40000, 2, 2, 80),
        (MINUTE + 60, MINUTE + 119, 40000, 0, 1, 50),
        (MINUTE + 60, MINUTE + 119, 40001, 0, 1, 40),
    ]


@pytest.mark.parametrize(
    ("src", "dst", "shown", "direction", "path"),
    [
        (POD1, POD2, (NODE1, POD2), "egress", 1),
        (POD2, POD1, (POD2, NODE1), "ingress", None),
        (NODE1, POD2, (NODE1, POD2), "egress", 1),
        (USER, NODE1, (USER, NODE1), "ingress", None),
        (NODE1, USER, (NODE1, USER), "egress", 8),
        (USER, POD1, (USER, NODE1), "ingress", None),
        (POD1, "10.99.0.1", (NODE1, "10.99.0.1"), "egress", 1),
        (POD1_SIX, POD2_SIX, (NODE1_SIX, POD2_SIX), "egress", 8),
        (NODE1_SIX, POD2_SIX, (NODE1_SIX, POD2_SIX), "egress", 8),
        (POD2_SIX, POD1_SIX, (POD2_SIX, NODE1_SIX), "ingress", None),
    ],
)
def test_the_own_side_shows_the_primary_address(  # noqa: PLR0913, PLR0917 - a table
    src: str, dst: str, shown: tuple[str, str], direction: str, path: int | None, tmp_path: Path
) -> None:
    (row,) = log(tmp_path, at(0, src, dst, segment(SYN)))
    assert (row["srcaddr"], row["dstaddr"]) == shown
    assert (row["pkt-srcaddr"], row["pkt-dstaddr"]) == (src, dst)
    assert (row["flow-direction"], row["traffic-path"]) == (direction, path)
    assert row["type"] == f"IPv{ipaddress.ip_address(src).version}"


def test_an_interface_with_several_addresses_shows_its_primary_one(tmp_path: Path) -> None:
    packets = [
        at(0, "10.0.0.99", POD2, segment(SYN)),
        at(0, "2001:db8::99", POD2_SIX, segment(SYN)),
        at(1, POD1_SIX, POD2_SIX, segment(SYN)),
    ]
    one = capture(tmp_path, packets)
    several = ("10.0.0.11", "10.0.0.99", "2001:db8::11", "2001:db8::99")
    derive([Capture(one.node, "eni-1", "i-1", several, one.pod_cidrs, one.pcap)], tmp_path / "out")
    assert brief(parquet_rows(tmp_path / "out"), "pkt-srcaddr", "srcaddr") == [
        ("10.0.0.99", "10.0.0.11"),
        ("2001:db8::99", "2001:db8::99"),
        (POD1_SIX, "2001:db8::11"),
    ]


def test_both_interfaces_log_a_packet_between_nodes(tmp_path: Path) -> None:
    packets = [at(0, POD1, POD2, segment(SYN))]
    nodes = [capture(tmp_path, packets, 2), capture(tmp_path, packets, 1)]
    derive(nodes, tmp_path / "out")
    names = ("interface-id", "srcaddr", "dstaddr", "flow-direction", "traffic-path")
    assert brief(parquet_rows(tmp_path / "out"), *names) == [
        ("eni-00000000000000001", NODE1, POD2, "egress", 1),
        ("eni-00000000000000002", POD1, NODE2, "ingress", None),
    ]
    derive(nodes[::-1], tmp_path / "again")
    assert parquet_rows(tmp_path / "again") == parquet_rows(tmp_path / "out")


def test_the_far_end_of_another_captured_node_is_in_the_vpc_whatever_its_address(
    tmp_path: Path,
) -> None:
    packets = [at(0, POD1_SIX, POD2_SIX, segment(SYN))]
    derive([capture(tmp_path, packets, 1), capture(tmp_path, [], 2)], tmp_path / "out")
    rows = parquet_rows(tmp_path / "out")
    assert brief(rows, "log-status", "traffic-path") == [("OK", 1), ("NODATA", None)]


def test_ports_of_udp_and_none_of_icmp_and_no_flags_of_either(tmp_path: Path) -> None:
    rows = log(
        tmp_path,
        at(0, POD1, POD2, datagram(5000, 53, size=20)),
        at(0, POD1, POD2, echo(8)),
        at(1, POD1, POD2, echo(8)),
        at(1, POD2, POD1, echo(0)),
        at(2, POD1_SIX, POD2_SIX, echo_six(128)),
        at(2, POD1, POD2, b"\x00" * 12, p=47),
    )
    names = ("pkt-srcaddr", "srcport", "dstport", "protocol", "packets", "bytes", "tcp-flags")
    assert brief(rows, *names) == [
        (POD2, 0, 0, 1, 1, 20 + 12, None),
        (POD1, 0, 0, 1, 2, 2 * (20 + 12), None),
        (POD1, 0, 0, 47, 1, 20 + 12, None),
        (POD1, 5000, 53, 17, 1, 20 + 8 + 20, None),
        (POD1_SIX, 0, 0, 58, 1, 40 + 12, None),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        (0.0, arp()),
        at(0, POD1, "169.254.169.253", datagram(5000, 53)),
        at(0, "169.254.169.254", NODE1, segment(SYN_ACK, 80, 40000)),
        at(0, NODE1, "169.254.169.123", datagram(123, 123)),
        at(0, NODE1_SIX, "fd00:ec2::253", datagram(5000, 53)),
        at(0, "0.0.0.0", "255.255.255.255", datagram(68, 67)),  # noqa: S104 - a packet's address
        at(0, NODE1, "10.0.0.1", datagram(68, 67)),
        at(0, NODE1_SIX, "2001:db8::1", datagram(546, 547)),
        at(0, NODE1, "224.0.0.22", b"\x22" + b"\x00" * 7, p=2),
        at(0, NODE1, "239.1.2.3", datagram(5000, 5001)),
        at(0, "fe80::1", "ff02::1", echo_six(134)),
        at(0, "fe80::1", "fe80::2", segment(SYN)),
        at(0, NODE1_SIX, "2001:db8::12", echo_six(135)),  # neighbour, unicast
        at(0, "2001:db8::12", NODE1_SIX, echo_six(136)),
        at(0, POD2, NODE2, segment(SYN)),  # overheard
        at(0, POD1, NODE1, segment(SYN)),  # within the node
    ],
)
def test_what_is_never_logged(hidden: Timed, tmp_path: Path) -> None:
    time = max(hidden[0], MINUTE)
    rows = log(tmp_path, (time, hidden[1]), at(1, POD1, POD2, segment(SYN)))
    assert brief(rows, "pkt-srcaddr", "pkt-dstaddr", "packets") == [(POD1, POD2, 1)]


@pytest.mark.parametrize("ports", [(68, 53), (5000, 67), (67, 8080)])
def test_only_both_ports_together_make_dhcp(ports: tuple[int, int], tmp_path: Path) -> None:
    rows = log(tmp_path, at(0, POD1, POD2, datagram(*ports)))
    assert brief(rows, "srcport", "dstport") == [ports]


def test_silent_windows_of_an_interface_are_logged_as_such(tmp_path: Path) -> None:
    seen = capture(
        tmp_path,
        [at(0, POD1, POD2, segment(SYN)), at(185, POD1, POD2, segment(ACK))],
    )
    late = capture(tmp_path, [at(70, POD2, USER, segment(SYN))], 2)
    derive([seen, late], tmp_path / "out")
    rows = parquet_rows(tmp_path / "out")
    status = {(row["interface-id"][-1], row["start"] - MINUTE): row["log-status"] for row in rows}
    silent = {key for key, word in status.items() if word == "NODATA"}
    assert silent == {("1", 60), ("1", 120), ("2", 0), ("2", 120), ("2", 180)}
    assert len(status) == len(rows) == 8
    (empty,) = [row for row in text_rows(tmp_path / "out") if row["start"] == str(MINUTE + 60)][:1]
    filled = {name: word for name, word in empty.items() if word != "-"}
    assert filled == {
        "version": "5",
        "account-id": "012345678901",
        "interface-id": "eni-00000000000000001",
        "start": str(MINUTE + 60),
        "end": str(MINUTE + 119),
        "log-status": "NODATA",
        "vpc-id": "vpc-0a1b2c3d4e5f60718",
        "subnet-id": "subnet-0b2c3d4e5f6071829",
        "instance-id": "i-00000000000000001",
        "region": "eu-central-1",
        "az-id": "euc1-az2",
    }


def test_a_window_of_unlogged_packets_only_is_silent(tmp_path: Path) -> None:
    rows = log(tmp_path, (MINUTE, arp()), at(3, NODE1, "10.0.0.1", datagram(68, 67)))
    assert brief(rows, "log-status") == [("NODATA",)]


def test_nothing_captured_is_no_file(tmp_path: Path) -> None:
    derive([capture(tmp_path, []), capture(tmp_path, [], 2)], tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.*"))


def test_later_fragments_count_to_the_flow_of_the_first(tmp_path: Path) -> None:
    first = datagram(5000, 53, size=1472)
    rows = log(
        tmp_path,
        at(0, POD1, POD2, bytes(600), p=17, id=8, offset=185),  # before its first
        at(0, POD1, POD2, first, id=7, mf=1),
        at(0.1, POD1, POD2, bytes(500), p=17, id=7, offset=185),
        at(0.2, POD1, POD2, datagram(5001, 53, size=1472), id=8, mf=1),
        at(0.3, POD1, POD2, bytes(400), p=17, id=9, offset=185),  # its first is not there
        at(0.4, POD2, POD1, bytes(300), p=17, id=7, offset=185),  # another's
    )
    assert brief(rows, "srcport", "dstport", "packets", "bytes") == [
        (5000, 53, 2, 1500 + 520),
        (5001, 53, 2, 1500 + 620),
    ]


def test_fragments_of_ipv6(tmp_path: Path) -> None:
    whole = bytes(datagram(5000, 53, size=100))
    head = bytes([17, 0, 0, 1, 0, 0, 0, 7])  # next UDP, offset 0, more to come, id 7
    tail = bytes([17, 0, 0, 64, 0, 0, 0, 7])
    rows = log(
        tmp_path,
        at(0, POD1_SIX, POD2_SIX, head + whole[:64], p=44),
        at(0.1, POD1_SIX, POD2_SIX, tail + whole[64:], p=44),
    )
    assert brief(rows, "srcport", "dstport", "protocol", "packets", "bytes") == [
        (5000, 53, 17, 2, 40 + 8 + 64 + 40 + 8 + 44)
    ]


def test_bytes_are_those_of_the_whole_packet_whatever_was_kept(tmp_path: Path) -> None:
    packets = [
        at(0, POD1, POD2, segment(PUSH, size=1400)),
        at(1, POD1_SIX, POD2_SIX, segment(PUSH, size=1400)),
    ]
    rows = log(tmp_path, *packets, snaplen=96)
    assert brief(rows, "srcport", "bytes") == [(40000, 1440), (40000, 1460)]


def test_padding_of_short_frames_is_not_counted(tmp_path: Path) -> None:
    time, data = at(0, POD1, POD2, segment(SYN))
    assert brief(log(tmp_path, (time, data + bytes(6))), "bytes") == [(40,)]


def test_files_lie_and_are_named_as_aws_delivers_them(tmp_path: Path) -> None:
    # The window of 23:59 ends in the last five minutes of the day, that of 00:00 in the next day.
    night = 1_700_006_340
    packets = [(night + 50.0, frame(POD1, POD2, segment(SYN)))]
    packets += [(night + 60.0, frame(POD1, POD2, segment(ACK)))]
    derive([capture(tmp_path, packets)], tmp_path / "out")
    found = [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.*")]
    files = sorted(str(path) for path in found if path.suffix in {".gz", ".parquet"})
    stem = "012345678901_vpcflowlogs_eu-central-1_fl-0d4c3b2a190817263_"
    places = [
        f"parquet/{SHOP}/year=2023/month=11/day=14/{stem}20231114T2355Z_",
        f"parquet/{SHOP}/year=2023/month=11/day=15/{stem}20231115T0000Z_",
        f"text/AWSLogs/012345678901/vpcflowlogs/eu-central-1/2023/11/14/{stem}20231114T2355Z_",
        f"text/AWSLogs/012345678901/vpcflowlogs/eu-central-1/2023/11/15/{stem}20231115T0000Z_",
    ]
    assert len(files) == len(found) == 4
    for file, place in zip(files, places, strict=True):
        suffix = ".log.parquet" if place.startswith("parquet") else ".log.gz"
        digest = file.removeprefix(place).removesuffix(suffix)
        assert len(digest) == 8
        assert int(digest, 16) >= 0


def test_parquet_has_the_types_of_aws_and_gzip_inside(tmp_path: Path) -> None:
    log(tmp_path, at(0, POD1, POD2, segment(SYN)), at(60, POD1, POD2, segment(ACK)))
    (path,) = (tmp_path / "out" / "parquet").rglob("*.parquet")
    assert path.read_bytes()[:4] == b"PAR1"
    file = pq.ParquetFile(path)
    columns = [file.schema.column(number) for number in range(len(file.schema))]
    types = {one.name: (one.physical_type, one.logical_type.type) for one in columns}
    assert list(types) == [name.replace("-", "_") for name in FIELDS]
    four = {"version", "srcport", "dstport", "protocol", "tcp_flags", "traffic_path"}
    eight = {"packets", "bytes", "start", "end"}
    for name, kind in types.items():
        want = ("BYTE_ARRAY", "STRING")
        if name in four | eight:
            want = ("INT32" if name in four else "INT64", "NONE")
        assert kind == want, name
    assert file.schema_arrow.metadata is None
    assert file.metadata.num_row_groups == 2
    assert {file.metadata.row_group(0).column(n).compression for n in range(29)} == {"GZIP"}
    assert all(one.max_definition_level == 1 for one in columns)


def test_text_begins_with_the_header_and_separates_by_one_blank(tmp_path: Path) -> None:
    log(tmp_path, at(0, POD1, POD2, segment(SYN)))
    (path,) = (tmp_path / "out" / "text").rglob("*.log.gz")
    raw = path.read_bytes()
    assert raw[:10] == b"\x1f\x8b\x08\x00" + bytes(4) + b"\x02\xff"  # no name, no time
    header, line = gzip.decompress(raw).decode().splitlines()
    assert header == (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes "
        "start end action log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr "
        "pkt-dstaddr region az-id sublocation-type sublocation-id pkt-src-aws-service "
        "pkt-dst-aws-service flow-direction traffic-path"
    )
    assert line == (
        f"5 012345678901 eni-00000000000000001 10.0.0.11 10.244.2.7 40000 8080 6 1 40 {MINUTE} "
        f"{MINUTE + 59} ACCEPT OK vpc-0a1b2c3d4e5f60718 subnet-0b2c3d4e5f6071829 "
        "i-00000000000000001 2 IPv4 10.244.1.5 10.244.2.7 eu-central-1 euc1-az2 - - - - egress 1"
    )


def test_the_same_packets_give_the_same_bytes(tmp_path: Path) -> None:
    packets = [at(n / 10, POD1, POD2, segment(SYN, 40000 + n)) for n in range(50)]
    one = capture(tmp_path, packets)
    derive([one], tmp_path / "a")
    derive([one], tmp_path / "b")
    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*.*") if path.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert len(first) == 2
    assert first == second


def test_synth_reads_both_formats_without_quarantine_and_alike(tmp_path: Path) -> None:
    log(
        tmp_path,
        at(0, POD1, POD2, segment(SYN)),
        at(0, POD2, POD1, segment(SYN_ACK, 8080, 40000)),
        at(1, POD1_SIX, POD2_SIX, datagram(5000, 53)),
        at(2, POD1, POD2, echo(8)),
        at(2, USER, NODE1, segment(SYN, 50000, 31080)),
        at(2, NODE1, USER, segment(RST, 31080, 50000)),
        at(130, POD1, POD2, segment(ACK)),
    )
    batches = [
        read(path, source)
        for source, pattern in (("vpc-text", "*.log.gz"), ("vpc-parquet", "*.log.parquet"))
        for path in (tmp_path / "out").rglob(pattern)
    ]
    text, parquet = (rows_of(one) for one in batches)
    for one in batches:
        counts = ledger_of(one).counts
        assert counts == {"no-data": 1, "no-policy-semantics": 1}
    for row in (*text, *parquet):
        row.pop("row")
    assert text == parquet
    told = {(row["src"], row["initiator"], row["outcome"]) for row in parquet}
    assert (POD1, Initiator.SRC, Outcome.UNKNOWN) in told
    assert (POD2, Initiator.DST, Outcome.ANSWERED) in told
    assert (NODE1, Initiator.UNKNOWN, Outcome.FAILED) in told


def test_slightly_disordered_packets_fall_into_their_windows(tmp_path: Path) -> None:
    rows = log(
        tmp_path,
        at(59, POD1, POD2, segment(SYN)),
        at(60.2, POD1, POD2, segment(ACK)),
        at(59.9, POD1, POD2, segment(ACK)),
    )
    assert brief(rows, "start", "packets") == [(MINUTE, 2), (MINUTE + 60, 1)]


def test_a_packet_far_too_late_is_refused(tmp_path: Path) -> None:
    packets = [at(59, POD1, POD2, segment(SYN)), at(66, POD1, POD2, segment(ACK))]
    late = capture(tmp_path, [*packets, at(59, POD1, POD2, segment(ACK))])
    with pytest.raises(ValueError, match="in order of time"):
        derive([late], tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_only_flows_of_open_windows_are_held(tmp_path: Path) -> None:
    packets = [at(n, POD1, POD2, segment(SYN, 1000 + n)) for n in range(600)]
    one = capture(tmp_path, packets)
    taken = 0

    def counted() -> Any:  # noqa: ANN401
        nonlocal taken
        for packet in read_packets(one.pcap):
            taken += 1
            yield packet

    for number, (_, flows) in enumerate(read_windows(counted(), Side.of(one)), start=1):
        assert len(flows) == 60
        assert taken <= 60 * number + 6


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "link"])
def test_a_damaged_capture_is_refused_by_name(damage: str, tmp_path: Path) -> None:
    one = capture(tmp_path, [at(0, POD1, POD2, segment(SYN))] * 2)
    whole = one.pcap.read_bytes()
    match damage:
        case "text":
            one.pcap.write_text("tcpdump: listening on eth0, link-type EN10MB\n" * 3)
        case "cut":
            one.pcap.write_bytes(whole + whole[24:32])
        case "empty":
            one.pcap.write_bytes(b"")
        case _:
            one.pcap.write_bytes(whole[:20] + b"\x71" + whole[21:])
    with pytest.raises(ValueError, match=r"node1\.pcap: expected"):
        derive([one], tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_length_left_to_the_network_card_is_refused(tmp_path: Path) -> None:
    time, data = at(0, POD1, POD2, segment(PUSH, size=100))
    path = write_pcap(tmp_path / "tso.pcap", [(time, data[:16] + b"\x00\x00" + data[18:])])
    one = capture(tmp_path, [])
    with pytest.raises(ValueError, match="segmentation offload"):
        derive([Capture("n", "eni-1", "i-1", one.addresses, one.pod_cidrs, path)], tmp_path / "out")


def test_two_captures_of_one_interface_are_refused(tmp_path: Path) -> None:
    one = capture(tmp_path, [])
    with pytest.raises(ValueError, match="different interfaces"):
        derive([one, one], tmp_path / "out")


def test_captures_in_the_next_generation_format_are_read_too(tmp_path: Path) -> None:
    one = capture(tmp_path, [])
    with one.pcap.open("wb") as file:
        writer = dpkt.pcapng.Writer(file)
        writer.writepkt(frame(POD1, POD2, segment(SYN)), ts=MINUTE + 1)
    derive([one], tmp_path / "out")
    assert brief(parquet_rows(tmp_path / "out"), "start", "packets") == [(MINUTE, 1)]
