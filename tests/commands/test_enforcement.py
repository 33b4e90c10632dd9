"""What a cluster would not enforce is loud in every form, and judged as its plugin does."""

import json
from pathlib import Path
from typing import Any

import pytest

from synth.cni.claims import Feature, Value
from synth.cni.profiles import BY_NAME, PROFILES
from synth.commands.enforcement import review, settle
from synth.errors import UsageError
from synth.evaluator.options import DEFAULT
from synth.inventory.model import Inventory
from synth.policy import PolicySet
from tests.cni import dumps
from tests.inventory.objects import listed, pod, read
from tests.running import CLIENT_TO_DB, MADE, ROOT, run_here

PLACE = ("--cluster", CLIENT_TO_DB.cluster)
LOUD = "NOT ENFORCED"
BY_ADDRESS = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {role: db}}
  policyTypes: [Ingress]
  ingress:
    - from: [{ipBlock: {cidr: 10.244.0.0/16}}]
      ports: [{port: 3306}]
"""
EXPOSED = next(case for case in MADE if case.name == "exposed-service")


@pytest.fixture
def by_address(tmp_path: Path) -> Path:
    path = tmp_path / "db.yaml"
    path.write_text(BY_ADDRESS)
    return path


def replay(policies: Path, *more: object, code: int | None = None) -> dict[str, Any]:
    flags = ("--policies", policies, "--format", "json", *more)
    ended = run_here("replay", CLIENT_TO_DB.flows, *PLACE, *flags)
    assert code is None or ended.code == code, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found


def learn(out: Path, *more: object) -> tuple[str, str]:
    ended = run_here("learn", CLIENT_TO_DB.flows, *PLACE, "--out", out, *more)
    assert ended.code == 0, ended
    return ended.out, ended.err


def cluster_with(folder: Path, *objects: dict[str, Any]) -> Path:
    """Return the three-tier cluster with further objects."""
    folder.mkdir()
    for path in CLIENT_TO_DB.cluster.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "more.json").write_text(json.dumps(listed(*objects)))
    return folder


def test_learning_under_flannel_is_loud_everywhere(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text, err = learn(out, "--cni", "flannel")
    assert text.split("\n\n")[1].startswith(f"{LOUD}\n")
    assert err.startswith(f"synth: warning: {LOUD}: flannel enforces no NetworkPolicy")
    markdown, _ = learn(out, "--cni", "flannel", "--format", "markdown")
    assert markdown.index(LOUD) < markdown.index("Read")
    page = (out / "report.html").read_text()
    assert page.index(LOUD) < page.index("Who may talk to whom")
    values = json.loads(learn(out, "--cni", "flannel", "--format", "json")[0])
    assert values["cni"]["enforces"] == "no"
    assert values["cni"]["name"] == "flannel"
    assert values["cni"]["recognised_by"] == "--cni"
    (one,) = values["cni"]["warnings"]
    assert one["feature"] == "enforces"
    assert "flannel-io/flannel" in one["source"]
    assert values["warnings"][0].startswith(LOUD)


def test_a_cluster_that_tells_no_plugin_is_no_nuisance(tmp_path: Path) -> None:
    text, err = learn(tmp_path / "out")
    assert text.count("Network plugin\n") == 1
    assert "Not recognised" in text
    assert LOUD not in text
    assert "plugin" not in err
    values = json.loads(learn(tmp_path / "out", "--format", "json")[0])
    assert values["cni"] == {
        "name": None,
        "version": None,
        "recognised_by": None,
        "others": [],
        "enforces": "unknown",
        "choices": [],
        "unknown": [],
        "warnings": [],
    }


@pytest.mark.parametrize("command", ["learn", "replay", "connectivity", "coverage", "diff"])
def test_a_wrong_name_is_one_line(command: str, tmp_path: Path) -> None:
    flags: dict[str, tuple[object, ...]] = {
        "learn": (CLIENT_TO_DB.flows, "--out", tmp_path / "out"),
        "replay": (CLIENT_TO_DB.flows, "--policies", tmp_path),
        "connectivity": ("--policies", tmp_path),
        "coverage": (CLIENT_TO_DB.flows, "--policies", tmp_path),
        "diff": (tmp_path, tmp_path),
    }
    ended = run_here(command, *flags[command], *PLACE, "--cni", "calicoo")
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "'calicoo'" in ended.err
    assert "weave-net" in ended.err
    assert not (tmp_path / "out").exists()


def test_the_help_names_every_profile() -> None:
    told = "".join(run_here("learn", "--help").out.split())
    assert all(one.name in told for one in PROFILES)


def test_flannel_in_the_dump_is_recognised(tmp_path: Path) -> None:
    cluster = cluster_with(tmp_path / "cluster", dumps.FLANNEL)
    flags = ("--cluster", cluster, "--out", tmp_path / "out")
    ended = run_here("learn", CLIENT_TO_DB.flows, *flags)
    assert ended.code == 0
    assert LOUD in ended.out
    assert "flannel 0.25.5, recognised by DaemonSet kube-flannel-ds." in ended.out


def test_learned_openings_towards_nodes_are_warned_of_under_cilium(tmp_path: Path) -> None:
    flags = ("--out", tmp_path / "out", "--cni", "cilium", "--format", "json")
    ended = run_here("learn", EXPOSED.flows, "--cluster", EXPOSED.cluster, *flags)
    values = json.loads(ended.out)
    found = [one for one in values["cni"]["warnings"] if one["feature"] == "ip-block-nodes"]
    assert {one["policy"] for one in found} == {"edge/app", "edge/gateway"}
    assert all("worker-a" in one["what"] for one in found)
    assert values["cni"]["choices"] == [], "learn proves as most plugins judge"


def test_replay_judges_as_cilium_does(by_address: Path) -> None:
    before = replay(by_address)
    under = replay(by_address, "--cni", "cilium", code=1)
    assert before["denied"] == 0
    assert under["denied"] > 0
    assert under["options"]["ip-block-pods"] == "no"
    assert {one["choice"]: one["value"] for one in under["cni"]["choices"]} == {
        "ip-block-pods": "no",
        "ip-block-nodes": "no",
    }
    (one,) = under["cni"]["warnings"]
    assert (one["policy"], one["direction"], one["rule"]) == ("shop/db", "Ingress", 0)
    assert "the pods in 10.244.0.0/16" in one["what"]


def test_a_choice_of_the_user_comes_before_the_plugin(by_address: Path) -> None:
    found = replay(by_address, "--cni", "cilium", "--choose", "ip-block-pods=yes", code=0)
    assert found["denied"] == 0
    assert [one["choice"] for one in found["cni"]["choices"]] == ["ip-block-nodes"]


def test_a_recognised_plugin_says_what_it_decided(by_address: Path, tmp_path: Path) -> None:
    cluster = cluster_with(tmp_path / "cluster", dumps.CILIUM)
    flags = ("--cluster", cluster, "--policies", by_address)
    ended = run_here("replay", CLIENT_TO_DB.flows, *flags)
    assert ended.code == 1
    assert "Cilium 1.15.6, recognised by DaemonSet cilium." in ended.out
    assert "ip-block-pods=no [cilium/cilium issue 9209" in ended.out
    assert "What Cilium 1.15.6 would not enforce as written" in ended.out
    assert "synth: warning: Cilium 1.15.6: shop/db ingress[0]: the pods in" in ended.err
    unknown = run_here("replay", CLIENT_TO_DB.flows, *flags, "--cni", "unknown")
    assert unknown.code == 0
    assert "Not recognised" in unknown.out


def test_several_plugins_are_loud(by_address: Path, tmp_path: Path) -> None:
    cluster = cluster_with(tmp_path / "cluster", dumps.CILIUM, dumps.CALICO)
    flags = ("--cluster", cluster, "--policies", by_address)
    ended = run_here("replay", CLIENT_TO_DB.flows, *flags)
    assert "calico, cilium" in ended.out.split("\n\n")[1]
    assert "--cni NAME says which" in ended.err
    assert ended.code == 0, "judged as most plugins do"


def test_another_plugin_than_the_dump_shows_is_told(by_address: Path, tmp_path: Path) -> None:
    cluster = cluster_with(tmp_path / "cluster", dumps.CALICO)
    flags = ("--cluster", cluster, "--policies", by_address, "--cni", "kube-router")
    ended = run_here("replay", CLIENT_TO_DB.flows, *flags)
    assert "kube-router, as --cni says." in ended.out
    assert "The cluster files also show calico." in ended.out


def test_connectivity_is_that_of_the_plugin(by_address: Path) -> None:
    flags = ("--policies", by_address, "--to", "shop/db", "--format", "json")
    before = json.loads(run_here("connectivity", *PLACE, *flags).out)
    under = json.loads(run_here("connectivity", *PLACE, *flags, "--cni", "cilium").out)
    sources = [
        {one["source"] for one in found["connections"] if one["destination"] == "shop/db"}
        for found in (before, under)
    ]
    assert "shop/api" in sources[0]
    assert "shop/api" not in sources[1]
    loud = run_here("connectivity", *PLACE, *flags[:2], "--cni", "flannel")
    assert loud.out.split("\n\n")[1].startswith(LOUD)


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_every_command_is_loud_in_every_form(form: str, by_address: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    for command in (
        ("replay", CLIENT_TO_DB.flows, *PLACE, "--policies", by_address),
        ("coverage", CLIENT_TO_DB.flows, *PLACE, "--policies", by_address),
        ("connectivity", *PLACE, "--policies", by_address),
        ("diff", tmp_path / "none", by_address, *PLACE),
        ("diff", tmp_path / "none", by_address),
    ):
        ended = run_here(*command, "--cni", "flannel", "--format", form)
        assert ended.err.startswith(f"synth: warning: {LOUD}: "), command
        if form == "json":
            assert json.loads(ended.out)["cni"]["enforces"] == "no", command
        else:
            assert LOUD in ended.out.split("\n\n")[1], command


def test_two_sets_of_policies_alone_say_nothing_of_a_plugin(
    by_address: Path, tmp_path: Path
) -> None:
    (tmp_path / "none").mkdir()
    ended = run_here("diff", tmp_path / "none", by_address, "--format", "json")
    assert json.loads(ended.out)["cni"] is None


def test_coverage_counts_as_the_plugin_judges(by_address: Path) -> None:
    flags = ("coverage", CLIENT_TO_DB.flows, *PLACE, "--policies", by_address, "--format", "json")
    before, under = (json.loads(run_here(*flags, *more).out) for more in ((), ("--cni", "cilium")))
    assert before["ingress"]["records"]["denied"] < under["ingress"]["records"]["denied"]


def test_what_a_profile_settles() -> None:
    def chosen(name: str) -> dict[str, str]:
        enforcement = review(Inventory(), PolicySet(), name)
        return {one.choice: one.value for one in enforcement.chosen}

    assert chosen("cilium") == {"ip-block-pods": "no", "ip-block-nodes": "no"}
    assert chosen("calico") == {"hairpin": "police"}
    assert chosen("weave-net") == {"to-own-node": "allow"}
    assert chosen("aws-vpc-cni") == {"to-own-node": "allow"}
    assert chosen("flannel") == {}
    assert chosen("unknown") == {}


def test_only_what_has_a_source_is_settled() -> None:
    for name in BY_NAME:
        enforcement, options = settle(review(Inventory(), PolicySet(), name))
        assert {one.choice: one.value for one in enforcement.chosen} == options.chosen
        assert all(one.claim.source for one in enforcement.chosen)
        assert all(one.claim.value is not Value.UNKNOWN for one in enforcement.chosen)
    assert settle(review(Inventory(), PolicySet()))[1] == DEFAULT


def test_a_plugin_that_is_switched_off_settles_nothing(tmp_path: Path) -> None:
    off = dumps.config_map("cilium-config", enable_policy="never")
    cluster = listed(pod("web-1", "10.244.1.5"), dumps.CILIUM, off)
    found = review(read(tmp_path, cluster=cluster), PolicySet())
    assert (found.enforces, found.chosen) == (Value.NO, ())


def test_pending_policies_are_reviewed_too(tmp_path: Path) -> None:
    case = next(one for one in MADE if one.name == "vpc-three-tier")
    flags = ("--out", tmp_path / "out", "--cni", "romana", "--format", "json")
    values = json.loads(run_here("learn", case.flows, "--cluster", case.cluster, *flags).out)
    kinds = ("policies", "pending")
    named = {f"{one['namespace']}/{one['name']}" for kind in kinds for one in values[kind]}
    assert values["pending"]
    assert {one["policy"] for one in values["cni"]["warnings"]} == {None, *named}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="--cni"):
        review(Inventory(), PolicySet(), "cillium")


def test_without_a_name_and_a_dump_nothing_is_known() -> None:
    found = review(Inventory(), PolicySet())
    assert found.enforces is Value.UNKNOWN
    assert found.found.claim(Feature.SCTP).source == ""


def test_the_docs_name_every_profile() -> None:
    page = (ROOT / "docs/cni.md").read_text()
    assert all(f"(`{one.name}`)" in page for one in PROFILES)
