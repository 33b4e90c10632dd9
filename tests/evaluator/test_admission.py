"""The two ways through the kernel give the same answers."""

import numpy as np
import pytest

from synth.evaluator import admission
from synth.evaluator.admission import Queries, admit
from synth.evaluator.bits import Bits, pack
from synth.evaluator.sides import Lists, Side, Tables

CLASSES, PORTS, RULES, GROUPS = 21, 5, 12, 4


def _case(seed: int, queries: int) -> tuple[Side, Tables, Queries]:
    rng = np.random.default_rng(seed)
    peers, ports = rng.random((RULES, CLASSES)) < 0.4, rng.random((RULES, PORTS)) < 0.4
    tables = Tables(
        Bits.of([pack(row) for row in peers], CLASSES), Bits.of([pack(row) for row in ports], PORTS)
    )
    rules = [sorted(rng.choice(RULES, size, replace=False).tolist()) for size in (0, 1, 5, 12)]
    numbers = rng.permutation(RULES).astype(np.int32)
    side = Side(
        group=np.zeros(0, np.int32),
        policies=Lists.of([]),
        rules=Lists.of(rules),
        names=(),
        refs=(),
        peers=numbers,
        ports=numbers[::-1].copy(),
    )
    asked = Queries(
        group=rng.integers(-1, GROUPS, queries, dtype=np.int32),
        peer=rng.integers(0, CLASSES, queries, dtype=np.int32),
        port=rng.integers(0, PORTS, queries, dtype=np.int32),
    )
    return side, tables, asked


def _expected(side: Side, tables: Tables, queries: Queries) -> list[bool]:
    def one(group: int, peer: int, port: int) -> bool:
        rules = side.rules[group] if group >= 0 else ()
        cells = [
            (tables.peers, side.peers[rule], peer, tables.ports, side.ports[rule], port)
            for rule in rules
        ]
        return any(
            bool(a.at(np.array([b]), np.array([c]))[0] and d.at(np.array([e]), np.array([f]))[0])
            for a, b, c, d, e, f in cells
        )

    triples = zip(queries.group.tolist(), queries.peer.tolist(), queries.port.tolist(), strict=True)
    return [one(*triple) for triple in triples]


@pytest.mark.parametrize("cells", [1, 50, 1 << 24])
@pytest.mark.parametrize("query_cost", [0, 1, 2, 1 << 20])
@pytest.mark.parametrize("dense", [0, 1 << 25])
def test_every_way_gives_the_same_answers(
    monkeypatch: pytest.MonkeyPatch, dense: int, query_cost: int, cells: int
) -> None:
    monkeypatch.setattr(admission, "DENSE", dense)
    monkeypatch.setattr(admission, "QUERY_COST", query_cost)
    monkeypatch.setattr(admission, "CELLS", cells)
    found = []
    for seed in range(5):
        side, tables, queries = _case(seed, 150)
        found += admit(side, tables, queries).tolist()
        assert found[-150:] == _expected(side, tables, queries)
    assert 0.2 < np.mean(found) < 0.8


def test_each_group_is_taken_once_with_all_its_queries() -> None:
    _, _, queries = _case(1, 150)
    taken = list(queries.by_group())
    assert [group for group, _ in taken] == [0, 1, 2, 3]
    for group, rows in taken:
        assert rows.tolist() == np.flatnonzero(queries.group == group).tolist()


def test_no_queries() -> None:
    assert admit(*_case(0, 0)).shape == (0,)


def test_bits_are_those_packed() -> None:
    rows = np.random.default_rng(1).random((3, 19)) < 0.5
    table = Bits.of([pack(row) for row in rows], 19)
    everything = table.at(np.arange(3)[:, None], np.arange(19)[None, :])
    assert np.array_equal(everything, rows)
    assert np.array_equal(table.union(np.array([0, 2])), rows[0] | rows[2])
    assert not table.union(np.zeros(0, np.int32)).any()
