"""The cover against every set of products there is, on matrices small enough to try them all."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain, combinations
from random import Random
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.learner import cover as module
from synth.learner.cover import Cover, Product, count_terms, cover

Cells = Mapping[int, frozenset[int]]
Joined = frozenset[int]
JOINED = st.frozensets(st.integers(0, 2))


def matrices(peers: int, ports: int) -> st.SearchStrategy[dict[int, frozenset[int]]]:
    some = st.frozensets(st.integers(0, ports - 1))
    return st.dictionaries(st.integers(0, peers - 1), some, max_size=peers)


def filled(cells: Cells) -> set[tuple[int, int]]:
    return {(peer, port) for peer, ports in cells.items() for port in ports}


def admitted(products: Iterable[Product]) -> set[tuple[int, int]]:
    return {cell for one in products for cell in one.cells}


def subsets(values: Iterable[int]) -> list[tuple[int, ...]]:
    some = sorted(values)
    sizes = range(1, len(some) + 1)
    return list(chain.from_iterable(combinations(some, size) for size in sizes))


def least_size(cells: Cells, joined: Joined) -> int:
    """Return the least size of any exact rules, by trying every product for the first cell."""
    whole = filled(cells)
    products = [
        (Product(peers, ports), frozenset(Product(peers, ports).cells))
        for peers in subsets(cells)
        for ports in subsets({port for _, port in whole})
    ]
    usable = [(one.size(joined), held) for one, held in products if held <= whole]

    @cache
    def least(left: frozenset[tuple[int, int]]) -> int:
        if not left:
            return 0
        first = min(left)
        return min(size + least(left - held) for size, held in usable if first in held)

    return least(frozenset(whole))


def assert_irredundant(found: Cover) -> None:
    """Assert that no peer, port or rule can be taken away."""
    whole = admitted(found.products)
    for at, one in enumerate(found.products):
        others = admitted(other for number, other in enumerate(found.products) if number != at)
        for peer in one.peers:
            assert not {(peer, port) for port in one.ports} <= others
        for port in one.ports:
            assert not {(peer, port) for peer in one.peers} <= others
        assert others != whole


@settings(max_examples=60)
@given(matrices(4, 4), JOINED)
def test_the_cheapest_of_all(cells: Cells, joined: Joined) -> None:
    found = cover(cells, joined)
    assert admitted(found.products) == filled(cells)
    assert found.size == found.bound == least_size(cells, joined)
    assert found.size == sum(one.size(joined) for one in found.products)
    assert_irredundant(found)


@given(matrices(6, 6), JOINED)
def test_greedy_is_exact_irredundant_and_no_cheaper_than_its_bound(
    cells: Cells, joined: Joined
) -> None:
    cells = {peer: ports for peer, ports in cells.items() if ports}
    if not cells:
        return
    for products in ((), module.maximal_products(cells)):
        found = module._greedy(cells, products, joined)  # noqa: SLF001 - the path of large matrices
        assert admitted(found.products) == filled(cells)
        assert found.bound <= found.size == sum(one.size(joined) for one in found.products)
        assert_irredundant(found)


def test_the_greedy_bound_is_one() -> None:
    for seed in range(30):
        random = Random(seed)  # noqa: S311
        cells = {
            peer: frozenset(port for port in range(4) if random.random() < 0.6) | {0}
            for peer in range(4)
        }
        greedy = module._greedy(cells, (), frozenset({1}))  # noqa: SLF001
        assert greedy.bound <= least_size(cells, frozenset({1}))


@settings(max_examples=20)
@given(matrices(5, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_cells_does_not_matter(cells: Cells, random: Random) -> None:
    items = list(cells.items())
    random.shuffle(items)
    assert cover(dict(items)) == cover(cells)


def test_nothing() -> None:
    assert cover({}) == Cover((), 0, 0)
    assert cover({1: frozenset()}) == Cover((), 0, 0)


def test_ties_go_to_fewer_rules() -> None:
    cells = {0: frozenset({0, 1}), 1: frozenset({0, 1}), 2: frozenset({0})}
    assert len(cover(cells).products) == 2


@pytest.mark.parametrize(
    ("ports", "terms"), [((), 0), ((1,), 1), ((1, 2), 1), ((1, 3), 2), ((1, 2, 3), 2), ((2, 3), 2)]
)
def test_neighbouring_ports_are_one_term_where_they_are_joined(
    ports: tuple[int, ...], terms: int
) -> None:
    assert count_terms(ports, frozenset({1})) == terms


def test_products_beyond_the_limit_are_not_taken_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PRODUCTS_LISTED", 3)
    cells = {0: frozenset({0, 1}), 1: frozenset({1, 2}), 2: frozenset({2, 3}), 3: frozenset({0, 3})}
    assert module.maximal_products(cells) == ()
    assert admitted(cover(cells).products) == filled(cells)


def test_a_programme_cut_short_is_exact_and_claims_no_more_than_it_proved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = Random(3)  # noqa: S311
    cells = {
        peer: frozenset(port for port in range(9) if random.random() < 0.5) for peer in range(9)
    }
    proven = cover(cells)
    monkeypatch.setattr(module, "NODES_SOLVED", 0)
    found = cover(cells)
    assert admitted(found.products) == filled(cells)
    assert found.bound <= proven.bound <= proven.size <= found.size
    assert_irredundant(found)


@pytest.mark.parametrize("density", [0.03, 0.1, 0.3, 0.5, 0.9])
def test_forty_by_forty_takes_seconds(density: float) -> None:
    random = Random(1)  # noqa: S311
    cells = {
        peer: frozenset(port for port in range(40) if random.random() < density)
        for peer in range(40)
    }
    begin = monotonic()
    found = cover(cells)
    assert monotonic() - begin < 20
    assert admitted(found.products) == filled(cells)
    assert_irredundant(found)
    assert found.bound <= found.size
