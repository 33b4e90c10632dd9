"""The documentation tells the truth: generated pages are current, links and commands exist."""

import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *ROOT.glob("datasets/*/*.md")])


def load_generator() -> ModuleType:
    spec = spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["cni.md", "commands.md", "screening.md"])
def test_generated_pages_are_current(name: str) -> None:
    expected = load_generator().pages()[name]
    assert (ROOT / "docs" / name).read_text() == expected, "run: make docs"


def test_every_command_is_documented() -> None:
    from synth.cli.main import app

    commands = [command.callback for command in app.registered_commands]
    names = {command.__name__ for command in commands if command is not None}
    assert names == set(load_generator().COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link]
    missing = [link for link in local if not (page.parent / link).exists()]
    assert missing == []


def test_the_readme_shows_the_policy_of_db(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [
        *(sys.executable, "-m", "synth", "learn"),
        *("datasets/three-tier/flows/conntrack", "--cluster", "datasets/three-tier/cluster"),
        *("--accept", "datasets/three-tier/answers.yaml", "--out", str(out), "--quiet"),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    shown = re.search(r"```yaml\n(spec:.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert shown is not None
    assert shown.group(1) in (out / "policies" / "shop" / "db.yaml").read_text()


def test_the_readme_names_the_two_commands() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    text = (ROOT / "README.md").read_text()
    assert {"learn", "test"} <= set(targets)
    assert text.index("make learn") < text.index("make test")
