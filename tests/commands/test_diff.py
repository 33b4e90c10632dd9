"""Two sets of policies compared: text, connections, and verdicts as two replays have them."""

import json
import shutil
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.judge import Document
from tests.made import pod, write_cluster
from tests.running import CLIENT_TO_DB, learn, run_here

CLUSTER = ("--cluster", CLIENT_TO_DB.cluster)
FLOWS = ("--flows", CLIENT_TO_DB.flows)
JSON = ("--format", "json")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the policies that learning left."""
    out = tmp_path_factory.mktemp("diff") / "out"
    learn(out, [CLIENT_TO_DB.flows], CLIENT_TO_DB.cluster)
    return out / "policies"


@pytest.fixture
def changed(learned: Path, tmp_path: Path) -> Path:
    """Return the policies with another port for db."""
    copy = tmp_path / "changed"
    shutil.copytree(learned, copy)
    path = copy / "shop/db.yaml"
    path.write_text(path.read_text().replace("3306", "3307"))
    return copy


@pytest.fixture
def nothing(tmp_path: Path) -> Path:
    (tmp_path / "nothing").mkdir()
    return tmp_path / "nothing"


def ask(*arguments: object, code: int = 0) -> dict[str, Any]:
    ended = run_here("diff", *arguments, *JSON)
    assert ended.code == code, ended
    return dict(json.loads(ended.out))


@pytest.mark.parametrize("more", [(), CLUSTER, (*CLUSTER, *FLOWS)])
def test_a_set_does_not_differ_from_itself(learned: Path, more: tuple[object, ...]) -> None:
    found = ask(learned, learned, *more)
    assert not found["differs"]
    assert found["policies"] == []
    assert found["connections"] == (None if not more else [])
    assert (found["records"] is None) == (len(more) < 3)


def test_order_and_spelling_make_no_difference(learned: Path, tmp_path: Path) -> None:
    documents = [yaml.safe_load(path.read_text()) for path in sorted(learned.rglob("*/*.yaml"))]
    for one in documents:
        one["metadata"]["annotations"] = {
            "kubectl.kubernetes.io/last-applied-configuration": "{}\n"
        }
        one["metadata"]["resourceVersion"] = "7"
        one["spec"]["policyTypes"].reverse()
        for way in ("ingress", "egress"):
            one["spec"].get(way, []).reverse()
        labels = one["spec"]["podSelector"].pop("matchLabels")
        one["spec"]["podSelector"]["matchExpressions"] = [
            {"key": key, "operator": "In", "values": [value]} for key, value in labels.items()
        ]
    listed = {"apiVersion": "v1", "kind": "List", "items": documents[::-1]}
    (tmp_path / "all.json").write_text(json.dumps(listed))
    assert not ask(learned, tmp_path / "all.json")["differs"]
    assert not ask(tmp_path / "all.json", learned, *CLUSTER)["differs"]


def test_text_connections_and_verdicts(learned: Path, changed: Path) -> None:
    found = ask(learned, changed, *CLUSTER, *FLOWS, code=1)
    (policy,) = found["policies"]
    assert (policy["edit"], policy["policy"]) == ("changed", "shop/db")
    assert policy["diff"].startswith("--- old shop/db\n+++ new shop/db\n@@")
    lines = policy["diff"].splitlines()
    assert [line for line in lines[2:] if line[0] in "+-"] == [
        "-      port: 3306",
        "+      port: 3307",
    ]
    assert found["connections"] == [
        {
            "edit": "changed",
            "source": "shop/api",
            "destination": "shop/db",
            "protocol": "TCP",
            "old": "3306",
            "new": "3307",
            "pods": "all",
        }
    ]
    (change,) = found["records"]["changes"]
    assert (change["source"], change["destination"]) == ("shop/api", "shop/db")
    assert (change["records"], change["old"], change["new"]) == (238, "allowed", "denied")
    assert change["example"].endswith("node2.events.txt:4")
    assert found["records"]["blocked"] == 238


@pytest.mark.parametrize("pair", [("learned", "changed"), ("nothing", "changed")])
def test_verdicts_change_as_two_replays_differ(
    pair: tuple[str, str], request: pytest.FixtureRequest
) -> None:
    folders = [request.getfixturevalue(one) for one in pair]
    found = ask(*folders, *CLUSTER, *FLOWS, code=1)["records"]
    replays = []
    for folder in folders:
        ended = run_here("replay", CLIENT_TO_DB.flows, *CLUSTER, "--policies", folder, *JSON)
        replays.append(json.loads(ended.out))
    words = ("allowed", "denied", "undetermined")
    for side, replay in zip(("old", "new"), replays, strict=True):
        assert found[side] == {word: replay[word] for word in words}
    for word in words:
        gained = sum(one["records"] for one in found["changes"] if one["new"] == word)
        lost = sum(one["records"] for one in found["changes"] if one["old"] == word)
        assert gained - lost == replays[1][word] - replays[0][word]
    assert found["records"] == replays[0]["records"]
    assert found["skipped"] == replays[0]["skipped"]


def test_the_way_back_is_the_inverse(learned: Path, nothing: Path) -> None:
    there, back = (
        ask(*pair, *CLUSTER, *FLOWS, code=1) for pair in ((nothing, learned), (learned, nothing))
    )
    other = {"added": "removed", "removed": "added", "changed": "changed"}
    assert [one["policy"] for one in there["policies"]] == [
        one["policy"] for one in back["policies"]
    ]
    assert all(one["edit"] == "added" for one in there["policies"])
    assert all(one["edit"] == "removed" for one in back["policies"])
    flipped = [
        one | {"edit": other[one["edit"]], "old": one["new"], "new": one["old"]}
        for one in back["connections"]
    ]
    assert sorted(map(str, there["connections"])) == sorted(map(str, flipped))
    assert there["records"]["old"] == back["records"]["new"]


def test_connections_are_those_of_the_other_command(learned: Path, nothing: Path) -> None:
    told = json.loads(run_here("connectivity", *CLUSTER, "--policies", learned, *JSON).out)
    now = {
        (one["source"], one["destination"], one["protocol"]): one["ports"]
        for one in told["connections"]
    }
    edits = ask(nothing, learned, *CLUSTER, code=1)["connections"]
    named = [one for one in edits if "/" in one["source"] and "." not in one["source"]]
    inside = [one for one in named if "." not in one["destination"]]
    assert len(inside) > 30
    for one in inside:
        key = one["source"], one["destination"], one["protocol"]
        assert now.get(key, "") == one["new"]
        assert one["old"] == "1-65535"


def test_addresses_of_pods_are_not_listed_as_outside(learned: Path, nothing: Path) -> None:
    edits = ask(nothing, learned, *CLUSTER, code=1)["connections"]
    ends = {one[end] for one in edits for end in ("source", "destination")}
    outside = [ip_network(one) for one in ends if "." in one]
    assert len(outside) > 2
    for pods in ("10.244.1.0/24", "10.244.2.0/24"):
        assert not any(one.overlaps(ip_network(pods)) for one in outside)


def test_a_renamed_policy_is_not_removed(learned: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(learned, copy)
    text = (copy / "shop/web.yaml").read_text()
    (copy / "shop/web.yaml").write_text(text.replace("name: web\n", "name: front\n"))
    (edit,) = ask(learned, copy, code=1)["policies"]
    assert (edit["edit"], edit["was"], edit["policy"]) == ("renamed", "shop/web", "shop/front")
    assert ask(learned, copy, *CLUSTER)["differs"] is False
    assert "shop/web is now shop/front: renamed" in run_here("diff", learned, copy).out


@pytest.mark.parametrize(
    ("pair", "code"),
    [(("learned", "changed"), 1), (("learned", "nothing"), 0), (("learned", "learned"), 0)],
)
def test_only_what_is_blocked_fails_if_wished(
    pair: tuple[str, str], code: int, request: pytest.FixtureRequest
) -> None:
    folders = [request.getfixturevalue(one) for one in pair]
    ended = run_here("diff", *folders, *CLUSTER, *FLOWS, "--fail-on", "blocked")
    assert ended.code == code


def test_policies_of_the_cluster_that_neither_names_stay_in_force(tmp_path: Path) -> None:
    labels = {"app": "db"}
    deny: Document = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "deny", "namespace": "shop"},
        "spec": {"podSelector": {}},
    }
    admit: Document = deny | {
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": labels},
            "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 3306}]}],
        },
    }
    cluster = write_cluster(
        tmp_path / "cluster",
        pod("shop/web", {"app": "web"}, "10.1.1.1"),
        pod("shop/db", labels, "10.1.2.1", "n2", [3306]),
        deny,
    )
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    new.mkdir()
    (new / "db.yaml").write_text(yaml.safe_dump(admit))
    found = ask(old, new, "--cluster", cluster, code=1)
    assert found["beside"] == ["shop/deny"]
    assert [(one["edit"], one["new"]) for one in found["connections"]] == [("added", "3306")]
    (old / "deny.yaml").write_text(yaml.safe_dump(deny))
    replaced = ask(old, new, "--cluster", cluster, code=1)
    assert replaced["beside"] == []
    assert "removed" in {one["edit"] for one in replaced["policies"]}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("old", "new", *FLOWS), "--cluster: expected what the cluster holds"),
        (("old", "new", *CLUSTER, "--fail-on", "blocked"), "--fail-on blocked: expected flow logs"),
        (("old", "missing"), "missing: expected a file or a folder"),
    ],
)
def test_wrong_usage(
    arguments: tuple[object, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    ended = run_here("diff", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"synth: {told}")


def test_the_faults_of_both_are_told_together(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\n")
    ended = run_here("diff", tmp_path / "a.yaml", tmp_path / "b.yaml")
    assert ended.code == 2
    assert "a.yaml" in ended.err
    assert "b.yaml" in ended.err
