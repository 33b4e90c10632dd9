"""What the flags of ``coverage`` and ``diff`` ask, and how these commands end."""

import json
from dataclasses import replace

import pytest

from synth.cli.coverage import is_below
from synth.cli.diff import Finding, has_findings
from synth.cli.main import run
from synth.evaluator.coverage import Figure
from tests.cli.conftest import Asked
from tests.reports.test_coverage_and_diff import DIFF, SAME, YAML_ONLY

COVERAGE = ("coverage", "flows", "--cluster", "c")


def test_coverage_asks_what_the_flags_say(asked: Asked) -> None:
    flags = ("--policies", "p", "--policies", "q", "--threads", "2", "--pod-cidr", "10.0.0.0/8")
    assert run([*COVERAGE, *flags]) == 0
    (request,) = asked
    assert (request.flows, request.cluster) == (("flows",), ("c",))
    assert (request.policies, request.threads) == (("p", "q"), 2)
    assert request.ranges.pods == ("10.0.0.0/8",)


def test_diff_asks_what_the_flags_say(asked: Asked) -> None:
    flags = ("--cluster", "c", "--flows", "f", "--flows", "g", "--source", "vpc")
    assert run(["diff", "old", "new", *flags]) == 1
    (request,) = asked
    assert (request.old, request.new) == ("old", "new")
    assert (request.cluster, request.flows, request.source) == (("c",), ("f", "g"), "vpc")


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", [COVERAGE, ("diff", "old", "new")])
def test_json_is_json_and_nothing_else(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run([*command, "--format", "json"])
    captured = capsys.readouterr()
    assert json.loads(captured.out)["synth"] == "0.1.0"
    assert captured.err.startswith("synth: warning: ")
    run([*command, "--quiet", "--format", "markdown"])
    captured = capsys.readouterr()
    assert captured.out.startswith(f"## synth {command[0]}")
    assert captured.err == ""


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--fail-under", "81", "--of", "ingress"), 0),
        (("--fail-under", "82", "--of", "ingress"), 1),
        (("--fail-under", "1"), 1),
        (("--fail-under", "0"), 0),
        (("--of", "ingress"), 0),
        (("--fail-under", "101"), 2),
        (("--of", "neither"), 2),
    ],
)
def test_the_goal_of_coverage(flags: tuple[str, ...], code: int) -> None:
    assert run([*COVERAGE, *flags]) == code


@pytest.mark.parametrize(
    ("figure", "percent", "below"),
    [
        (Figure(3, 1, 2), 33, False),
        (Figure(3, 1, 2), 100 / 3, False),
        (Figure(3, 1, 2), 34, True),
        (Figure(), 0, False),
        (Figure(), 0.1, True),
        (Figure(1, 0, 1), 0, False),
        (Figure(2, 2), 100, False),
    ],
)
def test_below(figure: Figure, percent: float, *, below: bool) -> None:
    assert is_below(figure, percent) is below


def test_findings_of_a_difference() -> None:
    assert has_findings(DIFF, [Finding.CHANGED])
    assert has_findings(DIFF, [Finding.BLOCKED])
    assert has_findings(YAML_ONLY, [Finding.CHANGED])
    assert not has_findings(YAML_ONLY, [Finding.BLOCKED])
    assert not has_findings(SAME, [Finding.CHANGED, Finding.BLOCKED])
    renamed = replace(DIFF, connections=(), judged=None)
    assert renamed.policies
    assert not has_findings(renamed, [Finding.CHANGED])


def test_blocked_needs_flows(capsys: pytest.CaptureFixture[str], asked: Asked) -> None:
    assert run(["diff", "old", "new", "--fail-on", "blocked"]) == 2
    assert capsys.readouterr().err.startswith("synth: --fail-on blocked: expected flow logs")
    assert asked == []
