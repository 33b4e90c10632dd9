"""What files hold, before anything is learned: format, span, fields, and what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from synth.errors import Fault, InputError
from synth.flows import FlowBatch, Microseconds
from synth.ledger import Ledger
from synth.sources import load
from synth.sources.names import squeeze
from synth.sources.sniff import choose, sniff, units


@dataclass(frozen=True, slots=True)
class Description:
    """One file. ``missing``: fields that learning wants of its format, and the file lacks.

    ``first`` and ``last``: first start and last end, UTC; None if no record has a time.
    """

    path: str
    source: str
    records: int
    flows: int
    first: Microseconds | None
    last: Microseconds | None
    fields: tuple[str, ...]
    missing: tuple[str, ...]
    skipped: Ledger = field(default_factory=Ledger)


@dataclass(slots=True)
class _Tally:
    records: int = 0
    flows: int = 0
    first: int | None = None
    last: int | None = None
    skipped: Ledger = field(default_factory=Ledger)

    def add(self, batch: FlowBatch) -> None:
        self.records += batch.records
        self.flows += batch.table.num_rows
        self.skipped += batch.skipped
        self.first = _least(self.first, _bound(batch.table, "start", "min"))
        self.last = _greatest(self.last, _bound(batch.table, "end", "max"))


def describe(
    paths: Sequence[str], source: str | None = None, fields: Sequence[str] = ()
) -> tuple[Description, ...]:
    """Return one description a file, in the order of the paths; reads every record.

    Raises
    ------
    InputError
        If files cannot be read; the faults of all of them together.

    """
    described: list[Description] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            described.append(_describe(path, source, tuple(fields)))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(*faults)
    return tuple(described)


def _describe(path: str, source: str | None, fields: tuple[str, ...]) -> Description:
    name = choose(path, source, fields)
    reader = load(name)
    found = reader.found(sniff(path), fields)
    tally = _Tally()
    for unit in units([path], name, fields):
        for batch in reader.read(unit):
            tally.add(batch)
    have = {squeeze(one) for one in found}
    return Description(
        path,
        name,
        tally.records,
        tally.flows,
        None if tally.first is None else Microseconds(tally.first),
        None if tally.last is None else Microseconds(tally.last),
        found,
        tuple(want for want in reader.WANTED if squeeze(want) not in have),
        tally.skipped,
    )


def _bound(table: pa.RecordBatch, column: str, end: str) -> int | None:
    times = table.column(column).cast(pa.int64())
    bound: int | None = pc.min_max(times)[end].as_py()
    return bound


def _least(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return min(known, default=None)


def _greatest(one: int | None, other: int | None) -> int | None:
    known = [value for value in (one, other) if value is not None]
    return max(known, default=None)
