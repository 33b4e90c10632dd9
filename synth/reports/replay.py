"""What ``synth replay`` found, as a page and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from synth.evaluator.options import BY_NAME, CHOICES
from synth.ledger import Ledger
from synth.proof.choices import Comparison
from synth.proof.replay import Denial, Replay, Verdict
from synth.proof.results import InputFile, ReplayResult
from synth.reports.counts import ledger_table, matrix_table, plain_ledger, plain_matrix
from synth.reports.enforcement import (
    loud_sections,
    plain_enforcement,
    quiet_sections,
    warnings_about,
)
from synth.reports.envelope import envelope
from synth.reports.figures import counted, number
from synth.reports.page import Block, Column, Items, Page, Prose, Section, Table, Tone, shortened
from synth.reports.paths import shared_folder

MOST_FILES = 20
"""How many files a page lists; JSON lists all."""

MOST_DENIALS = 20
"""How many denied edges a page lists; JSON lists all."""


def to_page(result: ReplayResult) -> Page:
    """Return the matrix, the denied edges and what was not counted."""
    replay = result.replay
    folder = folder_of(result.inputs)
    return Page(
        f"synth replay: {counted(replay.records, 'record')},"
        f" {counted(replay.count(Verdict.DENIED), 'record')} denied"
        f" under {len(result.policies)} policies",
        (
            *loud_sections(result.enforcement),
            Section("Read", files_blocks(result.inputs)),
            Section(
                "Screening by verdict, in records", (matrix_table(replay), *bottom_line(replay))
            ),
            Section("Denied", denial_blocks(replay.denials, folder)),
            Section("Choices", _choices(result, folder)),
            Section("Skipped", _skipped(replay.skipped, folder)),
            Section("Not evaluated", _items(result.elsewhere)),
            *quiet_sections(result.enforcement),
            Section("Warnings", _items(result.warnings)),
        ),
    )


def to_json(result: ReplayResult) -> dict[str, object]:
    """Return the keys that programs may rely on."""
    return envelope(
        {
            **plain_replay(result.replay),
            "inputs": [asdict(one) for one in result.inputs],
            "policies": [str(policy) for policy in result.policies],
            "options": {one.name: result.options.value(one.name) for one in CHOICES},
            "choices": [_plain_comparison(one) for one in result.choices],
            "elsewhere": list(result.elsewhere),
            "cni": plain_enforcement(result.enforcement),
            "warnings": list(warnings_of(result)),
        }
    )


def warnings_of(result: ReplayResult) -> tuple[str, ...]:
    """Return what a user should know even if nobody reads the report."""
    return (*warnings_about(result.enforcement), *result.warnings)


def plain_replay(replay: Replay) -> dict[str, object]:
    """Return the records by verdict; allowed, denied, undetermined and skipped add up."""
    return {
        "records": replay.records,
        "allowed": replay.count(Verdict.ALLOWED),
        "denied": replay.count(Verdict.DENIED),
        "undetermined": replay.count(Verdict.UNDETERMINED),
        "skipped": plain_ledger(replay.skipped),
        "matrix": plain_matrix(replay),
        "denials": [asdict(denial) for denial in replay.denials],
    }


def files_blocks(inputs: Sequence[InputFile]) -> tuple[Block, ...]:
    """Return path, format and records of each file, below the folder that they share."""
    folder = folder_of(inputs)
    table = _files_table(inputs, folder)
    place = (Prose(f"In {folder}", Tone.QUIET),) if folder else ()
    return (*place, *shortened(table, MOST_FILES))


def folder_of(inputs: Sequence[InputFile]) -> str:
    """Return the folder that all files share, ending with a slash; empty if none."""
    return shared_folder(one.path for one in inputs)


def _files_table(inputs: Sequence[InputFile], folder: str) -> Table:
    rows = [(one.path.removeprefix(folder), one.format, number(one.records)) for one in inputs]
    several = len(inputs) > 1
    if several:
        files = counted(len(inputs), "file")
        rows.append((files, "", number(sum(one.records for one in inputs))))
    columns = (Column("File"), Column("Format"), Column("Records", number=True))
    return Table(columns, tuple(rows), total=several)


def bottom_line(replay: Replay) -> tuple[Block, ...]:
    """Return in one sentence whether accepted records would be blocked, if any were screened."""
    accepted = sum(replay.count(verdict, "accepted") for verdict in Verdict)
    if replay.blocked:
        told = (
            f"{number(replay.blocked)} of {counted(accepted, 'accepted record')} would be denied."
        )
        return (Prose(told, Tone.BAD),)
    if accepted:
        told = f"No accepted record is denied ({number(accepted)} were accepted)."
        return (Prose(told, Tone.GOOD),)
    return ()


def denial_blocks(denials: Sequence[Denial], folder: str = "") -> tuple[Block, ...]:
    """Return the first denied edges as a table, each with its reason, and how many more exist."""
    if not denials:
        return ()
    columns = (
        Column("Connection"),
        Column("Records", number=True),
        Column("Screening"),
        Column("Reason and example"),
    )
    rows = [
        (
            f"{one.source} → {one.destination} {one.protocol} {one.port}",
            number(one.records),
            one.screening,
            f"{one.reason} ({one.example.removeprefix(folder)})" if one.example else one.reason,
        )
        for one in denials[:MOST_DENIALS]
    ]
    more = len(denials) - len(rows)
    told = f"{counted(more, 'more denied edge')}; --format json lists all."
    rest = (Prose(told, Tone.QUIET),) if more else ()
    return (Table(columns, tuple(rows)), *rest)


def _plain_comparison(comparison: Comparison) -> dict[str, object]:
    return {
        "choice": comparison.choice,
        "chosen": comparison.chosen,
        "values": {value: dict(counts) for value, counts in comparison.values.items()},
        "records": comparison.records,
        "edges": [asdict(edge) for edge in comparison.edges],
    }


def _choices(result: ReplayResult, folder: str) -> tuple[Block, ...]:
    """Return what was chosen otherwise than by default, and what depends on what was compared."""
    chosen = [
        f"{name}={value}: {BY_NAME[name].meanings[value]}"
        for name, value in result.options.chosen.items()
    ]
    blocks = (block for one in result.choices for block in _comparison(one, folder))
    return (*_items(chosen), *blocks)


def _comparison(comparison: Comparison, folder: str) -> tuple[Block, ...]:
    choice = BY_NAME[comparison.choice]
    if not comparison.edges:
        told = f"{choice.name}: no verdict depends on it (it is {comparison.chosen})."
        return (Prose(told, Tone.QUIET),)
    edges, records = counted(len(comparison.edges), "edge"), counted(comparison.records, "record")
    told = f"{choice.name}: the verdict of {edges} ({records}) depends on it"
    columns = (
        Column("Connection"),
        Column("Records", number=True),
        *(Column(value) for value in choice.values),
        Column("Example"),
    )
    rows = [
        (
            f"{one.source} → {one.destination} {one.protocol} {one.port}",
            number(one.records),
            *(one.verdicts[value] for value in choice.values),
            one.example.removeprefix(folder),
        )
        for one in comparison.edges
    ]
    lead = Prose(f"{told} (it is {comparison.chosen}). {choice.question}.")
    return (lead, *shortened(Table(columns, tuple(rows)), MOST_DENIALS))


def _skipped(skipped: Ledger, folder: str) -> tuple[Block, ...]:
    if not skipped.total:
        return ()
    return (ledger_table(skipped, skipped.total, folder, "skipped"),)


def _items(texts: Sequence[str]) -> tuple[Block, ...]:
    return (Items(tuple(texts)),) if texts else ()
