"""Judges one case, in a process of its own, so that its memory and its end are its own.

``python -m benchmarks.judge.measure FOLDER VERSION [CONTESTANT…] < case.json`` prints the
figures as JSON. It refuses if the code has another version by then, so that no table mixes two.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from benchmarks.judge.case import Case, prepare
from benchmarks.judge.contestants import CONTESTANTS, ORACLE
from benchmarks.judge.metrics import METRICS
from benchmarks.judge.results import Figures, Finished, case_of, checked
from benchmarks.judge.version import ROOT, code_version
from datasets.generator import Options


class CaseError(Exception):
    """A case could not be judged."""


def measure(case: Case, folder: Path, names: Collection[str] = ()) -> Figures:
    """Return every metric of every contestant, or of those named."""
    prepared = prepare(case, folder)
    oracle = CONTESTANTS[ORACLE].propose(prepared)
    figures = {}
    for name, contestant in CONTESTANTS.items():
        if names and name not in names:
            continue
        proposal = oracle if name == ORACLE else contestant.propose(prepared)
        figures[name] = {one.name: one.measure(prepared, proposal, oracle) for one in METRICS}
    return figures


def measure_apart(case: Case, folder: Path, names: Collection[str] = ()) -> Finished:
    """Return the case judged in another process; see ``measure``.

    Raises
    ------
    CaseError
        If that process fails or is killed; with the last line that it said.

    """
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - this program
        [sys.executable, "-m", "benchmarks.judge.measure", str(folder), code_version(), *names],
        cwd=ROOT,
        # Cases run side by side: threads within one would only wait for each other.
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        input=json.dumps(case_of(case)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode < 0:
        ended = signal.Signals(-done.returncode).name
        raise CaseError(f"{case.name}: ended by {ended}; memory may have run out.")
    if done.returncode:
        raise CaseError(f"{case.name}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return Finished(case, json.loads(done.stdout), time.monotonic() - began)


def to_case(found: dict[str, Any]) -> Case:
    """Return the case that ``case_of`` made JSON of."""
    options: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in found["options"].items()
    }
    return Case(**{**found, "options": Options(**options)})


def main() -> None:
    """Print the figures of the case on stdin."""
    folder, expected, *names = sys.argv[1:]
    figures = measure(to_case(json.load(sys.stdin)), Path(folder), names)
    if code_version() != expected:
        raise SystemExit("the code was changed meanwhile; run again.")
    print(json.dumps(checked(figures), allow_nan=False))


if __name__ == "__main__":
    main()
