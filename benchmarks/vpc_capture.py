"""Made-up VPC flow logs as Parquet, as AWS delivers them, and the dump of their cluster.

    python -m benchmarks.vpc_capture 5000000 build/bench

The preset `performance` of `datasets.generator`, once for each codec.
"""

import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq

from datasets.generator import PRESETS, changed, generate

CODECS = ("snappy", "gzip")


def main() -> None:
    """Write the capture, once for each codec, and the cluster."""
    write_capture(int(sys.argv[1]), Path(sys.argv[2]))


def write_capture(records: int, folder: Path) -> None:
    """Write ``cluster/``, ``snappy/`` and ``gzip/`` into the folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    generate(changed(PRESETS["performance"], records=records), folder / "made")
    (folder / "made" / "cluster").rename(folder / "cluster")
    for codec in CODECS:
        (folder / codec).mkdir()
    for path in sorted((folder / "made" / "vpc").rglob("*.parquet")):
        _compress_again(path, folder / "gzip" / path.name)
        path.rename(folder / "snappy" / path.name)
    shutil.rmtree(folder / "made")


def _compress_again(path: Path, other: Path) -> None:
    """Write the same row groups with gzip."""
    with (
        pq.ParquetFile(path) as file,
        pq.ParquetWriter(other, file.schema_arrow, compression="gzip") as writer,
    ):
        for group in range(file.num_row_groups):
            writer.write_table(file.read_row_group(group))


if __name__ == "__main__":
    main()
