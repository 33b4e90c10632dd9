"""The whole way from files to connections."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.inventory.objects import listed, node, pod, service, thing, workload
from tests.running import CLIENT_TO_DB, run_here

Object = dict[str, Any]
Row = tuple[str, str, str, str]


def policy(name: str, namespace: str = "shop", **spec: Any) -> Object:  # noqa: ANN401 - YAML
    return thing(
        "NetworkPolicy", name, version="networking.k8s.io/v1", namespace=namespace, spec=spec
    )


def selecting(**labels: str) -> Object:
    return {"matchLabels": labels}


def write(folder: Path, *objects: Object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(objects))
    return folder


def ask(cluster: Path, *more: object, code: int = 0) -> dict[str, Any]:
    ended = run_here("connectivity", "--cluster", cluster, "--format", "json", *more)
    assert ended.code == code, ended.err
    values: dict[str, Any] = json.loads(ended.out)
    return values


def rows(values: dict[str, Any]) -> list[Row]:
    return [
        (one["source"], one["destination"], one["protocol"], one["ports"])
        for one in values["connections"]
    ]


def inside(values: dict[str, Any]) -> list[Row]:
    return [one for one in rows(values) if "shop/" in one[0] and "shop/" in one[1]]


WEB, DB = workload("Deployment", "web"), workload("StatefulSet", "db")
ONLY_WEB = policy(
    "db",
    podSelector=selecting(app="db"),
    ingress=[{"from": [{"podSelector": selecting(app="web")}], "ports": [{"port": 3306}]}],
)


def test_manifests_alone_suffice(tmp_path: Path) -> None:
    cluster = write(tmp_path / "cluster", WEB, DB, ONLY_WEB)
    values = ask(cluster)
    assert inside(values) == [
        *(("shop/db", "shop/web", protocol, "1-65535") for protocol in ("SCTP", "TCP", "UDP")),
        ("shop/web", "shop/db", "TCP", "3306"),
        *(("shop/web", "shop/web", protocol, "1-65535") for protocol in ("SCTP", "TCP", "UDP")),
    ]
    assert values["isolated"] == [
        {"name": "shop/db", "ingress": "all", "egress": "none"},
        {"name": "shop/web", "ingress": "none", "egress": "none"},
    ]
    assert ("0.0.0.0/0", "shop/web", "TCP", "1-65535") in rows(values)
    assert ("shop/db", "::/0", "UDP", "1-65535") in rows(values)
    assert all(one["pods"] == "all" for one in values["connections"])
    assert "not every pod's address is in a known range" in values["warnings"][0]
    assert (values["synth"], values["schema"]) == ("0.1.0", 1)


def test_given_policies_replace_those_of_the_cluster_and_it_says_so(tmp_path: Path) -> None:
    cluster = write(tmp_path / "cluster", WEB, DB, ONLY_WEB)
    policies = write(tmp_path / "policies", policy("deny", podSelector={}))
    values = ask(cluster, "--policies", policies)
    assert inside(values) == []
    assert values["policies"] == ["shop/deny"]
    assert any("1 NetworkPolicy of the cluster files left out" in w for w in values["warnings"])


def test_without_policies_everything_is_allowed_and_it_says_so(tmp_path: Path) -> None:
    ended = run_here("connectivity", "--cluster", write(tmp_path / "cluster", WEB, DB))
    assert ended.code == 0
    assert "shop/db, shop/web" in ended.out
    assert "every port" in ended.out
    assert "no NetworkPolicy in" in ended.out
    assert "synth: warning: no NetworkPolicy in" in ended.err


@pytest.mark.parametrize("given", [False, True])
def test_policies_of_other_kinds_are_named(tmp_path: Path, given: bool) -> None:  # noqa: FBT001
    other = thing("CiliumNetworkPolicy", "l7", version="cilium.io/v2", spec={})
    cluster = write(tmp_path / "cluster", WEB, other)
    policies = write(tmp_path / "policies", ONLY_WEB)
    values = ask(cluster, *(("--policies", policies) if given else ()))
    (named,) = values["elsewhere"]
    assert "CiliumNetworkPolicy" in named
    assert "shop/l7" in named


def owned(name: str) -> Object:
    return {"ownerReferences": [{"kind": "DaemonSet", "name": name, "controller": True}]}


def test_pods_of_one_workload_that_differ_are_marked_and_listed_apart(tmp_path: Path) -> None:
    cluster = write(
        tmp_path / "cluster",
        pod("web-1", "10.1.0.1", labels={"app": "web", "track": "canary"}, meta=owned("web")),
        pod("web-2", "10.1.0.2", labels={"app": "web"}, meta=owned("web")),
        pod("db-1", "10.1.0.3", meta=owned("db")),
        policy(
            "db",
            podSelector=selecting(app="db"),
            ingress=[
                {"from": [{"podSelector": selecting(app="web")}], "ports": [{"port": 80}]},
                {
                    "from": [{"podSelector": selecting(track="canary")}],
                    "ports": [{"port": 80, "endPort": 90}],
                },
            ],
        ),
    )
    values = ask(cluster, "--from", "shop/web", "--to", "shop/db")
    told = [(one["ports"], one["pods"]) for one in values["connections"]]
    assert told == [("80", "all"), ("81-90", "some")]
    text = run_here("connectivity", "--cluster", cluster, "--from", "shop/web", "--to", "shop/db")
    assert "TCP 81-90 (some pods)" in text.out
    apart = ask(cluster, "--from", "shop/web-1", "--to", "shop/db-1", "--level", "pod")
    assert rows(apart) == [("shop/web-1", "shop/db-1", "TCP", "80-90")]
    other = ask(cluster, "--from", "shop/web-2", "--to", "shop/db-1", "--level", "pod")
    assert rows(other) == [("shop/web-2", "shop/db-1", "TCP", "80")]


def test_a_block_that_may_hold_a_template_pod_is_marked(tmp_path: Path) -> None:
    half = policy(
        "web",
        podSelector=selecting(app="web"),
        ingress=[{"from": [{"ipBlock": {"cidr": "10.244.0.0/17"}}]}],
    )
    cluster = write(tmp_path / "cluster", WEB, DB, half)
    told = {
        (one["source"], one["pods"])
        for one in ask(cluster, "--pod-cidr", "10.244.0.0/16", "--to", "shop/web")["connections"]
    }
    assert told == {("shop/db", "some"), ("shop/web", "some")}
    (warning,) = ask(cluster, "--to", "shop/web")["warnings"][-1:]
    assert "nobody knows which ipBlocks hold the pods of shop/db, shop/web" in warning


def test_dual_stack_workloads_need_both_families(tmp_path: Path) -> None:
    cluster = write(
        tmp_path / "cluster",
        pod("a-1", "10.1.0.1", "fd00::1", meta=owned("a")),
        pod("b-1", "10.1.0.2", "fd00::2", meta=owned("b")),
        policy("b", podSelector=selecting(app="b"), ingress=[_from_block("10.0.0.0/8", 80)]),
    )
    values = ask(cluster, "--from", "shop/a", "--to", "shop/b")
    assert [(one["ports"], one["pods"]) for one in values["connections"]] == [("80", "some")]


def _from_block(cidr: str, port: int, *excepts: str) -> Object:
    block: Object = {"cidr": cidr}
    if excepts:
        block["except"] = list(excepts)
    return {"from": [{"ipBlock": block}], "ports": [{"port": port}]}


def test_addresses_outside_are_cidrs_without_those_of_pods_services_and_nodes(
    tmp_path: Path,
) -> None:
    cluster = write(
        tmp_path / "cluster",
        node("n1", "172.18.0.2", spec={"podCIDR": "10.244.0.0/24"}),
        pod("web-1", "10.244.0.1", meta=owned("web")),
        service("web"),
        policy(
            "web",
            podSelector=selecting(app="web"),
            ingress=[
                _from_block("10.244.0.0/23", 80),
                _from_block("172.18.0.0/23", 81),
                _from_block("203.0.113.0/24", 82, "203.0.113.128/25"),
            ],
        ),
    )
    into = ["--to", "shop/web", "--service-cidr", "10.244.1.0/25"]
    assert rows(ask(cluster, *into)) == [
        ("10.244.1.128/25", "shop/web", "TCP", "80"),
        ("172.18.1.0/24", "shop/web", "TCP", "81"),
        ("203.0.113.0/25", "shop/web", "TCP", "82"),
    ]
    assert ("172.18.0.0/24", "shop/web", "TCP", "81") in rows(ask(cluster, *into, "--nodes"))
    text = run_here("connectivity", "--cluster", cluster, *into)
    assert "172.18.0.0/24: the subnet around the nodes; --nodes lists it" in text.out
    declared = [*into, "--node-cidr", "172.18.0.0/25", "--nodes"]
    assert rows(ask(cluster, *declared))[1:3] == [
        ("172.18.0.128/25", "shop/web", "TCP", "81"),
        ("172.18.1.0/24", "shop/web", "TCP", "81"),
    ]


def test_host_network_pods_are_named_as_their_nodes(tmp_path: Path) -> None:
    agent = workload("DaemonSet", "agent")
    agent["spec"]["template"]["spec"]["hostNetwork"] = True
    values = ask(write(tmp_path / "cluster", WEB, agent))
    assert values["not_listed"] == ["shop/agent: on the host network, so policies see its node"]
    assert not any("shop/agent" in row for row in rows(values))


def test_workloads_of_one_name_are_listed_together_and_it_says_so(tmp_path: Path) -> None:
    cluster = write(tmp_path / "cluster", workload("DaemonSet", "web"), WEB)
    told = "shop/web names DaemonSet/web and Deployment/web: they are listed together"
    assert told in ask(cluster)["warnings"]


def test_questions_by_namespace_address_and_cidr(tmp_path: Path) -> None:
    far = thing(
        "Deployment",
        "far",
        version="apps/v1",
        namespace="bank",
        spec=workload("Deployment", "far")["spec"],
    )
    cluster = write(
        tmp_path / "cluster",
        pod("web-1", "10.1.0.1", meta=owned("web")),
        far,
        policy("web", podSelector={}, ingress=[_from_block("203.0.113.0/24", 80)]),
    )
    by_space = rows(ask(cluster, "--from", "bank", "--to", "bank"))
    assert {row[:2] for row in by_space} == {("bank/far", "bank/far")}
    by_address = rows(ask(cluster, "--from", "203.0.113.7", "--to", "shop/web"))
    assert by_address == [("203.0.113.7/32", "shop/web", "TCP", "80")]
    by_cidr = rows(ask(cluster, "--from", "203.0.112.0/23", "--to", "shop"))
    assert by_cidr == [("203.0.113.0/24", "shop/web", "TCP", "80")]
    by_pod = rows(ask(cluster, "--from", "10.1.0.1", "--to", "bank"))
    assert {row[:2] for row in by_pod} == {("shop/web", "bank/far")}
    out = rows(ask(cluster, "--from", "shop/web", "--to", "2001:db8::1"))
    assert out == [], "its only address is of IPv4"


def test_what_means_nothing_is_named_altogether(tmp_path: Path) -> None:
    cluster = write(tmp_path / "cluster", WEB)
    ended = run_here("connectivity", "--cluster", cluster, "--from", "nobody", "--from", "shop/x")
    assert ended.code == 2
    assert ended.err.count("--from: expected a workload or pod as namespace/name") == 2


def test_csv_holds_the_same_rows(tmp_path: Path) -> None:
    cluster = write(tmp_path / "cluster", WEB, DB, ONLY_WEB)
    ended = run_here("connectivity", "--cluster", cluster, "--format", "csv", "--quiet")
    assert ended.err == ""
    told = list(csv.DictReader(io.StringIO(ended.out)))
    assert told == ask(cluster)["connections"]


def test_no_cluster_is_wrong_usage() -> None:
    ended = run_here("connectivity")
    assert ended.code == 2
    assert "--cluster" in ended.err


def test_the_three_tiers(tmp_path: Path) -> None:
    out = tmp_path / "out"
    learned = run_here(
        "learn", CLIENT_TO_DB.flows, "--cluster", CLIENT_TO_DB.cluster, "--out", out, "--quiet"
    )
    assert learned.code == 0
    values = ask(CLIENT_TO_DB.cluster, "--policies", out / "policies")
    into = [row for row in rows(values) if row[1] in ("shop/web", "shop/api", "shop/db")]
    assert into == [
        ("shop/api", "shop/db", "TCP", "3306"),
        ("shop/web", "shop/api", "TCP", "5000"),
        ("users/client", "shop/web", "TCP", "80"),
    ]


def test_order_of_files_makes_no_difference(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    objects = [WEB, DB, ONLY_WEB, workload("Deployment", "api")]
    write(one, listed(*objects))
    write(other, *reversed(objects))
    assert ask(one) == ask(other)
