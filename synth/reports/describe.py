"""What ``synth describe`` found, as a page and as JSON."""

from collections.abc import Sequence

from synth.ledger import Ledger
from synth.reports.counts import ledger_table, plain_ledger
from synth.reports.envelope import envelope
from synth.reports.figures import counted, instant, number, span
from synth.reports.page import (
    MOST_ROWS,
    Block,
    Column,
    Items,
    Page,
    Prose,
    Section,
    Table,
    Tone,
    shortened,
)
from synth.reports.paths import shared_folder
from synth.sources.describe import Description

READABLE = "readable"


def to_page(found: Sequence[Description]) -> Page:
    """Return one table of the files, and what each lacks or had to skip."""
    folder = shared_folder(one.path for one in found)
    missing = tuple(
        f"{one.path.removeprefix(folder)} lacks {', '.join(one.missing)}."
        for one in found
        if one.missing
    )
    records = sum(one.records for one in found)
    return Page(
        f"synth describe: {counted(records, 'record')} in {counted(len(found), 'file')}",
        (
            Section("Files", (*_files(found, folder), *_span(found))),
            Section("Missing for learning", (Items(missing[:MOST_ROWS]),) if missing else ()),
            Section("Where the records go", (ledger_table(_outcomes(found), records, folder),)),
            Section("Fields", _fields(found, folder), folded=True),
        ),
    )


def to_json(found: Sequence[Description]) -> dict[str, object]:
    """Return all descriptions as plain values."""
    return envelope({"files": [_plain(one) for one in found]})


def warnings_of(found: Sequence[Description]) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    empty = (f"{one.path}: no record" for one in found if not one.records)
    useless = (f"{one.path}: no readable record" for one in found if one.records and not one.flows)
    return (*empty, *useless)


def _files(found: Sequence[Description], folder: str) -> tuple[Block, ...]:
    columns = (Column("File"), Column("Format"), Column("Records", number=True))
    rows = [(one.path.removeprefix(folder), one.source, number(one.records)) for one in found]
    table = Table(columns, tuple(rows))
    place = (Prose(f"In {folder}", Tone.QUIET),) if folder else ()
    return (*place, *shortened(table))


def _span(found: Sequence[Description]) -> tuple[Block, ...]:
    firsts = [one.first for one in found if one.first is not None]
    lasts = [one.last for one in found if one.last is not None]
    if not firsts or not lasts:
        return (Prose("No record carries a time.", Tone.QUIET),)
    return (Prose(f"From {span(min(firsts), max(lasts))}."),)


def _outcomes(found: Sequence[Description]) -> Ledger:
    readable = Ledger.of(READABLE, sum(one.flows for one in found))
    return Ledger.sum((readable, *(one.skipped for one in found)))


def _fields(found: Sequence[Description], folder: str) -> tuple[Block, ...]:
    columns = (Column("File"), Column("Fields"))
    rows = [(one.path.removeprefix(folder), ", ".join(one.fields) or "none") for one in found]
    return shortened(Table(columns, tuple(rows)))


def _plain(one: Description) -> dict[str, object]:
    return {
        "path": one.path,
        "format": one.source,
        "records": one.records,
        "readable": one.flows,
        "skipped": plain_ledger(one.skipped),
        "start": None if one.first is None else instant(one.first),
        "end": None if one.last is None else instant(one.last),
        "fields": list(one.fields),
        "missing": list(one.missing),
    }
