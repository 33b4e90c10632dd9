"""Outside addresses and ports kept few, whatever the order and the split."""

from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from random import Random

import numpy as np
import pytest

from synth.edges.collapse import ADDRESSES_KEPT, PORT_PAIRS_KEPT, collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.inventory.endpoint import Kind
from tests.edges.strategies import (
    API,
    CLUSTER,
    DB,
    DECLARED,
    NODE1,
    UDP,
    WEB1,
    Line,
    assert_same,
    batch,
    folded,
    names,
    rows,
    syn,
    tracked,
)


def addresses(count: int, first: str = "203.0") -> list[str]:
    """Return so many addresses of one /16."""
    return [f"{first}.{one >> 8}.{one & 255}" for one in range(count)]


def splits(some: Sequence[Line], pieces: int, seed: int) -> list[Edges]:
    """Return the lines shuffled and folded in so many pieces."""
    shuffled = list(some)
    Random(seed).shuffle(shuffled)  # noqa: S311 - repeatable
    return [fold(batch(shuffled[at::pieces]), CLUSTER, DECLARED) for at in range(pieces)]


def by_twos(parts: Sequence[Edges]) -> Edges:
    """Return the parts merged and collapsed one after the other."""
    whole = Edges.empty()
    for part in parts:
        whole = collapse(merge([whole, part]))
    return whole


def raw(some: Sequence[Line]) -> list[Edges]:
    """Return parts too small to collapse anything."""
    return [fold(batch(some[at : at + 50]), CLUSTER, DECLARED) for at in range(0, len(some), 50)]


def assert_independent(some: Sequence[Line]) -> Edges:
    """Return the collapsed edges, asserting that no split and no order makes a difference."""
    whole = collapse(merge(raw(some)))
    assert_same(collapse(whole), whole)
    for seed, pieces in enumerate((1, 2, 3, 7)):
        assert_same(by_twos(splits(some, pieces, seed)), whole)
        assert_same(collapse(merge(splits(some, pieces, seed))), whole)
    assert_same(merge([whole]), whole)
    assert whole.records.sum() == len(some)
    return whole


def smallest(some: Sequence[str], count: int) -> set[str]:
    def order(text: str) -> bytes:
        return blake2b(text.encode(), digest_size=8).digest()

    return set(sorted(some, key=order)[:count])


def test_few_addresses_are_kept_as_they_are() -> None:
    edges = folded(*(syn(one, WEB1, 80) for one in addresses(ADDRESSES_KEPT)))

    assert len(edges) == ADDRESSES_KEPT
    assert collapse(edges) is edges


def test_clients_beyond_those_kept_fold_into_a_prefix() -> None:
    some = addresses(1_000)

    edges = assert_independent([syn(one, WEB1, 80) for one in some])

    exact = {row["client"].address for row in rows(edges)} - {"203.0.0.0/16"}
    assert exact == smallest(some, ADDRESSES_KEPT)
    wide = [row for row in rows(edges) if row["client"].address == "203.0.0.0/16"]
    assert [row["records"] for row in wide] == [1_000 - ADDRESSES_KEPT]
    assert wide[0]["client_seen"] == wide[0]["client"]


def test_servers_beyond_those_kept_fold_into_a_prefix() -> None:
    some = addresses(1_000)

    edges = assert_independent([syn(WEB1, one, 443) for one in some])

    exact = {row["server"].address for row in rows(edges)} - {"203.0.0.0/16"}
    assert exact == smallest(some, ADDRESSES_KEPT)


def test_each_server_and_port_keeps_its_own() -> None:
    some = addresses(300)

    edges = assert_independent(
        [syn(one, server, port) for one in some for server in (WEB1, DB) for port in (80, 81)]
    )

    count = Counter((row["server"].name, row["port"]) for row in rows(edges))
    assert set(count.values()) == {ADDRESSES_KEPT + 1}


def test_a_masqueraded_client_still_shows_the_node() -> None:
    some = [tracked(one, WEB1, 80, seen_src=NODE1) for one in addresses(300)]

    edges = assert_independent(some)

    assert {row["client_seen"].name for row in rows(edges)} == {"node n1"}


