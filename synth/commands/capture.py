"""The capture a command works on: files found, folded, settled, and accounted for."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth.edges.collapse import collapse
from synth.edges.merge import merge
from synth.edges.parquet import is_edges, read_edges
from synth.edges.schema import NEVER, Edges
from synth.edges.settle import settle
from synth.engines.local import Report, fold_units
from synth.errors import Fault, InputError
from synth.inventory.endpoint import Kind
from synth.inventory.model import Inventory
from synth.ledger import Ledger
from synth.proof.results import InputFile
from synth.sources.files import find_files, open_file
from synth.sources.sniff import units as find_units

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Capture:
    """What the logs say: edges as folded (they merge with other days') and as settled."""

    folded: Edges
    settled: Edges
    skipped: Ledger
    inputs: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class Logs:
    """Where the logs are, and how to read them.

    ``source`` insists on a format, ``fields`` is the layout of logs without a header.
    """

    flows: tuple[str, ...]
    source: str | None = None
    fields: tuple[str, ...] = ()
    threads: int = 1


def read_capture(logs: Logs, inventory: Inventory, progress: Report) -> Capture:
    """Return the capture of the files, folders, globs and URLs.

    A file that ``learn`` wrote as ``edges.parquet`` counts as the logs it was made of.

    Raises
    ------
    InputError
        If a file cannot be used, or there is no record at all.

    """
    paths = find_files(logs.flows)
    stored = [path for path in paths if is_edges(Path(path))]
    units = find_units([path for path in paths if path not in stored], logs.source, logs.fields)
    folded = fold_units(units, inventory, logs.threads, progress)
    read = [read_edges(Path(path)) for path in stored]
    whole = collapse(merge([folded.edges, *(edges for edges, _ in read)]))
    skipped = Ledger.sum([folded.skipped, *(ledger for _, ledger in read)])
    if not len(whole) and not skipped.total:
        raise InputError(Fault(", ".join(paths), "at least one record", "none"))
    formats = {unit.path: unit.source for unit in units} | dict.fromkeys(stored, "edges")
    records = dict(folded.records)
    for path, (edges, ledger) in zip(stored, read, strict=True):
        records[path] = int(edges.records.sum()) + ledger.total
    inputs = tuple(
        InputFile(path, formats.get(path, "empty"), records.get(path, 0), _digest(path))
        for path in paths
    )
    return Capture(whole, settle(whole), skipped, inputs)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def warnings_about(edges: Edges, inventory: Inventory) -> tuple[str, ...]:
    """Return what a user must know of how well the inventory covers the capture, with numbers."""
    return (*inventory.warnings, *_unknown(edges), *_too_late(edges, inventory))


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
