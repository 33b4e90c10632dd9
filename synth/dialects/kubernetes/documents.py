"""Files and folders → plain values: YAML and JSON, several documents a file, within limits."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synth.dialects.kubernetes.nodes import Faults
from synth.dialects.kubernetes.scalars import UnclearNumber, integer
from synth.dialects.kubernetes.yaml_values import YamlError, yaml_documents
from synth.errors import Fault

SUFFIXES = frozenset({".json", ".yaml", ".yml"})
LARGEST_FILE = 64 * 2**20

_SPACE = re.compile(r"[ \t\n\r]*")
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def manifest_files(paths: Sequence[Path], faults: Faults) -> list[Path]:
    """Return the files named, and the YAML and JSON files of the folders, sorted, each once."""
    named = (file for path in sorted(paths, key=str) for file in _files_at(path, faults))
    found: dict[Path, Path] = {}
    for file in sorted(named, key=str):
        found.setdefault(file.resolve(), file)
    return list(found.values())


def _files_at(path: Path, faults: Faults) -> Iterable[Path]:
    try:
        path.stat()
    except (OSError, ValueError) as error:
        got = getattr(error, "strerror", None) or str(error)
        faults.add(Fault(str(path), "a file or a folder", got))
        return ()
    return _files_below(path, faults) if path.is_dir() else (path,)


def _files_below(folder: Path, faults: Faults) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        faults.add(Fault(str(error.filename), "a readable folder", str(error.strerror)))

    for here, _, names in os.walk(folder, onerror=refuse):
        files = (Path(here, name) for name in names)
        yield from (file for file in files if file.suffix.lower() in SUFFIXES and file.is_file())


def read_documents(file: Path, faults: Faults) -> list[object]:
    """Return the documents of the file; none, and a fault, if it cannot be read."""
    text = _text(file, faults)
    if text is None:
        return []
    if text.lstrip().startswith("{"):
        try:
            return list(_json_documents(text))
        except _NotJsonError as error:
            if error.final or file.suffix.lower() == ".json":
                faults.add(Fault(f"{file}:{error.line}", "JSON", str(error)))
                return []
    try:
        return list(yaml_documents(text))
    except YamlError as error:
        faults.add(Fault(f"{file}:{error.line}", error.expected, error.got, error.remedy))
        return []


def _text(file: Path, faults: Faults) -> str | None:
    """Return the text of the file; None, and a fault, if there is none."""
    try:
        if file.exists() and not file.is_file() and not file.is_dir():
            remedy = "Write it to a file first."
            faults.add(Fault(str(file), "a readable file", "a pipe or a device", remedy))
            return None
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        faults.add(Fault(str(file), "a readable file", str(error.strerror)))
        return None
    if len(raw) > LARGEST_FILE:
        expected = f"a file of at most {LARGEST_FILE} bytes"
        faults.add(Fault(str(file), expected, "a larger one", "Split it, or name it not."))
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        got = "UTF-16" if raw.startswith(_UTF16) else f"byte {raw[error.start]:#04x}"
        line = raw.count(b"\n", 0, error.start) + 1
        faults.add(Fault(f"{file}:{line}", "UTF-8 text", got, "Save the file as UTF-8."))
        return None


class _NotJsonError(Exception):
    """The text is not JSON; ``final``: nor would reading it as YAML help."""

    def __init__(self, problem: str, line: int = 1, *, final: bool = True) -> None:
        super().__init__(problem)
        self.line, self.final = line, final


def _json_documents(text: str) -> Iterator[object]:
    """Return an iterator over the JSON values that stand one after another in the text."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_without_duplicates,
        parse_constant=_refuse_constant,
        parse_float=UnclearNumber,
        parse_int=integer,
    )
    start = _after_space(text, 0)
    while start < len(text):
        try:
            value, start = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise _NotJsonError(error.msg, error.lineno, final=False) from None
        except RecursionError:
            raise _NotJsonError("deeper nesting than can be read") from None
        yield value
        start = _after_space(text, start)


def _after_space(text: str, start: int) -> int:
    found = _SPACE.match(text, start)
    return found.end() if found else start


def _without_duplicates(pairs: Iterable[tuple[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in pairs:
        if key in values:
            raise _NotJsonError(f"the key {key[:80]!r} twice in an object")
        values[key] = value
    return values


def _refuse_constant(text: str) -> object:
    raise _NotJsonError(f"{text}, which JSON does not know")
