"""What text formats share: records from blocks of lines, and a file without one readable line."""

from collections.abc import Iterable, Iterator

from synth.errors import Fault, InputError
from synth.flows import FlowBatch
from synth.sources import sieve as fate

BATCH_LINES = 500_000


def spans(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Yield the lines from ``start`` to before ``stop`` in pieces that fit into a batch."""
    for first in range(start, stop, BATCH_LINES):
        yield first, min(first + BATCH_LINES, stop)


def refuse_unreadable(path: str, batches: Iterable[FlowBatch]) -> Iterator[FlowBatch]:
    """Yield the batches.

    Raises
    ------
    InputError
        At the end, if there were malformed records and no other.

    """
    readable, malformed, example = 0, 0, ""
    for batch in batches:
        bad = _malformed(batch)
        malformed += bad
        readable += batch.records - bad - batch.skipped.counts.get(fate.NOT_A_RECORD, 0)
        example = example or _first(batch)
        yield batch
    if malformed and not readable:
        got = f"{malformed} malformed of {malformed}, the first: {example}"
        remedy = "If the file is of another format, name it with --source."
        raise InputError(Fault(path, "lines of which at least one is readable", got, remedy))


def _malformed(batch: FlowBatch) -> int:
    counts = batch.skipped.counts
    return sum(count for name, count in counts.items() if name.startswith(fate.MALFORMED))


def _first(batch: FlowBatch) -> str:
    examples = batch.skipped.examples.items()
    kept = [some[0] for name, some in examples if name.startswith(fate.MALFORMED)]
    return ascii(min(kept).text)[1:-1] if kept else ""
