from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth.errors import InputError
from synth.flows import Initiator, Outcome, Rung, Vantage
from synth.sources.describe import describe
from tests.sources.samples import VPC, ledger_of, read, rows_of, vpc_table, write_sample

V2 = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start "
    "end action log-status"
)
V2_LINE = "2 1 eni-1 10.0.0.1 10.0.0.2 40000 80 6 10 840 1700000000 1700000060 ACCEPT OK"
FLAGGED = "srcaddr dstaddr srcport dstport protocol packets action tcp-flags log-status"


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "flow.log"
    path.write_text("\n".join(lines) + "\n")
    return path


def flagged(tmp_path: Path, flags: object, action: str, packets: int = 9) -> dict[str, Any]:
    line = f"10.0.0.1 10.0.0.2 40000 80 6 {packets} {action} {flags} OK"
    (row,) = rows_of(read(written(tmp_path, FLAGGED, line)))
    return row


def test_the_packet_addresses_are_the_pods(tmp_path: Path) -> None:
    request, response = rows_of(read(write_sample("vpc-text", tmp_path)))
    assert request == {
        "row": 2,
        "start": 1_700_000_000_000_000,
        "end": 1_700_000_058_000_000,
        "protocol": 6,
        "src": "10.0.1.77",
        "dst": "10.0.2.57",
        "src_port": 41822,
        "dst_port": 8080,
        "asked": None,
        "asked_port": None,
        "seen_src": None,
        "initiator": Initiator.SRC,
        "rung": Rung.FLAGS,
        "outcome": Outcome.UNKNOWN,
        "opening": True,
        "bidirectional": False,
        "observer": None,
        "vantage": Vantage.AT_SRC,
        "fwd_packets": 17,
        "fwd_bytes": 1260,
        "rev_packets": None,
        "rev_bytes": None,
    }
    assert (response["src"], response["dst"]) == ("10.0.2.57", "10.0.1.77")
    assert response["initiator"] == Initiator.DST
    assert response["outcome"] == Outcome.ANSWERED
    assert response["vantage"] == Vantage.AT_DST
    assert response["opening"] is False


def test_packets_may_be_a_minute_earlier(tmp_path: Path) -> None:
    (batch,) = read(write_sample("vpc-text", tmp_path))
    assert (batch.early, batch.late) == (60_000_000, 0)


@pytest.mark.parametrize("flags", [2, 3, 6, 7])
def test_a_syn_is_of_the_initiator(flags: int, tmp_path: Path) -> None:
    row = flagged(tmp_path, flags, "ACCEPT")
    assert (row["initiator"], row["rung"], row["opening"]) == (Initiator.SRC, Rung.FLAGS, True)
    assert row["outcome"] == Outcome.UNKNOWN


@pytest.mark.parametrize("flags", [18, 19, 22, 23])
def test_a_syn_ack_is_of_the_responder(flags: int, tmp_path: Path) -> None:
    row = flagged(tmp_path, flags, "ACCEPT")
    assert (row["initiator"], row["rung"], row["opening"]) == (Initiator.DST, Rung.FLAGS, False)
    assert row["outcome"] == Outcome.ANSWERED


@pytest.mark.parametrize("flags", [0, 1, 5, "-"])
def test_other_flags_tell_nothing(flags: object, tmp_path: Path) -> None:
    row = flagged(tmp_path, flags, "ACCEPT")
    assert (row["initiator"], row["rung"]) == (Initiator.UNKNOWN, Rung.NONE)
    assert row["outcome"] == Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("flags", "action", "packets", "outcome"),
    [
        (2, "REJECT", 1, Outcome.DENIED),
        (0, "REJECT", 1, Outcome.UNKNOWN),
        (4, "REJECT", 1, Outcome.UNKNOWN),
        (18, "REJECT", 1, Outcome.FAILED),
        ("-", "REJECT", 1, Outcome.UNKNOWN),
        (4, "ACCEPT", 1, Outcome.FAILED),
        (4, "ACCEPT", 2, Outcome.UNKNOWN),
        (5, "ACCEPT", 1, Outcome.UNKNOWN),
        (2, "-", 1, Outcome.UNKNOWN),
    ],
)
def test_outcomes(
    flags: object, action: str, packets: int, outcome: Outcome, tmp_path: Path
) -> None:
    assert flagged(tmp_path, flags, action, packets)["outcome"] == outcome


def test_a_rejected_syn_still_tells_the_initiator_but_opens_nothing(tmp_path: Path) -> None:
    row = flagged(tmp_path, 2, "REJECT")
    assert (row["initiator"], row["opening"]) == (Initiator.SRC, False)


