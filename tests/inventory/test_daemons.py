"""What runs on every node, and the settings of network plugins."""

from pathlib import Path

import pytest

from synth.errors import InputError
from synth.inventory.model import Container, Daemon
from tests.cni.dumps import config_map, container, daemon, daemon_pod
from tests.inventory.objects import listed, node, owned_by, pod, read, stamp, workload

AGENT = container("agent", "x/agent:v1", "--a=1", env={"ON": "true", "NODE": None})


def test_a_daemon_set_with_its_containers(tmp_path: Path) -> None:
    inventory = read(tmp_path, cluster=daemon("agent", AGENT))
    held = Container("agent", "x/agent:v1", ("--a=1",), (("ON", "true"),))
    assert inventory.daemons == (Daemon("kube-system", "agent", (held,)),)


def test_a_command_comes_before_its_arguments(tmp_path: Path) -> None:
    one = {**AGENT, "command": ["/bin/agent"]}
    (found,) = read(tmp_path, cluster=daemon("agent", one)).daemons
    assert found.containers[0].arguments == ("/bin/agent", "--a=1")


def test_other_workloads_are_no_daemons(tmp_path: Path) -> None:
    plain = pod("web-1", "10.0.0.1", spec={"containers": [AGENT]})
    owned = pod("api-1", "10.0.0.2", spec={"containers": [AGENT]}, meta=owned_by("Job", "api"))
    inventory = read(tmp_path, cluster=listed(workload("Deployment", "web"), plain, owned))
    assert inventory.daemons == ()


def test_its_pods_alone_tell_a_daemon_set(tmp_path: Path) -> None:
    (found,) = read(tmp_path, cluster=listed(daemon_pod("agent", AGENT))).daemons
    assert (found.name, found.containers[0].image) == ("agent", "x/agent:v1")


def test_template_and_pods_of_a_rollout_both_count(tmp_path: Path) -> None:
    old = container("agent", "x/agent:v0")
    (found,) = read(
        tmp_path, cluster=listed(daemon("agent", AGENT), daemon_pod("agent", old))
    ).daemons
    assert [one.image for one in found.containers] == ["x/agent:v0", "x/agent:v1"]


def test_many_like_pods_are_one(tmp_path: Path) -> None:
    meta = owned_by("DaemonSet", "agent")
    pods = [pod(f"a-{one}", f"10.0.0.{one}", meta=meta) for one in range(1, 9)]
    (found,) = read(tmp_path, cluster=listed(*pods)).daemons
    assert len(found.containers) == 1


def test_a_pod_that_is_gone_does_not_count(tmp_path: Path) -> None:
    early = listed(pod("web-1", "10.0.0.1"), daemon_pod("agent", AGENT))
    dns = pod("coredns-1", "10.0.0.2", start=60, namespace="kube-system")
    late = listed(pod("web-1", "10.0.0.1", start=60), dns)
    assert read(tmp_path, early=early, late=late).daemons == ()


def test_only_the_settings_of_network_plugins_are_kept(tmp_path: Path) -> None:
    cilium = config_map("cilium-config", enable_policy="default", a="b")
    inventory = read(
        tmp_path,
        cluster=listed(pod("web-1", "10.0.0.1"), cilium, config_map("other", key="x")),
    )
    assert inventory.switches == (("cilium-config", (("a", "b"), ("enable-policy", "default"))),)


def test_nodes_keep_the_keys_of_their_annotations(tmp_path: Path) -> None:
    one = node("node1", "192.168.1.1")
    one["metadata"]["annotations"] = {"z.io/b": "secret", "a.io/c": ""}
    one["metadata"]["creationTimestamp"] = stamp(0)
    inventory = read(
        tmp_path, cluster=listed(pod("web-1", "10.0.0.1"), one, node("node2", "192.168.1.2"))
    )
    assert [held.annotations for held in inventory.nodes] == [("a.io/c", "z.io/b"), ()]


def test_containers_that_are_no_list_are_a_fault(tmp_path: Path) -> None:
    broken = daemon("agent")
    broken["spec"]["template"]["spec"]["containers"] = {"name": "agent"}
    with pytest.raises(InputError, match=r"spec.template.spec.containers: expected a list"):
        read(tmp_path, cluster=broken)
