from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth.errors import InputError
from synth.flows import Outcome
from tests.sources.samples import conntrack_table, ledger_of, read, rows_of

SHORT = {
    "orig_src": "src",
    "orig_dst": "dst",
    "orig_sport": "sport",
    "orig_dport": "dport",
    "reply_src": "rsrc",
    "reply_dst": "rdst",
    "reply_sport": "rsport",
    "reply_dport": "rdport",
}


def saved(table: pa.Table, tmp_path: Path) -> Path:
    path = tmp_path / "entries.parquet"
    pq.write_table(table, path)
    return path


@pytest.fixture
def expected(tmp_path: Path) -> list[dict[str, object]]:
    return rows_of(read(saved(conntrack_table(), tmp_path)))


def renamed(names: dict[str, str]) -> pa.Table:
    table = conntrack_table()
    return table.rename_columns([names.get(name, name) for name in table.schema.names])


def test_other_names_of_the_columns(expected: list[dict[str, object]], tmp_path: Path) -> None:
    for names in (
        SHORT,
        {name: name.replace("_", "-") for name in SHORT},
        {name: name.replace("_", ".").upper() for name in SHORT},
        {"ts": "timestamp", "proto": "protocol", "tcp_state": "state", "ct_id": "id"},
    ):
        assert rows_of(read(saved(renamed(names), tmp_path))) == expected


def test_saved_by_pandas(expected: list[dict[str, object]], tmp_path: Path) -> None:
    path = tmp_path / "entries.parquet"
    frame = conntrack_table().to_pandas()
    frame.to_parquet(path)  # floats for missing numbers
    assert rows_of(read(path)) == expected
    frame.astype({"orig_src": pd.ArrowDtype(pa.large_string()), "event": "str"}).to_parquet(path)
    assert rows_of(read(path)) == expected
    frame["ts"] = frame["ts"].dt.tz_localize(None).astype("datetime64[ns]")
    frame.to_parquet(path)
    assert rows_of(read(path)) == expected


def ulogd() -> pa.Table:
    count = pa.array([0, 9], pa.int64())
    return pa.table(
        {
            "orig.ip.saddr": pa.array([1, 1], pa.uint32()),  # the number beside the text
            "orig.ip.saddr.str": ["10.0.0.1"] * 2,
            "orig.ip.daddr.str": ["10.96.0.1"] * 2,
            "reply.ip.saddr.str": ["10.0.0.2"] * 2,
            "reply.ip.daddr.str": ["10.0.0.1"] * 2,
            "orig.ip.protocol": [6, 17],
            "orig.l4.sport": [4000, 4000],
            "orig.l4.dport": [80, 80],
            "reply.l4.sport": [8080, 8080],
            "reply.l4.dport": [4000, 4000],
            "orig.raw.pktcount": count,
            "orig.raw.pktlen": count,
            "reply.raw.pktcount": count,
            "reply.raw.pktlen": count,
            "ct.id": [1, 2],
            "ct.event": [1, 4],
            "flow.start.sec": [1_700_000_000, 1_700_000_000],
            "flow.start.usec": [5, 5],
            "flow.end.sec": [0, 1_700_000_009],
            "flow.end.usec": [0, 7],
        }
    )


def test_ulogd(tmp_path: Path) -> None:
    new, destroyed = rows_of(read(saved(ulogd(), tmp_path)))
    assert (new["src"], new["dst"], new["asked"]) == ("10.0.0.1", "10.0.0.2", "10.96.0.1")
    assert (new["opening"], destroyed["opening"]) == (True, False)
    assert (new["start"], new["end"]) == (1_700_000_000_000_005, 1_700_000_000_000_005)
    assert destroyed["end"] == 1_700_000_009_000_007
    assert (new["fwd_packets"], destroyed["fwd_packets"]) == (None, 9)
    assert (new["outcome"], destroyed["outcome"]) == (Outcome.UNKNOWN, Outcome.ANSWERED)


def test_ulogd_addresses_as_numbers_are_refused(tmp_path: Path) -> None:
    table = ulogd().drop_columns(["orig.ip.saddr.str"])
    with pytest.raises(InputError, match="IP2STR"):
        read(saved(table, tmp_path))


def test_start_and_stop_are_used_where_given(tmp_path: Path) -> None:
    table = conntrack_table().slice(1, 1)
    at = table.schema.get_field_index
    stamp = pa.timestamp("us", "UTC")
    table = table.set_column(at("start"), "start", pa.array([1_700_000_000_000_000], stamp))
    (row,) = rows_of(read(saved(table, tmp_path)))
    assert (row["start"], row["end"]) == (1_700_000_000_000_000, 1_700_000_012_000_200)
    table = table.set_column(at("stop"), "stop", pa.array([1_699_999_999_000_000], stamp))
    counts = ledger_of(read(saved(table, tmp_path))).counts
    assert counts == {"malformed: ends before it starts": 1}


def test_the_node_is_the_observer(tmp_path: Path) -> None:
    table = conntrack_table()
    at = table.schema.get_field_index("node")
    nodes = table.set_column(at, "node", pa.array(["b", None, "a", "-"]))
    assert [row["observer"] for row in rows_of(read(saved(nodes, tmp_path)))] == ["b", None]


def test_every_missing_column_is_named(tmp_path: Path) -> None:
    table = conntrack_table().drop_columns(["orig_dst", "reply_dst", "proto"])
    with pytest.raises(InputError) as caught:
        read(saved(table, tmp_path))
    assert [fault.expected.split("'")[1] for fault in caught.value.faults] == [
        "proto",
        "orig_dst",
        "reply_dst",
    ]


def test_without_state_and_flags_little_is_known(tmp_path: Path) -> None:
    names = ["tcp_state", "unreplied", "assured", "offload", "event"]
    rows = rows_of(read(saved(conntrack_table().drop_columns(names), tmp_path)))
    assert {row["outcome"] for row in rows} == {Outcome.UNKNOWN}
    assert not any(row["opening"] for row in rows)