def test_the_log_status_wins_over_a_full_tuple(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        V2,
        V2_LINE.replace("OK", "NODATA"),
        V2_LINE.replace("OK", "SKIPDATA").replace(" 6 ", " 8080 "),
        V2_LINE.replace("OK", "WHAT"),
        V2_LINE,
    )
    assert ledger_of(read(path)).counts == {
        "malformed: unknown log-status": 1,
        "no-data": 1,
        "skip-data": 1,
    }


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (("10.0.0.1", "10.0.0"), "malformed: bad address"),
        (("10.0.0.1", "10.00.0.1"), "malformed: bad address"),
        (("10.0.0.1", "-"), "malformed: no address"),
        ((" 80 ", " -1 "), "malformed: port not 0 to 65535"),
        ((" 80 ", " - "), "malformed: no port"),
        ((" 6 ", " 256 "), "malformed: protocol not 0 to 255"),
        ((" 6 ", " - "), "malformed: protocol not 0 to 255"),
        ((" 6 ", " 1 "), "no-policy-semantics"),
        ((" 840 ", " 8.5 "), "malformed: bad counter"),
        (("1700000060", "1600000000"), "malformed: ends before it starts"),
        (("1700000060", "soon"), "malformed: bad time"),
        (("ACCEPT", "MAYBE"), "malformed: unknown action"),
        (("ACCEPT ", ""), "malformed: not 14 fields"),
        (("10.0.0.2", "239.1.1.1"), "multicast-or-broadcast"),
        (("10.0.0.2", "ff02::1"), "multicast-or-broadcast"),
        (("10.0.0.2", "::1"), "loopback"),
    ],
)
def test_what_cannot_be_a_flow(change: tuple[str, str], outcome: str, tmp_path: Path) -> None:
    batches = read(written(tmp_path, V2, V2_LINE, V2_LINE.replace(*change)))
    assert ledger_of(batches).counts == {outcome: 1}
    assert len(rows_of(batches)) == 1


def test_icmp_ports_are_no_ports(tmp_path: Path) -> None:
    icmp = V2_LINE.replace("40000 80 6", "- - 1")
    batches = read(written(tmp_path, V2, V2_LINE, icmp))
    assert ledger_of(batches).counts == {"no-policy-semantics": 1}


def test_runs_of_white_space_and_names_in_any_order(tmp_path: Path) -> None:
    columns = list(zip(V2.split(), V2_LINE.split(), strict=True))[::-1]
    header = "   ".join(name for name, _ in columns)
    line = " \t ".join(word for _, word in columns)
    turned = rows_of(read(written(tmp_path, header, line)))
    assert turned == rows_of(read(written(tmp_path, V2, V2_LINE)))


def test_newer_fields_do_not_matter(tmp_path: Path) -> None:
    header, line = f"brand-new-field {V2} instance-tag", f"? {V2_LINE} a=b%20c"
    assert len(rows_of(read(written(tmp_path, header, line)))) == 1


@pytest.mark.parametrize("scale", [1, 1_000, 1_000_000, 1_000_000_000])
def test_the_unit_of_time_is_told_by_its_size(scale: int, tmp_path: Path) -> None:
    line = V2_LINE.replace("1700000000", str(1700000000 * scale))
    line = line.replace(" 1700000060 ", f" {1700000060 * scale} ")
    (row,) = rows_of(read(written(tmp_path, V2, line)))
    assert (row["start"], row["end"]) == (1_700_000_000_000_000, 1_700_000_060_000_000)


def test_a_log_without_header_needs_its_fields(tmp_path: Path) -> None:
    path = written(tmp_path, V2_LINE)
    with pytest.raises(InputError, match="--fields"):
        read(path)
    with pytest.raises(InputError, match="--fields"):
        read(path, "vpc")
    assert len(rows_of(read(path, None, V2.split()))) == 1
    assert len(rows_of(read(path, "vpc-text", V2.split()))) == 1


