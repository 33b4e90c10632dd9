"""AWS VPC flow logs as text, from S3 (with a header) or CloudWatch (the layout must be given).

Lines of CloudWatch export tasks begin with the time of the export, which is left out. Files
joined together may hold several headers; each holds until the next.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from synth.errors import Fault, InputError
from synth.flows import FlowBatch
from synth.sources import sieve as fate
from synth.sources.blocks import BOM, read_blocks
from synth.sources.interface import Head, Unit
from synth.sources.raw import Raw
from synth.sources.sieve import Sieve
from synth.sources.text import refuse_unreadable, spans
from synth.sources.tokens import Words, key_of, split
from synth.sources.vpc_record import WANTED, found_in, interpret, is_layout, map_fields

__all__ = ["DESCRIPTION", "NAME", "PARQUET", "WANTED", "found", "read", "recognises"]

NAME = "vpc-text"
DESCRIPTION = "AWS VPC flow logs, text with a header line (or --fields)"
PARQUET = False

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FIRST = tuple(
    name
    for name in [
        "version",
        "account-id",
        "interface-id",
        "srcaddr",
        "dstaddr",
        "srcport",
        "dstport",
        "protocol",
        "packets",
        "bytes",
        "start",
        "end",
        "action",
        "log-status",
        "vpc-id",
        "subnet-id",
        "instance-id",
        "tcp-flags",
        "type",
        "pkt-srcaddr",
        "pkt-dstaddr",
        "region",
        "az-id",
        "sublocation-type",
        "sublocation-id",
        "pkt-src-aws-service",
        "pkt-dst-aws-service",
        "flow-direction",
        "traffic-path",
        "reject-reason",
        "resource-id",
        "encryption-status",
        "instance-tag",
        "interface-tag",
        "asg-tag",
        "interface-type",
        "next-hop-interface-id",
        "ecs-cluster-arn",
        "resource-type",
    ]
)
"""Names that a header may begin with."""
_STAMP = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:?\d\d)")
_REMEDY = "Name the layout with --fields, in the order of the flow log's configuration."

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def recognises(head: Head) -> bool:
    """Return whether the first line is the header of a VPC flow log."""
    return head.columns is None and bool(_header(_first_line(head)))


def found(head: Head, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the header, or the given layout, holds."""
    return found_in(_header(_first_line(head)) or fields)


def read(unit: Unit) -> Iterator[FlowBatch]:
    """Yield the records of the file.

    Raises
    ------
    InputError
        If the file is corrupt, has neither header nor given layout, or no line is readable.

    """
    return refuse_unreadable(unit.path, _batches(unit))


def _batches(unit: Unit) -> Iterator[FlowBatch]:
    layout = unit.fields
    if layout:
        map_fields(unit.path, layout)
    for block in read_blocks(unit.path):
        words = split(block)
        start = 0
        for line in [*_header_lines(words), words.lines]:
            for raw in _raws(unit, words, layout, start, line):
                yield interpret(raw)
            if line < words.lines:
                layout = _header(words.text(line))
            start = line + 1


def _first_line(head: Head) -> str:
    lines = head.text.removeprefix(BOM).lstrip().split(b"\n", 1)
    return lines[0].decode(errors="replace")


def _header(line: str) -> tuple[str, ...]:
    """Return the names in the line, or none if it is not a header."""
    names = line.split()
    if names and _STAMP.fullmatch(names[0].encode()):
        names = names[1:]
    is_header = all(map(_NAME.fullmatch, names)) and is_layout(names)
    return tuple(names) if is_header else ()


_FIRST_KEYS = np.array(
    sorted(
        {int(key_of(form.encode())) for name in _FIRST for form in (name, name.replace("-", "_"))}
    ),
    np.uint64,
)


def _header_lines(words: Words) -> list[int]:
    """Return the lines that are headers; only lines that begin like one are looked at."""
    lines = np.flatnonzero(~words.empty & ~words.too_long)
    keys = words.keys(words.first[lines], lines)
    likely = lines[np.isin(keys, _FIRST_KEYS)]
    if words.line == 1 and len(lines) and lines[0] not in likely:
        likely = np.concatenate([lines[:1], likely])
    return [int(line) for line in likely if _header(words.text(int(line)))]


def _raws(unit: Unit, words: Words, layout: Sequence[str], start: int, stop: int) -> Iterator[Raw]:
    for first, last in spans(start, stop):
        lines = first + np.flatnonzero(~words.empty[first:last])
        if not len(lines):
            continue
        if not layout:
            got = f"the record {words.text(int(lines[0]))[:80]!r}"
            place = f"{unit.path}:{words.line + int(lines[0])}"
            raise InputError(Fault(place, "a header of VPC flow logs", got, _REMEDY))
        yield _raw(unit, words, layout, lines)


def _raw(unit: Unit, words: Words, layout: Sequence[str], lines: Ints) -> Raw:
    fields = map_fields(unit.path, layout)
    places = {name: at for at, name in enumerate(layout)}
    stamped = _stamped(words, lines, len(layout))
    whole = (words.counts[lines] == len(layout) + stamped) & ~words.too_long[lines]
    sieve = Sieve(len(lines))
    sieve.drop(f"{fate.MALFORMED}line too long", words.too_long[lines])
    sieve.drop(f"{fate.MALFORMED}not {len(layout)} fields", ~whole)
    begins = words.first[lines] + stamped
    columns = {
        field: words.take(np.where(whole, begins + places[name], -1))
        for field, name in fields.items()
    }
    return Raw(
        unit.path,
        unit.source,
        words.line + lines,
        columns,
        sieve,
        lambda row: words.text(int(lines[row])),
    )


def _stamped(words: Words, lines: Ints, fields: int) -> Bools:
    """bool[n], whether the line has one word more than fields, and begins with a time."""
    stamped = words.counts[lines] == fields + 1
    if stamped.any():
        at = np.flatnonzero(stamped)
        stamps = words.take(words.first[lines[at]])
        is_stamp = [bool(_STAMP.fullmatch(stamp)) for stamp in stamps.dictionary.to_pylist()]
        stamped[at] = np.array(is_stamp)[np.asarray(stamps.indices)]
    return np.asarray(stamped)
