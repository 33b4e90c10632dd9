"""Runs the program: in this process where only its result matters, else in one of its own."""

import io
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from synth.cli.main import run

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 3 << 30
"""Bytes of address space that the program may use in a process of its own."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended, and what it said."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Case:
    """Logs and the cluster they were recorded in."""

    name: str
    flows: Path
    cluster: Path
    answers: Path | None = None

    @property
    def logs(self) -> list[Path]:
        """The files of the logs, sorted."""
        return sorted(path for path in self.flows.iterdir() if path.is_file())


THREE_TIER = Case(
    "three-tier",
    ROOT / "datasets/three-tier/flows/conntrack",
    ROOT / "datasets/three-tier/cluster",
    ROOT / "datasets/three-tier/answers.yaml",
)
MADE = tuple(
    Case(name, ROOT / "tests/golden" / name / "flows", ROOT / "tests/golden" / name / "cluster")
    for name in (
        "address-handover",
        "cronjob-and-dns",
        "exposed-service",
        "scan-and-refused",
        "vpc-three-tier",
        "client-to-db",
        "late-destroy",
    )
)
CASES = (THREE_TIER, *MADE)
CLIENT_TO_DB = next(case for case in MADE if case.name == "client-to-db")
"""Four seconds of real traffic, small enough to be read: client, web, api, db, and one question."""


def run_here(*arguments: object) -> Ended:
    """Return how the program ends with these arguments, run in this process."""
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(one) for one in arguments])
    return Ended(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))


def run_apart(
    *arguments: object, cwd: Path | None = None, seconds: float = 60, **environment: str
) -> Ended:
    """Return how the program ends in a process of its own, within bounds of time and memory."""
    command = [sys.executable, "-c", "from synth.cli.main import main; main()"]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=seconds,
        preexec_fn=bound_memory,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def bound_memory() -> None:
    """Let the process have no more memory than ``MEMORY``."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def learn(
    out: Path, flows: Sequence[Path], cluster: Path, *more: object, code: int = 0
) -> dict[str, bytes]:
    """Return path → bytes of the folder that learning leaves at ``out``."""
    ended = run_here("learn", *flows, "--cluster", cluster, "--out", out, *more)
    assert ended.code == code, ended
    return read_tree(out)


def read_tree(folder: Path) -> dict[str, bytes]:
    """Return path → bytes of every file below the folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def below(tree: dict[str, bytes], folder: str) -> dict[str, bytes]:
    """Return the files below one folder of the tree."""
    return {path: content for path, content in tree.items() if path.startswith(f"{folder}/")}
