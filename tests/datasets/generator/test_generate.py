"""The same seed gives the same bytes, a longer span begins like a shorter one, synth learns."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets.generator import DAY, PRESETS, START, Options, changed, generate, read_truth
from datasets.generator.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
BRIEF = Options(workloads=20, days=0.25, connections=4_000, codec="snappy", attacks=("beacon",))
each_kind = pytest.mark.parametrize(
    "kind", ["vpc", pytest.param("conntrack", marks=pytest.mark.slow)]
)


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def read_logs(folder: Path, kind: str) -> pa.Table:
    return pa.concat_tables(
        [
            pq.read_table(path, partitioning=None)
            for path in sorted((folder / kind).rglob("*.parquet"))
        ]
    )


def test_the_same_seed_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    generate(BRIEF, tmp_path / "one")
    command = [sys.executable, "-m", "datasets.generator", "--out", str(tmp_path / "two")]
    command += ["--workloads", "20", "--days", "0.25", "--connections", "4000"]
    command += ["--codec", "snappy", "--attacks", "beacon"]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "7"})
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert len(digest(tmp_path / "one")) == 8


def test_another_seed_gives_another_cluster(tmp_path: Path) -> None:
    one = generate(BRIEF, tmp_path / "one")
    two = generate(changed(BRIEF, seed=2), tmp_path / "two")
    assert {x.key for x in one.workloads} != {
        x.key for x in two.workloads
    } or one.edges != two.edges
    first, second = digest(tmp_path / "one"), digest(tmp_path / "two")
    assert not {first[name] for name in first} & {second[name] for name in second}


@each_kind
def test_days_ahead_are_the_days_that_a_longer_span_has(tmp_path: Path, kind: str) -> None:
    options = Options(workloads=20, days=1, ahead=1, connections=2_000, codec="snappy", births=0.3)
    options = changed(options, formats=(kind,), deaths=0.05)
    apart = generate(options, tmp_path / "apart")
    whole = generate(changed(options, days=2, ahead=0), tmp_path / "whole")
    tables = [read_logs(tmp_path / "apart", kind), read_logs(tmp_path / "apart/ahead", kind)]
    together = pa.concat_tables(tables)
    assert together.equals(read_logs(tmp_path / "whole", kind))
    assert apart.holdings.equals(whole.holdings)
    assert any(one.since is not None and one.since > START + DAY for one in apart.workloads)
    counts = [one.connections + one.ahead for one in apart.edges]
    assert counts == [one.connections for one in whole.edges]


def test_a_longer_span_begins_like_a_shorter_one(tmp_path: Path) -> None:
    options = Options(workloads=20, days=1, connections=2_000, formats=("vpc",), births=0.1)
    generate(options, tmp_path / "short")
    generate(changed(options, days=3), tmp_path / "long")
    short = read_logs(tmp_path / "short", "vpc")
    assert read_logs(tmp_path / "long", "vpc").slice(0, len(short)).equals(short)


@pytest.mark.slow
def test_the_small_preset_takes_about_a_second_of_work(tmp_path: Path) -> None:
    begin = time.process_time()
    truth = generate(PRESETS["small"], tmp_path / "small")
    assert truth.records["vpc"] > 50_000
    assert time.process_time() - begin < 20  # a second or two, where nothing else runs


@each_kind
def test_synth_learns_from_it(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "made"
    generate(changed(BRIEF, days=1), out)
    synth = [sys.executable, "-m", "synth", "learn", str(out / kind), "--quiet"]
    ranges = ["--pod-cidr", "10.0.0.0/14", "--node-cidr", "10.64.0.0/16"]
    ranges += ["--service-cidr", "172.20.0.0/16"]
    places = ["--cluster", str(out / "cluster"), "--out", str(tmp_path / "learnt")]
    result = subprocess.run(
        [*synth, *places, *ranges, "--format", "json"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "malformed" not in result.stdout
    assert any((tmp_path / "learnt").rglob("*.yaml"))


@pytest.mark.slow
def test_as_many_records_as_were_asked_for(tmp_path: Path) -> None:
    truth = generate(changed(PRESETS["performance"], records=60_000), tmp_path / "made")
    assert truth.records == {"vpc": 60_000}
    assert len(read_logs(tmp_path / "made", "vpc")) == 60_000
    assert len([one for one in truth.edges if one.group == "core"]) == 1_500
    owners = truth.holdings.group_by("address").aggregate([("uid", "count")])
    shared = [count for count in owners.column("uid_count").to_pylist() if count > 1]
    assert 0.13 < len(shared) / len(owners) < 0.17
    assert max(shared) <= 48
    again = read_truth(tmp_path / "made")
    assert again.edges == truth.edges


def test_a_folder_with_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("precious")
    assert main(["--out", str(tmp_path), "--preset", "small"]) == 2
    assert "expected an empty folder" in capsys.readouterr().err
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"loss": 1.5}, "loss: expected a share of at most 1, got 1.5"),
        ({"restarts": -1}, "restarts: expected at least 0, got -1"),
        ({"attacks": ("worm",)}, "attacks: expected any of .*, got .'worm'."),
        ({"workloads": 2}, "at least 5 workloads"),
        ({"codec": "lzo"}, "codec: expected any of gzip, snappy"),
    ],
)
def test_impossible_knobs_are_refused(knobs: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        changed(Options(), **knobs)
