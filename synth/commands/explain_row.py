"""``explain --row``: one record, step by step, from the line to the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synth.commands.capture import Capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import Cluster
from synth.commands.explain_reading import Reading, open_world, read_flows
from synth.commands.held import find_held
from synth.commands.record_at import Found, find_record
from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.parquet import is_edges
from synth.edges.schema import Edges
from synth.edges.settle import settle
from synth.engines.local import Report
from synth.errors import Fault, InputError, UsageError
from synth.evaluator.explain import explain as explain_edge
from synth.evaluator.traffic import Traffic
from synth.flows import Rung
from synth.inventory.listeners import listeners
from synth.learner.learn import Choices
from synth.learner.learn import learn as learn_edges
from synth.learner.model import Screen, Screening
from synth.learner.questions import contact_text
from synth.outputs.traffic import Telling
from synth.proof.explained import RecordAnswer
from synth.reports.paths import relative_names
from synth.reports.record_words import words_of
from synth.sources.files import find_files

MARK = np.uint8(128)
"""A bit of ``sources`` that no source has: it marks the edge that a record folds into."""

SETTLED_BY = (Rung.PROVEN_SERVER, Rung.DEGREE, Rung.EPHEMERAL, Rung.REGISTERED)
"""The evidence that the whole capture gives."""


@dataclass(frozen=True, slots=True)
class RowRequest:
    """A record; its own file is always one of the logs that are read."""

    file: str
    row: int
    reading: Reading


def explain_row(request: RowRequest, progress: Report) -> RecordAnswer:
    """Return what became of the record in the capture, and the verdict on it.

    Raises
    ------
    InputError
        If there is no such record, or a file cannot be read.
    UsageError
        If the file is none, or none of the logs.

    """
    reading = request.reading
    path = find_log(request.file, reading.flows)
    found = find_record(path, request.row, reading.source, reading.fields)
    if found.batch is None:
        return _answer(found, request.file)
    cluster = open_world(reading, progress)
    capture = read_flows(replace(reading, flows=(*reading.flows, path)), cluster, progress)
    progress("judging", 0, 1)
    screening = learn_edges(capture.settled, cluster.inventory, Choices()).screening
    return answer_row(found, request.file, capture, cluster, screening)


def find_log(name: str, flows: Sequence[str]) -> str:
    """Return the path of the log: as named, or the one of the flows that reports call so.

    Raises
    ------
    UsageError
        If there is no such log.
    InputError
        If it holds stored edges, which are no records.

    """
    path = name if "://" in name or Path(name).is_file() else _among(name, flows)
    if "://" not in path and is_edges(Path(path)):
        remedy = "Name a record of the logs that it was made of, with FILE:N."
        raise InputError(Fault(path, "a log", "stored edges", remedy))
    return find_files([path])[0]


def _among(name: str, flows: Sequence[str]) -> str:
    paths = find_files(flows) if flows else ()
    short = relative_names(paths)
    found = [path for path in paths if short[path] == name or path.endswith(f"/{name}")]
    if len(found) == 1:
        return found[0]
    got = f"{name!r}, which is " + ("several: " + ", ".join(found) if found else "no file")
    raise UsageError(Fault("--row", "FILE:N, a file or one of FLOWS", got))


def answer_row(
    found: Found, name: str, capture: Capture, cluster: Cluster, screening: Screening
) -> RecordAnswer:
    """Return what became of the record; ``screening`` is that of the capture's settled edges."""
    if found.batch is None:
        return _answer(found, name)
    inventory = cluster.inventory
    alone = fold(found.batch, inventory, listeners(inventory))
    row = trace(alone, capture)
    settled = capture.settled
    traffic = Traffic.of(settled).take(np.array([row]))
    return replace(
        _answer(found, name),
        says=words_of(found.batch),
        held=find_held(found.batch, inventory),
        own_rung=int(alone.rung[0]),
        rungs=_rungs(settled, row, int(alone.rung[0])),
        edge=Telling.of(settled).evidence(row),
        told=contact_text(settled, row),
        screening=Screen(int(screening.status[row])).word,
        reason=screening.reason_of(row),
        explanation=explain_edge(cluster.policies, traffic, inventory.namespace_labels),
        inputs=capture.inputs,
        warnings=(*capture.warnings, *warnings_about(settled, inventory)),
    )


def _answer(found: Found, name: str) -> RecordAnswer:
    return RecordAnswer(name, found.row, found.format, found.text, skipped=found.skipped)


def trace(alone: Edges, capture: Capture) -> int:
    """Return the row of the settled edges that the record, folded alone, is part of.

    Folding it again, marked, adds no key: so the marked edges are the settled ones, in their
    order.
    """
    marked = replace(alone, sources=alone.sources | MARK)
    again = settle(collapse(merge([capture.folded, marked])))
    (row,) = np.flatnonzero(again.sources & MARK).tolist()
    if len(again) != len(capture.settled):
        raise RuntimeError("the record is not of the capture")
    return int(row)


def _rungs(settled: Edges, row: int, own: int) -> tuple[int, ...]:
    """Return the evidence of the record's direction: its own, else what settled such pairs."""
    if own or not settled.decided[row]:
        return (own,) if own else ()
    return tuple(rung for rung in SETTLED_BY if settled.rungs[row, rung])
