"""Who held an address when: snapshots, watch streams, terminated and relabelled pods."""

import random
from pathlib import Path

import pytest

from synth.inventory.model import Inventory
from synth.inventory.read import read_cluster
from tests.inventory.objects import (
    at,
    event,
    listed,
    node,
    owned_by,
    pod,
    read,
    running,
    stamp,
    terminated,
    thing,
    who,
    write,
)

IP = "10.0.0.7"


def lives(inventory: Inventory) -> list[tuple[str, int | None, int | None]]:
    """Return name, start and end of each pod."""
    return [(one.name, one.start, one.end) for one in inventory.pods]


def test_a_late_snapshot_does_not_extend_a_pod_back_before_its_start(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, start=600), pod("api-1", "10.0.0.8")))
    assert who(inventory, IP, 599) == set()
    assert who(inventory, IP, 600) == {"shop/web-1"}
    assert who(inventory, IP, 10**6) == {"shop/web-1"}


def test_an_address_taken_over_between_two_snapshots_is_ambiguous_in_between(
    tmp_path: Path,
) -> None:
    inventory = read(
        tmp_path,
        before=listed(pod("web-1", IP), pod("api-1", "10.0.0.8", start=100)),
        after=listed(pod("db-1", IP, start=130), pod("api-1", "10.0.0.8", start=100)),
    )
    assert lives(inventory) == [
        ("api-1", at(100), None),
        ("db-1", at(130), None),
        ("web-1", at(0), at(130)),
    ]
    assert who(inventory, IP, 129.9) == {"shop/web-1"}
    assert who(inventory, IP, 130) == {"shop/db-1"}
    assert who(inventory, IP, 129, 131) == {"shop/web-1", "shop/db-1"}


def test_the_one_before_may_hold_the_address_until_the_later_snapshot(tmp_path: Path) -> None:
    inventory = read(
        tmp_path,
        before=listed(pod("web-1", IP), pod("x-1", "10.0.0.9", start=100)),
        after=listed(pod("db-1", IP, start=130), pod("x-2", "10.0.0.8", start=300)),
    )
    assert who(inventory, IP, 120) == {"shop/web-1"}
    assert who(inventory, IP, 130) == {"shop/web-1", "shop/db-1"}
    assert who(inventory, IP, 299) == {"shop/web-1", "shop/db-1"}
    assert who(inventory, IP, 300) == {"shop/db-1"}


def test_a_container_that_ran_at_the_address_ends_the_one_before(tmp_path: Path) -> None:
    inventory = read(
        tmp_path,
        before=listed(pod("web-1", IP), pod("x-1", "10.0.0.9", start=100)),
        after=listed(
            pod("db-1", IP, start=130, status=running(133)), pod("x-2", "10.0.0.8", start=300)
        ),
    )
    assert who(inventory, IP, 131) == {"shop/web-1", "shop/db-1"}
    assert who(inventory, IP, 133) == {"shop/db-1"}


def test_a_takeover_within_seconds_is_ambiguous_only_with_slack(tmp_path: Path) -> None:
    watched = [
        event("ADDED", pod("web-1", IP)),
        event(
            "DELETED",
            pod(
                "web-1",
                IP,
                meta={"deletionTimestamp": stamp(60), "deletionGracePeriodSeconds": 30},
            ),
        ),
        event("ADDED", pod("db-1", start=63)),
        event("MODIFIED", pod("db-1", IP, start=63)),
    ]
    inventory = read(tmp_path, watched=watched)
    assert who(inventory, IP, 59.9) == {"shop/web-1"}
    assert who(inventory, IP, 60, 62.9) == set()
    assert who(inventory, IP, 63) == {"shop/db-1"}
    assert who(inventory, IP, 3, 63) == {"shop/web-1", "shop/db-1"}


def test_several_holders_of_one_workload_are_not_ambiguous(tmp_path: Path) -> None:
    meta = owned_by("ReplicaSet", "web-abc")
    labels = {"app": "web", "pod-template-hash": "abc"}
    inventory = read(
        tmp_path,
        before=listed(pod("web-abc-1", IP, labels=labels, meta=meta)),
        after=listed(pod("web-abc-2", IP, start=50, labels=labels, meta=meta)),
    )
    assert who(inventory, IP, 0, 99) == {"shop/web"}


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_terminated_pod_keeps_its_address_in_the_dump_but_holds_it_no_more(
    tmp_path: Path, phase: str
) -> None:
    inventory = read(
        tmp_path,
        dump=listed(
            pod("job-1", IP, status=terminated(40, phase=phase)), pod("web-1", IP, start=60)
        ),
    )
    assert who(inventory, IP, 39) == {"shop/job-1"}
    assert who(inventory, IP, 40, 59) == set()
    assert who(inventory, IP, 60) == {"shop/web-1"}
    assert inventory.warnings == ()


