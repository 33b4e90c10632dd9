"""Connection events as Parquet: one file a day for all nodes, one row an event."""

from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.generator.coded import WORD, compact, words
from datasets.generator.names import node_name
from datasets.generator.options import DAY, START
from datasets.generator.records_conntrack import Columns
from datasets.generator.world import World

GROUP_ROWS = 500_000
_TIME = pa.timestamp("us", tz="UTC")
EVENTS = ["new", "destroy", "dump"]
STATES = ["SYN_SENT", "ESTABLISHED", "TIME_WAIT", "CLOSE"]
SCHEMA = pa.schema(
    [
        ("ts", _TIME),
        ("event", WORD),
        ("node", WORD),
        ("ct_id", pa.uint32()),
        ("l3", pa.uint8()),
        ("proto", pa.uint8()),
        ("orig_src", WORD),
        ("orig_dst", WORD),
        ("reply_src", WORD),
        ("reply_dst", WORD),
        ("orig_sport", pa.uint16()),
        ("orig_dport", pa.uint16()),
        ("reply_sport", pa.uint16()),
        ("reply_dport", pa.uint16()),
        ("orig_packets", pa.uint64()),
        ("orig_bytes", pa.uint64()),
        ("reply_packets", pa.uint64()),
        ("reply_bytes", pa.uint64()),
        ("tcp_state", WORD),
        ("unreplied", pa.bool_()),
        ("assured", pa.bool_()),
        ("offload", pa.bool_()),
        ("start", _TIME),
        ("stop", _TIME),
    ]
)
_ADDRESSES = ("orig_src", "orig_dst", "reply_src", "reply_dst")
_PORTS = ("orig_sport", "orig_dport", "reply_sport", "reply_dport")


class ConntrackFiles:
    """Writes events to a file for each day."""

    def __init__(self, world: World, folder: Path) -> None:
        """Take the folder of the files."""
        self._addresses = pa.array(world.book.texts(), pa.utf8())
        self._nodes = pa.array([node_name(one) for one in range(world.nodes)])
        self._folder = folder
        self._file: pq.ParquetWriter | None = None
        self._held: list[pa.Table] = []
        self._rows = 0
        self._day = -1
        self.records = 0

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is left."""
        self._close()

    def add(self, events: Columns, day: int) -> None:
        """Add the events of a slice of the day."""
        if day != self._day:
            self._close()
            self._day = day
        self.records += len(events["ts"])
        if len(events["ts"]):
            self._held.append(self._to_table(events))
            self._rows += len(events["ts"])
        if self._rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            day = datetime.fromtimestamp(START + self._day * DAY, UTC)
            path = self._folder / f"{day:%Y-%m-%d}.parquet"
            self._file = pq.ParquetWriter(path, SCHEMA, compression="zstd", store_schema=False)
        table = pa.concat_tables(self._held).unify_dictionaries()
        self._file.write_table(table, row_group_size=GROUP_ROWS)
        self._held, self._rows = [], 0

    def _close(self) -> None:
        self._flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _to_table(self, events: Columns) -> pa.Table:
        size = len(events["ts"])
        uncounted, undated = ~events["counted"], ~events["dated"]
        counts = {
            f"{way}_{what}": pa.array(
                events[f"{way}_packets"] * (events["size"] if what == "bytes" else 1),
                mask=uncounted,
            ).cast(pa.uint64())
            for way in ("orig", "reply")
            for what in ("packets", "bytes")
        }
        columns = {
            "ts": pa.array(events["ts"]).cast(_TIME),
            "event": words(events["event"], EVENTS),
            "node": compact(events["node"], self._nodes),
            "ct_id": pa.array(events["ct_id"].astype(np.uint32)),
            "l3": pa.array(np.full(size, 2, np.uint8)),
            "proto": pa.array(events["protocol"].astype(np.uint8)),
            **{name: compact(events[name], self._addresses) for name in _ADDRESSES},
            **{name: pa.array(events[name].astype(np.uint16)) for name in _PORTS},
            **counts,
            "tcp_state": words(events["state"], STATES),
            "unreplied": pa.array(events["unreplied"]),
            "assured": pa.array(events["assured"]),
            "offload": pa.array(np.zeros(size, np.bool_)),
            "start": pa.array(events["start"], mask=undated).cast(_TIME),
            "stop": pa.array(events["stop"], mask=undated).cast(_TIME),
        }
        return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)
