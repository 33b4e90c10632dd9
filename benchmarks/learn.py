"""CPU seconds and memory of `synth learn`'s reading and folding, beside two other ways.

    python -m benchmarks.learn [records]

| contestant | does |
|---|---|
| synth | reads the cluster, judges, places in time, orients, folds into edges of workloads |
| duckdb | groups records by address pair and port; knows no pods, judges nothing |
| pandas | holds all records at once; places in time with two as-of joins; groups |

All run on one thread, each in a process of its own, one after the other, three times over; the
median counts. CPU seconds and peak memory are the system's account of the whole process, its
start included. DuckDB is installed into an environment below `build/`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
DUCKDB = BUILD / "duckdb-env"
ROUNDS = 3
CODECS = ("snappy", "gzip")
HEAD = (
    "| files | contestant | CPU s | of it after set-up | rows per CPU s | peak MB | edges "
    "| CPU ÷ synth's |"
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took: CPU seconds in all and after its set-up, peak, rows of its result."""

    cpu: float
    work: float
    peak: float
    edges: int


def main() -> None:
    """Print a table of medians."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    folder = BUILD / f"performance-{records}"
    if not (folder / "done").exists():
        capture: list[str | Path] = ["benchmarks.vpc_capture", str(records), folder]
        subprocess.run([sys.executable, "-m", *capture], check=True, cwd=ROOT)  # noqa: S603 - ours
        (folder / "done").touch()
    contestants = {
        "synth": [sys.executable, "-m", "benchmarks.learn_synth"],
        "duckdb": [str(_duckdb()), "-m", "benchmarks.learn_duckdb"],
        "pandas": [sys.executable, "-m", "benchmarks.learn_pandas"],
    }
    print(f"{records:,} records; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at start\n")
    print(HEAD)
    print("|---|---|" + "---:|" * (HEAD.count("|") - 3))
    for codec in CODECS:
        runs: dict[str, list[Run]] = {name: [] for name in contestants}
        for _ in range(ROUNDS):
            for name, command in contestants.items():
                runs[name].append(_measure([*command, folder / codec, folder / "cluster"]))
        for line in _lines(codec, records, {name: _middle(some) for name, some in runs.items()}):
            print(line, flush=True)


def _duckdb() -> Path:
    """Return the interpreter of an environment that holds DuckDB, made where there is none."""
    python = DUCKDB / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", DUCKDB], check=True)  # noqa: S603 - ours
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "duckdb"]
        subprocess.run([python, *install], check=True)  # noqa: S603 - just made
    return python


def _measure(command: list[str | Path]) -> Run:
    """Return what the process took; it prints its own part as JSON."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, cwd=ROOT)  # noqa: S603 - ours
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}")
        output.seek(0)
        said = json.load(output)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(cpu, said["work"], usage.ru_maxrss / 1024, said["edges"])


def _middle(runs: list[Run]) -> Run:
    return Run(
        median(run.cpu for run in runs),
        median(run.work for run in runs),
        median(run.peak for run in runs),
        runs[0].edges,
    )


def _lines(codec: str, records: int, medians: Mapping[str, Run]) -> list[str]:
    whole = medians["synth"].cpu
    return [
        f"| {codec} | {name} | {run.cpu:.1f} | {run.work:.1f} | {records / run.cpu / 1e6:.2f} M "
        f"| {run.peak:,.0f} | {run.edges:,} | {run.cpu / whole:.2f} |"
        for name, run in medians.items()
    ]


if __name__ == "__main__":
    main()
