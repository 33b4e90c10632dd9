import gzip
import json
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.errors import InputError
from synth.sources import SOURCES, load
from synth.sources.describe import describe
from synth.sources.interface import Unit
from synth.sources.sniff import choose, sniff, units
from tests.sources.samples import CONNTRACK, VPC, read, write_sample


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (b" \n\n", "white space"),
        (b"PAR1 and nothing more", "Parquet"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x1f\x8bnot gzip at all", "zlib"),
        (b"\x28\xb5\x2f\xfdnot zstd", "ZSTD"),
        (b"<?xml version='1.0'?><conntrack>", "XML"),
        (json.dumps({"flow": 1}).encode(), "JSON"),
        ("version srcaddr".encode("utf-16"), "UTF-16"),
        (b"Jan  1 00:00:00 host kernel: IN=eth0 SRC=1.1.1.1 DST=2.2.2.2\n", "kernel"),
        (b"a," * 5_000_000, "a,a,"),
    ],
)
def test_what_is_of_no_known_format(content: bytes, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(path)
    (fault,) = caught.value.faults
    assert fault.place == str(path)
    assert seen.lower() in str(fault).lower()
    assert len(str(fault)) < 1_000


def test_the_message_names_the_formats_and_the_flag(tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    path.write_text("what is this")
    with pytest.raises(InputError) as caught:
        choose(str(path))
    assert all(name in str(caught.value) for name in (*SOURCES, "--source", "what is this"))


def test_parquet_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"src": [1], "dst": [2], "sport": [3]}), path)
    with pytest.raises(InputError, match="src, dst, sport"):
        choose(str(path))
    for source in ("vpc", "conntrack"):
        with pytest.raises(InputError) as caught:
            read(path, source)
        assert len(caught.value.faults) >= 5


def test_what_cannot_be_insisted_on(tmp_path: Path) -> None:
    text, parquet = (write_sample(name, tmp_path) for name in ("vpc-text", "vpc-parquet"))
    for path, source in ((text, "vpc-parquet"), (parquet, "vpc-text"), (text, "netflow")):
        with pytest.raises(InputError):
            choose(str(path), source)


def test_faults_of_all_files_come_together(tmp_path: Path) -> None:
    paths = [tmp_path / "a", tmp_path / "b", write_sample("vpc-text", tmp_path)]
    for path in paths[:2]:
        path.write_text("?")
    for call in (units, describe):
        with pytest.raises(InputError) as caught:
            call([str(path) for path in paths])
        assert len(caught.value.faults) == 2


def test_a_missing_file() -> None:
    with pytest.raises(InputError, match="no/such"):
        sniff("no/such.log")


def test_an_absurd_header(tmp_path: Path) -> None:
    path = tmp_path / "file.log"
    path.write_text(" ".join(VPC.splitlines()[0].split() + ["x"] * 500_000) + "\n5 6\n")
    with pytest.raises(InputError):
        read(path)


def test_corrupt_pages(tmp_path: Path) -> None:
    path = write_sample("vpc-parquet", tmp_path)
    data = bytearray(path.read_bytes())
    footer = int.from_bytes(data[-8:-4], "little") + 8
    data[4:-footer] = bytes(len(data) - footer - 4)
    path.write_bytes(data)
    with pytest.raises(InputError):
        read(path)


def test_a_file_of_another_format_insisted_on(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read(write_sample("vpc-text", tmp_path), "conntrack")
    with pytest.raises(InputError):
        read(write_sample("conntrack-text", tmp_path), "vpc")


LINES = st.sampled_from([line.encode() for line in (CONNTRACK + VPC).splitlines()])
CUT = st.builds(lambda line, at: line[:at] + line[at + 3 :], LINES, st.integers(0, 300))
PIECES = st.one_of(
    st.binary(max_size=80), LINES, CUT, st.sampled_from([b"src=", b"=", b" ", b"\r"])
)
BYTES = st.builds(b"\n".join, st.lists(PIECES, max_size=8))


@pytest.mark.parametrize("name", [name for name in SOURCES if not load(name).PARQUET])
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=BYTES)
def test_any_bytes_end_in_batches_or_one_error(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "fuzz.log"
    path.write_bytes(content)
    fields = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start")
    try:
        batches = list(load(name).read(Unit(str(path), name, None, fields)))
    except InputError:
        return
    body = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    words = [line for line in body if any(byte > 32 for byte in line)]
    headers = [line for line in words if line.split()[:1] == [b"version"] and b"srcaddr" in line]
    counted = sum(batch.records for batch in batches)
    assert len(words) - len(headers) <= counted <= len(words)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=300), at=st.integers(0, 3000))
def test_damaged_parquet_ends_in_batches_or_one_error(
    content: bytes, at: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write_sample("conntrack-parquet", tmp_path_factory.mktemp("damaged"))
    data = bytearray(path.read_bytes())
    data[at : at + len(content)] = content
    path.write_bytes(data)
    with suppress(InputError):
        assert sum(batch.records for batch in read(path, "conntrack")) >= 0
