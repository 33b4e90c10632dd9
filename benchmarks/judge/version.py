"""The version of everything that a case's figures depend on."""

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
CODE: Final = ("synth", "datasets/generator", "benchmarks/judge", "tests/reference.py")
ASIDE: Final = frozenset(
    f"benchmarks/judge/{name}"
    for name in (
        *("__main__.py", "bounds.json", "bounds.py", "matrix.py", "report.py"),
        *("results.py", "run.py", "statistics.py", "summary.py", "tables.py"),
    )
)
"""What only chooses, runs and prints cases."""
LIBRARIES: Final = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy")


@cache
def code_version(root: Path = ROOT) -> str:
    """Return a hash of the sources, of Python's version and of the libraries'."""
    found = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for name in LIBRARIES:
        found.update(f"{name} {version(name)}\n".encode())
    for path in sorted(_sources(root)):
        found.update(f"{path.relative_to(root)}\n".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources(root: Path) -> Iterator[Path]:
    for name in CODE:
        place = root / name
        for path in (place,) if place.is_file() else place.rglob("*"):
            inside = path.relative_to(root).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and inside not in ASIDE:
                yield path
