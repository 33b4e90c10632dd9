"""Runs the tests of the evaluator and of the policy reader against bugs seeded into both.

``python -m tests.seeded_bugs.seed`` applies each one-line bug of ``bugs.yaml`` alone, runs the
tests until the first failure, and prints which test noticed; the exit code is 1 if a bug survives,
or if a test fails without any bug: then it would seem to notice every bug.
Words after the command choose bugs by what stands in their names.

Nothing is written: each bug lives in a process of its own, forked from one that has loaded the
libraries, in which the source is altered while it is imported.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import io
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    *("tests/evaluator", "tests/conformance/test_conformance.py", "tests/dialects/kubernetes"),
    *("tests/inventory", "tests/property"),
)
LIBRARIES = ("hypothesis", "numpy", "pandas", "pyarrow.compute", "pyarrow.parquet", "scipy.sparse")
OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not stress"),
    *("--hypothesis-profile", "first-failure"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # the parent has loaded hypothesis
)
LONGEST = 240
"""Seconds of CPU that the tests may take against one bug; an endless loop counts as noticed."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One line of a file and what it is replaced by; ``name`` says what is wrong then."""

    name: str
    file: str
    old: str
    new: str

    @property
    def module(self) -> str:
        """The module that the file is."""
        return self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """Return the file's text with the bug in it.

        Raises
        ------
        ValueError
            If the line does not stand in the file exactly once.

        """
        text = (ROOT / self.file).read_text()
        if text.count(self.old) != 1:
            raise ValueError(
                f"{self.name}: {text.count(self.old)} times in {self.file}: {self.old}"
            )
        return text.replace(self.old, self.new)


NO_BUG = Bug("no bug", "synth/__init__.py", "", "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a bug: the test that noticed it, empty if none did, and how long it took."""

    bug: Bug
    noticed_by: str
    seconds: float

    def __str__(self) -> str:
        """Return one line for the terminal."""
        told = f"noticed by {self.noticed_by}" if self.noticed_by else "SURVIVED"
        return f"{self.seconds:5.1f} s  {self.bug.name}: {told}"


def read_bugs(words: Sequence[str] = ()) -> list[Bug]:
    """Return the bugs whose names hold one of the words; all without words."""
    listed = yaml.safe_load((Path(__file__).parent / "bugs.yaml").read_text())
    bugs = [
        Bug(name, file, **change) for file, some in listed.items() for name, change in some.items()
    ]
    return [bug for bug in bugs if not words or any(word in bug.name for word in words)]


class Seeder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module with a bug in it."""

    def __init__(self, bug: Bug) -> None:
        self.bug, self.source = bug, bug.source()

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the buggy module; None for all others."""
        del path, target
        if fullname != self.bug.module:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=str(ROOT / self.bug.file))

    def exec_module(self, module: ModuleType) -> None:
        """Run the altered source in the module."""
        module.__file__ = str(ROOT / self.bug.file)
        exec(compile(self.source, module.__file__, "exec"), module.__dict__)  # noqa: S102


class FirstFailure:
    """A plug-in of pytest that keeps the name of the first test that failed.

    Tests of single cases come first, and of them those of the buggy module, then of its package.
    """

    def __init__(self, bug: Bug) -> None:
        self.name = ""
        near = ROOT / "tests" / Path(bug.file).relative_to("synth")
        self.mirror, self.near = near.with_name(f"test_{near.name}"), str(near.parent)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Sort the tests."""
        items.sort(key=lambda item: (self.cost(item), self.distance(item.path)))

    def distance(self, path: Path) -> int:
        """Return 0 for the tests of the module, 1 for those of its package, 2 for others."""
        return 0 if path == self.mirror else 1 if str(path).startswith(self.near) else 2

    def cost(self, item: pytest.Item) -> int:
        """Return 0 for tests of single cases, 1 for those of many: drawn, or grown from seeds."""
        many = item.get_closest_marker("hypothesis") or "property" in item.path.parts
        code = getattr(getattr(item, "function", None), "__code__", None)
        return int(bool(many) or (code is not None and "seed" in code.co_varnames))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name."""
        if report.failed and not self.name:
            self.name = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the name of a file that cannot even be imported."""
        if report.failed and not self.name:
            self.name = report.nodeid


def try_bug(bug: Bug) -> Outcome:
    """Return what came of the bug, in this process, which must be thrown away."""
    started, first = time.monotonic(), FirstFailure(bug)
    if bug != NO_BUG:
        sys.meta_path.insert(0, Seeder(bug))
    signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = pytest.main([*OPTIONS, *existing(TESTS)], plugins=[first])
    noticed = first.name or (f"pytest, which ended with {code}" if code else "")
    return Outcome(bug, noticed, time.monotonic() - started)


def interrupt(number: int, frame: FrameType | None) -> None:
    """End the tests as a user would."""
    del number, frame
    raise KeyboardInterrupt


def existing(paths: Sequence[str]) -> list[str]:
    """Return those of the paths that exist."""
    return [path for path in paths if (ROOT / path).exists()]


def main() -> int:
    """Return 1 if a bug survives."""
    os.chdir(ROOT)
    bugs = read_bugs(sys.argv[1:])
    for bug in bugs:
        bug.source()
    for name in LIBRARIES:
        importlib.import_module(name)
    started, survivors = time.monotonic(), 0
    context = multiprocessing.get_context("fork")
    with context.Pool(len(os.sched_getaffinity(0)), maxtasksperchild=1) as pool:
        waiting = [pool.apply_async(try_bug, (bug,)) for bug in (NO_BUG, *bugs)]
        sound = waiting[0].get()
        if sound.noticed_by:
            say(f"without a bug, {sound.noticed_by} fails")
            return 1
        for result in waiting[1:]:
            outcome = result.get()
            say(str(outcome))
            survivors += not outcome.noticed_by
    seconds = time.monotonic() - started
    say(f"{len(bugs) - survivors} of {len(bugs)} bugs noticed in {seconds:.0f} s")
    return int(survivors > 0)


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
