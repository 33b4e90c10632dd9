"""What a user must know of a capture before trusting what is made of it, with numbers."""

from collections.abc import Iterable, Mapping

import numpy as np

from synth.edges.schema import NEVER, Edges
from synth.inventory.endpoint import Kind
from synth.inventory.model import Inventory
from synth.learner.model import Question
from synth.reports.figures import counted, seen, span

_DAY = 24 * 3600 * 1_000_000
MOST_KEYS = 20
"""How many keys of answers a warning names."""


def warnings_about(edges: Edges, inventory: Inventory) -> tuple[str, ...]:
    """Return how well the inventory and the records' times cover the capture."""
    return (
        *inventory.warnings,
        *_unknown(edges),
        *_too_late(edges, inventory),
        *_timeless(edges),
    )


def warn_of_short_capture(edges: Edges) -> tuple[str, ...]:
    """Return a warning if the capture spans less than two days, or does not say."""
    times = seen(edges)
    if times and times[1] - times[0] >= 2 * _DAY:
        return ()
    spans = "no record carries a time, so nobody knows how long the capture ran"
    if times:
        spans = f"the capture spans less than two days, {span(*times)}"
    unseen = "what runs nightly or weekly was not seen, and every rule rests on one-day evidence"
    return (f"{spans}: {unseen}",)


def warn_of_unused(answers: Mapping[str, object], questions: Iterable[Question]) -> tuple[str, ...]:
    """Return a warning if answers match no question, with their keys."""
    unused = sorted(set(answers) - {one.key for one in questions})
    if not unused:
        return ()
    more = f" and {len(unused) - MOST_KEYS:,} more" if len(unused) > MOST_KEYS else ""
    verb = "matches" if len(unused) == 1 else "match"
    told = f"{counted(len(unused), 'answer')} {verb} no question of this run and changed nothing"
    return (f"{told}: {', '.join(unused[:MOST_KEYS])}{more}",)


def _unknown(edges: Edges) -> list[str]:
    unheld = np.array([one.kind is Kind.UNHELD for one in edges.endpoints], np.bool_)
    answered = edges.answered > 0
    rows = answered & (unheld[edges.client] | unheld[edges.server])
    records = int(edges.records[rows].sum())
    if not records:
        return []
    total = int(edges.records.sum())
    return [
        (
            f"{records:,} of {total:,} records are of addresses of the pod range that no known pod"
            " held at the time: the cluster files do not cover the whole capture"
        )
    ]


def _too_late(edges: Edges, inventory: Inventory) -> list[str]:
    timed = edges.first != NEVER
    starts = [pod.start for pod in inventory.pods if pod.start is not None]
    if not timed.any() or not starts or len(starts) < len(inventory.pods):
        return []
    if min(starts) <= int(edges.last[timed].max()):
        return []
    return ["every known pod started after the capture ended: take the cluster files during it"]


def _timeless(edges: Edges) -> list[str]:
    """Return a warning of records without time; of an edge with others too, nobody knows them."""
    records = int(edges.records[edges.first == NEVER].sum())
    if not records:
        return []
    carry = "1 record carries" if records == 1 else f"{records:,} records carry"
    return [f"{carry} no time (conntrack -L): an address that changed hands cannot be told apart"]
