"""Top-level owners, templates, and the Services that containers name."""

from pathlib import Path

import pytest
import yaml

from synth.inventory.model import Inventory, Workload
from synth.inventory.read import read_cluster
from synth.inventory.references import find_references
from tests.inventory.objects import (
    Object,
    listed,
    node,
    owned_by,
    pod,
    read,
    service,
    stamp,
    terminated,
    thing,
    workload,
)

HASHED = {"app": "web", "pod-template-hash": "7d8f"}
SMALL = Path(__file__).resolve().parents[1] / "golden" / "client-to-db" / "cluster"
THREE_TIER = Path(__file__).resolve().parents[2] / "datasets" / "three-tier" / "cluster"


def keys(inventory: Inventory) -> list[str]:
    return [one.key for one in inventory.workloads]


def only(inventory: Inventory) -> Workload:
    (one,) = inventory.workloads
    return one


def cron_pod(name: str, job: str, **more: Object) -> Object:
    labels = {"job-name": job, "batch.kubernetes.io/job-name": job, "app": "backup"}
    return pod(name, labels=labels, meta=owned_by("Job", job) | more)


def test_a_replica_set_of_the_dump_names_its_deployment(tmp_path: Path) -> None:
    meta = owned_by("Deployment", "web")
    inventory = read(
        tmp_path,
        dump=listed(
            workload("Deployment", "web", ports=[{"containerPort": 80, "name": "http"}]),
            workload("ReplicaSet", "odd-name", meta=meta),
            pod("web-1", "10.0.0.7", meta=owned_by("ReplicaSet", "odd-name")),
        ),
    )
    assert only(inventory).key == inventory.pods[0].workload == "Deployment/web"
    assert only(inventory).match_labels == only(inventory).template_labels == (("app", "web"),)
    assert [port.number for port in only(inventory).ports] == [80]


def test_a_replica_set_that_the_dump_lacks_is_read_off_the_hash_label(tmp_path: Path) -> None:
    inventory = read(
        tmp_path,
        dump=listed(pod("p", labels=HASHED, meta=owned_by("ReplicaSet", "web-7d8f"))),
    )
    assert only(inventory).key == "Deployment/web"
    assert only(inventory).template_labels is None
    assert only(inventory).match_labels == ()
    assert only(inventory).exists


def test_a_rollout_is_known_by_its_own_hash_label(tmp_path: Path) -> None:
    labels = {"rollouts-pod-template-hash": "7d8f"}
    meta = owned_by("ReplicaSet", "web-7d8f")
    assert keys(read(tmp_path, dump=listed(pod("p", labels=labels, meta=meta)))) == ["Rollout/web"]


@pytest.mark.parametrize(
    ("labels", "name"), [({}, "web-7d8f"), ({"pod-template-hash": "7d8f"}, "-7d8f"), (HASHED, "x")]
)
def test_a_replica_set_that_nothing_explains_stands_for_itself(
    tmp_path: Path, labels: dict[str, str], name: str
) -> None:
    name = name.lstrip("-")
    meta = owned_by("ReplicaSet", name)
    inventory = read(tmp_path, dump=listed(pod("p", labels=labels, meta=meta)))
    assert keys(inventory) == [f"ReplicaSet/{name}"]


def test_a_deployment_that_the_dump_lacks_is_known_by_its_replica_set(tmp_path: Path) -> None:
    replicas = workload("ReplicaSet", "web-7d8f", meta=owned_by("Deployment", "web"))
    replicas["spec"]["selector"] = {"matchLabels": HASHED}
    replicas["spec"]["template"]["metadata"]["labels"] = HASHED
    found = only(read(tmp_path, dump=listed(replicas)))
    assert found.key == "Deployment/web"
    assert found.match_labels == found.template_labels == (("app", "web"),)


def test_jobs_roll_up_to_the_cron_job_that_the_dump_names(tmp_path: Path) -> None:
    job = thing("Job", "backup-29000001", version="batch/v1", meta=owned_by("CronJob", "backup"))
    inventory = read(
        tmp_path,
        dump=listed(job, cron_pod("a", "backup-29000001"), cron_pod("b", "backup-29000000")),
    )
    assert keys(inventory) == ["CronJob/backup"]
    assert {one.workload for one in inventory.pods} == {"CronJob/backup"}


