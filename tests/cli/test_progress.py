from io import StringIO

import pytest

from synth.cli.progress import watched


class Terminal(StringIO):
    """What a person watches."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with watched(quiet=False) as progress:
        progress("reading", 1, 2)
    assert capsys.readouterr().err == ""


def test_steps_are_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with watched(quiet=False) as progress:
        progress("reading [b]x", 0, 0)
        progress("reading [b]x", 1, 2)
        progress("learning", 1, 1)
    assert "reading [b]x" in terminal.getvalue()
    assert "learning" in terminal.getvalue()


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with watched(quiet=True) as progress:
        progress("reading", 1, 2)
    assert terminal.getvalue() == ""
