"""The logs are what the truth says, read with the real readers."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from datasets.generator import read_truth
from synth.commands.cluster import open_cluster
from synth.edges.place import distinct
from synth.inventory.locate import locate
from synth.inventory.model import Inventory, Ranges
from tests.datasets.generator.conftest import Made
from tests.datasets.generator.witness import SECOND, Witness, read_batches, text_of

FORMATS = ("vpc", "conntrack")
PLACES = ("", "ahead/")


def open_inventory(*files: Path) -> Inventory:
    return open_cluster([str(one) for one in files], Ranges()).inventory


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FORMATS)
def test_no_record_is_malformed(made: Made, kind: str, place: str) -> None:
    batches = read_batches(made.folder / place / kind)
    assert sum(batch.records for batch in batches) == made.truth.records[f"{place}{kind}"] > 1_000
    outcomes = {name for batch in batches for name in batch.skipped.counts}
    assert outcomes <= {"no-data", "skip-data"}
    assert bool(outcomes) == (kind == "vpc")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_record_is_of_a_true_edge_or_attack(made: Made, kind: str, place: str) -> None:
    witness = Witness(made.truth)
    seen = set[object]()
    for batch in read_batches(made.folder / place / kind):
        for row, edges in witness.explain(batch, sample=3):
            assert edges, row
            if len(edges) == 1:
                seen |= edges
    assert len(seen) > 25


@pytest.mark.parametrize("kind", FORMATS)
def test_attacks_leave_records_with_their_outcome(made: Made, kind: str) -> None:
    witness = Witness(made.truth)
    found = set[str]()
    for batch in read_batches(made.folder / kind):
        for _, edges in witness.explain(batch, sample=1):
            found |= {getattr(one, "attack", "") for one in edges if len(edges) == 1}
    # Behind a node's address, and with the one user of that address known, a beacon shows too.
    assert found >= {"fast-scan", "slow-scan", "movement", "beacon", "poisoning"}


def test_the_inventory_of_the_dump_is_the_truth(made: Made) -> None:
    split = made.truth.split
    true = {
        (
            row["address"],
            row["since"],
            row["until"] if (row["until"] or split + 1) <= split else None,
            f"{row['workload'].partition('/')[0]}/{row['owner']}",
            row["uid"],
            row["node"],
        )
        for row in made.truth.holdings.to_pylist()
        if row["since"] <= split
    }
    folder = made.folder / "cluster"
    names = ("before.json", "watch.json", "after.json")
    for files in (names, names[:2], names[1:]):
        inventory = open_inventory(*(folder / name for name in files))
        read = {
            (
                pod.addresses[0],
                (pod.start or 0) // SECOND,
                pod.end and pod.end // SECOND,
                f"{pod.namespace}/{pod.workload}",
                pod.uid,
                pod.node,
            )
            for pod in inventory.pods
        }
        assert read == true
        assert not inventory.warnings


def test_the_dump_tells_nothing_of_what_comes_later(made: Made) -> None:
    inventory = open_inventory(made.folder / "cluster")
    assert max((pod.start or 0) // SECOND for pod in inventory.pods) <= made.truth.split
    assert inventory.observed is not None
    assert inventory.observed[1] == made.truth.split * SECOND
    later = {
        row["uid"] for row in made.truth.holdings.to_pylist() if row["since"] > made.truth.split
    }
    assert later
    assert later <= {pod.uid for pod in open_inventory(made.folder / "ahead/cluster").pods}


@pytest.mark.parametrize("kind", FORMATS)
def test_locate_finds_whom_the_truth_names(made: Made, kind: str) -> None:
    """Where one pod alone may be meant, it is found; where several may, the run is ambiguous."""
    witness = Witness(made.truth)
    inventory = open_inventory(made.folder / "cluster")
    pods = {hash_: pod for pod in inventory.pods for hash_ in (pod.uid,)}
    by_holding = {
        (text_of(address), start): None
        for address, start in zip(
            inventory.holding_address, inventory.holding_start.tolist(), strict=True
        )
    }
    assert len(by_holding) == len(inventory.holding_address)
    starts = {uid: (pod.addresses[0], pod.start) for uid, pod in pods.items()}
    certain = ambiguous = 0
    for batch in read_batches(made.folder / kind):
        for column in ("src", "dst"):
            addresses, codes = distinct(batch.table.column(column))
            start = np.asarray(batch.table.column("start").cast("int64")) - int(batch.early)
            end = np.asarray(batch.table.column("end").cast("int64")) + int(batch.late)
            found = locate(inventory, addresses, codes, start, end)
            unclear = np.flatnonzero(found.first < found.last)
            for row in {*range(0, len(codes), 7), *unclear.tolist()}:
                text = text_of(addresses[codes[row]])
                # Holdings are in whole seconds, half-open; a record's time includes its end.
                uids = witness.uids(
                    text, -(-int(start[row]) // SECOND) - 1, int(end[row]) // SECOND
                )
                if len(uids) == 1 and found.first[row] == found.last[row] >= 0:
                    holding = int(found.first[row])
                    here = text_of(inventory.holding_address[holding])
                    assert (here, int(inventory.holding_start[holding])) == starts[next(iter(uids))]
                    certain += 1
                elif found.first[row] < found.last[row]:
                    ambiguous += 1
                    assert len(uids) > 1
                elif not uids:
                    assert found.first[row] == found.last[row]
    assert certain > 500
    assert ambiguous > 0 or kind == "conntrack"


def test_addresses_are_held_by_one_pod_at_a_time_and_change_hands_within_seconds(
    made: Made,
) -> None:
    rows = sorted(made.truth.holdings.to_pylist(), key=lambda row: (row["address"], row["since"]))
    gaps = [
        after["since"] - before["until"]
        for before, after in pairwise(rows)
        if before["address"] == after["address"]
    ]
    assert min(gaps) >= 5
    assert sum(gap < 60 for gap in gaps) > 5
    others = [
        (before["workload"], after["workload"])
        for before, after in pairwise(rows)
        if before["address"] == after["address"]
    ]
    assert any(one != other for one, other in others)


def test_what_is_read_again_is_what_was_made(made: Made) -> None:
    again = read_truth(made.folder)
    assert again.holdings.equals(made.truth.holdings)
    for name in ("options", "start", "split", "end", "workloads", "edges", "outside", "nodes"):
        assert getattr(again, name) == getattr(made.truth, name), name
    assert dict(again.records) == dict(made.truth.records)


def test_connections_of_edges_are_within_their_lives_and_counted(made: Made) -> None:
    truth = made.truth
    for edge in truth.edges:
        if edge.since is not None and edge.since >= truth.split:
            assert not edge.connections
        if edge.until is not None and edge.until <= truth.split:
            assert not edge.ahead
    assert sum(edge.connections for edge in truth.edges if edge.legitimate) > 2_000
    assert any(not edge.connections for edge in truth.edges if edge.legitimate)


def test_days_name_new_and_removed_edges(made: Made) -> None:
    new, old = made.truth.changes(0)
    assert new
    assert old
    assert all(made.truth.start <= (edge.since or 0) < made.truth.start + 86_400 for edge in new)


def test_roles_hold_every_workload_once_and_twins_together(made: Made) -> None:
    members = [key for keys in made.truth.roles.values() for key in keys]
    assert sorted(members) == sorted(one.key for one in made.truth.workloads)
    assert any(len(keys) == 2 for keys in made.truth.roles.values())
    assert any(len(one.owners) == 2 for one in made.truth.workloads)


def test_twins_have_the_same_edges_and_near_twins_one_more(made: Made) -> None:
    edges = {one.key: set[tuple[object, ...]]() for one in made.truth.workloads}
    for edge in made.truth.edges:
        # Edges of their own may have begun and ended; here it is who, not when.
        if edge.group == "core" and edge.since is None and edge.client in edges:
            edges[edge.client].add((edge.server_role, edge.port))
    twins = [keys for keys in made.truth.roles.values() if len(keys) == 2]
    assert twins
    for one, two in twins:
        assert len(edges[one] ^ edges[two]) <= 2
    names = {key.removesuffix("-a"): key for key in edges if key.endswith("-a")}
    near = [
        (key, f"{base}-b")
        for base, key in names.items()
        if f"{base}-b" in edges and not any(key in pair for pair in twins)
    ]
    assert near


def test_parquet_is_that_of_aws(made: Made) -> None:
    paths = sorted((made.folder / "vpc").rglob("*.parquet"))
    schema = pq.read_schema(paths[0])
    assert len(schema) == 29
    assert {str(schema.field(name).type) for name in ("srcaddr", "action", "region")} == {"string"}
    assert str(schema.field("srcport").type) == "int32"
    assert str(schema.field("bytes").type) == "int64"
    table = pq.read_table(paths[0])
    inside = [row for row in table.to_pylist() if row["log_status"] == "OK"]
    nodes = {address for _, address in made.truth.nodes}
    for row in inside[::50]:
        own = "srcaddr" if row["flow_direction"] == "egress" else "dstaddr"
        assert row[own] in nodes
        assert (row["traffic_path"] is None) == (row["flow_direction"] == "ingress")
        assert row["end"] - row["start"] == 59
    gaps = [row for row in table.to_pylist() if row["log_status"] != "OK"]
    assert gaps
    assert all(row["srcaddr"] == "-" and row["srcport"] is None for row in gaps)


def test_nothing_within_a_node_is_in_vpc_logs_but_trackers_saw_it(made: Made) -> None:
    node_of = {row["address"]: row["node"] for row in made.truth.holdings.to_pylist()}
    within = {}
    for kind in FORMATS:
        count = 0
        for batch in read_batches(made.folder / kind):
            for row in batch.table.select(["src", "dst"]).to_pylist():
                src, dst = (node_of.get(text_of(row[name])) for name in ("src", "dst"))
                count += src is not None and src == dst
        within[kind] = count
    assert within["vpc"] == 0
    assert within["conntrack"] > 50


def test_trackers_show_translation_by_services_and_nodes(made: Made) -> None:
    nodes = {address for _, address in made.truth.nodes}
    services = masked = 0
    for batch in read_batches(made.folder / "conntrack"):
        names = ["src", "dst", "asked", "seen_src"]
        for row in batch.table.select(names).to_pylist():
            src, dst, asked, seen = (row[name] and text_of(row[name]) for name in names)
            leaves = src.startswith("10.0.") and dst.startswith("198.")
            assert leaves <= (seen in nodes)
            masked += leaves
            services += bool(asked) and asked.startswith("172.20.")
    assert masked > 20
    assert services > 500
