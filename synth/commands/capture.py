"""The capture a command works on: files found, folded, settled, and accounted for."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from synth.commands.doubles import warn_of_doubles
from synth.commands.stored import Stored, read_stored
from synth.edges.collapse import collapse
from synth.edges.merge import merge
from synth.edges.parquet import Terms, is_edges
from synth.edges.schema import Edges
from synth.edges.settle import settle
from synth.engines.local import Report, fold_units
from synth.errors import Fault, InputError
from synth.inventory.model import Inventory
from synth.ledger import Ledger
from synth.proof.results import InputFile
from synth.sources.files import find_files, open_file
from synth.sources.sniff import units as find_units

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Capture:
    """What the logs say: edges as folded (they merge with other days') and as settled.

    ``terms`` is what the endpoints of all of them are told apart by.
    """

    folded: Edges
    settled: Edges
    skipped: Ledger
    inputs: tuple[InputFile, ...]
    terms: Terms
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Logs:
    """Where the logs are, and how to read them.

    ``source`` insists on a format, ``fields`` is the layout of logs without a header.
    """

    flows: tuple[str, ...]
    source: str | None = None
    fields: tuple[str, ...] = ()
    threads: int = 1


def read_capture(
    logs: Logs, inventory: Inventory, progress: Report, named: Collection[str] = ()
) -> Capture:
    """Return the capture of the files, folders, globs and URLs.

    A file that ``learn`` wrote as ``edges.parquet`` counts as the logs it was made of, unless it
    cannot say of its pods what must be known: whether they were inside the CIDRs ``named`` by
    loaded policies.

    Raises
    ------
    InputError
        If a file cannot be used, or there is no record at all.

    """
    paths = find_files(logs.flows)
    kept = [path for path in paths if is_edges(Path(path))]
    stored = read_stored([Path(path) for path in kept], inventory, named)
    units = find_units([path for path in paths if path not in kept], logs.source, logs.fields)
    folded = fold_units(units, inventory, logs.threads, progress)
    whole = collapse(merge([folded.edges, *(one.edges for one in stored)]))
    skipped = Ledger.sum([folded.skipped, *(one.skipped for one in stored)])
    if not len(whole) and not skipped.total:
        raise InputError(Fault(", ".join(paths), "at least one record", "none"))
    formats = {unit.path: unit.source for unit in units} | dict.fromkeys(kept, "edges")
    records = dict(folded.records)
    for path, one in zip(kept, stored, strict=True):
        records[path] = int(one.edges.records.sum()) + one.skipped.total
    inputs = tuple(
        InputFile(path, formats.get(path, "empty"), records.get(path, 0), _digest(path))
        for path in paths
    )
    terms, doubles = _common(stored, inventory), warn_of_doubles(inputs)
    return Capture(whole, settle(whole), skipped, inputs, terms, doubles)


def _common(stored: tuple[Stored, ...], inventory: Inventory) -> Terms:
    """Return the terms of the inventory that every file knows too."""
    known = [frozenset(one.terms.separators) for one in stored]
    common = (one for one in inventory.separators if all(one in some for some in known))
    return Terms(tuple(common), inventory.mentioned)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
