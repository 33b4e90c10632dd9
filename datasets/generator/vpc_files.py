"""VPC flow logs as AWS delivers them: version 5, Parquet, in folders by day."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from datasets.generator.coded import WORD, compact, constant, words
from datasets.generator.options import DAY, START
from datasets.generator.records_vpc import EGRESS, WINDOW, Columns
from datasets.generator.seeds import stream
from datasets.generator.world import World

ACCOUNT, REGION = "123456789012", "eu-central-1"
FILE_ROWS, GROUP_ROWS = 1_000_000, 500_000
_LEVEL: Mapping[str, dict[str, int]] = {"gzip": {"compression_level": 1}}
_INT, _LONG = pa.int32(), pa.int64()
SCHEMA = pa.schema(
    [
        ("version", _INT),
        ("account_id", WORD),
        ("interface_id", WORD),
        ("srcaddr", WORD),
        ("dstaddr", WORD),
        ("srcport", _INT),
        ("dstport", _INT),
        ("protocol", _INT),
        ("packets", _LONG),
        ("bytes", _LONG),
        ("start", _LONG),
        ("end", _LONG),
        ("action", WORD),
        ("log_status", WORD),
        ("vpc_id", WORD),
        ("subnet_id", WORD),
        ("instance_id", WORD),
        ("tcp_flags", _INT),
        ("type", WORD),
        ("pkt_srcaddr", WORD),
        ("pkt_dstaddr", WORD),
        ("region", WORD),
        ("az_id", WORD),
        ("sublocation_type", WORD),
        ("sublocation_id", WORD),
        ("pkt_src_aws_service", WORD),
        ("pkt_dst_aws_service", WORD),
        ("flow_direction", WORD),
        ("traffic_path", _INT),
    ]
)
"""All fields up to version 5, in AWS's order; text is stored as such, coded in memory only."""


class VpcFiles:
    """Writes records to files of a day, at most a million rows each."""

    def __init__(self, world: World, folder: Path, codec: str) -> None:
        """Take the folder below which ``AWSLogs/`` will stand."""
        self._table = _Table(world)
        self._folder, self._codec = folder, codec
        self._held: list[pa.Table] = []
        self._rows = self._written = self._files = 0
        self._file: pq.ParquetWriter | None = None
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None
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
        with self._writer:
            self._flush()
            self._close()

    def add(self, records: Columns, day: int) -> None:
        """Add the records of a slice of the day; days follow each other."""
        if day != self._day:
            self._flush()
            self._close()
            self._day = day
        self.records += len(records["start"])
        for first in range(0, len(records["start"]), GROUP_ROWS):
            part = {name: values[first : first + GROUP_ROWS] for name, values in records.items()}
            rows = len(part["start"])
            if self._rows and self._rows + rows > GROUP_ROWS:
                self._flush()
            self._held.append(self._table.records(part))
            self._rows += rows

    def add_gaps(self, day: int, until: int) -> None:
        """Add what the interfaces say of times without traffic, or without room to log it."""
        gaps = self._table.gaps(day, until)
        if gaps is not None:
            self._flush()
            self._held, self._rows = [gaps], len(gaps)
            self.records += len(gaps)
            self._flush()

    def _flush(self) -> None:
        if not self._held:
            return
        if self._file is None:
            self._file = self._open()
        self._wait()
        self._writing = self._writer.submit(_write, self._file, self._held)
        self._written += self._rows
        self._held, self._rows = [], 0
        if self._written >= FILE_ROWS:
            self._close()

    def _open(self) -> pq.ParquetWriter:
        day = datetime.fromtimestamp(START + self._day * DAY, UTC)
        where = self._folder / "AWSLogs" / ACCOUNT / "vpcflowlogs" / REGION / f"{day:%Y/%m/%d}"
        where.mkdir(parents=True, exist_ok=True)
        name = f"{ACCOUNT}_vpcflowlogs_{REGION}_fl-0123456789abcdef0_{day:%Y%m%d}T0000Z_"
        self._files += 1
        name += f"{self._files:04}{crc32(f'{name}{self._files}'.encode()):08x}"
        return pq.ParquetWriter(
            where / f"{name}.log.parquet",
            SCHEMA,
            compression=self._codec,
            store_schema=False,
            **_LEVEL.get(self._codec, {}),
        )

    def _wait(self) -> None:
        """Wait for the row group before: one is written while the next is made, not more."""
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _close(self) -> None:
        self._wait()
        if self._file is not None:
            self._file.close()
            self._file, self._written = None, 0


