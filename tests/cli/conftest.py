"""Commands that record what they are asked, and answer with a result built by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synth.cli.main import run
from tests.reports import explained, sample
from tests.reports.test_connectivity import connected
from tests.reports.test_coverage_and_diff import COVERAGE, DIFF
from tests.reports.test_golden import FOUND, flow_answer

Asked = list[Any]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return the list of what the commands are asked from now on."""
    requests: Asked = []

    def answering(result: object) -> Callable[..., object]:
        def command(request: object, *rest: object, **flags: object) -> object:
            requests.append((request, flags) if flags else request)
            for progress in rest:
                assert callable(progress)
                progress("reading", 1, 2)
            return result

        return command

    monkeypatch.setattr("synth.commands.describe.describe", answering(FOUND))
    monkeypatch.setattr("synth.commands.learn.learn", answering(sample.result()))
    monkeypatch.setattr("synth.commands.replay.replay", answering(sample.replay_result()))
    monkeypatch.setattr("synth.commands.connectivity.connectivity", answering(connected()))
    monkeypatch.setattr("synth.commands.coverage.coverage", answering(COVERAGE))
    monkeypatch.setattr("synth.commands.diff.diff", answering(DIFF))
    monkeypatch.setattr("synth.commands.explain.explain", answering(flow_answer()))
    answers = {"row": explained.skipped(), "rule": explained.rule(), "denied": explained.denied()}
    for name, answer in answers.items():
        monkeypatch.setattr(f"synth.commands.explain_{name}.explain_{name}", answering(answer))
    return requests


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def learn(*more: str) -> int:
    """Return the exit code of ``synth learn`` with these flags too."""
    return run(["learn", "flows", "--cluster", "c", "--out", "out", *more])


def replay(*more: str) -> int:
    """Return the exit code of ``synth replay`` with these flags too."""
    return run(["replay", "flows", "--cluster", "c", "--policies", "p", *more])