def test_a_job_with_a_number_is_itself_unless_something_says_otherwise(tmp_path: Path) -> None:
    note = {"annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(0)}}
    by_hand = thing("Job", "other-1", version="batch/v1")
    other = thing("CronJob", "other", version="batch/v1")
    inventory = read(
        tmp_path,
        dump=listed(
            by_hand,
            other,
            cron_pod("a", "migrate-2"),
            cron_pod("b", "other-1"),
            cron_pod("c", "told-29000000", **note),
        ),
    )
    assert keys(inventory) == ["CronJob/other", "CronJob/told", "Job/migrate-2", "Job/other-1"]


def test_a_static_pod_goes_by_its_name_without_the_node(tmp_path: Path) -> None:
    meta = owned_by("Node", "node1.example")
    inventory = read(tmp_path, dump=listed(pod("proxy-node1.example", meta=meta)))
    assert keys(inventory) == ["Pod/proxy"]


def test_other_owners_keep_their_kind_and_a_bare_pod_is_its_own(tmp_path: Path) -> None:
    kinds = ("DaemonSet", "StatefulSet", "Kafka")
    owned = [pod(f"p{n}", meta=owned_by(kind, "x")) for n, kind in enumerate(kinds)]
    inventory = read(tmp_path, dump=listed(*owned, pod("bare")))
    assert keys(inventory) == ["DaemonSet/x", "Kafka/x", "Pod/bare", "StatefulSet/x"]
    assert [one.template_labels for one in inventory.workloads if one.name == "bare"] == [
        (("app", "bare"),)
    ]


def test_a_selector_with_expressions_gives_no_match_labels(tmp_path: Path) -> None:
    one = workload("Deployment", "web")
    one["spec"]["selector"]["matchExpressions"] = [{"key": "a", "operator": "Exists"}]
    assert only(read(tmp_path, dump=listed(one))).match_labels == ()


def test_the_selector_of_a_job_names_one_run_so_it_is_none(tmp_path: Path) -> None:
    selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": "u"}}
    job = thing("Job", "once", version="batch/v1", spec={"selector": selector})
    assert only(read(tmp_path, dump=listed(job))).match_labels == ()


def test_what_a_later_list_lacks_does_not_exist(tmp_path: Path) -> None:
    def dated(name: str, seconds: int) -> Object:
        return workload("Deployment", name, meta={"creationTimestamp": stamp(seconds)})

    inventory = read(
        tmp_path,
        one=listed(dated("web", 0), dated("api", 1)),
        two=listed(dated("api", 1), dated("db", 5)),
        pods=listed(pod("job-1", "10.0.0.1", status=terminated(9))),
    )
    assert {one.name: one.exists for one in inventory.workloads} == {
        "api": True,
        "db": True,
        "job-1": False,
        "web": False,
    }


def test_a_finished_run_of_an_owner_that_the_dump_lacks_will_run_again(tmp_path: Path) -> None:
    """``kubectl get pods,services`` lists the Completed pod of a CronJob, but no batch objects."""
    note = {"annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": stamp(0)}}
    run = cron_pod("backup-29000000-x", "backup-29000000", **note)
    job = cron_pod("migrate-x", "migrate")
    bare = pod("once", "10.0.0.3")
    for one in (run, job, bare):
        one["status"] |= terminated(9)
    inventory = read(tmp_path, dump=listed(run, job, bare))
    assert {one.key: one.exists for one in inventory.workloads} == {
        "CronJob/backup": True,
        "Job/migrate": True,
        "Pod/once": False,
    }


def test_a_finished_run_that_a_later_list_lacks_is_gone(tmp_path: Path) -> None:
    run = cron_pod("migrate-x", "migrate")
    run["status"] |= terminated(9)
    later = pod("web-1", "10.0.0.2", start=50)
    inventory = read(tmp_path, one=listed(run), two=listed(later))
    assert {one.key: one.exists for one in inventory.workloads}["Job/migrate"] is False


def test_manifests_stand_for_their_pods(tmp_path: Path) -> None:
    cron = thing("CronJob", "backup", version="batch/v1")
    template = {"metadata": {"labels": {"app": "backup"}}, "spec": {"hostNetwork": True}}
    cron["spec"] = {"jobTemplate": {"spec": {"template": template}}}
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "one", "labels": {"a": "b"}}}
    objects = [workload("Deployment", "web"), cron, bare]
    path = tmp_path / "all.yaml"
    path.write_text("# a comment\n---\n" + yaml.safe_dump_all(objects))
    inventory = read_cluster([str(path)])
    assert [(one.namespace, one.key) for one in inventory.workloads] == [
        ("default", "Pod/one"),
        ("shop", "CronJob/backup"),
        ("shop", "Deployment/web"),
    ]
    assert [one.template_labels for one in inventory.workloads] == [
        (("a", "b"),),
        (("app", "backup"),),
        (("app", "web"),),
    ]
    assert inventory.workloads[1].host_network
    assert all(one.exists for one in inventory.workloads)
    assert inventory.observed is None