def test_a_pod_that_came_and_went_within_one_second_held_its_address(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("job-1", IP, status=terminated(0))))
    assert who(inventory, IP, 0.5) == {"shop/job-1"}
    assert who(inventory, IP, 1) == set()


def test_a_finished_pod_without_any_time_holds_nothing(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("a", IP, start=None, status={"phase": "Failed"})))
    assert who(inventory, IP, None) == set()


def test_a_finished_pod_that_is_deleted_later_ended_when_it_finished(tmp_path: Path) -> None:
    done = pod("job-1", IP, status=terminated(40))
    later = pod("job-1", IP, status=terminated(40), meta={"deletionTimestamp": stamp(900)})
    stream = [event("ADDED", done), event("DELETED", later)]
    assert lives(read(tmp_path, watched=stream)) == [("job-1", at(0), at(40))]


def test_an_evicted_pod_without_containers_ended_at_the_last_time_it_tells(tmp_path: Path) -> None:
    status = {"phase": "Failed", "reason": "Evicted", "conditions": [{"type": "Disrupted"}]}
    status["conditions"] = [{"type": "DisruptionTarget", "lastTransitionTime": stamp(77)}]
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, status=status)))
    assert lives(inventory) == [("web-1", at(0), at(77))]


def test_a_pod_last_seen_in_deletion_ends_with_its_grace_period(tmp_path: Path) -> None:
    meta = {"deletionTimestamp": stamp(100), "deletionGracePeriodSeconds": 30}
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, meta=meta)))
    assert lives(inventory) == [("web-1", at(0), at(100))]
    assert inventory.observed == (at(70), at(70))


def test_a_burst_of_added_events_is_not_a_creation(tmp_path: Path) -> None:
    stream = [event("ADDED", pod("web-1", IP, start=-500)), event("ADDED", pod("api-1", start=9))]
    assert lives(read(tmp_path, watched=stream)) == [
        ("api-1", at(9), None),
        ("web-1", at(-500), None),
    ]


def test_a_stream_and_snapshots_of_the_same_days_agree(tmp_path: Path) -> None:
    web, db = pod("web-1", IP), pod("db-1", "10.0.0.8", start=10)
    gone = pod("web-1", IP, meta={"deletionTimestamp": stamp(50)})
    api = pod("api-1", IP, start=50)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    stream = read(
        tmp_path / "a",
        watched=[
            event("ADDED", web),
            event("ADDED", db),
            event("DELETED", gone),
            event("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}}),
            event("ADDED", api),
        ],
    )
    snapshots = read(tmp_path / "b", one=listed(web, db), two=listed(api, db))
    assert stream.pods == snapshots.pods
    assert stream.endpoints == snapshots.endpoints


def test_a_stream_without_events_is_a_row_of_objects(tmp_path: Path) -> None:
    stream = [pod("web-1", start=5), pod("web-1", IP, start=5), pod("api-1", "10.0.0.8")]
    inventory = read(tmp_path, watched=stream)
    assert lives(inventory) == [("api-1", at(0), None), ("web-1", at(5), None)]
    assert inventory.pods[1].addresses == (IP,)


def test_a_watch_that_broke_off_is_a_warning(tmp_path: Path) -> None:
    stream = [event("ADDED", pod("web-1", IP)), event("ERROR", {"kind": "Status", "code": 410})]
    (warning,) = read(tmp_path, watched=stream).warnings
    assert "broke off" in warning


def test_labels_that_change_split_a_pod_in_time(tmp_path: Path) -> None:
    stream = [
        event("ADDED", pod("web-1", IP, labels={"app": "web"}, status=running(2))),
        event("MODIFIED", pod("web-1", IP, labels={"app": "web"}, status=running(100))),
        event("MODIFIED", pod("web-1", IP, labels={"app": "old"}, status=running(200))),
    ]
    inventory = read(tmp_path, watched=stream)
    assert [(one.labels, one.start, one.end) for one in inventory.pods] == [
        ((("app", "web"),), at(0), at(200)),
        ((("app", "old"),), at(200), None),
    ]
    assert {one.uid for one in inventory.pods} == {"uid-web-1"}
    assert len(inventory.endpoints) == 2
    # One workload, so a record across the change is not ambiguous.
    assert who(inventory, IP, 199, 201) == {"shop/web-1"}


def test_two_pods_of_one_name_are_told_apart_by_uid(tmp_path: Path) -> None:
    inventory = read(
        tmp_path,
        one=listed(pod("db-0", IP, uid="first")),
        two=listed(pod("db-0", "10.0.0.9", uid="second", start=80)),
    )
    assert [(one.uid, one.end) for one in inventory.pods] == [("first", at(80)), ("second", None)]


def test_a_list_of_one_namespace_does_not_end_pods_of_another(tmp_path: Path) -> None:
    inventory = read(
        tmp_path,
        one=listed(pod("web-1", IP, namespace="shop")),
        two=listed(pod("web-2", "10.0.0.8", namespace="other", start=80)),
    )
    assert [one.end for one in inventory.pods] == [None, None]


def test_a_list_of_other_kinds_ends_no_pod(tmp_path: Path) -> None:
    late = node("node1", "192.0.2.1", conditions=[{"lastHeartbeatTime": stamp(999)}])
    inventory = read(tmp_path, pods=listed(pod("web-1", IP)), nodes=listed(late))
    assert lives(inventory) == [("web-1", at(0), None)]
    assert inventory.observed == (at(0), at(999))


def test_two_live_pods_at_one_address_in_one_list_are_kept_and_counted(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("web-1", IP), pod("api-1", IP, start=5)))
    assert who(inventory, IP, 3) == {"shop/web-1"}
    assert who(inventory, IP, 6) == {"shop/web-1", "shop/api-1"}
    (warning,) = inventory.warnings
    assert warning.startswith("1 addresses are held by several live pods at once (2 pods)")


