"""``synth replay --choose`` and ``--compare``, from the command line to the page."""

import json
from pathlib import Path

import pytest

from synth.cli.choices import chosen_of, compared_of
from synth.cli.main import run
from synth.errors import UsageError
from synth.evaluator.options import CHOICES
from tests.cli.conftest import Asked, replay

DATA = Path(__file__).parents[2] / "datasets/three-tier"
BLOCKS = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {role: db}}
  ingress: [{from: [{ipBlock: {cidr: "::ffff:10.0.0.0/104"}}]}]
"""


def test_the_request_carries_the_choices(asked: Asked) -> None:
    assert replay("--choose", "dnat=before", "--choose", "hairpin=police", "--compare", "dnat") == 0
    assert asked[0].choices == (("dnat", "before"), ("hairpin", "police"))
    assert asked[0].compare == ("dnat",)


def test_all_is_every_choice_once() -> None:
    every = tuple(choice.name for choice in CHOICES)
    assert compared_of(["all", "dnat"]) == every
    assert compared_of(["dnat", "hairpin", "dnat"]) == ("hairpin", "dnat")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (
            ["--choose", "dnat=never"],
            "synth: --choose: expected dnat=after|before. Got 'dnat=never'",
        ),
        (["--choose", "dnat"], "synth: --choose: expected dnat=after|before. Got 'dnat' instead."),
        (
            ["--choose", "nat=after"],
            "synth: --choose: expected NAME=VALUE with one of ip-block-pods",
        ),
        (["--compare", "nat"], "synth: --compare: expected one of ip-block-pods,"),
        (
            ["--choose", "dnat=after", "--choose", "dnat=before"],
            "synth: --choose: expected each choice once. Got dnat=after and dnat=before instead.",
        ),
    ],
)
def test_what_does_not_exist_is_one_line(
    flags: list[str], expected: str, asked: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(*flags) == 2
    said = capsys.readouterr()
    assert said.err.startswith(expected)
    assert said.err.count("\n") == 1
    assert not asked
    assert not said.out


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        chosen_of(["a=b", "dnat=c"])
    assert len(caught.value.faults) == 2


def _replay(policies: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    flows, cluster = str(DATA / "flows/parquet"), str(DATA / "cluster")
    given = ["--cluster", cluster, "--policies", str(policies), "--quiet", "--threads", "1"]
    run(["replay", flows, *given, *flags])
    return capsys.readouterr().out


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(BLOCKS)
    return path


def test_edges_that_depend_on_a_choice(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(_replay(policies, capsys, "--compare", "all", "--format", "json"))
    by_name = {one["choice"]: one for one in found["choices"]}
    assert list(by_name) == [choice.name for choice in CHOICES]
    pods = by_name["ip-block-pods"]
    assert pods["chosen"] == "yes"
    assert pods["edges"]
    assert pods["records"] == sum(edge["records"] for edge in pods["edges"])
    assert {edge["destination"] for edge in pods["edges"]} == {"shop/db"}
    for edge in pods["edges"]:
        assert edge["verdicts"] == {"yes": "allowed", "no": "denied"}
    assert pods["values"]["yes"]["allowed"] == found["allowed"]
    assert pods["values"]["no"]["denied"] == found["denied"] + pods["records"]
    assert {one["destination"] for one in by_name["ipv4-mapped"]["edges"]} == {"shop/db"}
    assert not by_name["dnat"]["edges"]


def test_a_choice_changes_the_verdicts(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = json.loads(_replay(policies, capsys, "--format", "json"))
    chosen = json.loads(
        _replay(policies, capsys, "--choose", "ip-block-pods=no", "--format", "json")
    )
    assert chosen["denied"] > usual["denied"]
    assert (usual["options"]["ip-block-pods"], usual["choices"]) == ("yes", [])
    assert chosen["options"]["ip-block-pods"] == "no"


@pytest.mark.parametrize("shape", ["text", "markdown"])
def test_people_see_both_verdicts(
    shape: str, policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--compare", "ip-block-pods", "--choose", "hairpin=police", "--format", shape]
    text = " ".join(_replay(policies, capsys, *flags).split())
    assert "hairpin=police: rules must admit it on both sides" in text
    assert "ip-block-pods: the verdict of" in text
    assert "depends on it (it is yes)." in text
    assert "shop/api → shop/db" in text
    none = " ".join(_replay(policies, capsys, "--compare", "hairpin", "--format", shape).split())
    assert "hairpin: no verdict depends on it (it is allow)." in none
