"""Logs and edges made of them, given together."""

from pathlib import Path

import pytest

from synth.commands.doubles import warn_of_doubles
from synth.proof.results import InputFile
from tests.made import connection, pod, write_cluster
from tests.running import learn, run_here


def kept(folder: Path, digest: str, *parts: str) -> InputFile:
    folder.mkdir()
    listed = ", ".join(f'{{"sha256": "{one}", "records": 4}}' for one in parts)
    (folder / "certificate.json").write_text(f'{{"inputs": [{listed}]}}')
    return InputFile(str(folder / "edges.parquet"), "edges", 4, digest)


def log(name: str, digest: str, records: int = 4) -> InputFile:
    return InputFile(name, "conntrack-text", records, digest)


def test_logs_of_stored_edges_count_twice(tmp_path: Path) -> None:
    monday = kept(tmp_path / "mon", "e1", "a", "b")

    assert warn_of_doubles([monday, log("c.log", "c")]) == ()
    assert warn_of_doubles([monday, log("a.log", "a"), log("c.log", "c")]) == (
        f"records count twice: {monday.path} holds records of a.log, which is given too",
    )


def test_two_stored_files_of_one_log_count_twice(tmp_path: Path) -> None:
    monday, again = kept(tmp_path / "mon", "e1", "a"), kept(tmp_path / "again", "e2", "a", "b")

    assert warn_of_doubles([monday, again]) == (
        f"records count twice: {again.path} holds records of {monday.path}, which is given too",
    )


def test_edges_made_of_edges_count_twice(tmp_path: Path) -> None:
    monday, week = kept(tmp_path / "mon", "e1", "a"), kept(tmp_path / "week", "e2", "e1", "b")

    assert warn_of_doubles([monday, week]) == (
        f"records count twice: {week.path} holds records of {monday.path}, which is given too",
    )


def test_files_without_records_are_alike_and_no_matter(tmp_path: Path) -> None:
    assert warn_of_doubles([kept(tmp_path / "mon", "e1", "x"), log("empty.log", "x", 0)]) == ()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"inputs": 3}', '{"inputs": [3]}', "[" * 100_000, "\udcff"]
)
def test_a_certificate_that_is_none_says_nothing(tmp_path: Path, text: str) -> None:
    monday = kept(tmp_path / "mon", "e1", "a")
    (tmp_path / "mon" / "certificate.json").write_bytes(text.encode(errors="surrogateescape"))

    assert warn_of_doubles([monday, log("a.log", "a")]) == ()


def test_the_command_says_so(tmp_path: Path) -> None:
    web, db = (
        pod("shop/web", {"app": "web"}, "10.1.1.10"),
        pod("shop/db", {"app": "db"}, "10.1.2.20"),
    )
    cluster = write_cluster(tmp_path / "cluster", web, db)
    flows = tmp_path / "flows.log"
    flows.write_text("".join(connection(at, "10.1.1.10", "10.1.2.20", 3306) for at in range(4)))
    learn(tmp_path / "out", [flows], cluster)

    both = (flows, tmp_path / "out" / "edges.parquet")
    ended = run_here("learn", *both, "--cluster", cluster, "--out", tmp_path / "more")

    assert "records count twice" in ended.err
