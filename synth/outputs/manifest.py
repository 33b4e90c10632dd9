"""``.synth``: the list of files a folder was written with, so that nobody's work is overwritten."""

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import file_digest
from pathlib import Path

import synth
from synth.errors import Fault, UsageError

NAME = ".synth"
MOST_NAMED = 10
"""How many files a refusal names."""

REMEDY = "Name another folder, or move it away."


def manifest_of(folder: Path) -> bytes:
    """Return the manifest of the files in the folder: path → SHA-256."""
    files = {path: digest_of(folder / path) for path in sorted(_paths(folder))}
    text = json.dumps({"synth": synth.__version__, "files": files}, indent=2, ensure_ascii=True)
    return f"{text}\n".encode()


def refuse_foreign(folder: Path) -> None:
    """Do nothing if the folder holds only what an earlier run wrote there.

    Raises
    ------
    UsageError
        If it holds anything else, or a file has changed since.

    """
    found = set(_paths(folder))
    if not found:
        return
    known = _known(folder)
    foreign = [_foreign(folder, path, known) for path in sorted(found - {NAME})]
    faults = [fault for fault in foreign if fault]
    if NAME not in found or faults:
        more = len(faults) - MOST_NAMED
        rest = [_fault(folder, f"{more} more")] if more > 0 else []
        raise UsageError(*(faults[:MOST_NAMED] or [_fault(folder, "other files")]), *rest)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of the file in hexadecimal."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _foreign(folder: Path, path: str, known: Mapping[str, str]) -> Fault | None:
    place = folder / path
    if path not in known or place.is_symlink() or not place.is_file():
        return Fault(str(place), "only files that synth wrote", "another file", REMEDY)
    if digest_of(place) != known[path]:
        return Fault(str(place), "the file as synth wrote it", "a changed file", REMEDY)
    return None


def _fault(folder: Path, got: str) -> Fault:
    return Fault(str(folder), "an empty folder, or one that synth wrote", got, REMEDY)


def _known(folder: Path) -> Mapping[str, str]:
    """Return the files of the manifest; none if there is no manifest or it is no such thing."""
    try:
        files = json.loads((folder / NAME).read_bytes())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return files if isinstance(files, dict) else {}


def _paths(folder: Path) -> Iterator[str]:
    """Return an iterator over everything in the folder that is no folder, as relative paths."""
    for here, folders, files in os.walk(folder, onerror=_refuse):
        links = [name for name in folders if Path(here, name).is_symlink()]
        yield from (str(Path(here, name).relative_to(folder)) for name in (*files, *links))


def _refuse(error: OSError) -> None:
    raise error
