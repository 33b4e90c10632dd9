"""The ledger and the matrix as tables that visibly add up."""

from collections.abc import Iterable, Mapping, Sequence

from synth.learner.model import Screen
from synth.ledger import Ledger
from synth.proof.replay import Replay, Verdict
from synth.reports.figures import number, share
from synth.reports.page import Column, Table

SCREENS = tuple(screen.word for screen in Screen)


def in_order(outcomes: Iterable[str]) -> list[str]:
    """Return screening words in their order, then the others by name."""
    found = set(outcomes)
    return [word for word in SCREENS if word in found] + sorted(found - set(SCREENS))


def ledger_table(
    ledger: Ledger, records: int, folder: str = "", total: str = "records read"
) -> Table:
    """Return outcome, records, share and an example; the last row is the records read.

    Files of examples are named as seen from ``folder``; ``total`` is the title of the last row.
    """
    rows = [
        (
            name,
            number(ledger.counts[name]),
            share(ledger.counts[name], records),
            _example(ledger, name).removeprefix(folder),
        )
        for name in in_order(ledger.counts)
    ]
    missing = records - ledger.total
    if missing:
        rows.append(("NOT COUNTED", number(missing), share(abs(missing), records), ""))
    rows.append((total, number(records), share(records, records), ""))
    columns = (
        Column("Outcome"),
        Column("Records", number=True),
        Column("Share", number=True),
        Column("Example"),
    )
    return Table(columns, tuple(rows), total=True)


def _example(ledger: Ledger, outcome: str) -> str:
    examples = ledger.examples.get(outcome, ())
    return f"{examples[0].file}:{examples[0].row}" if examples else ""


def matrix_table(replay: Replay) -> Table:
    """Return screening by verdict in records, with sums; the last row is all records read."""
    words = in_order(word for row in replay.matrix.values() for word in row)
    rows = [
        (word, *_counts([replay.count(verdict, word) for verdict in Verdict])) for word in words
    ]
    skipped = replay.skipped.total
    if skipped:
        rows.append(("skipped", *("" for _ in Verdict), number(skipped)))
    sums = (number(replay.count(verdict)) for verdict in Verdict)
    rows.append(("records read", *sums, number(replay.records)))
    titles = (*(verdict.value.capitalize() for verdict in Verdict), "All")
    columns = (Column("Screening"), *(Column(title, number=True) for title in titles))
    return Table(columns, tuple(rows), total=True)


def _counts(values: Sequence[int]) -> tuple[str, ...]:
    return (*map(number, values), number(sum(values)))


def plain_matrix(replay: Replay) -> Mapping[str, Mapping[str, int]]:
    """Return verdict → screening word → records, for JSON."""
    return {
        verdict.value: {word: row[word] for word in in_order(row)}
        for verdict in Verdict
        for row in (replay.matrix.get(verdict, {}),)
    }


def plain_ledger(ledger: Ledger) -> Mapping[str, int]:
    """Return outcome → records, for JSON."""
    return {name: ledger.counts[name] for name in in_order(ledger.counts)}
