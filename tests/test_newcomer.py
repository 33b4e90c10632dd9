"""What somebody meets who has just cloned the repository: no environment, an empty home."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.running import ROOT

pytestmark = pytest.mark.slow

SECONDS = 900
KEPT = ("PATH", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY")
"""What a machine needs to reach a package index; nothing else of the environment is kept."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what is tracked, and of what would be: work in progress counts."""
    folder = tmp_path_factory.mktemp("newcomer") / "synth"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    assert not (folder / ".venv").exists()
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the environment of a fresh account; the repository's own programs are not found."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    paths = [one for one in kept["PATH"].split(":") if not Path(one).is_relative_to(ROOT)]
    configured = Path.home() / ".config/pip/pip.conf"
    index = {"PIP_CONFIG_FILE": str(configured)} if configured.exists() else {}
    return kept | index | {"PATH": ":".join(paths), "HOME": str(home), "LANG": "C.UTF-8"}


def make(
    clone: Path, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=dict(environment),
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_make_says_what_it_would_run(clone: Path, environment: Mapping[str, str]) -> None:
    told = make(clone, environment, "-n", "learn")
    assert told.returncode == 0, told.stderr
    lines = [line for line in told.stdout.splitlines() if line.startswith("synth learn ")]
    data = "datasets/three-tier"
    answers = f"--accept {data}/answers.yaml"
    wanted = f"synth learn {data}/flows/conntrack --cluster {data}/cluster {answers}"
    assert lines == [f"{wanted} --out build/three-tier"]
    assert not (clone / ".venv").exists()


def test_make_alone_lists_its_targets(clone: Path, environment: Mapping[str, str]) -> None:
    told = make(clone, environment)
    assert told.returncode == 0, told.stderr
    assert {"make learn", "make test"} <= {line[:10].rstrip() for line in told.stdout.splitlines()}


def test_make_learn_learns(clone: Path, environment: Mapping[str, str], tmp_path: Path) -> None:
    told = make(clone, environment, "learn")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "synth learn: 7 policies ready, 0 open questions" in told.stdout
    assert "shop/db       accepts shop/api on TCP 3306" in told.stdout
    assert "Answer: refuse. [ac1d594cf34b]" in told.stdout
    assert "Traceback" not in told.stderr
    policies = clone / "build/three-tier/policies"
    found = {str(path.relative_to(policies)) for path in policies.rglob("*.yaml")}
    roles = ("admin", "api", "cache", "db", "report", "web", "worker")
    assert found == {f"shop/{role}.yaml" for role in roles} | {"kustomization.yaml"}
    linked = [path for path in (clone / ".venv").rglob("*") if str(ROOT) in str(path.resolve())]
    assert linked == []
    sets_nothing_up_again(clone, environment)
    answers_from_any_folder(clone, environment, tmp_path)


def sets_nothing_up_again(clone: Path, environment: Mapping[str, str]) -> None:
    told = make(clone, environment, "learn")
    assert told.returncode == 0, told.stderr
    assert "pip" not in told.stdout


def answers_from_any_folder(clone: Path, environment: Mapping[str, str], folder: Path) -> None:
    told = subprocess.run(
        [clone / ".venv/bin/synth", "--version"],
        cwd=folder,
        env=dict(environment),
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.startswith("synth ")
