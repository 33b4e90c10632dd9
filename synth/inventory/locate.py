"""Who held an address at a time: rows of (address, time) → runs of holdings → endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import NEVER, Inventory, Placement
from synth.inventory.search import Run, Search
from synth.policy.address import unpack_address


def locate(
    inventory: Inventory,
    addresses: Sequence[bytes],
    codes: NDArray[np.int32],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
) -> Placement:
    """Return int32[n] twice: the first and last holding that meet each row's time.

    A run holds every holding that meets the time; its first and last do meet it, while one
    between them, of an address that several pods held at once, may not: such a run is ambiguous
    in any case.

    Parameters
    ----------
    inventory
        With holdings (``with_endpoints``).
    addresses
        Distinct addresses of 16 bytes, IPv4 as IPv4-mapped.
    codes
        int32[n], positions in ``addresses``.
    start, end
        int64[n], microseconds since 1970 UTC, both included, slack applied; -NEVER and NEVER
        where the record carries no time.

    """
    search = inventory.search
    owner = np.array([search.numbers.get(one, -1) for one in addresses], np.int64)
    timed = (start != -NEVER) | (end != NEVER)
    first, last = np.empty(len(codes), np.int64), np.empty(len(codes), np.int64)
    always = _constant(search, owner, -NEVER, NEVER)
    if timed.all():
        _place_timed(search, owner, (codes, start, end), (first, last))
    else:
        first[:], last[:] = always[0][codes], always[1][codes]
        rows = np.flatnonzero(timed)
        some = (np.empty(len(rows), np.int64), np.empty(len(rows), np.int64))
        _place_timed(search, owner, (codes[rows], start[rows], end[rows]), some)
        first[rows], last[rows] = some
    nobody = first > last
    first[nobody] = last[nobody] = -1
    return Placement(first.astype(np.int32), last.astype(np.int32))


@dataclass(frozen=True, slots=True)
class Resolved:
    """Endpoints of rows: ``endpoint`` is int32[n].

    0 or more: a number in ``inventory.endpoints``; -1: nobody held the address; -2 or less: one of
    ``candidates[-2 - number]``, which are endpoint numbers in order.
    """

    endpoint: NDArray[np.int32]
    candidates: tuple[tuple[int, ...], ...]


def resolve(inventory: Inventory, placement: Placement) -> Resolved:
    """Return the endpoint of each run.

    A run of holdings of one workload counts as that workload, under the class of its last
    holding; any other run of several is ambiguous.
    """
    first, last = placement.first, placement.last
    endpoint = np.full(len(first), -1, np.int32)
    held = first >= 0
    endpoint[held] = inventory.holding_endpoint[last[held]]
    rows = np.flatnonzero(first < last)
    runs, inverse = np.unique(np.stack([first[rows], last[rows]]), axis=1, return_inverse=True)
    numbers: dict[tuple[int, ...], int] = {}
    answers = [_resolve_run(inventory, int(a), int(b), numbers) for a, b in runs.T]
    endpoint[rows] = np.array(answers, np.int32)[inverse.reshape(-1)]
    return Resolved(endpoint, tuple(numbers))


def outside(inventory: Inventory, address: bytes) -> Endpoint:
    """Return what an address is that nobody held at the time.

    | address | endpoint |
    |---|---|
    | of a Service | SERVICE |
    | in the pod or Service ranges | UNHELD |
    | in the declared node ranges | NODE, of no known name |
    | any other | ADDRESS |

    Where pods and nodes share a subnet, the address may have been a pod's: it is not taken for a
    node's, which a whole subnet would stand for.
    """
    text = str(unpack_address(address))
    service = inventory.service_at.get(address)
    if service:
        return Endpoint(Kind.SERVICE, service.namespace, service.name, address=text)
    if inventory.cluster_blocks.hold(address):
        return Endpoint(Kind.UNHELD, address=text)
    if inventory.node_blocks.hold(address):
        return Endpoint(Kind.NODE, address=text)
    return Endpoint(Kind.ADDRESS, address=text)


def _place_timed(
    search: Search,
    owner: NDArray[np.int64],
    rows: tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]],
    into: Run,
) -> None:
    """Write the runs of rows that carry times; only addresses that change hands are searched."""
    codes, start, end = rows
    if not len(codes):
        return
    first, last = _constant(search, owner, int(start.min()), int(end.max()))
    settled = _find_settled(search, (first, last), int(end.min()), int(start.max()))
    np.take(first, codes, out=into[0])
    np.take(last, codes, out=into[1])
    unsettled = np.flatnonzero(~settled[codes])
    if len(unsettled):
        found = search.find(owner[codes[unsettled]], start[unsettled], end[unsettled])
        into[0][unsettled], into[1][unsettled] = found


def _constant(search: Search, owner: NDArray[np.int64], start: int, end: int) -> Run:
    """Return the runs of each address over one stretch of time."""
    shape = len(owner)
    return search.find(owner, np.full(shape, start, np.int64), np.full(shape, end, np.int64))


def _find_settled(search: Search, run: Run, end: int, start: int) -> NDArray[np.bool_]:
    """Return where the run is right for every row: nobody, or one holding that all rows meet.

    ``end`` is the earliest end of a row, ``start`` the latest start.
    """
    first, last = run
    settled = first > last
    single = np.flatnonzero(first == last)
    holding = first[single]
    settled[single] = (search.start[holding] <= end) & (search.end[holding] > start)
    return settled


def _resolve_run(
    inventory: Inventory, first: int, last: int, numbers: dict[tuple[int, ...], int]
) -> int:
    run = inventory.holding_endpoint[first : last + 1]
    candidates = tuple(sorted({int(one) for one in run}))
    workloads = {
        (one.kind, one.namespace, one.workload)
        for one in (inventory.endpoints[number] for number in candidates)
    }
    if len(workloads) == 1:
        return int(run[-1])
    return -2 - numbers.setdefault(candidates, len(numbers))
