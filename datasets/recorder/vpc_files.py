"""Records as the files that AWS delivers: gzipped text, and Parquet in folders by date.

Rows are written as they come, a window at a time; a file takes its name, which ends in a hash of
its content, when its five minutes are over.
"""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Row = dict[str, int | str | None]

ACCOUNT = "012345678901"  # the zero in front is lost on whoever takes it for a number
REGION = "eu-central-1"
FLOW_LOG = "fl-0d4c3b2a190817263"
BUCKET = 300

INT, LONG, TEXT = pa.int32(), pa.int64(), pa.string()
FIELDS = {
    "version": INT,
    "account-id": TEXT,
    "interface-id": TEXT,
    "srcaddr": TEXT,
    "dstaddr": TEXT,
    "srcport": INT,
    "dstport": INT,
    "protocol": INT,
    "packets": LONG,
    "bytes": LONG,
    "start": LONG,
    "end": LONG,
    "action": TEXT,
    "log-status": TEXT,
    "vpc-id": TEXT,
    "subnet-id": TEXT,
    "instance-id": TEXT,
    "tcp-flags": INT,
    "type": TEXT,
    "pkt-srcaddr": TEXT,
    "pkt-dstaddr": TEXT,
    "region": TEXT,
    "az-id": TEXT,
    "sublocation-type": TEXT,
    "sublocation-id": TEXT,
    "pkt-src-aws-service": TEXT,
    "pkt-dst-aws-service": TEXT,
    "flow-direction": TEXT,
    "traffic-path": INT,
}
"""Field of a version 2, 3, 4 or 5 record → its type in Parquet, in the order of the versions."""
SCHEMA = pa.schema([(name.replace("-", "_"), kind) for name, kind in FIELDS.items()])


class Delivery:
    """The files of one flow log, written below ``out`` as rows come in order of their end."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._bucket = -1
        self._files: tuple[_Text, _Parquet] | None = None

    def add(self, rows: Sequence[Row]) -> None:
        """Write the rows of one window."""
        bucket = int(rows[0]["end"] or 0) // BUCKET * BUCKET
        if bucket != self._bucket:
            self.close()
            self._bucket = bucket
            self._files = _Text(self.out / "text"), _Parquet(self.out / "parquet")
        for file in self._files or ():
            file.add(rows)

    def close(self) -> None:
        """Give the open files their names."""
        for file in self._files or ():
            file.close(datetime.fromtimestamp(self._bucket, UTC))
        self._files = None

    def abandon(self) -> None:
        """Remove what has no name yet."""
        for partial in sorted(self.out.glob("*/.partial.*")):
            partial.unlink()


class _Text:
    """Gzipped lines of words; the first line names them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._path = root / ".partial.log.gz"
        self._raw: IO[bytes] = self._path.open("wb")
        # Neither name nor time stands in the file, so that only its rows make its bytes.
        self._file = gzip.GzipFile("", "wb", 9, self._raw, mtime=0)
        self._file.write((" ".join(FIELDS) + "\n").encode())

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            words = ("-" if row.get(name) is None else str(row[name]) for name in FIELDS)
            self._file.write((" ".join(words) + "\n").encode())

    def close(self, stamp: datetime) -> None:
        self._file.close()
        self._raw.close()
        folder = f"AWSLogs/{ACCOUNT}/vpcflowlogs/{REGION}/{stamp:%Y/%m/%d}"
        _give_name(self._path, self.root / folder, stamp, ".log.gz")


class _Parquet:
    """Columns with underscores in their names, a row group for each window."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self._path = root / ".partial.parquet"
        # What the reference writer of Java, which AWS uses, writes: format 1, no Arrow schema.
        self._file = pq.ParquetWriter(
            self._path,
            SCHEMA,
            version="1.0",
            data_page_version="1.0",
            compression="gzip",
            store_schema=False,
        )

    def add(self, rows: Sequence[Row]) -> None:
        columns = [
            pa.array([row.get(name, "-" if kind == TEXT else None) for row in rows], kind)
            for name, kind in FIELDS.items()
        ]
        self._file.write_table(pa.Table.from_arrays(columns, schema=SCHEMA))

    def close(self, stamp: datetime) -> None:
        self._file.close()
        folder = (
            f"AWSLogs/aws-account-id={ACCOUNT}/aws-service=vpcflowlogs/aws-region={REGION}"
            f"/year={stamp:%Y}/month={stamp:%m}/day={stamp:%d}"
        )
        _give_name(self._path, self.root / folder, stamp, ".log.parquet")


def _give_name(written: Path, folder: Path, stamp: datetime, suffix: str) -> None:
    digest = hashlib.blake2b(written.read_bytes(), digest_size=4).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{ACCOUNT}_vpcflowlogs_{REGION}_{FLOW_LOG}_{stamp:%Y%m%dT%H%MZ}_{digest}{suffix}"
    written.rename(folder / name)
