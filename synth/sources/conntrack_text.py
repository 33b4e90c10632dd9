"""conntrack as text: events, tables, ``/proc/net/nf_conntrack`` and conntrackd.

A line, of words in this order (those in brackets may be missing)::

    [[time]] [[EVENT]] [l3name l3num] l4name l4num [timeout] [STATE]
    src= dst= sport= dport= [packets= bytes=] [[UNREPLIED]]
    src= dst= sport= dport= [packets= bytes=] [[ASSURED]]  … [id=] …

The second ``src=`` begins the reply tuple. Times of tables (``[start=Mon Nov …]``) are in a time
zone that the file does not tell, and are not read.
"""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synth.flows import TIME, FlowBatch
from synth.sources import sieve as fate
from synth.sources.blocks import read_blocks
from synth.sources.conntrack_record import WANTED, interpret
from synth.sources.interface import Head, Unit
from synth.sources.layout import Layout, lay_out
from synth.sources.pickup import Pickups
from synth.sources.raw import Raw
from synth.sources.sieve import Sieve
from synth.sources.stamps import read_stamps
from synth.sources.text import refuse_unreadable, spans
from synth.sources.tokens import Words, keys_of, split

__all__ = ["DESCRIPTION", "NAME", "PARQUET", "WANTED", "found", "read", "recognises"]

NAME = "conntrack-text"
DESCRIPTION = "Linux conntrack events or tables, text"
PARQUET = False

Ints = npt.NDArray[np.int64]

_ENTRY = re.compile(
    rb"^.{0,120}?\b[a-z]\w* +\d+ .{0,60}?\bsrc=\S+ dst=\S+ .{0,120}?\bsrc=\S+ dst=\S", re.MULTILINE
)
_OTHER = re.compile(
    rb"^(conntrack v\S+ \(conntrack-tools\)|.{0,60}\bproto=\d+ src=\S+ dst=\S+)", re.MULTILINE
)
_FOUND = {
    "ts": r"(?m)^\[\d+\.\d+\]",
    "event": r"\[(NEW|UPDATE|DESTROY)\]",
    "tcp_state": r"\b(SYN_SENT|SYN_RECV|ESTABLISHED|FIN_WAIT|CLOSE|LAST_ACK|TIME_WAIT)\b",
    "unreplied": r"src=",
    "assured": r"src=",
    "ct_id": r"(?m) id=\d+( \[USERSPACE\].*)?\s*$",
    "orig_packets": r" packets=\d",
}
_NOT_ENTRIES = [b"conntrack", b"WARNING:", b"NOTICE:"]
"""What conntrack's own messages begin with."""
_EXPECTATION = [b"mask-src", b"mask-dst", b"master-s", b"proto="]
"""What words begin with that only expectations hold."""


def recognises(head: Head) -> bool:
    """Return whether a line is an entry, an expectation or a message of conntrack."""
    return head.columns is None and bool(_ENTRY.search(head.text) or _OTHER.search(head.text))


def found(head: Head, fields: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the first lines hold, as in Parquet."""
    text = head.text.decode(errors="replace")
    tests = {name: bool(re.search(pattern, text)) for name, pattern in _FOUND.items()}
    return (*fields, "node", *(name for name, is_there in tests.items() if is_there))


def read(unit: Unit) -> Iterator[FlowBatch]:
    """Yield the records of the file.

    Raises
    ------
    InputError
        If the file is corrupt, or no line is readable.

    """
    return refuse_unreadable(unit.path, _batches(unit))


def _batches(unit: Unit) -> Iterator[FlowBatch]:
    pickups = Pickups()
    for block in read_blocks(unit.path):
        words = split(block)
        for first, last in spans(0, words.lines):
            lines = first + np.flatnonzero(~words.empty[first:last])
            if len(lines):
                yield interpret(_raw(unit, words, lines), pickups)


def _raw(unit: Unit, words: Words, lines: Ints) -> Raw:
    layout = lay_out(words, lines)
    sieve = Sieve(len(lines))
    sieve.drop(f"{fate.MALFORMED}line too long", words.too_long[lines])
    _drop_unreadable(sieve, words, lines, layout)
    columns = {field: words.take(at, skip) for field, (at, skip) in layout.places.items()}
    columns |= {field: pa.array(flags) for field, flags in layout.flags.items()}
    micros, has_time = read_stamps(words, layout.time)
    columns["ts"] = pa.array(micros, pa.int64(), mask=~has_time).cast(TIME)
    columns["node"] = _constant(_node(unit.path), len(lines))
    sieve.drop(
        f"{fate.MALFORMED}bad time", (layout.time >= 0) & np.asarray(columns["ts"].is_null())
    )

    def text(row: int) -> str:
        return words.text(int(lines[row]))

    return Raw(unit.path, unit.source, words.line + lines, columns, sieve, text)


def _drop_unreadable(sieve: Sieve, words: Words, lines: Ints, layout: Layout) -> None:
    odd = ~layout.readable
    if not odd.any():
        return
    message = np.isin(words.keys(words.first[lines], lines), keys_of(_NOT_ENTRIES))
    places = np.sort(np.concatenate([words.with_prefix(word) for word in _EXPECTATION]))
    expectation = np.diff(np.searchsorted(places, words.first))[lines] > 0
    sieve.drop(fate.NOT_A_RECORD, odd & (message | expectation))
    sieve.drop(f"{fate.MALFORMED}unreadable line", odd)


def _node(path: str) -> str:
    """Return the file's name up to the first dot."""
    return PurePosixPath(path).name.split(".", 1)[0]


def _constant(text: str, size: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([text]))
