"""Every command, given what it cannot use: one message, exit code 2, nothing left behind."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.hostile import bad
from tests.running import CLIENT_TO_DB, ROOT, Ended, learn, read_tree

Run = Callable[..., Ended]

LOGS, CLUSTER = str(CLIENT_TO_DB.flows), str(CLIENT_TO_DB.cluster)
FAULTS_TOLD = 12
"""No more lines than these may stand on standard error."""


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("learned") / "out"
    learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster)
    return str(out / "policies")


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Return what runs the program in a fork of a process that has loaded it already."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests/hostile/forks.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def run_one(folder: Path, *arguments: str) -> Ended:
            assert server.stdin is not None
            assert server.stdout is not None
            asked = {"arguments": arguments, "folder": str(folder)}
            server.stdin.write(json.dumps(asked) + "\n")
            server.stdin.flush()
            told: dict[str, Any] = json.loads(server.stdout.readline())
            return Ended(told["code"], told["out"], told["err"])

        yield run_one
        assert server.stdin is not None
        server.stdin.close()


def make(name: str, makers: Mapping[str, bad.Make], folder: Path) -> str:
    """Make the file in the folder, and return its name."""
    if name == "unreadable" and os.geteuid() == 0:
        (folder / name).symlink_to("/proc/self/mem")  # which even root cannot read from its start
    else:
        makers[name](folder / name)
    return name


def check(ended: Ended, *told: str) -> None:
    """Check that it was refused in few lines, which name what was refused."""
    assert ended.code == 2, ended
    assert ended.out == ""
    assert "Traceback" not in ended.err
    lines = ended.err.splitlines()
    assert 1 <= len(lines) <= FAULTS_TOLD, ended.err[:2000]
    assert all(line.startswith("synth: ") for line in lines)
    assert all(len(line) < 1000 for line in lines)
    for text in told:
        assert text in ended.err


def look(folder: Path) -> set[str]:
    """Return the names of all that is in the folder; neither links nor pipes are followed."""
    return {
        os.path.join(here, name)  # noqa: PTH118 - fast and enough
        for here, folders, files in os.walk(folder)
        for name in (*folders, *files)
    }


HARMLESS = {"header.log", "wide.log"}
"""Logs without a record are described, and there is nothing to learn from them."""
NO_POLICY = {"empty-folder", "pods.json"}
"""Where nobody has written a policy yet, everything is allowed."""


@pytest.mark.parametrize("command", ["describe", "learn", "replay"])
@pytest.mark.parametrize("name", bad.FLOWS)
def test_flows(command: str, name: str, run: Run, policies: str, tmp_path: Path) -> None:
    make(name, bad.FLOWS, tmp_path)
    rest = {
        "describe": [],
        "learn": ["--cluster", CLUSTER, "--out", "out"],
        "replay": ["--cluster", CLUSTER, "--policies", policies],
    }
    before = look(tmp_path)
    ended = run(tmp_path, command, name, *rest[command])
    if command == "describe" and name in HARMLESS:
        assert (ended.code, "Traceback" in ended.err) == (0, False)
    else:
        check(ended, name)
    assert look(tmp_path) == before


@pytest.mark.parametrize("command", ["learn", "replay"])
@pytest.mark.parametrize("name", ["junk.bin", "cut.parquet", "access.log", "wrong.gz"])
def test_one_bad_file_among_good_ones(
    command: str, name: str, run: Run, policies: str, tmp_path: Path
) -> None:
    make(name, bad.FLOWS, tmp_path)
    rest = ["--out", "out"] if command == "learn" else ["--policies", policies]
    ended = run(tmp_path, command, LOGS, name, "--cluster", CLUSTER, *rest)
    check(ended, name)
    assert look(tmp_path) == {str(tmp_path / name)}


def test_every_bad_file_is_named_at_once(run: Run, tmp_path: Path) -> None:
    names = ["junk.bin", "access.log", "nul.txt"]
    for name in names:
        make(name, bad.FLOWS, tmp_path)
    ended = run(tmp_path, "learn", *names, "--cluster", CLUSTER, "--out", "out")
    check(ended, *names)


@pytest.mark.parametrize("command", ["learn", "replay", "explain"])
@pytest.mark.parametrize("name", bad.CLUSTER)
def test_cluster(command: str, name: str, run: Run, policies: str, tmp_path: Path) -> None:
    make(name, bad.CLUSTER, tmp_path)
    rest = {
        "learn": [LOGS, "--out", "out"],
        "replay": [LOGS, "--policies", policies],
        "explain": ["--from", "web", "--to", "db", "--port", "1", "--policies", policies],
    }
    before = look(tmp_path)
    ended = run(tmp_path, command, *rest[command], "--cluster", name)
    check(ended, name)
    assert look(tmp_path) == before


@pytest.mark.parametrize("command", ["replay", "explain"])
@pytest.mark.parametrize("name", bad.POLICIES)
def test_policies(command: str, name: str, run: Run, tmp_path: Path) -> None:
    make(name, bad.POLICIES, tmp_path)
    before = look(tmp_path)
    rest = [LOGS] if command == "replay" else ["--from", "web", "--to", "db", "--port", "1"]
    ended = run(tmp_path, command, *rest, "--cluster", CLUSTER, "--policies", name)
    if name not in NO_POLICY:
        check(ended, name)
    else:
        assert ended.code == 0
        assert "no NetworkPolicy in" in ended.out or "isolated by no policy" in ended.out
    assert look(tmp_path) == before


ONLY_ANSWERS = {"word.yaml", "twice.yaml", "no-key.yaml"}
"""Faults of answers, which --quarantine does not read."""


@pytest.mark.parametrize(
    ("flag", "name"),
    [
        *(("--accept", name) for name in bad.ANSWERS),
        *(("--quarantine", name) for name in bad.ANSWERS if name not in ONLY_ANSWERS),
    ],
)
def test_answers(flag: str, name: str, run: Run, policies: str, tmp_path: Path) -> None:
    make(name, bad.ANSWERS, tmp_path)
    before = look(tmp_path)
    command, rest = "learn", ["--out", "out"]
    if flag == "--quarantine":
        command, rest = "replay", ["--policies", policies]
    ended = run(tmp_path, command, LOGS, "--cluster", CLUSTER, *rest, flag, name)
    check(ended, name)
    assert look(tmp_path) == before


class TestMixedUp:
    """Inputs that are fine, in the wrong place."""

    def test_a_cluster_of_another_time_or_place(self, run: Run, tmp_path: Path) -> None:
        bad.write_other_cluster(tmp_path / "other.json")
        ended = run(tmp_path, "learn", LOGS, "--cluster", "other.json", "--out", "out")
        check(ended, "node1.events.txt", "Are the cluster files of the same cluster")
        assert not (tmp_path / "out").exists()

    def test_logs_and_cluster_exchanged(self, run: Run, tmp_path: Path) -> None:
        ended = run(tmp_path, "learn", CLUSTER, "--cluster", LOGS, "--out", "out")
        check(ended)
        assert "tests/golden/client-to-db/" in ended.err

    def test_a_label_of_ten_megabytes(self, run: Run, tmp_path: Path) -> None:
        bad.write_wide_label(tmp_path / "wide.json")
        ended = run(tmp_path, "learn", LOGS, "--cluster", "wide.json", "--out", "out")
        assert ended.code in (0, 2)
        assert len(ended.err) < 5000
        assert len(ended.out) < 50_000
        if ended.code == 2:
            check(ended, "wide.json")

    def test_no_cluster(self, run: Run, tmp_path: Path) -> None:
        ended = run(tmp_path, "learn", LOGS, "--out", "out")
        check(ended, "--cluster", "kubectl get")

    @pytest.mark.parametrize("name", ["vpc-text", "vpc-parquet", "conntrack-parquet"])
    def test_a_format_insisted_on_that_it_is_not(self, name: str, run: Run, tmp_path: Path) -> None:
        flags = ["--source", name, "--cluster", CLUSTER, "--out", "out"]
        check(run(tmp_path, "learn", LOGS, *flags), "node1.events.txt")


class TestOut:
    """Folders that must not be written over."""

    def learn(self, run: Run, folder: Path, out: str) -> Ended:
        return run(folder, "learn", LOGS, "--cluster", CLUSTER, "--out", out)

    def test_a_file(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "out").write_text("mine")
        check(self.learn(run, tmp_path, "out"), "out")
        assert (tmp_path / "out").read_text() == "mine"

    def test_below_a_file(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("mine")
        check(self.learn(run, tmp_path, "file/out"), "file")

    def test_a_folder_of_somebody_else(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "out/policies").mkdir(parents=True)
        (tmp_path / "out/policies/mine.yaml").write_text("mine")
        check(self.learn(run, tmp_path, "out"), "mine.yaml")
        assert read_tree(tmp_path) == {"out/policies/mine.yaml": b"mine"}

    def test_the_folder_of_the_inputs(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "in").mkdir()
        (tmp_path / "in/log.txt").write_bytes(bad.CONNTRACK.read_bytes())
        before = read_tree(tmp_path)
        ended = run(tmp_path, "learn", "in", "--cluster", CLUSTER, "--out", "in")
        check(ended, "in")
        assert read_tree(tmp_path) == before

    def test_an_earlier_result_that_somebody_changed(self, run: Run, tmp_path: Path) -> None:
        assert self.learn(run, tmp_path, "out").code == 0
        path = tmp_path / "out/policies/shop/db.yaml"
        path.write_text(path.read_text().replace("3306", "3307"))
        before = read_tree(tmp_path)
        check(self.learn(run, tmp_path, "out"), "db.yaml")
        assert read_tree(tmp_path) == before

    def test_a_loop_of_links(self, run: Run, tmp_path: Path) -> None:
        bad.write_loop(tmp_path / "out")
        before = look(tmp_path)
        check(self.learn(run, tmp_path, "out"), "out")
        assert look(tmp_path) == before

    @pytest.mark.parametrize("out", ["", "a\0b", "x" * 300])
    def test_no_possible_name(self, out: str, run: Run, tmp_path: Path) -> None:
        check(self.learn(run, tmp_path, out))
        assert look(tmp_path) == set()


FLAGS = [
    ("describe",),
    ("learn",),
    ("replay",),
    ("explain",),
    ("learn", LOGS, "--cluster", CLUSTER),
    ("learn", "--cluster", CLUSTER, "--out", "out"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--threads", "0"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--threads", "many"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--format", "xml"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--assume", "maybe"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--fail-on", "nothing"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--external", "world!"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--pod-cidr", "10.0.0.0/99"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--node-cidr", "everything"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--service-cidr", ""),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--source", "netflow"),
    ("learn", LOGS, "--cluster", CLUSTER, "--out", "out", "--nonsense"),
    ("describe", LOGS, "--source", "\x1b[31mred"),
    ("describe", LOGS, "--format", ""),
    ("describe", ""),
    ("describe", "a\0b"),
    ("describe", "ftp://example.invalid/x"),
    ("replay", LOGS, "--cluster", CLUSTER),
    ("nonsense",),
    ("--nonsense",),
]


@pytest.mark.parametrize("arguments", FLAGS, ids=lambda one: " ".join(one)[-40:].strip())
def test_flags(arguments: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    check(run(tmp_path, *arguments))
    assert look(tmp_path) == set()


@pytest.mark.parametrize(
    "flags",
    [
        ("--from", "web", "--to", "nobody", "--port", "80"),
        ("--from", "", "--to", "db", "--port", "80"),
        ("--from", "web", "--to", "db", "--port", "0"),
        ("--from", "web", "--to", "db", "--port", "65536"),
        ("--from", "web", "--to", "db", "--port", "80/ICMP"),
        ("--from", "web", "--to", "db", "--port", "http"),
        ("--from", "10.0.0.300", "--to", "db", "--port", "80"),
        ("--from", "web", "--to", "db"),
    ],
    ids=" ".join,
)
def test_questions(flags: tuple[str, ...], run: Run, policies: str, tmp_path: Path) -> None:
    check(run(tmp_path, "explain", *flags, "--cluster", CLUSTER, "--policies", policies))


def test_nobody_reads(policies: str) -> None:
    command = f"{sys.executable} -m synth replay {LOGS} --cluster {CLUSTER} --policies {policies}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} --format json | head -c 1"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 141)
