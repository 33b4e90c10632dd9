"""Whole runs as folders that a person can read: ``flows`` and ``cluster`` in, ``expected`` out.

``pytest --golden-update tests/golden`` rewrites ``expected``; read the difference before you
keep it. The case ``three-tier`` has no inputs of its own: it is the bundled data set, with its
answers, as ``make learn`` learns it.
"""

import shutil
from pathlib import Path

import pytest

from tests.running import CASES, Case, below, learn, read_tree, run_here

HERE = Path(__file__).resolve().parent
REPORT = "report.txt"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(
    case: Case, *, golden_update: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(case.flows, tmp_path / "flows")
    shutil.copytree(case.cluster, tmp_path / "cluster")
    monkeypatch.chdir(tmp_path)
    answers = []
    if case.answers:
        shutil.copy(case.answers, tmp_path / "answers.yaml")
        answers = ["--accept", "answers.yaml"]
    ended = run_here("learn", "flows", "--cluster", "cluster", *answers, "--out", "learned")
    assert ended.code == 0, ended.err
    tree = read_tree(Path("learned"))
    found = below(tree, "policies") | below(tree, "pending") | {REPORT: ended.out.encode()}
    expected = HERE / case.name / "expected"
    if golden_update:
        rewrite(expected, found)
    kept = read_tree(expected)
    assert {path: content.decode() for path, content in found.items()} == {
        path: content.decode() for path, content in kept.items()
    }


def rewrite(folder: Path, files: dict[str, bytes]) -> None:
    """Let the folder hold these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_expected_policies_are_what_their_lists_name(case: Case) -> None:
    policies = HERE / case.name / "expected/policies"
    files = {str(path.relative_to(policies)) for path in policies.glob("*/*.yaml")}
    listed = (policies / "kustomization.yaml").read_text().split("resources:", 1)[1]
    assert {
        line.removeprefix("- ") for line in listed.split("\n") if line.startswith("- ")
    } == files


def test_every_case_is_run() -> None:
    folders = {path.name for path in HERE.iterdir() if (path / "expected").is_dir()}
    assert folders == {case.name for case in CASES}


def test_learning_does_not_depend_on_the_folder_it_runs_in(tmp_path: Path) -> None:
    case = CASES[5]
    tree = learn(tmp_path / "elsewhere", [case.flows], case.cluster)
    assert below(tree, "policies") == below(read_tree(HERE / case.name / "expected"), "policies")
