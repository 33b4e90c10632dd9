"""``synth explain`` as it is typed: one question at a time."""

import json
from pathlib import Path

import pytest

from synth.cli.explain_words import port_of, row_of, rule_of
from synth.cli.main import run
from synth.errors import UsageError
from tests.commands.test_explain_denied import drop

ROOT = Path(__file__).parent.parent.parent
SMALL = ROOT / "tests" / "golden" / "client-to-db"
CLUSTER = ["--cluster", str(SMALL / "cluster")]
FLOWS = str(SMALL / "flows")
FLOW = ["--from", "web", "--to", "db", "--port", "3306"]
ROW = ["--row", "node1.events.txt:10"]
RULE = ["--rule", "shop/db:ingress[0]"]


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "drops.json"
    path.write_text(drop("10.244.1.11", "10.244.2.30", 3306) + "\n")
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Got no question instead."),
        ([*FLOW, *ROW], "Got --from and --row instead."),
        ([*ROW, *RULE], "Got --row and --rule instead."),
        ([*RULE, "--denied", "x"], "Got --rule and --denied instead."),
        (["--to", "db", *ROW], "Got --from and --row instead."),
        (["--from", "web", "--port", "80"], "Got no --to instead."),
        (["--from", "web", "--to", "db"], "Got no --port instead."),
        (["--to", "db", "--port", "80"], "Got no --from instead."),
        ([FLOWS, *FLOW], "Got FLOWS ("),
        ([*FLOW, "--learned", "x"], "--learned: expected --rule. Got --from instead."),
        (["--row", "a.log"], "FILE:N"),
        (["--row", "a.log:0"], "FILE:N"),
        (["--row", "a.log:x"], "FILE:N"),
        (["--row", "nowhere.log:1", *CLUSTER], "no file"),
        (["--rule", "db"], "shop/db:ingress[0]"),
        ([*RULE, *CLUSTER], "--learned"),
        (["--denied", "nowhere.json", *CLUSTER], "nowhere.json"),
        ([*ROW, FLOWS], "--cluster"),
        (["--row", "", *CLUSTER], "FILE:N"),
    ],
)
def test_wrong_usage_is_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith("synth: ")
    assert told in line


@pytest.mark.parametrize("shape", ["text", "json", "markdown"])
@pytest.mark.parametrize("question", ["flow", "row", "rule", "denied"])
def test_every_question_in_every_form(
    question: str, shape: str, log: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "db.yaml").write_text(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: db, namespace: shop}\n"
        "spec: {podSelector: {matchLabels: {role: db}}, ingress: [{from: [{podSelector:"
        " {matchLabels: {role: api}}}]}]}\n"
    )
    asked = {
        "flow": FLOW,
        "row": [FLOWS, *ROW],
        "rule": [FLOWS, *RULE],
        "denied": ["--denied", log],
    }
    rest = [*CLUSTER, "--policies", str(policies), "--format", shape, "--quiet"]
    assert run(["explain", *asked[question], *rest]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    if shape == "json":
        values = json.loads(captured.out)
        assert (values["synth"], values["schema"]) == ("0.1.0", 1)
    elif shape == "markdown":
        assert captured.out.startswith("## ")
    else:
        lines = captured.out.splitlines()
        assert all(len(line) <= 80 for line in lines if str(tmp_path) not in line)


def test_words() -> None:
    assert row_of("a:b/c.log:7") == ("a:b/c.log", 7)
    assert row_of("s3://bucket/c.parquet:7") == ("s3://bucket/c.parquet", 7)
    assert str(rule_of(" Shop/db:EGRESS[12] ")) == "Shop/db egress[12]"
    assert port_of("80")[1] == 80
    for text in ("a/b:ingress[-1]", "a/b:ingress[x]", "a/b/c:ingress[0]"):
        with pytest.raises(UsageError):
            rule_of(text)
