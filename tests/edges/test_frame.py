from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.commands.capture import Logs, read_capture
from synth.commands.cluster import open_cluster
from synth.edges.frame import to_frame
from synth.edges.schema import Edges
from synth.flows import Outcome
from synth.inventory.model import Ranges
from tests.edges.strategies import API, NOON, SECOND, WEB1, Line, folded, lines, syn

DATA = Path(__file__).resolve().parents[1] / "golden" / "client-to-db"
DTYPES = {
    "client": "str",
    "server": "str",
    "protocol": "str",
    "port": "int64",
    "decided": "bool",
    "records": "int64",
    "connections": "Int64",
    "answered": "int64",
    "failed": "int64",
    "denied": "int64",
    "first": "datetime64[us, UTC]",
    "last": "datetime64[us, UTC]",
}


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    cluster = open_cluster([str(DATA / "cluster")], Ranges())
    logs = Logs((str(DATA / "flows"),))
    return to_frame(read_capture(logs, cluster.inventory, lambda *_: None).settled)


def test_a_real_capture_reads_as_its_card_says(small: pd.DataFrame) -> None:
    found = small.set_index(["client", "server", "protocol", "port"])["connections"]
    assert found["shop/api", "shop/db", "TCP", 3306] == 40
    assert found["shop/api", "203.0.113.10", "TCP", 443] == 1
    assert found["users/client", "kube-system/coredns", "UDP", 53] == 40
    assert str(small["first"].min())[:19] == "2026-11-23 05:45:26"
    assert str(small["last"].max())[:19] == "2026-11-23 05:45:30"


def test_a_table_of_no_edges_has_the_same_columns() -> None:
    frame = to_frame(Edges.empty())
    assert not len(frame)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


def test_a_row_holds_the_values_of_its_edge() -> None:
    times = {"start": NOON, "end": NOON + SECOND}
    line = syn(WEB1, API, 5000, outcome=Outcome.DENIED, **times)
    (row,) = to_frame(folded(line)).to_dict("records")
    assert (row["protocol"], row["port"], row["decided"]) == ("TCP", 5000, True)
    assert (row["records"], row["denied"], row["answered"], row["failed"]) == (1, 1, 0, 0)
    assert row["first"] == pd.Timestamp(NOON, unit="us", tz="UTC")
    assert row["last"] == pd.Timestamp(NOON + SECOND, unit="us", tz="UTC")


def test_what_cannot_be_known_is_missing() -> None:
    edges = folded(syn(WEB1, API, 5000, start=None, end=None, opening=False))
    (row,) = to_frame(edges).to_dict("records")
    assert pd.isna(row["first"])
    assert pd.isna(row["last"])
    assert pd.isna(row["connections"])


@given(st.lists(lines(), max_size=12))
def test_no_edge_is_lost_and_the_order_stays(some: list[Line]) -> None:
    edges = folded(*some)
    frame = to_frame(edges)
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert frame["records"].tolist() == edges.records.tolist()
    assert frame["port"].tolist() == edges.port.tolist()
    assert np.array_equal(frame["connections"].notna().to_numpy(), edges.connections >= 0)