def test_a_wider_prefix_holds_addresses_of_the_other_family() -> None:
    some = [f"2001:db8:{one >> 8:x}::{one & 255:x}" for one in range(600)]

    edges = assert_independent([syn(one, WEB1, 80) for one in some])

    assert "2001:db8::/32" in {row["client"].address for row in rows(edges)}


def test_a_sweep_of_the_pod_range_is_kept_few() -> None:
    some = [syn(WEB1, one, 80) for one in addresses(2_000, "10.0") if int(one.split(".")[3]) > 20]

    edges = assert_independent(some)

    assert len(edges) == ADDRESSES_KEPT + 1
    assert {row["server"].kind for row in rows(edges)} == {Kind.UNHELD}


def test_traffic_between_outsiders_is_kept_few() -> None:
    clients, servers = addresses(60), addresses(60, "198.51")

    edges = assert_independent([syn(one, other, 443) for one in clients for other in servers])

    assert len(edges) == ADDRESSES_KEPT + 1
    assert ("203.0.0.0/16", "198.51.0.0/16", 443, True) in names(edges)


def test_outsiders_with_many_peers_at_both_ends() -> None:
    some = [syn(one, f"198.51.0.{at % 3}", 443) for at, one in enumerate(addresses(900))]
    some += [syn(addresses(3)[at % 3], one, 443) for at, one in enumerate(addresses(900, "9.9"))]

    edges = assert_independent(some)

    assert len(edges) == ADDRESSES_KEPT + 2


def test_port_pairs_beyond_those_kept_are_forgotten() -> None:
    some = [Line(WEB1, DB, 7000 + one, 9000 + one % 3) for one in range(500)]

    edges = assert_independent(some)

    forgotten = [row for row in rows(edges) if row["port"] == 0]
    assert len(edges) == PORT_PAIRS_KEPT + 1
    assert [row["records"] for row in forgotten] == [500 - PORT_PAIRS_KEPT]
    assert [row["client_port"] for row in forgotten] == [0]


def test_addresses_and_ports_of_undecided_pairs() -> None:
    some = [
        Line(one, WEB1, 7000 + at % 5, 9000 + at, protocol=UDP)
        for at, one in enumerate(addresses(900))
    ]

    edges = assert_independent(some)

    assert len(edges) == ADDRESSES_KEPT + PORT_PAIRS_KEPT + 1


def test_exact_and_folded_pairs_of_several_parts_meet() -> None:
    first = [Line(one, WEB1, 7000, 9000 + at) for at, one in enumerate(addresses(250))]
    second = [Line(one, WEB1, 7001, 9000 + at) for at, one in enumerate(addresses(400)[250:])]
    third = [Line(addresses(1)[0], WEB1, 7000 + at, 9000) for at in range(200)]

    assert_independent([*first, *second, *third, *(syn(WEB1, one, 80) for one in addresses(300))])


@pytest.mark.parametrize("seed", range(3))
def test_a_world_of_everything_at_once(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - repeatable
    ends = [*addresses(500), *addresses(300, "198.51"), *addresses(40, "10.0"), WEB1, API, DB]
    some = []
    for _ in range(4_000):
        client, server = random.choice([WEB1, random.choice(ends)]), random.choice(ends)
        port = random.choice((80, 443, 7000 + random.randrange(100)))
        if random.random() < 0.5:
            some.append(syn(client, server, port))
        else:
            some.append(Line(client, server, random.choice((41822, 7000, 8000)), port))

    assert_independent(some)


def test_a_scan_from_a_hundred_thousand_addresses_keeps_the_rows_few() -> None:
    random = np.random.default_rng(1)
    numbers = random.integers(1 << 24, 10 << 24, 100_000).astype(">u4").view(np.uint8)
    sources = [".".join(map(str, one)) for one in numbers.reshape(-1, 4).tolist()]

    largest = 0
    whole = Edges.empty()
    for at in range(0, len(sources), 20_000):
        part = folded(*(syn(one, WEB1, 80) for one in sources[at : at + 20_000]))
        whole = collapse(merge([whole, part]))
        largest = max(largest, len(part), len(whole))

    prefixes = {one.rsplit(".", 2)[0] for one in sources}
    assert largest <= ADDRESSES_KEPT + len(prefixes)
    assert len(prefixes) <= 9 << 8
    assert whole.records.sum() == len(sources)
    assert len(whole.endpoints) <= len(whole) + 1
