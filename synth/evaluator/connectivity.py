"""Who may reach whom on which ports, by policies alone: a set of ports for each pair of classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.evaluator.bits import Mask, pack
from synth.evaluator.compile import Compiled, Namespaces, compile_policies
from synth.evaluator.connectivity_ports import Cell, Profile, list_cells, list_profiles
from synth.evaluator.flip import flip
from synth.evaluator.halves import Half, Packed
from synth.evaluator.mapped import read_as_ipv4
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.outside import Outside, list_outside
from synth.evaluator.port_sets import Numbers, PortSets
from synth.inventory.endpoint import Endpoint
from synth.policy.model import Direction, PolicySet
from synth.policy.ports import PortSet

TABLES = 1 << 26
"""How many bytes of tables are held at a time: those of all cells, for a block of clients."""


@dataclass(frozen=True, slots=True, eq=False)
class Connectivity:
    """What C classes of endpoints, alike in all that policies can tell, may open to each other.

    | field | meaning |
    |---|---|
    | endpoints | the pods asked about |
    | outside | every other address, in the pieces that policies tell apart |
    | class_of | int32[endpoints + outside]: the class of each |
    | isolated_out, isolated_in | bool[C]: whether a policy isolates its egress, its ingress |
    | sets | the sets of ports that occur, without names; the first is empty, the second whole |
    | pairs | uint16 or int32[C, C]: client, server → number of a set |

    A port is in the set if the client's egress and the server's ingress both admit it, a named
    one where the server declares the name. What needs no rule is not in here: a pod to itself, a
    node to its own pods. Pairs of two classes of addresses mean nothing.
    """

    endpoints: tuple[Endpoint, ...]
    outside: tuple[Outside, ...]
    class_of: NDArray[np.int32]
    isolated_out: Mask
    isolated_in: Mask
    sets: tuple[PortSet, ...]
    pairs: Numbers

    def ports(self, client: int, server: int) -> PortSet:
        """Return what one may open to the other: numbers into ``endpoints`` then ``outside``."""
        return self.sets[int(self.pairs[self.class_of[client], self.class_of[server]])]


def connect(
    policies: PolicySet,
    pods: Sequence[Endpoint],
    namespaces: Namespaces,
    *,
    options: Options = DEFAULT,
) -> Connectivity:
    """Return the connectivity of these pods, each of kind POD, and of all addresses outside."""
    if options.ipv4_mapped == "ipv4":
        policies = read_as_ipv4(policies)
    outside = list_outside(policies)
    endpoints = (*pods, *(one.endpoint for one in outside))
    compiled = compile_policies(policies, endpoints, namespaces, options)
    return connect_compiled(compiled, tuple(pods), outside)


def connect_compiled(
    compiled: Compiled, pods: tuple[Endpoint, ...], outside: tuple[Outside, ...]
) -> Connectivity:
    """Return the same of policies compiled against the pods and the pieces outside, in a row."""
    grid = Grid.of(compiled, len(pods) + len(outside))
    sets = PortSets.of([cell.ports for cell in grid.cells])
    step = max(64, TABLES // max(1, (len(grid.cells) + 64) * grid.width) // 64 * 64)
    blocks = [_number(grid, sets, slice(low, low + step)) for low in range(0, len(grid), step)]
    return Connectivity(
        endpoints=pods,
        outside=outside,
        class_of=grid.class_of,
        isolated_out=grid.egress.isolated,
        isolated_in=grid.ingress.isolated,
        sets=sets.found(),
        pairs=np.concatenate(blocks),
    )


def _number(grid: "Grid", sets: PortSets, clients: slice) -> Numbers:
    return sets.number(np.stack([table for _, table in grid.tables(clients)]), len(grid))


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Both directions between C classes, and the cells of ports; tables are made when asked for."""

    class_of: NDArray[np.int32]
    egress: Half
    ingress: Half
    cells: tuple[Cell, ...]
    width: int
    """Bytes of a row of all classes, a multiple of eight."""

    @classmethod
    def of(cls, compiled: Compiled, endpoints: int) -> "Grid":
        """Return the grid of the first so many endpoints, of which none may be ambiguous."""
        profiles = list_profiles(compiled.ports, endpoints)
        first, class_of = _merge(compiled, profiles)
        chosen = compiled.class_of[first].astype(np.int64)
        peers = _columns(compiled, chosen)
        halves = {
            direction: Half.of(compiled.sides[direction], chosen, peers, compiled.ports.table)
            for direction in Direction
        }
        return cls(
            class_of=class_of,
            egress=halves[Direction.EGRESS],
            ingress=halves[Direction.INGRESS],
            cells=list_cells(compiled.ports, [profiles[at] for at in first.tolist()]),
            width=peers.shape[1],
        )

    def __len__(self) -> int:
        """Return C."""
        return len(self.egress.group)

    def tables(self, clients: slice) -> Iterator[tuple[Cell, Packed]]:
        """Yield each cell with uint8[clients, w]: the servers, packed, that a client may open.

        The slice starts at a multiple of 64. Bits beyond the last server are zero.
        """
        block = _Block.of(self, clients)
        for cell in self.cells:
            yield cell, block.table(cell)


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some clients of a grid; ``known`` keeps the tables of port classes, which recur."""

    egress: Half
    ingress: Half
    clients: slice
    width: int
    known: dict[int, Packed]

    @classmethod
    def of(cls, grid: Grid, clients: slice) -> "_Block":
        """Return the block; ingress is asked about these clients alone."""
        octets = slice(clients.start // 8, -(-clients.stop // 64) * 8)
        rows = slice(clients.start, min(clients.stop, len(grid)))
        return cls(grid.egress, grid.ingress.facing(octets), rows, grid.width, {})

    def table(self, cell: Cell) -> Packed:
        """Return the table of the cell."""
        joined = self._of_port(cell.plain)
        for number, servers in cell.named:
            mask = np.zeros(8 * self.width, np.bool_)
            mask[list(servers)] = True
            # A name only ever adds to what the number alone is admitted for.
            joined = joined | self._of_port(number) & pack(mask)
        return joined

    def _of_port(self, port: int) -> Packed:
        if port not in self.known:
            out = self.egress.table(port, self.clients)
            if len(self.known) * out.nbytes > TABLES:
                self.known.clear()
            into = flip(self.ingress.table(port, slice(None)))[: len(out)]
            out[:, into.shape[1] :] = 0
            out[:, : into.shape[1]] &= into
            self.known[port] = out
        return self.known[port]


def _merge(
    compiled: Compiled, profiles: Sequence[Profile]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the first endpoint of each class, and int32[endpoints]: the class of each."""
    seen = flip(compiled.sure.peers.packed) if len(compiled.sure.peers.packed) else None
    sides = [compiled.sides[direction].group.tolist() for direction in Direction]
    numbers: dict[tuple[object, ...], int] = {}
    first: list[int] = []
    class_of = np.zeros(len(profiles), np.int32)
    own = compiled.class_of[: len(profiles)].tolist()
    for at, (one, profile) in enumerate(zip(own, profiles, strict=True)):
        peers = b"" if seen is None else seen[one].tobytes()
        key = (*(side[one] for side in sides), peers, profile)
        class_of[at] = numbers.setdefault(key, len(numbers))
        if len(first) < len(numbers):
            first.append(at)
    return np.array(first, np.int64), class_of


def _columns(compiled: Compiled, chosen: NDArray[np.int64]) -> Packed:
    """Return the table of peers for these of its columns, its rows padded to eight bytes."""
    width = -(-len(chosen) // 64) * 8
    packed = compiled.sure.peers.packed
    peers = np.zeros((len(packed), width), np.uint8)
    if len(packed):
        columns = flip(flip(packed)[chosen])[: len(packed)]
        peers[:, : columns.shape[1]] = columns
    return peers