def test_init_containers_listen_only_if_they_keep_running(tmp_path: Path) -> None:
    one = workload("Deployment", "web", ports=[{"containerPort": 80}])
    one["spec"]["template"]["spec"]["initContainers"] = [
        {"name": "wait", "ports": [{"containerPort": 81}]},
        {"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 82}]},
    ]
    assert [port.number for port in only(read(tmp_path, dump=listed(one))).ports] == [80, 82]


def test_references_come_from_environment_arguments_and_config_maps(tmp_path: Path) -> None:
    env = [
        {"name": "A", "value": "http://api:5000/x"},
        {"name": "B", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "cache"}}},
        {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
    ]
    one = workload(
        "Deployment",
        "web",
        env=env,
        args=["--db=db:3306"],
        envFrom=[{"configMapRef": {"name": "d"}}],
    )
    wait = {"name": "wait", "command": ["nc", "-z", "queue.shop.svc", "5672"]}
    one["spec"]["template"]["spec"]["initContainers"] = [wait]
    maps = [
        thing("ConfigMap", "c", data={"cache": "cache", "unused": "ghost"}),
        thing("ConfigMap", "d", data={"SEARCH": "search"}),
    ]
    names = ("api", "db", "cache", "queue", "search", "ghost", "other")
    inventory = read(tmp_path, dump=listed(one, *maps, *(service(name) for name in names)))
    assert only(inventory).references == (
        "shop/api",
        "shop/cache",
        "shop/db",
        "shop/queue",
        "shop/search",
    )


SERVICES = frozenset({("shop", "api"), ("shop", "db"), ("other", "db"), ("shop", "tcp")})


@pytest.mark.parametrize(
    ("text", "whole", "expected"),
    [
        ("api", True, {"shop/api"}),
        ("API", True, {"shop/api"}),
        ("api", False, set()),
        ("the api is down", True, set()),
        ("api.other", True, set()),
        ("db.other", False, {"other/db"}),
        ("db.other.svc.cluster.local.", False, {"other/db"}),
        ("http://api:5000/x", False, {"shop/api"}),
        ("http://api/db", False, {"shop/api"}),
        ("http://api", False, {"shop/api"}),
        ("mysql://u:p@db.shop:3306/d", False, {"shop/db"}),
        ("mysql://u:p@db/d", False, {"shop/db"}),
        ("mysql://api:3@db/d", False, {"shop/db"}),
        ("mysql://api@db/d", False, {"shop/db"}),
        ("root:pw@tcp(db:3306)/x", False, {"shop/db"}),
        ("api:5000,db:3306", False, {"shop/api", "shop/db"}),
        ("--url=api:5000", False, {"shop/api"}),
        ("registry/api:5000", False, set()),
        ("/etc/db.shop/x", False, set()),
        ("my-api:5000", False, set()),
        ("api:latest", False, set()),
        ("ghost:5000", True, set()),
        ("http://[fd00::1]:80", False, set()),
        ("", True, set()),
    ],
)
def test_what_names_a_service(text: str, whole: bool, expected: set[str]) -> None:  # noqa: FBT001
    assert find_references("shop", ((text, whole),), SERVICES) == expected


def test_a_huge_text_is_read_in_time_linear_in_its_length() -> None:
    texts = ("a" * 2_000_000, "://" * 500_000, "a@" * 500_000, "1." * 500_000)
    words = tuple((text, True) for text in texts)
    assert find_references("shop", words, SERVICES) == set()


def test_the_three_tier_cluster_loads() -> None:
    inventory = read_cluster([str(THREE_TIER)])
    assert [f"{one.namespace} {one.key}" for one in inventory.workloads if one.exists] == [
        "kube-system Deployment/coredns",
        "ops Deployment/toolbox",
        "shop CronJob/report",
        "shop Deployment/admin",
        "shop Deployment/api",
        "shop Deployment/cache",
        "shop Deployment/web",
        "shop Deployment/worker",
        "shop StatefulSet/db",
    ]
    assert inventory.warnings == ()
    ended = {one.workload for one in inventory.pods if one.end is not None}
    assert ended == {"CronJob/report", "Deployment/api"}


def test_a_cluster_of_one_snapshot_loads() -> None:
    inventory = read_cluster([str(SMALL)])
    assert [f"{one.namespace} {one.key}" for one in inventory.workloads] == [
        "kube-system Deployment/coredns",
        "shop Deployment/api",
        "shop Deployment/web",
        "shop StatefulSet/db",
        "users Deployment/client",
    ]
    db = inventory.workloads[3]
    assert (db.match_labels, db.exists, db.references) == ((("role", "db"),), True, ())
    assert inventory.warnings == ()
    assert all(one.start is not None and one.end is None for one in inventory.pods)


def test_nodes_alone_are_no_cluster(tmp_path: Path) -> None:
    from synth.errors import InputError

    with pytest.raises(InputError, match="kubectl get pods"):
        read(tmp_path, dump=listed(node("node1", "192.0.2.1")))
