"""Files as loaded documents: JSON (also several values in a row) and YAML (several documents)."""

import codecs
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from synth.errors import Fault, InputError

SUFFIXES: Final = (".json", ".yaml", ".yml")
DEEPEST: Final = 200
"""Levels of nesting; what Kubernetes stores stays far below."""
SWELLING: Final = 10
"""How many times as many values as characters the aliases of a document may stand for."""

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLANK: Final = " \t\r\n"


class _Loader(_Base):  # type: ignore[misc] # the C loader is known only when the program runs
    """The safe loader, with times left as text, as Kubernetes has them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in some if tag != "tag:yaml.org,2002:timestamp"]
    for first, some in _Base.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class File:
    """A file to read; ``named``: the user named it, rather than a folder that holds it."""

    path: str
    named: bool


def find_files(paths: Sequence[str]) -> list[File]:
    """Return the files, each once, sorted by path; of folders those with a suffix of SUFFIXES.

    Raises
    ------
    InputError
        If a path does not exist, or a folder holds no such file.

    """
    faults, found = [], dict[str, File]()
    for path in sorted(set(paths)):
        files = [*_files_at(path)]
        if not files:
            got = _absence(Path(path))
            expected = f"a file, or a folder of {', '.join(SUFFIXES)} files"
            faults.append(Fault(path, expected, got))
        for file in files:
            real = os.path.realpath(file.path)
            if real not in found or file.named:
                found[real] = file
    if faults:
        raise InputError(*faults)
    return sorted(found.values(), key=lambda file: file.path)


def _absence(path: Path) -> str:
    if path.is_dir():
        return "a folder without any"
    return "a pipe or a device" if path.exists() else "nothing there"


def _files_at(path: str) -> Iterator[File]:
    if not Path(path).is_dir():
        if Path(path).is_file():
            yield File(path, named=True)
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield File(str(Path(folder) / name), named=False)


def load_documents(path: str) -> list[Any]:
    """Return the documents of the file in order; empty ones are left out.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, or is neither JSON nor YAML.

    """
    text = _text_of(path)
    if text.lstrip(_BLANK)[:1] in ("{", "["):
        return _load_json(path, text)
    return _load_yaml(path, text)


def _text_of(path: str) -> str:
    expected = "JSON or YAML of Kubernetes objects"
    try:
        content = Path(path).read_bytes()
        encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
        text = content.decode(encoding)
    except OSError as error:
        raise InputError(Fault(path, "a readable file", error.strerror or "an error")) from None
    except UnicodeDecodeError as error:
        got = f"bytes that are not {error.encoding} (from byte {error.start})"
        raise InputError(Fault(path, expected, got)) from None
    if not text.strip(_BLANK):
        raise InputError(Fault(path, expected, "an empty file"))
    return text


def _load_json(path: str, text: str) -> list[Any]:
    try:
        return [*_values_in_a_row(text)]
    except json.JSONDecodeError as error:
        if path.lower().endswith(SUFFIXES[1:]):
            return _load_yaml(path, text)  # a YAML document may begin with a brace too
        place = f"{path}:{error.lineno}"
        cut = error.pos >= len(text.rstrip(_BLANK)) or error.msg.startswith("Unterminated")
        remedy = "The file seems cut short; write it again." if cut else ""
        raise InputError(Fault(place, "JSON", f"{error.msg} (JSON)", remedy)) from None
    except (ValueError, RecursionError) as error:
        got = "too deep a nesting" if isinstance(error, RecursionError) else str(error)
        raise InputError(Fault(path, "JSON", got)) from None


def _values_in_a_row(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    at, length = 0, len(text)
    while True:
        while at < length and text[at] in _BLANK:
            at += 1
        if at == length:
            return
        value, at = decoder.raw_decode(text, at)
        yield value


def _load_yaml(path: str, text: str) -> list[Any]:
    try:
        _refuse_bombs(path, text)
        return [value for value in yaml.load_all(text, Loader=_Loader) if value is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}" if mark else path
        got = getattr(error, "problem", None) or "characters that YAML does not allow"
        raise InputError(Fault(place, "YAML", f"{got} (YAML)")) from None
    except ValueError as error:  # for example the date 2026-13-45 under an explicit tag
        raise InputError(Fault(path, "YAML", f"{error} (YAML)")) from None


def _refuse_bombs(path: str, text: str) -> None:
    """Refuse nesting that would exhaust the stack, and aliases that would exhaust the memory.

    Sizes are counted as if each alias were written out; an alias inside what it names is endless.
    """
    sizes: dict[str | None, int] = {}
    open_nodes: list[list[Any]] = [[None, 0]]
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.DocumentStartEvent):
            sizes.clear()
        elif isinstance(event, yaml.AliasEvent):
            inside_itself = any(event.anchor == anchor for anchor, _ in open_nodes)
            endless = SWELLING * len(text) + 1
            open_nodes[-1][1] += endless if inside_itself else sizes.get(event.anchor, 0)
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append([event.anchor, 1])
            sizes.pop(event.anchor, None)
        elif isinstance(event, yaml.ScalarEvent):
            open_nodes[-1][1] += 1
            sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, size = open_nodes.pop()
            sizes[anchor] = size
            open_nodes[-1][1] += size
        if len(open_nodes) > DEEPEST:
            raise InputError(Fault(path, f"nesting of {DEEPEST} levels at most", "a deeper one"))
    if open_nodes[0][1] > SWELLING * len(text):
        got = "aliases that swell without end"
        raise InputError(Fault(path, "aliases that can be written out", got))
