"""Edges kept from another day give the verdicts of their logs, or are refused."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.commands.stored import Placing, read_stored
from synth.edges.merge import merge
from synth.edges.parquet import Terms, write_edges
from synth.errors import InputError
from synth.inventory.blocks import Blocks
from synth.inventory.endpoints import with_endpoints
from synth.ledger import Ledger
from synth.policy.address import pack_address, parse_address
from tests.learner.worlds import Contact, World, edges_of
from tests.made import connection, pod, write_cluster
from tests.running import learn, run_here

WEB, DB = "10.1.1.10", "10.1.2.20"
BOTH = ("0.0.0.0/0", "::/0")
RANGE = ("10.1.0.0/16",)


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    path = tmp_path / "flows.log"
    path.write_text("".join(connection(number, WEB, DB, 3306) for number in range(4)))
    return path


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    web, db = pod("shop/web", {"app": "web"}, WEB), pod("shop/db", {"app": "db"}, DB, "n2")
    return write_cluster(tmp_path / "cluster", web, db)


@pytest.fixture
def stored(tmp_path: Path, flows: Path, cluster: Path) -> Path:
    learn(tmp_path / "out", [flows], cluster)
    return tmp_path / "out" / "edges.parquet"


def policies(folder: Path, cidr: str, *excepts: str, key: str = "app") -> Path:
    block = {"cidr": cidr} | ({"except": list(excepts)} if excepts else {})
    selector = {"matchExpressions": [{"key": key, "operator": "Exists"}]}
    spec = {"podSelector": selector, "policyTypes": ["Egress"]}
    meta = {"namespace": "shop", "name": "corp"}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta}
    path = folder / "policy.json"
    path.write_text(
        json.dumps(policy | {"spec": spec | {"egress": [{"to": [{"ipBlock": block}]}]}})
    )
    return path


def verdicts(flows: Path, cluster: Path, policy: Path) -> tuple[int, int]:
    flags = ("--cluster", cluster, "--policies", policy, "--format", "json")
    ended = run_here("replay", flows, *flags)
    assert ended.code in (0, 1), ended
    found = json.loads(ended.out)
    return found["allowed"], found["denied"]


@pytest.mark.parametrize(
    ("cidr", "excepts", "allowed"),
    [
        ("10.0.0.0/8", (), True),
        ("10.1.2.0/24", (), True),
        ("10.1.1.0/24", (), False),
        ("10.1.0.0/16", ("10.1.2.0/24",), False),
        ("10.1.0.0/16", ("10.1.1.0/24",), True),
        ("203.0.113.0/28", (), False),
    ],
)
def test_what_stored_blocks_can_tell_is_told(
    tmp_path: Path, stored: Path, cidr: str, excepts: tuple[str, ...], *, allowed: bool
) -> None:
    policy = policies(tmp_path, cidr, *excepts)

    found = verdicts(stored, tmp_path / "cluster", policy)

    assert found == verdicts(tmp_path / "flows.log", tmp_path / "cluster", policy)
    assert (found[1] == 0) is allowed


@pytest.mark.parametrize(
    ("cidr", "excepts", "named"),
    [
        ("10.1.2.0/27", (), "10.1.2.0/27"),
        ("10.0.0.0/8", ("10.1.2.16/28",), "10.1.2.16/28"),
        ("10.1.2.20/32", (), "10.1.2.20/32"),
    ],
)
def test_what_stored_blocks_cannot_tell_is_refused(
    tmp_path: Path, stored: Path, cidr: str, excepts: tuple[str, ...], named: str
) -> None:
    policy = policies(tmp_path, cidr, *excepts)
    flags = ("--cluster", tmp_path / "cluster", "--policies", policy)

    ended = run_here("replay", stored, *flags)

    assert ended.code == 2
    assert str(stored) in ended.err
    assert named in ended.err
    assert "Give the logs" in ended.err
    assert run_here("replay", tmp_path / "flows.log", *flags).code in (0, 1)


def test_a_policy_of_the_cluster_counts_as_well(tmp_path: Path, stored: Path) -> None:
    policy = policies(tmp_path, "10.1.2.0/27")
    policy.rename(tmp_path / "cluster" / "policy.json")
    flags = ("--cluster", tmp_path / "cluster", "--out", tmp_path / "more")

    ended = run_here("learn", stored, *flags)

    assert ended.code == 2
    assert "10.1.2.0/27" in ended.err
    assert not (tmp_path / "more").exists()


def test_a_volatile_label_that_nobody_kept_is_refused(tmp_path: Path, stored: Path) -> None:
    policy = policies(tmp_path, "0.0.0.0/0", key="pod-template-hash")

    ended = run_here("replay", stored, "--cluster", tmp_path / "cluster", "--policies", policy)

    assert ended.code == 2
    assert "the label pod-template-hash of its pods" in ended.err


def test_a_file_of_an_older_version_is_refused(tmp_path: Path, stored: Path) -> None:
    table = pq.read_table(stored)
    about = {key: text for key, text in table.schema.metadata.items() if b"sep" not in key}
    old = tmp_path / "old.parquet"
    pq.write_table(table.replace_schema_metadata(about), old)

    ended = run_here("learn", old, "--cluster", tmp_path / "cluster", "--out", tmp_path / "more")

    assert ended.code == 2
    assert "an older version" in ended.err
    assert "Give the logs" in ended.err


def test_faults_of_all_files_come_together(tmp_path: Path, stored: Path) -> None:
    other = tmp_path / "other.parquet"
    other.write_bytes(stored.read_bytes())
    inventory = with_endpoints(World().app("web").build(), separators=["10.1.2.0/27"])

    with pytest.raises(InputError) as caught:
        read_stored([stored, other], inventory, ["10.1.2.0/27"])

    assert [fault.place for fault in caught.value.faults] == [str(stored), str(other)]


def test_edges_learned_from_edges_are_the_same(tmp_path: Path, stored: Path) -> None:
    learn(tmp_path / "more", [stored], tmp_path / "cluster")

    again = tmp_path / "more" / "edges.parquet"
    assert again.read_bytes() == stored.read_bytes()


def test_stored_edges_merge_with_fresh_ones(tmp_path: Path) -> None:
    """Endpoints that an older policy split are one again, and one that a newer splits, two."""
    contacts = [Contact("web", "api"), Contact("web#1", "api")]
    world = World().app("web", replicas=2).app("api")
    old = with_endpoints(world.build(), separators=[*BOTH, *RANGE, "10.1.0.1/32", "10.1.0.2/32"])
    new = with_endpoints(world.build(), separators=[*BOTH, "10.0.0.0/8", "10.1.0.1/32"])
    kept, path = edges_of(old, contacts), tmp_path / "e.parquet"
    write_edges(kept, Ledger(), path, old.separators)

    (found,) = read_stored([path], new, ["10.0.0.0/8"])

    assert found.terms == Terms(new.separators)
    assert {one.blocks for one in found.edges.endpoints} <= {one.blocks for one in new.endpoints}
    fresh = edges_of(new, contacts)
    assert set(found.edges.endpoints) == set(fresh.endpoints)
    assert len(merge([found.edges, fresh])) == len(fresh)


HERE = (*BOTH, "10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.64/26", "10.1.0.77/32")
POOL = (*HERE, "10.1.1.0/24", "10.2.0.0/16", "fd00::/8", "fd00:1::/32", "2001:db8::/32")
ADDRESSES = ("10.1.0.77", "10.1.0.65", "10.1.0.1", "10.1.1.1", "10.2.3.4", "10.9.9.9", "fd00:1::1")


@given(st.sets(st.sampled_from(POOL)), st.sets(st.sampled_from(POOL)))
def test_blocks_told_anew_are_those_of_the_address(stored: set[str], wanted: set[str]) -> None:
    before, after = Blocks.of({*BOTH, *stored}), Blocks.of(wanted)
    placing = Placing(sorted(wanted), frozenset({*BOTH, *stored}))
    packed = [pack_address(parse_address(text)) for text in ADDRESSES]

    found = [placing.around(before.around(address)) for address in packed]

    assert placing.unknown <= wanted - stored
    for address, blocks in zip(packed, found, strict=True):
        right = [one for one in after.around(address) if one not in placing.unknown]
        assert [one for one in blocks if one not in placing.unknown] == right
        assert set(blocks) <= set(after.around(address))
