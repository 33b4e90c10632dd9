from pathlib import Path
from typing import Any

from synth.inventory.model import Ranges
from synth.inventory.present import Present, list_present, without_address
from synth.inventory.read import read_cluster
from tests.inventory.objects import event, listed, pod, stamp, terminated, thing, workload, write

ALL = ("0.0.0.0/0", "::/0", "10.244.0.0/24")


def present(
    folder: Path,
    *documents: Any,  # noqa: ANN401 - JSON
    cidrs: tuple[str, ...] = (),
    pods: tuple[str, ...] = (),
) -> tuple[Present, ...]:
    paths = write(folder, **{f"file{at}": one for at, one in enumerate(documents)})
    return list_present(read_cluster(paths, ranges=Ranges(pods=pods)), cidrs)


def names(found: tuple[Present, ...]) -> list[tuple[str, str]]:
    return sorted((one.endpoint.name, one.pod) for one in found)


def test_pods_stand_for_themselves_and_templates_for_pods_that_are_not_there(
    tmp_path: Path,
) -> None:
    found = present(
        tmp_path,
        listed(pod("api-1", "10.244.0.1"), pod("api-2", "10.244.0.2")),
        [workload("Deployment", "web"), workload("DaemonSet", "agent")],
    )
    assert names(found) == [
        ("shop/agent", ""),
        ("shop/api-1", "api-1"),
        ("shop/api-2", "api-2"),
        ("shop/web", ""),
    ]
    assert {one.endpoint.labels for one in found if one.endpoint.name == "shop/web"} == {
        (("app", "web"),)
    }


def test_a_template_is_not_listed_beside_its_pods(tmp_path: Path) -> None:
    owned = {"ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": True}]}
    found = present(
        tmp_path, listed(workload("StatefulSet", "db"), pod("db-0", "10.244.0.1", meta=owned))
    )
    assert names(found) == [("shop/db", "db-0")]


def test_pods_that_are_over_are_gone_but_their_deployment_is_not(tmp_path: Path) -> None:
    owned = {"ownerReferences": [{"kind": "DaemonSet", "name": "db", "controller": True}]}
    job = {"ownerReferences": [{"kind": "Job", "name": "once", "controller": True}]}
    found = present(
        tmp_path,
        listed(
            workload("DaemonSet", "db"),
            thing("Job", "once", version="batch/v1", spec=_template("once")),
            thing("Job", "later", version="batch/v1", spec=_template("later")),
            pod("db-0", "10.244.0.1", meta=owned, status=terminated(60, phase="Failed")),
            pod("once-x", "10.244.0.2", meta=job, status=terminated(60)),
            pod("now-1", "10.244.0.3", start=90),
        ),
    )
    assert names(found) == [("shop/db", ""), ("shop/later", ""), ("shop/now-1", "now-1")]


def _template(name: str) -> dict[str, Any]:
    metadata = {"labels": {"app": name}}
    return {"template": {"metadata": metadata, "spec": {"containers": [{"name": "main"}]}}}


def test_a_pod_missing_from_a_later_list_is_gone(tmp_path: Path) -> None:
    found = present(
        tmp_path,
        listed(pod("old-1", "10.244.0.1"), pod("kept-1", "10.244.0.2")),
        listed(pod("kept-1", "10.244.0.2"), pod("new-1", "10.244.0.3", start=600)),
    )
    assert names(found) == [("shop/kept-1", "kept-1"), ("shop/new-1", "new-1")]


def test_a_pod_is_what_its_labels_are_now(tmp_path: Path) -> None:
    before, after = pod("a-1", "10.244.0.1"), pod("a-1", "10.244.0.1", labels={"app": "b"})
    after["metadata"]["managedFields"] = [{"time": stamp(600)}]
    found = present(tmp_path, [event("ADDED", before), event("MODIFIED", after)])
    assert [dict(one.endpoint.labels) for one in found] == [{"app": "b"}]


def test_host_network_pods_are_their_nodes(tmp_path: Path) -> None:
    agent = workload("DaemonSet", "agent")
    agent["spec"]["template"]["spec"]["hostNetwork"] = True
    host = pod("proxy-1", "192.168.0.1", spec={"hostNetwork": True})
    assert names(present(tmp_path, listed(agent, host, pod("a-1", "10.244.0.1")))) == [
        ("shop/a-1", "a-1")
    ]


def test_a_dual_stack_pod_is_listed_under_both_addresses(tmp_path: Path) -> None:
    found = present(tmp_path, listed(pod("a-1", "10.244.0.1", "fd00::1")), cidrs=ALL)
    assert {(one.families, one.endpoint.blocks) for one in found} == {
        ((4,), ("0.0.0.0/0", "10.244.0.0/24")),
        ((6,), ("::/0",)),
    }


def test_a_pod_without_address_is_wherever_the_pod_range_lets_it_be(tmp_path: Path) -> None:
    web = listed(workload("Deployment", "web"))
    inside = present(tmp_path, web, cidrs=ALL, pods=("10.244.0.0/23",))
    assert {(one.families, one.endpoint.blocks) for one in inside} == {
        ((4,), ("0.0.0.0/0", "10.244.0.0/24")),
        ((4,), ("0.0.0.0/0",)),
    }
    last = present(tmp_path, web, cidrs=("10.244.1.255/32",), pods=("10.244.0.0/23",))
    assert {one.endpoint.blocks for one in last} == {(), ("10.244.1.255/32",)}
    whole = present(tmp_path, web, cidrs=("10.0.0.0/8",), pods=("10.244.0.0/23", "fd00::/64"))
    assert {(one.families, one.endpoint.blocks) for one in whole} == {
        ((4,), ("10.0.0.0/8",)),
        ((6,), ()),
    }
    assert without_address(whole) == ()


def test_without_a_pod_range_only_whole_families_hold_it(tmp_path: Path) -> None:
    web = listed(workload("Deployment", "web"))
    (found,) = present(tmp_path, web, cidrs=ALL)
    assert found.families == (4, 6)
    assert found.endpoint.blocks == ("0.0.0.0/0", "::/0")
    assert without_address([found]) == ("shop/web",)


def test_a_pending_pod_is_listed_without_address(tmp_path: Path) -> None:
    found = present(tmp_path, listed(pod("a-1", status={"phase": "Pending"})))
    assert [(one.pod, one.families) for one in found] == [("a-1", (4, 6))]
