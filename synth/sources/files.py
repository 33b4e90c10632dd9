"""The files that a user's paths, folders, globs and object-store URLs stand for; opening them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow import fs

from synth.errors import Fault, InputError

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"

_MARKERS = ("_SUCCESS", "_metadata", "_common_metadata", "_committed_*", "_started_*")
_PROSE = ("readme", "readme.*", "*.md", "*.markdown")
_REMEDY = "Give files, folders, globs or object-store URLs that hold flow logs."


def find_files(flows: Sequence[str]) -> tuple[str, ...]:
    """Return the files meant, sorted, each once, however many of the arguments name it.

    A folder stands for the files below it, without hidden files, markers of a finished job
    (``_SUCCESS``) and prose (README, markdown). A file that is named itself is always taken.

    Raises
    ------
    InputError
        If an argument stands for no file, one fault for each.

    """
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for flow in flows:
        paths = _find_remote(flow) if "://" in flow else _find_local(flow)
        for path in paths:
            found.setdefault(_identity(path), path)
        if not paths:
            faults.append(Fault(flow, "at least one log file", "none", _REMEDY))
    if not flows:
        faults.append(Fault("FLOWS", "at least one path", "none", _REMEDY))
    if faults:
        raise InputError(*faults)
    return tuple(sorted(found.values()))


def _identity(path: str) -> str:
    return path if "://" in path else os.path.realpath(path)


def _find_local(flow: str) -> list[str]:
    path = Path(flow)
    if path.is_file():
        return [os.path.normpath(flow)]
    if path.is_dir():
        return _below(flow)
    if not has_magic(flow):
        return []
    hits = sorted(glob(flow, recursive=True))  # noqa: PTH207 - Path.glob wants relative patterns
    files = [hit for hit in hits if Path(hit).is_file() and not _is_ignored(Path(hit).name)]
    if "**" not in flow:
        files += [path for hit in hits if Path(hit).is_dir() for path in _below(hit)]
    return files


def _below(folder: str) -> list[str]:
    paths: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [str(Path(parent, name)) for name in sorted(files) if not _is_ignored(name)]
    return [path for path in paths if Path(path).is_file()]


def _refuse(error: OSError) -> None:
    raise InputError(Fault(str(error.filename), "a folder that can be read", str(error.strerror)))


def _is_ignored(name: str) -> bool:
    lower = name.lower()
    return (
        name.startswith(".")
        or any(fnmatch(name, marker) for marker in _MARKERS)
        or any(fnmatch(lower, pattern) for pattern in _PROSE)
    )


def _find_remote(url: str) -> list[str]:
    """Return the URLs of the files that a URL, of a file, folder or glob, stands for."""
    with reading(url):
        scheme = url.split("://", 1)[0]
        plain = url.split("/")
        fixed = next((i for i, part in enumerate(plain) if has_magic(part)), len(plain))
        store, base = fs.FileSystem.from_uri("/".join(plain[:fixed]))
        info = store.get_file_info(base)
        if info.type == fs.FileType.File:
            return [url]
        if info.type != fs.FileType.Directory:
            return []
        pattern = "/".join([base, *plain[fixed:]])
        infos = store.get_file_info(fs.FileSelector(base, recursive=True))
        paths = [info.path for info in infos if info.type == fs.FileType.File]
        shown = [path for path in paths if _is_shown(path, base)]
        if fixed < len(plain):
            shown = [path for path in shown if fnmatch(path, pattern)]
        return [f"{scheme}://{path}" for path in sorted(shown)]


def _is_shown(path: str, base: str) -> bool:
    below = PurePosixPath(path).relative_to(base).parts
    return not _is_ignored(below[-1]) and not any(part.startswith(".") for part in below)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn whatever goes wrong while a file is opened or decoded into one ``InputError``.

    Raises
    ------
    InputError
        If the file is missing, forbidden, truncated or corrupt.

    """
    try:
        yield
    except (pa.ArrowException, OSError, EOFError, ValueError, OverflowError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        remedy = "Copy or export the file again, or leave it out."
        raise InputError(Fault(path, "a file that can be read whole", said, remedy)) from error


def open_file(path: str) -> pa.NativeFile:
    """Return the file, open for reading at any place, wherever it is stored."""
    if "://" in path:
        store, inner = fs.FileSystem.from_uri(path)
        return store.open_input_file(inner)
    return pa.OSFile(path, "rb")


def open_text(path: str) -> pa.NativeFile:
    """Return the file, open for reading from start to end, decompressed if it is compressed."""
    file = open_file(path)
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(GZIP):
        return pa.CompressedInputStream(file, "gzip")
    if magic == ZSTD:
        return pa.CompressedInputStream(file, "zstd")
    return file
