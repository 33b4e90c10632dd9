"""What an installed synth consists of, and what starting it costs."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import synth

ROOT = Path(__file__).resolve().parent.parent
HEAVY = {"numpy", "pandas", "pyarrow", "scipy", "sklearn"}


def project() -> dict[str, Any]:
    """Return the ``project`` table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def test_version_is_the_same_everywhere() -> None:
    assert synth.__version__ == project()["version"] == metadata.version("synth")


def test_requirements_pin_every_dependency_by_hash() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith((" ", "#"))]
    names = {pin.partition("==")[0] for pin in pins}
    wanted = project()["dependencies"] + project()["optional-dependencies"]["test"]
    assert names >= {wish.partition(">=")[0].lower() for wish in wanted} | {"setuptools", "wheel"}
    assert all("==" in pin for pin in pins)
    assert sum("--hash=sha256:" in line for line in lines) >= len(pins)


def test_requirements_name_no_address() -> None:
    text = (ROOT / "requirements.txt").read_text()
    assert "http" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("module", ["synth", "synth.errors", "synth.ledger", "synth.policy"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.slow
def test_wheel_holds_every_module_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "source"
    without_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "synth", source / "synth", ignore=without_caches)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    modules = [path for path in (source / "synth").rglob("*") if path.is_file()]
    expected = {path.relative_to(source).as_posix() for path in modules}
    build = ["-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", str(source)]
    subprocess.run([sys.executable, *build, "--wheel-dir", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert inside == expected
