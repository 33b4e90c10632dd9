"""Folding on this machine: units of input on threads, merged as they come."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory
from synth.ledger import Ledger
from synth.sources import load
from synth.sources.interface import Unit

ROWS_HELD = 600_000
"""Partial rows that are held before they are merged."""

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Folded:
    """What reading gave: edges, the ledger of records that became none, records by file."""

    edges: Edges
    skipped: Ledger = field(default_factory=Ledger)
    records: dict[str, int] = field(default_factory=dict)


def fold_units(
    units: Sequence[Unit], inventory: Inventory, threads: int, progress: Report
) -> Folded:
    """Return the edges of all units. Threads and the order of units make no difference.

    Memory is bounded by the distinct edges, and by two batches a thread.
    """
    declared = listeners(inventory)

    def work(unit: Unit) -> Folded:
        return _total(
            Folded(fold(batch, inventory, declared), batch.skipped, {unit.path: batch.records})
            for batch in load(unit.source).read(unit)
        )

    with ThreadPoolExecutor(max(threads, 1)) as pool:
        parts = _ahead(pool, work, units, 2 * max(threads, 1))
        return _total(_told(parts, len(units), progress))


def _ahead(
    pool: ThreadPoolExecutor,
    work: Callable[[Unit], Folded],
    units: Sequence[Unit],
    under_way: int,
) -> Iterator[Folded]:
    """Yield the units' results in order, with so many under way at once."""
    left = iter(units)
    running = deque(pool.submit(work, unit) for unit in islice(left, under_way))
    try:
        while running:
            yield running.popleft().result()
            running.extend(pool.submit(work, unit) for unit in islice(left, 1))
    finally:
        for future in running:
            future.cancel()


def _told(parts: Iterable[Folded], total: int, progress: Report) -> Iterator[Folded]:
    for done, part in enumerate(parts, start=1):
        progress("reading", done, total)
        yield part


def _total(parts: Iterable[Folded]) -> Folded:
    """Return the sum of the parts, merged whenever enough rows have come together."""
    whole, waiting = Edges.empty(), list[Edges]()
    skipped = Ledger()
    records: dict[str, int] = {}
    for part in parts:
        skipped += part.skipped
        waiting.append(part.edges)
        for path, count in part.records.items():
            records[path] = records.get(path, 0) + count
        if sum(map(len, waiting)) > max(ROWS_HELD, len(whole)):
            whole, waiting = _merged([whole, *waiting]), []
    return Folded(_merged([whole, *waiting]), skipped, records)


def _merged(parts: Iterable[Edges]) -> Edges:
    """Return the parts as one; a part that stands alone is merged and collapsed already."""
    filled = [part for part in parts if len(part)]
    return filled[0] if len(filled) == 1 else collapse(merge(filled))
