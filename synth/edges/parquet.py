"""Edges as Parquet: what was seen, mergeable with tomorrow's, endpoints named by their content."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from synth.edges.schema import KEY, MEASURES, RUNGS, Edges
from synth.errors import Fault, InputError
from synth.flows import Rung
from synth.inventory.endpoint import Endpoint
from synth.ledger import Example, Ledger

FORMAT = 1
_ENDPOINTS = ("client", "client_seen", "server")


def write_edges(edges: Edges, skipped: Ledger, path: Path) -> None:
    """Write the edges, as they are before settling, and the ledger of what became no edge."""
    columns: dict[str, Any] = {}
    names = pa.array([one.to_json() for one in edges.endpoints], pa.utf8())
    for name in (*KEY, *MEASURES):
        values = getattr(edges, name)
        columns[name] = _coded(values, names) if name in _ENDPOINTS else pa.array(values)
    for rung in Rung:
        columns[f"rung_{rung.name.lower()}"] = pa.array(edges.rungs[:, rung])
    columns["asked"] = _coded(edges.asked, names)
    columns["example_file"] = _coded(edges.example >> 40, pa.array(edges.files, pa.utf8()))
    columns["example_row"] = pa.array(edges.example & ((1 << 40) - 1))
    for word in range(edges.half_days.shape[1]):
        columns[f"half_days_{word}"] = pa.array(edges.half_days[:, word])
    about = {
        "synth.edges": str(FORMAT),
        "synth.half_day_base": str(edges.half_day_base),
        "synth.skipped": json.dumps(asdict(skipped), sort_keys=True),
    }
    table = pa.table(columns).replace_schema_metadata(about)
    pq.write_table(table, path, compression="zstd")


def read_edges(path: Path) -> tuple[Edges, Ledger]:
    """Return the edges and the ledger that ``write_edges`` wrote.

    Raises
    ------
    InputError
        If the file is not Parquet, or not such a file.

    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(Fault(str(path), "edges as Parquet", str(error))) from error
    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if about.get("synth.edges") != str(FORMAT):
        found = f"format {about.get('synth.edges')}"
        raise InputError(Fault(str(path), f"edges of format {FORMAT}", found))
    return _edges(table, int(about["synth.half_day_base"])), _ledger(about["synth.skipped"])


def is_edges(path: Path) -> bool:
    """Return whether the file says that it holds edges."""
    try:
        return b"synth.edges" in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def _edges(table: pa.Table, base: int) -> Edges:
    texts = sorted({one for name in _ENDPOINTS for one in _texts(table, name) if one is not None})
    texts = sorted({*texts, *(one for one in _texts(table, "asked") if one is not None)})
    endpoints = sorted(map(Endpoint.from_json, texts))
    number = {one.to_json(): at for at, one in enumerate(endpoints)}
    files = sorted({one for one in _texts(table, "example_file") if one is not None})
    place = {one: at for at, one in enumerate(files)}
    columns: dict[str, NDArray[Any]] = {}
    for name, dtype in {**KEY, **{name: dtype for name, (dtype, _) in MEASURES.items()}}.items():
        if name in _ENDPOINTS:
            columns[name] = _numbers(table, name, number)
        else:
            columns[name] = table.column(name).to_numpy().astype(dtype)
    rungs = [table.column(f"rung_{rung.name.lower()}").to_numpy() for rung in Rung]
    columns["rungs"] = np.stack(rungs, axis=1).astype(np.int64).reshape(-1, RUNGS)
    columns["asked"] = _numbers(table, "asked", number)
    file = _numbers(table, "example_file", place).astype(np.int64)
    columns["example"] = file << 40 | table.column("example_row").to_numpy()
    words = [name for name in table.column_names if name.startswith("half_days_")]
    columns["half_days"] = np.zeros((table.num_rows, len(words)), np.uint64)
    for at in range(len(words)):
        columns["half_days"][:, at] = table.column(f"half_days_{at}").to_numpy()
    return Edges(tuple(endpoints), tuple(files), base, **columns)


def _coded(codes: NDArray[Any], names: pa.Array) -> pa.DictionaryArray:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, names)


def _texts(table: pa.Table, name: str) -> list[str | None]:
    texts: list[str | None] = table.column(name).cast(pa.utf8()).unique().to_pylist()
    return texts


def _numbers(table: pa.Table, name: str, number: dict[str, int]) -> NDArray[np.int32]:
    coded = table.column(name).cast(pa.utf8()).combine_chunks().dictionary_encode()
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    numbers = np.array([*(number[one] for one in coded.dictionary.to_pylist()), -1], np.int32)
    return np.asarray(numbers[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)])


def _ledger(text: str) -> Ledger:
    plain = json.loads(text)
    examples = {
        outcome: tuple(Example(**one) for one in some)
        for outcome, some in plain["examples"].items()
    }
    return Ledger(plain["counts"], examples)
