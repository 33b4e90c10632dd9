"""Runs cases side by side; what is finished stays on disk, so that a rerun continues."""

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

from benchmarks.judge.case import Case
from benchmarks.judge.measure import CaseError, measure_apart
from benchmarks.judge.results import Finished, cell_path, read_finished, write_finished

Measure = Callable[[Case, Path], Finished]
Tell = Callable[[int, int, str], None]
"""How many cases are done, of how many, and the last one's name."""


@dataclass(frozen=True, slots=True)
class Way:
    """How to run: so many cases side by side, what to call, and when to begin no further case.

    ``until`` is of ``time.monotonic``.
    """

    workers: int = 2
    until: float = inf
    tell: Tell = lambda *_: None
    measure: Measure = measure_apart


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The judged cases in the order asked for, and what was said of those that failed."""

    finished: tuple[Finished, ...]
    failures: tuple[str, ...]


class BusyError(Exception):
    """Another run writes to the same folder."""


def run_cases(
    cases: Sequence[Case],
    out: Path,
    version: str,
    way: Way,
) -> Outcome:
    """Return the figures of all cases, having judged those that ``out`` does not hold yet.

    Raises
    ------
    BusyError
        If another run writes to ``out``.

    """
    paths = {case.name: cell_path(out / "cells", case, version) for case in cases}
    with _only_run(out):
        shutil.rmtree(out / "work", ignore_errors=True)  # of a run that was killed
        found = {case.name: read_finished(paths[case.name], case) for case in cases}
        missing = [case for case in cases if found[case.name] is None]
        failures = []
        done = len(cases) - len(missing)
        way.tell(done, len(cases), "")
        with ThreadPoolExecutor(way.workers) as pool:
            running = {
                pool.submit(_judge, case, out / "work", paths[case.name], way): case
                for case in missing
            }
            try:
                for one in as_completed(running):
                    case, done = running[one], done + 1
                    try:
                        found[case.name] = one.result()
                    except (CaseError, ValueError, OSError) as error:
                        failures.append(str(error))
                    way.tell(done, len(cases), case.name)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    return Outcome(tuple(one for one in found.values() if one), tuple(sorted(failures)))


def _judge(case: Case, work: Path, path: Path, way: Way) -> Finished | None:
    """Return the case judged and written, or none if it is too late; its logs are gone then."""
    if time.monotonic() > way.until:
        return None
    folder = work / path.stem
    folder.mkdir(parents=True)
    try:
        finished = way.measure(case, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_finished(path, finished)
    return finished


@contextmanager
def _only_run(out: Path) -> Iterator[None]:
    out.mkdir(parents=True, exist_ok=True)
    with (out / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BusyError(f"{out}: expected no other run. Got one that writes there.") from None
        yield
