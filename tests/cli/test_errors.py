import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.cli.main import TERMINATED, _terminate, run
from synth.cli.output import PLAINER, coloured, width_of
from synth.errors import Fault, InputError
from tests.cli.conftest import Asked, learn

pytestmark = pytest.mark.usefixtures("folder")


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("synth.commands.learn.learn", fail)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "arguments",
    [
        "replays",
        "--nothing",
        "learn",
        "learn flows",
        "learn flows --out",
        "learn flows --out o --format xml",
        "learn flows --out o --threads 0",
        "learn flows --out o --threads many",
        "learn flows --out o --assume perhaps",
        "learn flows --out o --external world",
        "learn flows --out o --fail-on nothing",
        "learn flows --out o --pod-cidr 10.0.0.0/33",
        "replay flows",
        "explain --from a --to b --port x --policies p",
        "explain --from a --to b --port 0 --policies p",
        "explain --from a --to b --port 65536 --policies p",
        "explain --from a --to b --port 80/ICMP --policies p",
        "explain --from a --to b --port ² --policies p",
        "describe",
    ],
)
def test_wrong_usage_is_one_line(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("synth: ")


@pytest.mark.usefixtures("asked")
def test_all_wrong_ranges_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert learn("--pod-cidr", "a", "--node-cidr", "b", "--node-cidr", "10.0.0.0/8") == 2
    assert [line.split(":")[1] for line in capsys.readouterr().err.splitlines()] == [
        " --pod-cidr",
        " --node-cidr",
    ]


def test_a_wrong_word_comes_with_the_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    run(["replays"])
    assert "Did you mean 'replay'? See `synth --help`." in capsys.readouterr().err


def test_each_fault_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Fault("b.log:2", "a port", "'\x1b[31m\nx'", "Remove it.")
    failing(monkeypatch, InputError(Fault("a.log:1", "a port", "99999"), bad))
    assert learn() == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "synth: a.log:1: expected a port. Got 99999 instead.",
        "synth: b.log:2: expected a port. Got ' [31m x' instead. Remove it.",
    ]


def test_what_the_system_refuses_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, PermissionError(13, "Permission denied", "/x/y"))
    assert learn() == 2
    assert capsys.readouterr().err == "synth: /x/y: Permission denied\n"


def test_interrupt(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, KeyboardInterrupt())
    assert learn() == 130
    assert capsys.readouterr().err == "synth: interrupted\n"


def test_a_defect_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SYNTH_DEBUG", raising=False)
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    assert learn() == 101
    first, second = capsys.readouterr().err.splitlines()
    assert first == "synth: a defect of synth 0.1.0: ZeroDivisionError: division by zero"
    assert "SYNTH_DEBUG" in second


def test_a_defect_can_be_traced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SYNTH_DEBUG", "1")
    failing(monkeypatch, ZeroDivisionError("division by zero"))
    assert learn() == 101
    assert "Traceback" in capsys.readouterr().err


def test_termination_lets_everyone_clean_up() -> None:
    with pytest.raises(SystemExit) as caught:
        _terminate(15, None)
    assert caught.value.code == TERMINATED


def test_a_closed_pipe_is_no_news() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "synth", "--version"]
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")


class Screen:
    """A stream that says whether it is a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour(terminal: bool, environment: dict[str, str], wanted: bool) -> None:  # noqa: FBT001
    assert coloured(Screen(terminal=terminal), environment) is wanted  # type: ignore[arg-type]


def test_width(monkeypatch: pytest.MonkeyPatch) -> None:
    assert width_of(Screen(terminal=False)) == 80  # type: ignore[arg-type]
    for columns, width in ((20, 60), (90, 90), (300, 100)):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert width_of(Screen(terminal=True)) == width  # type: ignore[arg-type]


def test_reports_survive_a_terminal_without_unicode(asked: Asked) -> None:
    assert asked == []
    logs = Path(__file__).parents[2] / "datasets" / "three-tier" / "flows" / "conntrack"
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "synth", "describe", str(logs)]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert done.stdout.isascii()
    assert b"\\u" not in done.stdout
    assert all(plain.isascii() for plain in PLAINER.values())