def test_a_pod_without_an_address_holds_nothing(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("web-1", status={"phase": "Pending"})))
    assert (len(inventory.pods), inventory.endpoints) == (1, ())


def test_a_pod_that_never_says_when_it_began_is_unbounded(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, start=None)))
    assert lives(inventory) == [("web-1", None, None)]
    assert inventory.observed is None
    assert who(inventory, IP, None) == {"shop/web-1"}


def test_dual_stack_pods_hold_every_address(tmp_path: Path) -> None:
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, "fd00::7", start=3)))
    assert inventory.pods[0].addresses == (IP, "fd00::7")
    assert who(inventory, IP, 3) == who(inventory, "fd00::7", 3) == {"shop/web-1"}
    assert len(set(inventory.holding_member.tolist())) == 1


def test_a_secondary_network_is_no_address_of_the_pod(tmp_path: Path) -> None:
    note = {"k8s.v1.cni.cncf.io/network-status": '[{"ips": ["192.0.2.77"]}]'}
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, meta={"annotations": note})))
    assert who(inventory, "192.0.2.77", 10) == set()


def test_a_host_network_pod_leaves_its_address_to_the_node(tmp_path: Path) -> None:
    agent = pod("agent-1", "192.0.2.1", spec={"hostNetwork": True, "nodeName": "node1"})
    inventory = read(tmp_path, dump=listed(agent, pod("web-1", IP), node("node1", "192.0.2.1")))
    assert who(inventory, "192.0.2.1", 5) == {"node node1"}
    assert (inventory.pods[0].addresses, inventory.pods[0].host_network) == ((), True)
    assert inventory.warnings == ()
    assert inventory.holding_node.tolist() == [0, 0]


def test_without_node_objects_pods_tell_the_addresses_of_their_nodes(tmp_path: Path) -> None:
    status = {"hostIP": "192.0.2.1", "hostIPs": [{"ip": "192.0.2.1"}, {"ip": "fd00::1"}]}
    inventory = read(tmp_path, dump=listed(pod("web-1", IP, status=status)))
    assert [one.addresses for one in inventory.nodes] == [("192.0.2.1", "fd00::1")]
    assert who(inventory, "fd00::1", 5) == {"node node1"}


def test_a_node_that_is_gone_gives_its_address_up(tmp_path: Path) -> None:
    heart = {"conditions": [{"lastHeartbeatTime": stamp(500)}]}
    inventory = read(
        tmp_path,
        one=listed(node("node1", IP), node("node2", "192.0.2.2", **heart)),
        two=listed(node("node2", "192.0.2.2", conditions=[{"lastHeartbeatTime": stamp(900)}])),
        pods=listed(pod("web-1", IP, start=950)),
    )
    assert who(inventory, IP, 899) == {"node node1"}
    assert who(inventory, IP, 960) == {"shop/web-1"}


def test_the_order_of_files_makes_no_difference(tmp_path: Path) -> None:
    documents = {
        f"day{day}": listed(
            *(
                pod(f"web-{day}-{n}", f"10.0.0.{(n + day) % 5}", start=day * 100 + n)
                for n in range(4)
            ),
            thing("Namespace", f"n{day}", namespace=""),
        )
        for day in range(5)
    }
    paths = write(tmp_path, **documents)
    first = read_cluster(paths)
    for seed in range(5):
        random.Random(seed).shuffle(paths)  # noqa: S311 - repeatable
        assert repr(read_cluster(paths)) == repr(first)
    assert repr(read_cluster([str(tmp_path)])) == repr(first)
