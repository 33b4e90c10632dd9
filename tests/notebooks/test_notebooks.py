"""Every notebook, run from its first to its last cell by a kernel of this environment."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KERNEL = "under-test"
Cell = dict[str, Any]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem),
]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return one in which the only kernel is this interpreter, and every folder a fresh one."""
    spec = tmp_path / "data" / "kernels" / KERNEL / "kernel.json"
    spec.parent.mkdir(parents=True)
    start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": start, "display_name": KERNEL, "language": "python"}))
    homes = {
        "HOME": "home",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "TMPDIR": "scratch",
    }
    for folder in homes.values():
        (tmp_path / folder).mkdir(exist_ok=True)
    return {**os.environ, **{name: str(tmp_path / folder) for name, folder in homes.items()}}


def codes(text: str) -> list[Cell]:
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def asserts(tree: ast.AST) -> list[ast.stmt]:
    return [one for one in ast.walk(tree) if isinstance(one, ast.Assert)]


@pytest.mark.parametrize("folder", [".", "notebooks"])
def test_every_cell_runs(path: Path, folder: str, environment: dict[str, str]) -> None:
    script = Path(__file__).with_name("execute.py")
    command: list[str | Path] = [sys.executable, script, path, ROOT / folder, KERNEL]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = codes(done.stdout)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    said = [out for cell in cells for out in cell["outputs"]]
    assert not [out for out in said if out["output_type"] == "error" or out.get("name") == "stderr"]
    # Asserts are statements of their cells (see below): where they are compiled in, all ran.
    assert "".join(said[-1]["text"]).split() == [sys.executable, "True"]


def test_what_it_says_is_asserted(path: Path) -> None:
    trees = [ast.parse("".join(cell["source"])) for cell in codes(path.read_text())]
    assert any(asserts(tree) for tree in trees)
    for tree in trees:
        assert all(one in tree.body for one in asserts(tree))


def test_it_holds_no_outputs(path: Path) -> None:
    text = path.read_text()
    nbformat.validate(json.loads(text))
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in codes(text))
