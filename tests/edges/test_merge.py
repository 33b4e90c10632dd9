"""Merging: any split, any order, any nesting, with or without collapsing in between."""

from collections.abc import Callable, Sequence
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.inventory.listeners import listeners
from tests.edges.strategies import (
    API,
    CLUSTER,
    DAY,
    DB,
    DECLARED,
    NOON,
    OUTSIDE,
    WEB1,
    Line,
    assert_same,
    batch,
    cluster,
    endpoints_of,
    folded,
    lines,
    names,
    only,
    syn,
)

FILES = ("a.log", "b.log", "dir/c.log")
LINES = st.lists(st.tuples(lines(), st.sampled_from(FILES)), min_size=1, max_size=30)
Step = Callable[[Edges], Edges]


def parts(some: Sequence[tuple[Line, str]], random: Random) -> list[Edges]:
    """Return the lines folded in batches of random sizes, in a random order."""
    shuffled = list(some)
    random.shuffle(shuffled)
    found = []
    while shuffled:
        size = random.randint(1, len(shuffled))
        piece, shuffled = shuffled[:size], shuffled[size:]
        for file in FILES:
            mine = [line for line, name in piece if name == file]
            found.append(fold(batch(mine, file=file), CLUSTER, DECLARED))
    return found


def nested(some: list[Edges], random: Random) -> Edges:
    """Return the parts merged two or three at a time, in a random order, some collapsed."""
    while len(some) > 1:
        random.shuffle(some)
        size = random.randint(2, 3)
        one = merge(some[:size])
        some = [collapse(one) if random.random() < 0.5 else one, *some[size:]]
    return merge(some)


@settings(max_examples=40)
@given(LINES, st.randoms(use_true_random=False))
def test_split_order_and_nesting_make_no_difference(
    some: Sequence[tuple[Line, str]], random: Random
) -> None:
    whole = merge(
        [
            fold(batch([x for x, name in some if name == file], file=file), CLUSTER, DECLARED)
            for file in FILES
        ]
    )

    assert_same(nested(parts(some, random), random), whole)
    assert_same(merge(parts(some, random)), whole)
    assert whole.records.sum() == len(some)


@settings(max_examples=40)
@given(LINES, st.randoms(use_true_random=False))
def test_no_edges_are_the_identity(some: Sequence[tuple[Line, str]], random: Random) -> None:
    whole = merge(parts(some, random))

    assert_same(merge([whole]), whole)
    assert_same(merge([Edges.empty(), whole, Edges.empty()]), whole)


def test_merging_nothing_gives_no_edges() -> None:
    for none in (merge([]), merge([Edges.empty()]), merge([Edges.empty(), Edges.empty()])):
        assert_same(none, Edges.empty())


def test_days_far_apart_keep_their_half_days() -> None:
    early, late = (
        folded(syn(WEB1, DB, 3306, start=NOON + day * DAY, end=NOON + day * DAY))
        for day in (0, 400)
    )
    timeless = folded(syn(WEB1, DB, 3306, start=None, end=None))

    edge = only(merge([late, timeless, early]))

    assert edge["half_days"] == {40_001, 40_801}
    assert (edge["first"], edge["last"], edge["records"]) == (NOON, NOON + 400 * DAY, 3)


def test_edges_of_different_clusters_merge() -> None:
    # The other cluster no longer has the database: the address is one that nobody holds.
    smaller = cluster(pods=tuple(pod for pod in CLUSTER.pods if pod.workload != "Deployment/db"))
    one = folded(syn(WEB1, DB, 3306), syn(WEB1, API, 5000), file="a.log")
    other = fold(
        batch([syn(WEB1, DB, 3306), syn(WEB1, API, 5000)], file="b.log"),
        smaller,
        listeners(smaller),
    )

    whole = merge([other, one])

    assert sorted(names(whole)) == [
        ("shop/web", DB, 3306, True),
        ("shop/web", "shop/api", 5000, True),
        ("shop/web", "shop/db", 3306, True),
    ]
    assert sorted(whole.records.tolist()) == [1, 1, 2]
    assert whole.files == ("a.log", "b.log")
    assert whole.endpoints == tuple(sorted(whole.endpoints))
    assert set(whole.endpoints) == endpoints_of(whole)


def test_the_example_is_the_first_record_by_file_and_row() -> None:
    one = folded(syn(WEB1, DB, 3306, row=7), syn(WEB1, API, 80, row=1), file="b.log")
    other = folded(syn(WEB1, DB, 3306, row=9), file="a.log")

    whole = merge([one, other])

    assert {whole.example_of(row) for row in range(len(whole))} == {("a.log", 9), ("b.log", 1)}


def test_what_no_row_mentions_is_left_out() -> None:
    whole = merge([folded(syn(WEB1, DB, 3306, row=2), file=file) for file in ("z.log", "a.log")])

    assert whole.files == ("a.log",)
    assert {one.name for one in whole.endpoints} == {"shop/web", "shop/db"}


def test_counts_are_summed_in_64_bits() -> None:
    many = 2**62

    edges = merge([folded(syn(WEB1, OUTSIDE, 443, fwd=many // 100)) for _ in range(2)])

    assert edges.packets_out.tolist() == [many // 100 * 2]
    assert edges.bytes_out.dtype == np.int64
