"""Every combination of flags, action, packets and protocol, against the table in words."""

from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synth.flows import Initiator, Outcome, Rung
from tests.sources.samples import read, rows_of

FLAGS = (None, *range(64), 128, 256 + 2, 256 + 4, 65_535)
SIZES = (None, 40, 120, 121)
CASES = list(product(FLAGS, ("ACCEPT", "REJECT", None), (0, 1, 2, None), SIZES, (6, 17)))


def written(folder: Path) -> Path:
    flags, action, packets, sizes, protocol = zip(*CASES, strict=True)
    size = len(CASES)
    columns = {
        "srcaddr": ["10.0.0.1"] * size,
        "dstaddr": ["10.0.0.2"] * size,
        "srcport": np.full(size, 40_000),
        "dstport": np.full(size, 80),
        "protocol": pa.array(protocol, pa.int32()),
        "packets": pa.array(packets, pa.int64()),
        "bytes": pa.array(sizes, pa.int64()),
        "action": pa.array(action, pa.utf8()),
        "tcp_flags": pa.array(flags, pa.int32()),
    }
    path = folder / "all.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def initiator(flags: int | None, protocol: int) -> Initiator:
    if protocol != 6 or flags is None or not flags & 2:
        return Initiator.UNKNOWN
    return Initiator.DST if flags & 16 else Initiator.SRC


def carries_no_data(packets: int | None, size: int | None) -> bool:
    if packets is None or size is None:
        return packets == 1
    return size <= 60 * packets


def outcome(flags: int | None, action: str | None, who: Initiator, *, bare: bool) -> Outcome:
    if action == "REJECT" and who is Initiator.SRC:
        return Outcome.DENIED
    if who is Initiator.DST and action is not None:
        return Outcome.ANSWERED if action == "ACCEPT" else Outcome.FAILED
    if flags == 4 and action == "ACCEPT" and bare:
        return Outcome.FAILED
    return Outcome.UNKNOWN


def test_every_combination_means_what_the_table_says(tmp_path: Path) -> None:
    rows = rows_of(read(written(tmp_path)))
    assert len(rows) == len(CASES)
    for row, (flags, action, packets, size, protocol) in zip(rows, CASES, strict=True):
        who = initiator(flags, protocol)
        told = flags if protocol == 6 else None
        case = (flags, action, packets, size, protocol)
        bare = carries_no_data(packets, size)
        expected = outcome(told, action, who, bare=bare)
        if protocol == 17 and action == "REJECT":
            expected = Outcome.DENIED
        assert row["initiator"] == who, case
        assert row["rung"] == (Rung.FLAGS if who else Rung.NONE), case
        assert row["outcome"] == expected, case
        assert row["opening"] == (who is Initiator.SRC and action == "ACCEPT"), case