def _write(file: pq.ParquetWriter, tables: list[pa.Table]) -> None:
    file.write_table(pa.concat_tables(tables).unify_dictionaries(), row_group_size=GROUP_ROWS)


class _Table:
    """Turns records into tables of the schema."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._addresses = pa.array(world.book.texts(), pa.utf8())
        self._interfaces = pa.array([f"eni-{one:017x}" for one in range(world.nodes)])
        self._instances = pa.array([f"i-{one:017x}" for one in range(world.nodes)])

    def records(self, records: Columns) -> pa.Table:
        size, interface = len(records["start"]), records["interface"]
        outgoing = records["way"] == EGRESS
        inside = records["pkt_dstaddr"] < self._world.book.outside_at
        path = pa.array(np.where(inside, 1, 8).astype(np.int32), _INT, mask=~outgoing)
        addresses = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")
        numbers = (
            "srcport",
            "dstport",
            "protocol",
            "packets",
            "bytes",
            "start",
            "end",
            "tcp_flags",
        )
        columns = {
            **self._fixed(size, interface),
            **{name: compact(records[name], self._addresses) for name in addresses},
            **{name: _number(records[name], name) for name in numbers},
            "action": words(records["rejected"], ["ACCEPT", "REJECT"]),
            "log_status": constant(size, "OK"),
            "type": constant(size, "IPv4"),
            "flow_direction": words(records["way"], ["egress", "ingress"]),
            "traffic_path": path,
        }
        return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)

    def gaps(self, day: int, until: int) -> pa.Table | None:
        options, nodes = self._world.options, self._world.nodes
        rng = stream(options.seed, "gaps", day)
        interface = np.sort(rng.integers(0, nodes, rng.poisson(options.gaps * nodes)))
        start = START + day * DAY + rng.integers(0, DAY // WINDOW, len(interface)) * WINDOW
        skipped = rng.random(len(interface)) < 0.1
        early = (start < until) & self._world.heard[interface]
        interface, start, skipped = interface[early], start[early], skipped[early]
        if not len(interface):
            return None
        return self._gaps(interface, start, skipped)

    def _gaps(
        self, interface: NDArray[Any], start: NDArray[Any], skipped: NDArray[Any]
    ) -> pa.Table:
        size = len(interface)
        columns: dict[str, pa.Array] = {
            **{one.name: _nothing(size, one.type) for one in SCHEMA},
            **self._fixed(size, interface),
            "start": _number(start, "start"),
            "end": _number(start + WINDOW - 1, "end"),
            "log_status": words(skipped, ["NODATA", "SKIPDATA"]),
        }
        return pa.table([columns[name] for name in SCHEMA.names], SCHEMA)

    def _fixed(self, size: int, interface: NDArray[Any]) -> dict[str, pa.Array]:
        zone = interface % 3
        return {
            "version": pa.array(np.full(size, 5, np.int32)),
            "account_id": constant(size, ACCOUNT),
            "interface_id": compact(interface, self._interfaces),
            "vpc_id": constant(size, "vpc-0123456789abcdef0"),
            "subnet_id": words(zone, [f"subnet-{one:017x}" for one in range(3)]),
            "instance_id": compact(interface, self._instances),
            "region": constant(size, REGION),
            "az_id": words(zone, [f"euc1-az{one + 1}" for one in range(3)]),
            "sublocation_type": constant(size, "-"),
            "sublocation_id": constant(size, "-"),
            "pkt_src_aws_service": constant(size, "-"),
            "pkt_dst_aws_service": constant(size, "-"),
        }


def _nothing(size: int, kind: pa.DataType) -> pa.Array:
    return constant(size, "-") if kind == WORD else pa.nulls(size, kind)


def _number(values: NDArray[Any], name: str) -> pa.Array:
    kind = SCHEMA.field(name).type
    return pa.array(values.astype(kind.to_pandas_dtype()), kind)


def list_days(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield each day of the stretch, with its first second and the one after its last."""
    for day in range((start - START) // DAY, -(-(end - START) // DAY)):
        yield day, max(start, START + day * DAY), min(end, START + (day + 1) * DAY)
