import numpy as np
import pytest

from synth.evaluator.bits import pack
from synth.evaluator.flip import flip


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (9, 64), (64, 65), (130, 7), (63, 200)])
def test_columns_become_rows(shape: tuple[int, int]) -> None:
    table = np.random.default_rng(1).random(shape) < 0.4
    flipped = flip(np.stack([pack(row) for row in table]))
    found = np.unpackbits(flipped, axis=1, bitorder="little").view(np.bool_)
    assert (found[: shape[1], : shape[0]] == table.T).all()
    assert not found[shape[1] :].any()
    assert not found[:, shape[0] :].any()


def test_the_table_given_is_left_as_it_is() -> None:
    table = np.arange(64, dtype=np.uint8).reshape(8, 8)
    before = table.copy()
    flip(table)
    assert (table == before).all()
