import os
import subprocess
import sys
from pathlib import Path

import pytest

from synth.cli import connectivity, coverage, describe, diff, explain, learn, replay
from synth.cli.main import run
from tests.cli.conftest import Asked

COMMANDS = {
    "connectivity": connectivity,
    "coverage": coverage,
    "describe": describe,
    "diff": diff,
    "explain": explain,
    "learn": learn,
    "replay": replay,
}
HEAVY = {"numpy", "pandas", "pyarrow", "rich", "scipy", "sklearn", "yaml", "jinja2"}


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run([*arguments, "--help"]) == 0
    return capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from synth.cli.main import run; run(['learn', '--help']);"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "synth" in done.stderr.split()
    assert not HEAVY & set(done.stderr.split())


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys)
    assert all(f"  {name} " in text for name in COMMANDS)
    assert "..." not in text.partition("Commands:")[2].partition("Options:")[0]


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_a_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, *name.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "Examples:\n" in text
    assert "<" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, name).partition("Examples:")[0].splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("  -"):
            assert len(line.strip().split("  ")) > 1 or after.startswith(" " * 20)


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.usefixtures("folder")
def test_examples_are_obeyed(name: str, asked: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    Path("learned").mkdir()
    Path("learned/quarantine.yaml").write_text("[]\n---\nnot-learned: []\n")
    examples = COMMANDS[name].EXAMPLES.replace("\\\n", " ").splitlines()
    Path("learned/quarantine.yaml").rename("quarantine.yaml")
    for example in examples:
        words = [word.strip("'") for word in example.split()]
        words = [word.replace("learned/quarantine", "quarantine") for word in words]
        assert words[0] == "synth"
        assert run(words[1:]) in (0, 1), capsys.readouterr().err
    assert len(asked) == len(examples)


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 2
    assert "Commands:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == "synth 0.1.0\n"


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_needs_no_signs_beyond_ascii(name: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "synth", *name.split(), "--help"]
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert done.stdout.isascii()
    assert b"\\u" not in done.stdout