def test_fields_without_what_every_record_needs(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(written(tmp_path, V2_LINE), "vpc", ["version", "srcaddr", "action"])
    assert len(caught.value.faults) == 4


def test_lines_of_an_export_task_begin_with_a_time(tmp_path: Path) -> None:
    stamp = "2023-11-14T22:13:20.000Z"
    path = written(tmp_path, f"{stamp} {V2_LINE}", f"nonsense {V2_LINE}")
    batches = read(path, "vpc", V2.split())
    assert [row["dst_port"] for row in rows_of(batches)] == [80]
    assert ledger_of(batches).counts == {"malformed: not 14 fields": 1}


def test_joined_files_keep_their_own_headers(tmp_path: Path) -> None:
    path = written(
        tmp_path, V2, V2_LINE, V2, V2_LINE, FLAGGED, "10.0.0.1 10.0.0.2 9 81 6 1 ACCEPT 2 OK"
    )
    batches = read(path)
    assert [row["dst_port"] for row in rows_of(batches)] == [80, 80, 81]
    assert [row["row"] for row in rows_of(batches)] == [2, 4, 6]
    assert not ledger_of(batches).counts


def test_a_header_alone_is_no_error(tmp_path: Path) -> None:
    assert read(written(tmp_path, V2)) == []
    pq.write_table(vpc_table().slice(0, 0), tmp_path / "empty.parquet")
    assert rows_of(read(tmp_path / "empty.parquet")) == []


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    text = written(tmp_path, "version interface-id srcaddr action start end", "2 e 10.0.0.1 A 1 2")
    parquet = tmp_path / "some.parquet"
    pq.write_table(vpc_table().select(["version", "interface_id", "srcaddr", "end"]), parquet)
    for path in (text, parquet):
        with pytest.raises(InputError) as caught:
            read(path)
        said = str(caught.value)
        assert len(caught.value.faults) == 4
        assert all(name in said for name in ("dstaddr", "srcport", "dstport", "protocol"))


def test_two_columns_for_one_field(tmp_path: Path) -> None:
    text = written(tmp_path, f"{V2} srcAddr", f"{V2_LINE} 10.0.0.3")
    parquet = tmp_path / "two.parquet"
    table = vpc_table()
    pq.write_table(table.append_column("dst-port", table.column("dstport")), parquet)
    for path in (text, parquet):
        with pytest.raises(InputError, match="one column for"):
            read(path)


def test_text_and_parquet_mean_the_same(tmp_path: Path) -> None:
    text = read(write_sample("vpc-text", tmp_path))
    parquet = read(write_sample("vpc-parquet", tmp_path))
    of_text, of_parquet = rows_of(text), rows_of(parquet)
    assert [row.pop("row") for row in of_text] == [2, 3]
    assert [row.pop("row") for row in of_parquet] == [1, 2]
    assert of_text == of_parquet
    assert ledger_of(text).counts == ledger_of(parquet).counts


def exports() -> dict[str, pd.DataFrame]:
    """Return the sample as other tools save it again."""
    frame = vpc_table().to_pandas()
    texts = frame.astype("object").where(frame.notna(), None)
    words = pd.DataFrame({name: [str(cell) for cell in texts[name]] for name in texts})
    return {
        "floats": frame,  # missing numbers make the column one of floats
        "words": words,  # 'None', '41822.0'
        "categories": words.astype("category"),
        "account": frame.assign(account_id=frame["account_id"].astype("int64")),
        "capitals": frame.rename(columns=lambda name: name.replace("_", "-").upper()),
        "times": frame.assign(
            start=pd.to_datetime(frame["start"], unit="s"),
            end=pd.to_datetime(frame["end"], unit="s", utc=True),
        ),
        "iso": frame.assign(
            start=pd.to_datetime(frame["start"], unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ),
    }


@pytest.mark.parametrize("name", exports())
def test_exported_again_it_means_the_same(name: str, tmp_path: Path) -> None:
    frame = exports()[name]
    pq.write_table(vpc_table(), tmp_path / "aws.parquet")
    frame.to_parquet(tmp_path / "again.parquet")
    expected, found = read(tmp_path / "aws.parquet"), read(tmp_path / "again.parquet")
    assert rows_of(found) == rows_of(expected)
    assert ledger_of(found).counts == ledger_of(expected).counts


def test_nested_columns_and_numeric_addresses_are_refused(tmp_path: Path) -> None:
    table = vpc_table()
    at = table.schema.get_field_index
    rows = table.num_rows
    odd = table.set_column(at("srcport"), "srcport", pa.array([[1]] * rows))
    odd = odd.set_column(at("pkt_srcaddr"), "pkt_srcaddr", pa.array([1] * rows))
    pq.write_table(odd, tmp_path / "odd.parquet")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "odd.parquet")
    assert len(caught.value.faults) == 2


def test_large_row_groups_are_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from synth.sources import parquet

    path = tmp_path / "aws.parquet"
    pq.write_table(vpc_table(), path)
    whole = rows_of(read(path))
    monkeypatch.setattr(parquet, "WHOLE_ROWS", 1)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 1)
    pieces = read(path)
    assert len(pieces) == 4
    assert rows_of(pieces) == whole


def test_description_names_what_is_missing(tmp_path: Path) -> None:
    (found,) = describe([str(written(tmp_path, V2, V2_LINE))])
    assert found.missing == ("pkt-srcaddr", "pkt-dstaddr", "tcp-flags", "flow-direction")
    assert found.fields == tuple(V2.split())
    assert (found.first, found.last) == (1_700_000_000_000_000, 1_700_000_060_000_000)
    assert "srcaddr" in VPC


@pytest.mark.parametrize("name", ["vpc-text", "vpc-parquet"])
def test_addresses_of_packets_hide_no_pod(name: str, tmp_path: Path) -> None:
    assert {batch.interfaces for batch in read(write_sample(name, tmp_path))} == {False}


def test_without_addresses_of_packets_those_of_interfaces_stand_for_pods(tmp_path: Path) -> None:
    line = "10.0.0.1 10.0.0.2 40000 80 6 9 ACCEPT 3 OK"
    assert [batch.interfaces for batch in read(written(tmp_path, FLAGGED, line))] == [True]
