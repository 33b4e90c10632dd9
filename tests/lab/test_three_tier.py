"""Recorded again, by other ports, other timing and other packets, the example teaches the same."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from datasets.recorder.recording import missing_for_recording
from tests.judge import read_policies, read_yaml
from tests.running import ROOT, THREE_TIER, learn

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PREFIX: Final = "synthagain"
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}
SECONDS: Final = 240
"""A recording waits for a second of a minute, lasts nearly one, and writes."""
FORMATS: Final = ("conntrack", "parquet", "vpc/text", "vpc/parquet")


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new recording; skip, with the reason, where nothing can be recorded."""
    reason = missing_for_recording()
    if reason and IN_CI:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    out = tmp_path_factory.mktemp("again") / "recording"
    command = [sys.executable, "-m", "datasets.recorder", "datasets/recorder/three-tier.yaml"]
    done = subprocess.run(
        [*command, "--out", str(out), "--prefix", PREFIX],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return out


def taught(flows: Path, cluster: Path, out: Path) -> tuple[dict[str, Any], set[str]]:
    """Return name → spec of the ready policies, and the questions, each with its answer."""
    learn(out, [flows], cluster, "--accept", THREE_TIER.answers)
    specs = {
        f"{policy['metadata']['namespace']}/{policy['metadata']['name']}": policy["spec"]
        for policy in read_policies(out / "policies")
    }
    questions, _ = read_yaml(out / "quarantine.yaml")
    asked = {f"{one['concerns']} {one['kind']} {one['answer']}" for one in questions or ()}
    return specs, asked


@pytest.mark.parametrize("name", FORMATS)
def test_a_new_recording_teaches_the_same(name: str, again: Path, tmp_path: Path) -> None:
    committed = taught(
        ROOT / "datasets/three-tier/flows" / name, THREE_TIER.cluster, tmp_path / "committed"
    )
    new = taught(again / "flows" / name, again / "cluster", tmp_path / "new")
    assert new == committed
    assert committed[0]["shop/db"]["policyTypes"] == ["Ingress"]


def test_the_formats_agree_on_what_each_certifies(again: Path, tmp_path: Path) -> None:
    found = {
        name: taught(again / "flows" / name, again / "cluster", tmp_path / name.replace("/", "-"))
        for name in FORMATS
    }
    whole, _ = found["conntrack"]
    for specs, _ in found.values():
        assert specs
        for role, spec in specs.items():
            for way in spec["policyTypes"]:
                assert spec[way.lower()] == whole[role][way.lower()]
