"""Which format each file is of, told by what it holds and not by its name; the units to read."""

from collections.abc import Iterable, Sequence

from synth.errors import Fault, InputError
from synth.sources import SOURCES, load
from synth.sources.blocks import BOM
from synth.sources.files import PARQUET, open_file, open_text, reading
from synth.sources.interface import Head, Unit
from synth.sources.names import shown
from synth.sources.parquet import read_outline

HEAD_BYTES = 64 << 10
_PRINTABLE = range(32, 127)
_SHOWN = 60


def sniff(path: str) -> Head:
    """Return the beginning of the file.

    Raises
    ------
    InputError
        If the file cannot be read, or is empty.

    """
    with reading(path), open_file(path) as file:
        size, magic = file.size(), file.read(4)
    if not size:
        raise InputError(Fault(path, "flow logs", "an empty file", "Leave the file out."))
    if magic == PARQUET:
        return Head(path, columns=read_outline(path).columns)
    with reading(path), open_text(path) as stream:
        text = bytes(stream.read(HEAD_BYTES)).removeprefix(BOM)
    if not text:
        raise InputError(Fault(path, "flow logs", "a compressed empty file", "Leave it out."))
    return Head(path, text)


def choose(path: str, source: str | None = None, fields: Sequence[str] = ()) -> str:
    """Return the name of the file's source.

    ``source`` insists on a source, or on a family of them (``vpc``); ``fields``, the layout of
    logs without a header, stands for VPC flow logs in text of no other format.

    Raises
    ------
    InputError
        If the file is of no known format, or cannot be of the one insisted on.

    """
    return _choose(sniff(path), source, fields)


def units(
    paths: Iterable[str], source: str | None = None, fields: Sequence[str] = ()
) -> tuple[Unit, ...]:
    """Return what to read, in the order of the paths: each row group, and each text file.

    Raises
    ------
    InputError
        If a file is of no known format; one fault for each such file.

    """
    found: list[Unit] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            found += _units(sniff(path), source, tuple(fields))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    return tuple(found)


def _units(head: Head, source: str | None, fields: tuple[str, ...]) -> list[Unit]:
    name = _choose(head, source, fields)
    if head.columns is None:
        return [Unit(head.path, name, None, fields)]
    groups = range(len(read_outline(head.path).rows))
    return [Unit(head.path, name, group) for group in groups]


def _choose(head: Head, source: str | None, fields: Sequence[str]) -> str:
    if source is not None:
        return _insisted(head, source)
    for name in SOURCES:
        if load(name).recognises(head):
            return name
    if fields and head.columns is None and _is_text(head.text):
        return "vpc-text"
    raise InputError(Fault(head.path, f"one of {_formats()}", seen(head), _remedy(head)))


def _insisted(head: Head, source: str) -> str:
    family = [name for name in SOURCES if name == source or name.startswith(f"{source}-")]
    if not family:
        got, want = repr(source), f"a source: {', '.join(SOURCES)}"
        raise InputError(Fault("--source", want, got))
    fitting = [name for name in family if (head.columns is not None) == load(name).PARQUET]
    if not fitting:
        raise InputError(Fault(head.path, load(family[0]).DESCRIPTION, seen(head)))
    return fitting[0]


def _formats() -> str:
    return "; ".join(f"{name} ({load(name).DESCRIPTION})" for name in SOURCES)


def _remedy(head: Head) -> str:
    if head.columns is not None:
        return "Name the format with --source to learn which columns it lacks."
    return "Name the format with --source, and --fields if it has no header."


def _is_text(text: bytes) -> bool:
    return b"\0" not in text


def seen(head: Head) -> str:
    """Return what the file begins with, for a message."""
    if head.columns is not None:
        return f"Parquet with the columns {shown(head.columns)}"
    text = head.text
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text in UTF-16 (convert it to UTF-8)"
    if not _is_text(text):
        return f"binary data ({text[:8].hex(' ')})"
    start = text.lstrip()
    if start.startswith((b"<?xml", b"<flow", b"<conntrack")):
        return "XML"
    if start.startswith((b"{", b"[{")):
        return "JSON"
    line = next(iter(start.splitlines()), b"")[:_SHOWN]
    clean = "".join(chr(byte) if byte in _PRINTABLE else "." for byte in line)
    return f"text that begins with {clean!r}" if clean else "no text but white space"
