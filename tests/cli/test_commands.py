import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from synth.cli.learn import Finding as LearnFinding
from synth.cli.learn import has_findings as learn_has_findings
from synth.cli.main import run
from synth.cli.replay import Finding, has_findings
from synth.learner.model import Answer
from synth.policy import Protocol
from synth.proof.replay import Replay, Verdict
from tests.cli.conftest import Asked, learn, replay
from tests.reports import sample

pytestmark = pytest.mark.usefixtures("folder")


def test_learn_asks_what_the_flags_say(asked: Asked) -> None:
    code = learn(
        *("--source", "vpc", "--fields", "a,b c", "--fields", "d", "--cluster", "c2"),
        *("--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/12"),
        *("--node-cidr", "fd00::/64", "--accept", "a.yaml", "--accept", "b.yaml"),
        *("--assume", "refuse", "--external", "exact", "--include-system", "--threads", "3"),
    )
    assert code == 0
    (request,) = asked
    assert request.flows == ("flows",)
    assert request.cluster == ("c", "c2")
    assert request.out == Path("out")
    assert (request.source, request.fields) == ("vpc", ("a", "b", "c", "d"))
    assert request.ranges.pods == ("10.244.0.0/16",)
    assert request.ranges.services == ("10.96.0.0/12",)
    assert request.ranges.nodes == ("fd00::/64",)
    assert request.accept == ("a.yaml", "b.yaml")
    assert request.assume is Answer.REFUSE
    assert (request.external, request.include_system, request.threads) == ("exact", True, 3)


def test_learn_assumes_nothing_unless_told(asked: Asked) -> None:
    learn()
    (request,) = asked
    assert request.assume is None
    assert request.threads >= 1
    assert not request.include_system


def test_replay_asks_what_the_flags_say(asked: Asked) -> None:
    Path("q.yaml").write_text("[]\n")
    assert replay("--quarantine", "q.yaml", "--policies", "p2") == 0
    (request,) = asked
    assert request.policies == ("p", "p2")
    assert request.quarantine == ("q.yaml",)


def test_explain_asks_what_the_flags_say(asked: Asked) -> None:
    flags = ["--from", "shop/web", "--to", "10.0.0.1", "--cluster", "c", "--policies", "p"]
    assert run(["explain", *flags, "--port", "53/udp"]) == 0
    (request,) = asked
    assert (request.source, request.destination) == ("shop/web", "10.0.0.1")
    assert (request.protocol, request.port) == (Protocol.UDP, 53)


def test_describe_asks_what_the_flags_say(asked: Asked) -> None:
    assert run(["describe", "a", "b", "--source", "vpc", "--fields", "x"]) == 0
    assert asked == [(("a", "b"), {"source": "vpc", "fields": ("x",)})]


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("command", [learn, replay])
def test_json_is_json_and_nothing_else(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    command("--format", "json")
    values = json.loads(capsys.readouterr().out)
    assert values["synth"] == "0.1.0"
    assert values["records"] == sample.RECORDS


@pytest.mark.usefixtures("asked")
def test_formats(capsys: pytest.CaptureFixture[str]) -> None:
    learn("--format", "markdown")
    assert capsys.readouterr().out.startswith("## synth learn: ")
    learn()
    assert capsys.readouterr().out.startswith("synth learn: ")


@pytest.mark.usefixtures("asked")
def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    learn()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "synth: warning: every known pod started after the capture ended",
        "synth: warning: the logs span less than a week",
        *(f"synth: warning: {one.told}" for one in sample.REPLACED),
    ]
    learn("--quiet")
    assert capsys.readouterr().err == ""


def test_a_target_of_others_is_refused_before_any_work(
    asked: Asked, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "mine").touch()
    assert learn() == 2
    assert asked == []
    assert capsys.readouterr().err.startswith("synth: out/mine: expected only files that synth")


@pytest.mark.usefixtures("asked")
def test_blocked_learning_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("synth.commands.learn.learn", lambda *_: sample.blocked())
    assert learn("--fail-on", "quarantine") == 1
    assert "Nothing is written" in capsys.readouterr().out


@pytest.mark.usefixtures("asked")
def test_open_questions_end_with_1_if_wished() -> None:
    assert learn() == 0
    assert learn("--fail-on", "quarantine") == 1


def test_answered_questions_are_no_finding() -> None:
    answered = replace(sample.QUESTION, answer=Answer.REFUSE)
    result = sample.result(learned=replace(sample.learned(), questions=(answered,)))
    assert not learn_has_findings(result, [LearnFinding.QUARANTINE])


def denied(screening: str) -> Replay:
    return Replay({Verdict.DENIED: {screening: 2}}, (sample.denial(2, screening),))


@pytest.mark.parametrize(
    ("screening", "fail_on", "found"),
    [
        ("accepted", Finding.DENIED, True),
        ("accepted", Finding.BLOCKED, True),
        ("quarantined", Finding.DENIED, True),
        ("quarantined", Finding.BLOCKED, False),
        ("unresolved", Finding.DENIED, True),
        ("rejected", Finding.DENIED, False),
        ("accepted", Finding.UNDETERMINED, False),
    ],
)
def test_findings_of_replay(screening: str, fail_on: Finding, *, found: bool) -> None:
    assert has_findings(denied(screening), [fail_on]) is found


def test_what_is_known_to_be_unwanted_is_no_finding() -> None:
    key = ("users/client", "shop/db", "TCP", 3306)
    assert not has_findings(denied("quarantined"), [Finding.DENIED], {key})
    assert has_findings(denied("quarantined"), [Finding.DENIED], {(*key[:3], 1)})


def test_undetermined_records_are_a_finding_if_wished() -> None:
    replay = Replay({Verdict.UNDETERMINED: {"unresolved": 1}})
    assert has_findings(replay, [Finding.UNDETERMINED])
    assert not has_findings(replay, [Finding.DENIED, Finding.BLOCKED])
