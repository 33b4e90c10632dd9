"""Edges as Parquet: what was seen, mergeable with tomorrow's, endpoints named by their content."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from synth.edges.schema import KEY, MEASURES, Edges, sort_endpoints
from synth.errors import Fault, InputError
from synth.flows import Rung
from synth.inventory.endpoint import Endpoint
from synth.ledger import Example, Ledger

FORMAT = 1
_WORD = 64
_CODED = pa.dictionary(pa.int32(), pa.utf8())
_ENDPOINTS = ("client", "client_seen", "server")
_SEPARATORS, _MENTIONED = "synth.separators", "synth.mentioned"
GIVE_LOGS = "Give the logs that it was made of."


@dataclass(frozen=True, slots=True)
class Terms:
    """What the endpoints of edges were told apart by: CIDRs, and label keys if volatile.

    An endpoint that names none of these blocks and keys lies outside the blocks and lacks the
    keys; of any other block or volatile key it says nothing.
    """

    separators: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()


def write_edges(
    edges: Edges,
    skipped: Ledger,
    path: Path,
    separators: Collection[str] = (),
    mentioned: Collection[str] = (),
) -> None:
    """Write the edges, as they are before settling, and the ledger of what became no edge.

    ``separators`` and ``mentioned`` are what the endpoints were told apart by.
    """
    columns: dict[str, Any] = {}
    names = pa.array([one.to_json() for one in edges.endpoints], pa.utf8())
    for name in (*KEY, *MEASURES):
        values = getattr(edges, name)
        columns[name] = _coded(values, names) if name in _ENDPOINTS else pa.array(values)
    for rung in Rung:
        columns[_rung(rung)] = pa.array(edges.rungs[:, rung])
    columns["asked"] = _coded(edges.asked, names)
    columns["example_file"] = _coded(edges.example >> 40, pa.array(edges.files, pa.utf8()))
    columns["example_row"] = pa.array(edges.example & ((1 << 40) - 1))
    for word in range(edges.half_days.shape[1]):
        columns[f"half_days_{word}"] = pa.array(edges.half_days[:, word])
    about = {
        "synth.edges": str(FORMAT),
        "synth.half_day_base": str(edges.half_day_base),
        "synth.skipped": json.dumps(asdict(skipped), sort_keys=True),
        _SEPARATORS: json.dumps(sorted(separators)),
        _MENTIONED: json.dumps(sorted(mentioned)),
    }
    table = pa.table(columns).replace_schema_metadata(about)
    pq.write_table(table, path, compression="zstd")


def read_edges(path: Path) -> tuple[Edges, Ledger]:
    """Return the edges and the ledger that ``write_edges`` wrote.

    Raises
    ------
    InputError
        If the file is not Parquet, or not such a file, or damaged.

    """
    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(Fault(str(path), "edges as Parquet", str(error))) from error
    about = table.schema.metadata or {}
    if about.get(b"synth.edges") != str(FORMAT).encode():
        found = f"format {about.get(b'synth.edges', b'unknown').decode(errors='replace')}"
        raise InputError(Fault(str(path), f"edges of format {FORMAT}", found))
    faults = _faults(str(path), table)
    if faults:
        raise InputError(*faults)
    try:
        base = _base(about[b"synth.half_day_base"])
        return _edges(table, base), _ledger(about[b"synth.skipped"].decode())
    except (pa.ArrowException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(Fault(str(path), "edges as synth writes them", repr(error))) from error


def read_terms(path: Path) -> Terms:
    """Return what the endpoints in the file were told apart by.

    Raises
    ------
    InputError
        If the file does not say, as those of older versions do not.

    """
    try:
        about = pq.read_schema(path).metadata or {}
        return Terms(*(_texts_of(about[name.encode()]) for name in (_SEPARATORS, _MENTIONED)))
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        expected = "edges that say which CIDRs their pods were told apart by"
        got = "none of that (an older version)" if isinstance(error, KeyError) else str(error)
        raise InputError(Fault(str(path), expected, got, GIVE_LOGS)) from error


def _texts_of(text: bytes) -> tuple[str, ...]:
    found = json.loads(text)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ValueError("no list of texts")
    return tuple(found)


def is_edges(path: Path) -> bool:
    """Return whether the file says that it holds edges."""
    try:
        return b"synth.edges" in (pq.read_schema(path).metadata or {})
    except (pa.ArrowException, OSError):
        return False


def _faults(path: str, table: pa.Table) -> list[Fault]:
    """Return a fault for each column that is missing, of another type, or null where it may not."""
    faults = []
    for name, kind in _types(_words(table)).items():
        found = table.schema.field(name).type if name in table.column_names else "no such column"
        if found != kind:
            faults.append(Fault(path, f"a column {name!r} of type {kind}", str(found)))
        elif name != "asked" and table.column(name).null_count:
            faults.append(Fault(path, f"no null in column {name!r}", "at least one"))
    return faults


def _types(words: int) -> dict[str, pa.DataType]:
    """Return the type of every column, with so many words of half-days."""
    numbers = {**KEY, **{name: dtype for name, (dtype, _) in MEASURES.items()}}
    types = {name: pa.from_numpy_dtype(dtype) for name, dtype in numbers.items()}
    types |= dict.fromkeys((*_ENDPOINTS, "asked", "example_file"), _CODED)
    types |= dict.fromkeys((_rung(one) for one in Rung), pa.int64())
    types |= dict.fromkeys((f"half_days_{at}" for at in range(words)), pa.uint64())
    return types | {"example_row": pa.int64()}


def _words(table: pa.Table) -> int:
    return sum(name.startswith("half_days_") for name in table.column_names)


def _rung(rung: Rung) -> str:
    return f"rung_{rung.name.lower()}"


def _base(text: bytes) -> int:
    base = int(text)
    if base % _WORD:
        raise ValueError(f"half-days from {base}, which is no multiple of {_WORD}")
    return base


def _edges(table: pa.Table, base: int) -> Edges:
    texts = sorted({one for name in (*_ENDPOINTS, "asked") for one in _texts(table, name)})
    named = {text: Endpoint.from_json(text) for text in texts}
    endpoints = sort_endpoints(named.values())
    position = {one: at for at, one in enumerate(endpoints)}
    number = {text: position[one] for text, one in named.items()}
    files = sorted(_texts(table, "example_file"))
    place = {one: at for at, one in enumerate(files)}
    columns: dict[str, NDArray[Any]] = {
        name: table.column(name).to_numpy() for name in (*KEY, *MEASURES) if name not in _ENDPOINTS
    }
    for name in (*_ENDPOINTS, "asked"):
        columns[name] = _numbers(table, name, number)
    file = _numbers(table, "example_file", place).astype(np.int64)
    columns["example"] = file << 40 | table.column("example_row").to_numpy()
    columns["rungs"] = _matrix(table, [_rung(one) for one in Rung], np.int64)
    words = [f"half_days_{at}" for at in range(_words(table))]
    columns["half_days"] = _matrix(table, words, np.uint64)
    return Edges(tuple(endpoints), tuple(files), base, **columns)


def _matrix(table: pa.Table, names: Sequence[str], dtype: type[np.generic]) -> NDArray[Any]:
    matrix = np.zeros((table.num_rows, len(names)), dtype)
    for at, name in enumerate(names):
        matrix[:, at] = table.column(name).to_numpy()
    return matrix


def _coded(codes: NDArray[Any], names: pa.Array) -> pa.DictionaryArray:
    indices = pa.array(codes.astype(np.int32), mask=codes < 0)
    return pa.DictionaryArray.from_arrays(indices, names)


def _texts(table: pa.Table, name: str) -> set[str]:
    """Return the distinct texts of a coded column."""
    return {one for one in table.column(name).unique().to_pylist() if one is not None}


def _numbers(table: pa.Table, name: str, number: dict[str, int]) -> NDArray[np.int32]:
    """Return int32[n]: the numbers of a coded column's texts, -1 where there is none."""
    if not table.num_rows:
        return np.zeros(0, np.int32)
    parts = table.column(name).unify_dictionaries().chunks
    texts = parts[0].dictionary.to_pylist()
    numbers = np.array([*(number.get(text, -1) for text in texts), -1], np.int32)
    codes = [part.indices.fill_null(-1).to_numpy(zero_copy_only=False) for part in parts]
    return np.asarray(numbers[np.concatenate(codes)])


def _ledger(text: str) -> Ledger:
    plain = json.loads(text)
    examples = {
        outcome: tuple(Example(**one) for one in some)
        for outcome, some in plain["examples"].items()
    }
    return Ledger({name: int(count) for name, count in plain["counts"].items()}, examples)
