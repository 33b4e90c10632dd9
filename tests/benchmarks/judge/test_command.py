"""The command: reports on disk and on screen, clean errors, and the page that shows its table."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.judge import __main__ as command
from benchmarks.judge.case import Case
from benchmarks.judge.contestants import CONTESTANTS
from benchmarks.judge.metrics import METRICS
from benchmarks.judge.report import BEGIN, END, HEAD, insert
from benchmarks.judge.results import Finished
from benchmarks.judge.run import _only_run
from benchmarks.judge.version import ASIDE, ROOT, code_version

PAGE = ROOT / "docs" / "judge.md"


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every metric be 0.5; return the names of the cases that are judged."""
    names: list[str] = []

    def judge(case: Case, _: Path, names: object = ()) -> Finished:
        assert isinstance(names, tuple)
        seen.append(case.name)
        figures = {
            one: {metric.name: 0.5 for metric in METRICS}
            for one in CONTESTANTS
            if not names or one in names
        }
        return Finished(case, figures, 0.0)

    seen = names
    monkeypatch.setattr(command, "measure_apart", judge)
    return names


def test_both_reports_are_written_and_one_is_printed(
    tmp_path: Path, judged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--matrix", "small", "--out", str(tmp_path), "--seeds", "1", "--first", "9"]
    assert command.main([*arguments, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert (len(judged), err) == (4, "")
    assert json.loads(out) == json.loads((tmp_path / "report.json").read_text())
    assert command.main(arguments) == 0
    assert capsys.readouterr().out == (tmp_path / "report.md").read_text()
    assert len(judged) == 4


def test_broken_bounds_end_with_1(
    tmp_path: Path, judged: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--matrix", "small", "--out", str(tmp_path), "--check"]) == 1
    err = capsys.readouterr().err
    assert "judge: inexact selectors: expected at most 0" in err
    assert len(judged) == 8


@pytest.mark.parametrize(
    "arguments", [["--seeds", "0"], ["--seeds", "x"], ["--matrix", "huge"], ["--workers", "-1"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert "error: argument" in capsys.readouterr().err


def test_a_folder_in_use_or_in_the_way_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with _only_run(tmp_path):
        assert command.main(["--matrix", "small", "--out", str(tmp_path)]) == 2
    (tmp_path / "file").touch()
    assert command.main(["--matrix", "small", "--out", str(tmp_path / "file")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("judge: ") for line in lines)


@pytest.mark.usefixtures("judged")
def test_a_page_gets_the_table_between_its_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Top\n\n{BEGIN}\nprevious\n{END}\n\nrest\n")
    arguments = ["--matrix", "small", "--out", str(tmp_path / "out"), "--page", str(page)]
    assert command.main(arguments) == 0
    text = page.read_text()
    assert text.startswith(f"# Top\n\n{BEGIN}\n\n## The judge's table\n")
    assert text.endswith(f"\n{END}\n\nrest\n")
    assert "previous" not in text
    page.write_text("no marks")
    assert command.main(arguments) == 2
    assert "expected the lines" in capsys.readouterr().err


def test_the_version_follows_what_figures_depend_on(tmp_path: Path) -> None:
    for name in ("synth/a.py", "datasets/generator/b.py", "benchmarks/judge/c.py", *ASIDE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/reference.py").write_text("")
    versions = []
    changes = ("synth/a.py", "datasets/generator/b.py", "benchmarks/judge/c.py")
    for name in (*changes, "tests/reference.py", "benchmarks/judge/report.py", "tests/other.py"):
        (tmp_path / name).write_text("changed")
        versions.append(code_version.__wrapped__(tmp_path))
    assert len({*versions}) == 4
    assert versions[3] == versions[4] == versions[5]


def test_what_is_left_out_of_the_version_exists() -> None:
    assert [name for name in sorted(ASIDE) if not (ROOT / name).exists()] == []


def test_the_page_explains_each_metric_and_shows_it() -> None:
    text = PAGE.read_text()
    _, shown = text.split(BEGIN)
    explained = text.partition("## What is measured")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \|", explained, re.MULTILINE)
    told = {name for row in rows for name in row.split(", ")}
    assert told >= {one.name for one in METRICS}
    assert "| " + " | ".join(HEAD) + " |" in shown.splitlines()
    assert [one.name for one in METRICS if f"\n| {one.name} | {one.unit} |" not in shown] == []


def test_the_page_names_each_contestant() -> None:
    assert [name for name in CONTESTANTS if f"`{name}`" not in PAGE.read_text()] == []


def test_insert_leaves_the_rest_alone() -> None:
    page = f"a\n{BEGIN}\nx\n{END}\nb\n"
    once = insert("# T\n\n## U\n", page)
    assert once == f"a\n{BEGIN}\n\n## T\n\n### U\n\n{END}\nb\n"
    assert insert("# T\n\n## U\n", once) == once
