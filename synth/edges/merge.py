"""Edges merged: equal keys become one row. Any order and any split give the same result."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from synth.edges.groups import Columns, group
from synth.edges.schema import Edges, sort_endpoints

_WORD = 64


def merge(parts: Sequence[Edges]) -> Edges:
    """Return the edges of all parts, rows of one key added up, in the order of the keys.

    The operation is associative and commutative, with ``Edges.empty()`` as its identity.
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        return Edges.empty()
    endpoints = sort_endpoints(one for part in filled for one in part.endpoints)
    files = sorted({name for part in filled for name in part.files})
    timed = [part for part in filled if part.half_days.shape[1]]
    base = min((part.half_day_base for part in timed), default=0)
    words = max((_words_from(part, base) for part in timed), default=0)
    number = {endpoint: at for at, endpoint in enumerate(endpoints)}
    place = {name: at for at, name in enumerate(files)}
    columns = [_aligned(part, number, place, base, words) for part in filled]
    whole = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
    return trim(Edges(tuple(endpoints), tuple(files), base, **group(whole)))


def trim(edges: Edges) -> Edges:
    """Return the edges without the endpoints and files that no row mentions."""
    seen = (edges.client, edges.client_seen, edges.server, edges.asked[edges.asked >= 0])
    used = np.unique(np.concatenate(seen))
    files = np.unique(edges.example >> 40)
    if len(used) == len(edges.endpoints) and len(files) == len(edges.files):
        return edges
    columns = edges.columns
    for name in ("client", "client_seen", "server"):
        columns[name] = np.searchsorted(used, columns[name]).astype(np.int32)
    asked = np.searchsorted(used, edges.asked)
    columns["asked"] = np.where(edges.asked < 0, -1, asked).astype(np.int32)
    row = edges.example & ((1 << 40) - 1)
    columns["example"] = np.searchsorted(files, edges.example >> 40) << 40 | row
    return Edges(
        tuple(edges.endpoints[at] for at in used),
        tuple(edges.files[at] for at in files),
        edges.half_day_base,
        **columns,
    )


def _words_from(part: Edges, base: int) -> int:
    return (part.half_day_base - base) // _WORD + int(part.half_days.shape[1])


def _aligned(
    part: Edges, number: dict[Any, int], place: dict[str, int], base: int, words: int
) -> Columns:
    columns = part.columns
    renumbered = np.array([number[one] for one in part.endpoints], np.int32)
    for name in ("client", "client_seen", "server"):
        columns[name] = renumbered[columns[name]]
    columns["asked"] = np.where(part.asked < 0, -1, renumbered[part.asked]).astype(np.int32)
    moved = np.array([place[name] for name in part.files], np.int64)
    row = part.example & ((1 << 40) - 1)
    columns["example"] = moved[part.example >> 40] << 40 | row
    days = np.zeros((len(part), words), np.uint64)
    if part.half_days.shape[1]:
        shift = (part.half_day_base - base) // _WORD
        days[:, shift : shift + part.half_days.shape[1]] = part.half_days
    columns["half_days"] = days
    return columns
