"""Who held an address at a time: rows of (address, time) → runs of holdings → endpoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import NEVER, Inventory, Placement
from synth.inventory.search import Search
from synth.policy.address import unpack_address

_MAPPED = bytes(10) + b"\xff\xff"
"""The first 12 bytes of an IPv4 address."""
_LOW = (1 << 32) - 1


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
    owner = number_owners(search, addresses)
    if not len(codes):
        return Placement(np.zeros(0, np.int32), np.zeros(0, np.int32))
    whole, settled = locate_throughout(search, owner, Span.of(start, end))
    first, last = whole.first[codes], whole.last[codes]
    rows = np.flatnonzero(~settled[codes])
    if len(rows):
        found = locate_rows(search, owner[codes[rows]], start[rows], end[rows])
        first[rows], last[rows] = found.first, found.last
    return Placement(first, last)


@dataclass(frozen=True, slots=True)
class Span:
    """The times of some records, microseconds: all lie within ``start`` and ``end``.

    ``end_of_first`` is the earliest end of a record, ``start_of_last`` the latest start, of
    records that carry times.
    """

    start: int
    end: int
    end_of_first: int
    start_of_last: int

    @classmethod
    def of(cls, start: NDArray[np.int64], end: NDArray[np.int64]) -> "Span":
        """Return the span of one record or more."""
        first, last = int(start.min()), int(end.max())
        if first == -NEVER and last == NEVER:
            timed = (start != -NEVER) | (end != NEVER)
            start, end = start[timed], end[timed]
        if not len(start):
            return cls(first, last, NEVER, -NEVER)
        return cls(first, last, int(end.min()), int(start.max()))


def number_owners(search: Search, addresses: Sequence[bytes]) -> NDArray[np.int64]:
    """Return int64[n]: the numbers of the addresses in the index, -1 where nobody ever held it."""
    return np.array([search.numbers.get(one, -1) for one in addresses], np.int64)


def locate_throughout(
    search: Search, owner: NDArray[np.int64], span: Span
) -> tuple[Placement, NDArray[np.bool_]]:
    """Return the run of each address over the whole span; and bool[n], whether it is settled.

    A settled run is right for each record: nobody, or one holding that all of them meet.
    """
    size = len(owner)
    start, end = np.full(size, span.start, np.int64), np.full(size, span.end, np.int64)
    whole = locate_rows(search, owner, start, end)
    settled = whole.first < 0
    single = np.flatnonzero(~settled & (whole.first == whole.last))
    holding = whole.first[single]
    within = search.end[holding] > span.start_of_last
    settled[single] = within & (search.start[holding] <= span.end_of_first)
    return whole, settled


def locate_rows(
    search: Search, owner: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> Placement:
    """Return the run of each address over its own stretch of time."""
    first, last = search.find(owner, start, end)
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
    runs, inverse = np.unique(first[rows].astype(np.int64) << 32 | last[rows], return_inverse=True)
    numbers: dict[tuple[int, ...], int] = {}
    answers = [
        one if isinstance(one, int) else -2 - numbers.setdefault(one, len(numbers))
        for one in (_resolve_run(inventory, run >> 32, run & _LOW) for run in runs.tolist())
    ]
    endpoint[rows] = np.array(answers, np.int32)[inverse]
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
    version, number, text = read_address(address)
    service = inventory.service_at.get(address)
    if service:
        return Endpoint(Kind.SERVICE, service.namespace, service.name, address=text)
    if _hold(inventory.cluster_blocks, version, number):
        return Endpoint(Kind.UNHELD, address=text)
    if _hold(inventory.node_blocks, version, number):
        return Endpoint(Kind.NODE, address=text)
    return Endpoint(Kind.ADDRESS, address=text)


def read_address(address: bytes) -> tuple[int, int, str]:
    """Return family, number and text; those of IPv4, of which a scan has many, without objects."""
    if address.startswith(_MAPPED):
        octets = address[len(_MAPPED) :]
        return 4, int.from_bytes(octets, "big"), "{}.{}.{}.{}".format(*octets)
    return 6, int.from_bytes(address, "big"), str(unpack_address(address))


def _hold(blocks: Blocks, version: int, number: int) -> bool:
    return any(
        family == version and number >> width in table for family, width, table in blocks.tables
    )


@lru_cache(maxsize=1 << 16)
def _resolve_run(inventory: Inventory, first: int, last: int) -> int | tuple[int, ...]:
    """Return the endpoint of the run, or the candidates, in order, where it is ambiguous."""
    run = inventory.holding_endpoint[first : last + 1]
    candidates = tuple(sorted({int(one) for one in run}))
    workloads = {
        (one.kind, one.namespace, one.workload)
        for one in (inventory.endpoints[number] for number in candidates)
    }
    if len(workloads) == 1:
        return int(run[-1])
    return candidates
