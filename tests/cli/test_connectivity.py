import csv
import io
import json

import pytest

from synth.cli.main import run
from tests.cli.conftest import Asked

pytestmark = pytest.mark.usefixtures("folder")


def connectivity(*more: str) -> int:
    return run(["connectivity", "--cluster", "c", *more])


def test_it_asks_what_the_flags_say(asked: Asked) -> None:
    code = connectivity(
        *("--cluster", "c2", "--policies", "p", "--policies", "p2", "--level", "pod", "--nodes"),
        *("--pod-cidr", "10.244.0.0/16", "--service-cidr", "10.96.0.0/12"),
        *("--node-cidr", "fd00::/64", "--from", "shop", "--from", "203.0.113.7"),
        *("--to", "shop/db"),
    )
    assert code == 0
    (request,) = asked
    assert request.cluster == ("c", "c2")
    assert request.policies == ("p", "p2")
    assert request.ranges.pods == ("10.244.0.0/16",)
    assert request.ranges.services == ("10.96.0.0/12",)
    assert request.ranges.nodes == ("fd00::/64",)
    assert request.sources == ("shop", "203.0.113.7")
    assert request.destinations == ("shop/db",)
    assert (request.pods, request.nodes) == (True, True)


def test_without_flags_it_asks_for_everything(asked: Asked) -> None:
    assert connectivity() == 0
    (request,) = asked
    assert (request.policies, request.sources, request.destinations) == ((), (), ())
    assert (request.pods, request.nodes) == (False, False)


@pytest.mark.usefixtures("asked")
def test_formats(capsys: pytest.CaptureFixture[str]) -> None:
    connectivity("--quiet")
    assert capsys.readouterr().out.startswith("synth connectivity: ")
    connectivity("--quiet", "--format", "markdown")
    assert capsys.readouterr().out.startswith("## synth connectivity: ")
    connectivity("--quiet", "--format", "json")
    values = json.loads(capsys.readouterr().out)
    assert values["synth"] == "0.1.0"
    connectivity("--quiet", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows == values["connections"]


@pytest.mark.usefixtures("asked")
def test_csv_is_a_format_of_no_other_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["describe", "a", "--format", "csv"]) == 2
    assert "csv" in capsys.readouterr().err


@pytest.mark.usefixtures("asked")
def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    connectivity()
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "synth: warning: cilium.io CiliumNetworkPolicy shop/l7: not evaluated"
    connectivity("--quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("asked")
def test_ranges_must_be_cidrs(capsys: pytest.CaptureFixture[str]) -> None:
    assert connectivity("--pod-cidr", "nonsense") == 2
    assert capsys.readouterr().err.startswith("synth: --pod-cidr: expected a range")
