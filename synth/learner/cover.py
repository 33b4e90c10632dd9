"""The cheapest rules that admit exactly the cells of a matrix of peers and ports.

A rule admits a product of peers and ports. Rules are exact if every cell is admitted and no empty
one is. Their size is 1 a rule, 1 a peer, and 1 a port term: neighbouring ports within one rule
are one term. Two rules inside one maximal product cost no less than their union, so it is enough
to trim each maximal product once. Parts of the matrix that share no peer and no port are solved
apart.

| part | rules | bound |
|---|---|---|
| one product | that product | its size: proven |
| within ``PRODUCTS_SOLVED`` and ``VARIABLES_SOLVED`` | of an integer programme | what it proved |
| larger | greedy | 1 rule, every peer and every port term once |

The programme ends after ``NODES_SOLVED`` branchings, proven or not; the better of its rules and
the greedy ones is taken. All three limits are sizes, never times, so that a result is the same on
every machine. Whatever the way, the rules are exact, and no peer, port or rule of them can be
taken away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

Cells = Mapping[int, frozenset[int]]
"""Peer number → port numbers."""
Joined = frozenset[int]
"""Ports that form one term with the port of the next number, where a rule has both."""

PRODUCTS_LISTED = 400
PRODUCTS_SOLVED = 100
VARIABLES_SOLVED = 600
NODES_SOLVED = 100


@dataclass(frozen=True, slots=True, order=True)
class Product:
    """A rule: these peers on these ports, as sorted numbers."""

    peers: tuple[int, ...]
    ports: tuple[int, ...]

    def size(self, joined: Joined = frozenset()) -> int:
        """Return 1 for the rule, 1 for each peer, 1 for each port term."""
        return 1 + len(self.peers) + count_terms(self.ports, joined)

    @property
    def cells(self) -> set[tuple[int, int]]:
        """Peers with ports."""
        return {(peer, port) for peer in self.peers for port in self.ports}


@dataclass(frozen=True, slots=True)
class Cover:
    """Rules that admit exactly the cells, their size, and a proven lower bound of any such size."""

    products: tuple[Product, ...]
    size: int
    bound: int


def count_terms(ports: Iterable[int], joined: Joined) -> int:
    """Return the number of terms that the ports take in one rule."""
    some = set(ports)
    return sum(port - 1 not in some or port - 1 not in joined for port in some)


def cover(cells: Cells, joined: Joined = frozenset()) -> Cover:
    """Return cheap exact rules for the cells (peer number → its port numbers), and a bound."""
    parts = [_solve(part, joined) for part in _components(cells)]
    products = tuple(sorted(product for part in parts for product in part.products))
    return Cover(products, sum(part.size for part in parts), sum(part.bound for part in parts))


def _components(cells: Cells) -> list[Cells]:
    """Return the parts of the matrix that share neither peer nor port."""
    users: dict[int, list[int]] = {}
    for peer, ports in cells.items():
        for port in ports:
            users.setdefault(port, []).append(peer)
    seen: set[int] = set()
    parts: list[Cells] = []
    for first in sorted(peer for peer, ports in cells.items() if ports):
        if first not in seen:
            peers = _reached(first, cells, users)
            seen |= peers
            parts.append({peer: cells[peer] for peer in sorted(peers)})
    return parts


def _reached(first: int, cells: Cells, users: dict[int, list[int]]) -> set[int]:
    """Return the peers that the first shares ports with, directly or through others."""
    peers, ports, coming = {first}, set[int](), [first]
    while coming:
        fresh = cells[coming.pop()] - ports
        ports |= fresh
        for port in fresh:
            for peer in users.pop(port):
                if peer not in peers:
                    peers.add(peer)
                    coming.append(peer)
    return peers


def _solve(cells: Cells, joined: Joined) -> Cover:
    if len(set(cells.values())) == 1:
        only = Product(tuple(sorted(cells)), tuple(sorted(next(iter(cells.values())))))
        return Cover((only,), only.size(joined), only.size(joined))
    products = maximal_products(cells)
    variables = sum(len(one.peers) * len(one.ports) + one.size() for one in products)
    greedy = _greedy(cells, products, joined)
    if 0 < len(products) <= PRODUCTS_SOLVED and variables <= VARIABLES_SOLVED:
        return _optimal(cells, products, joined, greedy)
    return greedy


def maximal_products(cells: Cells) -> tuple[Product, ...]:
    """Return every product of filled cells that no peer or port can be added to, sorted.

    They are the concepts of the matrix: the port sets closed under intersection. None at all if
    they are more than ``PRODUCTS_LISTED``.
    """
    closed: set[frozenset[int]] = set()
    for ports in sorted(set(cells.values()), key=sorted):
        closed |= {ports} | {ports & other for other in closed}
        if len(closed) > PRODUCTS_LISTED:
            return ()
    return tuple(
        sorted(
            Product(
                tuple(sorted(p for p, has in cells.items() if ports <= has)), tuple(sorted(ports))
            )
            for ports in closed
            if ports
        )
    )


def _greedy(cells: Cells, products: Sequence[Product], joined: Joined) -> Cover:
    """Return the cheapest of three simple ways to cover the cells."""
    ways = [_by_peers(cells), _by_ports(cells)]
    if products:
        ways.append(_trimmed(_by_price(cells, products, joined)))
    size, best = min((sum(one.size(joined) for one in way), way) for way in ways)
    every_port = {port for ports in cells.values() for port in ports}
    return Cover(tuple(best), size, 1 + len(cells) + count_terms(every_port, joined))


def _by_peers(cells: Cells) -> list[Product]:
    """Return one rule for each set of ports that some peer has."""
    grouped: dict[frozenset[int], list[int]] = {}
    for peer, ports in sorted(cells.items()):
        grouped.setdefault(ports, []).append(peer)
    return sorted(Product(tuple(peers), tuple(sorted(ports))) for ports, peers in grouped.items())


def _by_ports(cells: Cells) -> list[Product]:
    """Return one rule for each set of peers that some port has."""
    turned: dict[int, set[int]] = {}
    for peer, ports in cells.items():
        for port in ports:
            turned.setdefault(port, set()).add(peer)
    rules = _by_peers({port: frozenset(peers) for port, peers in turned.items()})
    return sorted(Product(one.ports, one.peers) for one in rules)


def _by_price(cells: Cells, products: Sequence[Product], joined: Joined) -> list[Product]:
    """Return products, trimmed to what is still missing, the cheapest a missing cell first."""
    missing = {(peer, port) for peer, ports in cells.items() for port in ports}
    chosen = []
    while missing:
        wanted = [(one, one.cells & missing) for one in products]
        offers = [(_around(some), len(some)) for _, some in wanted if some]
        _, best = min((one.size(joined) / count, one) for one, count in offers)
        chosen.append(best)
        missing -= best.cells
    return sorted(chosen)


def _around(cells: Iterable[tuple[int, int]]) -> Product:
    some = list(cells)
    peers, ports = {peer for peer, _ in some}, {port for _, port in some}
    return Product(tuple(sorted(peers)), tuple(sorted(ports)))


def _trimmed(products: Sequence[Product]) -> list[Product]:
    """Return the products without peers and ports that the others make redundant."""
    kept = list(products)
    for at in range(len(kept)):
        others = {cell for number, one in enumerate(kept) if number != at for cell in one.cells}
        for peer in kept[at].peers:
            if {(peer, port) for port in kept[at].ports} <= others:
                left = tuple(one for one in kept[at].peers if one != peer)
                kept[at] = Product(left, kept[at].ports)
        for port in kept[at].ports:
            if {(peer, port) for peer in kept[at].peers} <= others:
                left = tuple(one for one in kept[at].ports if one != port)
                kept[at] = Product(kept[at].peers, left)
    return sorted(one for one in kept if one.peers and one.ports)


def _optimal(cells: Cells, products: Sequence[Product], joined: Joined, greedy: Cover) -> Cover:
    """Solve the integer programme; ties go to fewer rules, then to less overlap."""
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - heavy
    from scipy.sparse import csr_array  # noqa: PLC0415

    programme = _Programme(cells, products, joined)
    matrix = csr_array(
        (programme.values, (programme.rows, programme.columns)),
        shape=(len(programme.lower), len(programme.cost)),
    )
    solution = milp(
        np.array(programme.cost),
        constraints=LinearConstraint(matrix, np.array(programme.lower), np.inf),
        integrality=np.ones(len(programme.cost)),
        bounds=Bounds(0, 1),
        options={"mip_rel_gap": 0.0, "node_limit": NODES_SOLVED},
    )
    proven = greedy.bound
    if solution.mip_dual_bound is not None:
        proven = max(proven, ceil(solution.mip_dual_bound - TIES - 1e-6))
    if solution.x is None:
        return Cover(greedy.products, greedy.size, proven)
    chosen = tuple(_trimmed(programme.read(np.round(solution.x))))
    size = sum(product.size(joined) for product in chosen)
    return (
        Cover(chosen, size, proven)
        if size <= greedy.size
        else Cover(greedy.products, greedy.size, proven)
    )


TIES = 0.5
"""More than all that the costs of ties can add up to."""


class _Programme:
    """Variables: rule used, peer, port, pair of joined ports, cell in rule; all 0 or 1."""

    def __init__(self, cells: Cells, products: Sequence[Product], joined: Joined) -> None:
        self._joined = joined
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
        for port in sorted(self._joined.intersection(ports)):
            if port + 1 in ports:
                pair = self._variable(-1)
                self._at_least(0, [(ports[port], 1.0), (pair, -1.0)])
                self._at_least(0, [(ports[port + 1], 1.0), (pair, -1.0)])
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
