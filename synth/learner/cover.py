"""The cheapest rules that admit exactly the cells of a matrix of peers and ports, proven.

A rule admits a product of peers and ports. A set of rules is exact if every cell is admitted and
no empty one is; its size is 1 a rule + 1 a peer + 1 a port. Two rules inside one maximal product
cost no less than their union, so it is enough to trim each maximal product once: an integer
programme over the maximal products, with a variable for each of their peers, ports and cells.
Parts of the matrix that share no peer and no port are solved apart.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Row = TypeVar("Row", bound=Hashable)
Cells = Mapping[int, frozenset[int]]
"""Peer number → port numbers."""

PRODUCTS_SOLVED = 400
VARIABLES_SOLVED = 4000
"""Above either, rules are chosen greedily; never by the clock."""


@dataclass(frozen=True, slots=True, order=True)
class Product:
    """A rule: these peers on these ports, as sorted numbers."""

    peers: tuple[int, ...]
    ports: tuple[int, ...]

    @property
    def size(self) -> int:
        """1 for the rule, 1 for each peer, 1 for each port."""
        return 1 + len(self.peers) + len(self.ports)


@dataclass(frozen=True, slots=True)
class Cover:
    """Rules that admit exactly the cells, their size, and a proven lower bound of any such size."""

    products: tuple[Product, ...]
    size: int
    bound: int


def cover(cells: Cells) -> Cover:
    """Return the cheapest exact rules for the cells (peer number → its port numbers)."""
    parts = [_solve(part) for part in _components(cells)]
    products = tuple(sorted(product for part in parts for product in part.products))
    return Cover(products, sum(part.size for part in parts), sum(part.bound for part in parts))


def _components(cells: Cells) -> list[Cells]:
    """Return the parts of the matrix that share neither peer nor port."""
    left = dict(sorted((peer, ports) for peer, ports in cells.items() if ports))
    parts: list[Cells] = []
    while left:
        first = next(iter(left))
        part, reach = {first: left.pop(first)}, set(cells[first])
        while joined := [peer for peer, ports in left.items() if ports & reach]:
            for peer in joined:
                reach |= left[peer]
                part[peer] = left.pop(peer)
        parts.append(part)
    return parts


def _solve(cells: Cells) -> Cover:
    if len(set(cells.values())) == 1:
        only = Product(tuple(sorted(cells)), tuple(sorted(next(iter(cells.values())))))
        return Cover((only,), only.size, only.size)
    products = maximal_products(cells)
    variables = sum(len(one.peers) * len(one.ports) + one.size for one in products)
    if len(products) > PRODUCTS_SOLVED or variables > VARIABLES_SOLVED:
        return _greedy(cells)
    return _optimal(cells, products)


def maximal_products(cells: Cells) -> tuple[Product, ...]:
    """Return every product of filled cells that no peer or port can be added to, sorted.

    They are the concepts of the matrix: the port sets closed under intersection.
    """
    port_sets = set(cells.values())
    closed: set[frozenset[int]] = set()
    for ports in sorted(port_sets, key=sorted):
        closed |= {ports} | {ports & other for other in closed}
        if len(closed) > PRODUCTS_SOLVED:
            break
    return tuple(
        sorted(
            Product(
                tuple(sorted(p for p, has in cells.items() if ports <= has)), tuple(sorted(ports))
            )
            for ports in closed
            if ports
        )
    )


def _greedy(cells: Cells) -> Cover:
    """Return one rule for each set of ports that some peer has: exact, but not the cheapest."""
    by_ports: dict[frozenset[int], list[int]] = {}
    for peer, ports in sorted(cells.items()):
        by_ports.setdefault(ports, []).append(peer)
    products = tuple(
        sorted(Product(tuple(peers), tuple(sorted(ports))) for ports, peers in by_ports.items())
    )
    every_port = {port for ports in cells.values() for port in ports}
    return Cover(products, sum(one.size for one in products), 1 + len(cells) + len(every_port))


def _optimal(cells: Cells, products: Sequence[Product]) -> Cover:
    """Solve the integer programme; ties go to fewer rules, then to less overlap."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy
    from scipy.sparse import csr_array  # noqa: PLC0415

    programme = _Programme(cells, products)
    matrix = csr_array(
        (programme.values, (programme.rows, programme.columns)),
        shape=(len(programme.lower), len(programme.cost)),
    )
    solution = milp(
        np.array(programme.cost),
        constraints=LinearConstraint(matrix, np.array(programme.lower), np.inf),
        integrality=np.ones(len(programme.cost)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0},
    )
    if solution.x is None:
        return _greedy(cells)
    chosen = programme.read(np.round(solution.x))
    size = sum(product.size for product in chosen)
    return Cover(chosen, size, size)


class _Programme:
    """Variables: rule used, peer in rule, port in rule, cell in rule; all 0 or 1."""

    def __init__(self, cells: Cells, products: Sequence[Product]) -> None:
        self.cost: list[float] = []
        self.lower: list[float] = []
        self.rows: list[int] = []
        self.columns: list[int] = []
        self.values: list[float] = []
        self._parts: list[tuple[dict[int, int], dict[int, int]]] = []
        covering: dict[tuple[int, int], list[int]] = {
            (peer, port): [] for peer, ports in cells.items() for port in ports
        }
        for product in products:
            self._add_product(product, covering)
        for cell in sorted(covering):
            self._at_least(1, [(variable, 1.0) for variable in covering[cell]])

    def _add_product(self, product: Product, covering: dict[tuple[int, int], list[int]]) -> None:
        rule = self._variable(1 + 1e-3)
        peers = {peer: self._variable(1) for peer in product.peers}
        ports = {port: self._variable(1) for port in product.ports}
        self._parts.append((peers, ports))
        for member in (*peers.values(), *ports.values()):
            self._at_least(0, [(rule, 1.0), (member, -1.0)])
        for peer, with_peer in peers.items():
            for port, on_port in ports.items():
                cell = self._variable(1e-6)
                self._at_least(0, [(with_peer, 1.0), (cell, -1.0)])
                self._at_least(0, [(on_port, 1.0), (cell, -1.0)])
                covering[peer, port].append(cell)

    def _variable(self, cost: float) -> int:
        self.cost.append(cost)
        return len(self.cost) - 1

    def _at_least(self, bound: float, terms: list[tuple[int, float]]) -> None:
        row = len(self.lower)
        self.lower.append(bound)
        for variable, value in terms:
            self.rows.append(row)
            self.columns.append(variable)
            self.values.append(value)

    def read(self, solution: np.ndarray) -> tuple[Product, ...]:
        """Return the rules that the solution uses."""
        found = (
            Product(
                tuple(sorted(peer for peer, at in peers.items() if solution[at])),
                tuple(sorted(port for port, at in ports.items() if solution[at])),
            )
            for peers, ports in self._parts
        )
        return tuple(sorted(one for one in found if one.peers and one.ports))
