"""Which plugin a dump shows."""

from pathlib import Path
from typing import Any

import pytest

from synth.cni.claims import Feature, Value
from synth.cni.recognise import Recognised, known_as, recognise
from tests.cni import dumps
from tests.cni.dumps import annotated, aws, config_map, container, daemon, daemon_pod
from tests.inventory.objects import listed, pod, read

Object = dict[str, Any]


def found(folder: Path, *objects: Object) -> Recognised:
    inventory = read(folder, cluster=listed(pod("web-1", "10.244.1.5"), *objects))
    return recognise(inventory)


def told(one: Recognised) -> tuple[str, str]:
    return (one.profile.name if one.profile else "", one.version)


@pytest.mark.parametrize(
    ("one", "name", "version"),
    [
        (dumps.CALICO, "calico", "3.26.1"),
        (dumps.CANAL, "canal", "3.27.0"),
        (dumps.CILIUM, "cilium", "1.15.6"),
        (dumps.FLANNEL, "flannel", "0.25.5"),
        (dumps.FLANNEL_WITH_POLICIES, "kube-network-policies", "0.7.0"),
        (dumps.KUBE_ROUTER, "kube-router", "2.1.0"),
        (dumps.ANTREA, "antrea", "1.15.1"),
        (dumps.OVN, "ovn-kubernetes", ""),
        (dumps.WEAVE, "weave-net", "2.8.1"),
        (dumps.ROMANA, "romana", "2.0.2"),
        (dumps.KINDNET, "kindnet", ""),
        (dumps.KNP, "kube-network-policies", "0.9.0"),
        (aws(), "aws-vpc-cni", "1.15.3"),
    ],
    ids=lambda one: str(one) if isinstance(one, str) else "",
)
def test_by_daemon_set(tmp_path: Path, one: Object, name: str, version: str) -> None:
    result = found(tmp_path, one)
    assert told(result) == (name, version)
    assert result.by == f"DaemonSet {one['metadata']['name']}"


def test_by_pods_where_the_dump_has_no_daemon_sets(tmp_path: Path) -> None:
    one = daemon_pod("cilium", container("cilium-agent", "mirror.local/cilium/cilium:v1.14.2"))
    assert told(found(tmp_path, one)) == ("cilium", "1.14.2")


def test_a_mirrored_image_under_another_name(tmp_path: Path) -> None:
    one = daemon("net", container("a", "registry:5000/rancher/mirrored-calico-node:v3.28.2"))
    assert told(found(tmp_path, one)) == ("calico", "3.28.2")


def test_nothing_is_nothing(tmp_path: Path) -> None:
    fluentd = daemon("fluentd", container("fluentd", "fluent/fluentd:v1.16"))
    result = found(tmp_path, fluentd, dumps.CILIUM_ENVOY)
    assert result == Recognised()
    assert result.claim(Feature.ENFORCES).value is Value.UNKNOWN
    assert result.title == "unknown"


def test_a_deployment_of_that_name_is_no_plugin(tmp_path: Path) -> None:
    one = daemon("cilium", container("a", "quay.io/cilium/cilium:v1.15.6"))
    assert found(tmp_path, {**one, "kind": "Deployment"}) == Recognised()


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (("flannel.alpha.coreos.com/backend-type",), "flannel"),
        (("projectcalico.org/IPv4Address",), "calico"),
        (("flannel.alpha.coreos.com/public-ip", "projectcalico.org/IPv4Address"), "canal"),
        (("network.cilium.io/ipv4-cilium-host",), "cilium"),
        (("io.cilium.network.ipv4-cilium-host",), "cilium"),
        (("k8s.ovn.org/node-subnets",), "ovn-kubernetes"),
        (("node.antrea.io/mac-address",), "antrea"),
        (("node.alpha.kubernetes.io/ttl",), ""),
    ],
)
def test_by_annotations_of_nodes(tmp_path: Path, keys: tuple[str, ...], name: str) -> None:
    result = found(tmp_path, annotated(*keys))
    assert told(result) == (name, "")
    if name:
        assert result.by.startswith("node annotation ")


def test_daemon_sets_come_before_annotations(tmp_path: Path) -> None:
    old = annotated("flannel.alpha.coreos.com/backend-type")
    assert told(found(tmp_path, old, dumps.CILIUM))[0] == "cilium"


def test_several_that_enforce_are_named_and_none_is_chosen(tmp_path: Path) -> None:
    result = found(tmp_path, dumps.CALICO, dumps.CILIUM)
    assert result.profile is None
    assert result.others == ("calico", "cilium")


def test_flannel_gives_way_to_what_enforces(tmp_path: Path) -> None:
    result = found(tmp_path, dumps.FLANNEL, dumps.KUBE_ROUTER)
    assert told(result)[0] == "kube-router"
    assert result.others == ("flannel",)


def test_flannel_and_calico_side_by_side_are_canal(tmp_path: Path) -> None:
    assert told(found(tmp_path, dumps.FLANNEL, dumps.CALICO)) == ("canal", "3.26.1")


def test_a_plugin_that_may_be_off_gives_way(tmp_path: Path) -> None:
    assert told(found(tmp_path, aws(), dumps.CALICO))[0] == "calico"
    off = aws("--enable-network-policy=false")
    assert told(found(tmp_path, off, dumps.CILIUM))[0] == "cilium"


def test_two_that_are_on_are_two(tmp_path: Path) -> None:
    result = found(tmp_path, aws("--enable-network-policy=true"), dumps.CALICO)
    assert result.profile is None


def test_during_an_upgrade_the_older_version_counts(tmp_path: Path) -> None:
    old = daemon_pod("cilium", container("cilium-agent", "quay.io/cilium/cilium:v1.9.18"))
    assert told(found(tmp_path, dumps.CILIUM, old)) == ("cilium", "1.9.18")


@pytest.mark.parametrize(
    ("objects", "value"),
    [
        ([aws()], Value.PARTLY),
        ([aws("--enable-network-policy=true")], Value.YES),
        ([aws("--enable-ipv6=false", "--enable-network-policy=false")], Value.NO),
        ([aws("--enable-network-policy")], Value.YES),
        ([aws(env={"ENABLE_NETWORK_POLICY": "true"})], Value.YES),
        ([aws(env={"ENABLE_POD_ENI": "true"})], Value.PARTLY),
        ([aws(), config_map("amazon-vpc-cni", enable_network_policy_controller="true")], Value.YES),
        ([aws(), config_map("amazon-vpc-cni", enable_network_policy_controller="false")], Value.NO),
        ([aws(tag="v1.13.4-eksbuild.1")], Value.NO),
        (
            [
                aws("--enable-network-policy=false"),
                config_map("amazon-vpc-cni", enable_network_policy_controller="true"),
            ],
            Value.NO,
        ),
    ],
)
def test_whether_aws_enforces(tmp_path: Path, objects: list[Object], value: Value) -> None:
    assert found(tmp_path, *objects).claim(Feature.ENFORCES).value is value


def test_aws_enforces_only_if_every_agent_does(tmp_path: Path) -> None:
    image = "amazon/aws-network-policy-agent:v1.0.7"
    old = daemon_pod("aws-node", container("agent", image, "--enable-network-policy=false"))
    result = found(tmp_path, aws("--enable-network-policy=true"), old)
    assert result.claim(Feature.ENFORCES).value is Value.NO


@pytest.mark.parametrize(
    ("data", "enforces", "pods", "nodes"),
    [
        ({}, Value.YES, Value.NO, Value.NO),
        ({"enable_policy": "default"}, Value.YES, Value.NO, Value.NO),
        ({"enable_policy": "never"}, Value.NO, Value.NO, Value.NO),
        ({"enable_k8s_networkpolicy": "false"}, Value.NO, Value.NO, Value.NO),
        ({"policy_audit_mode": "true"}, Value.NO, Value.NO, Value.NO),
        ({"policy_cidr_match_mode": "nodes"}, Value.YES, Value.NO, Value.YES),
        ({"policy_cidr_match_mode": "nodes,pods"}, Value.YES, Value.YES, Value.YES),
        ({"policy_cidr_match_mode": ""}, Value.YES, Value.NO, Value.NO),
    ],
)
def test_settings_of_cilium(
    tmp_path: Path, data: dict[str, str], enforces: Value, pods: Value, nodes: Value
) -> None:
    result = found(tmp_path, dumps.CILIUM, config_map("cilium-config", **data))
    claims = [Feature.ENFORCES, Feature.IP_BLOCK_PODS, Feature.IP_BLOCK_NODES]
    assert [result.claim(one).value for one in claims] == [enforces, pods, nodes]


def test_sctp_of_cilium_is_what_its_settings_say(tmp_path: Path) -> None:
    on = found(tmp_path, dumps.CILIUM, config_map("cilium-config", enable_sctp="true"))
    assert on.claim(Feature.SCTP).value is Value.YES
    assert found(tmp_path, dumps.CILIUM).claim(Feature.SCTP).value is Value.PARTLY


def test_kube_router_without_its_firewall(tmp_path: Path) -> None:
    image = "docker.io/cloudnativelabs/kube-router:v2.1.0"
    off = daemon("kube-router", container("kube-router", image, "--run-firewall=false"))
    assert found(tmp_path, off).claim(Feature.ENFORCES).value is Value.NO


def test_a_name_comes_before_what_the_dump_shows(tmp_path: Path) -> None:
    inventory = read(tmp_path, cluster=listed(pod("web-1", "10.244.1.5"), dumps.CALICO))
    named = known_as("cilium", inventory)
    assert (told(named), named.by, named.others) == (("cilium", ""), "--cni", ("calico",))
    same = known_as("calico", inventory)
    assert (told(same), same.others) == (("calico", "3.26.1"), ())


def test_a_name_keeps_the_settings_of_the_cluster(tmp_path: Path) -> None:
    config = config_map("cilium-config", policy_cidr_match_mode="nodes")
    objects = (dumps.CILIUM, dumps.CALICO, config)
    inventory = read(tmp_path, cluster=listed(pod("web-1", "10.244.1.5"), *objects))
    named = known_as("cilium", inventory)
    assert named.claim(Feature.IP_BLOCK_NODES).value is Value.YES
    assert named.version == "1.15.6"


def test_the_name_unknown_is_no_plugin(tmp_path: Path) -> None:
    inventory = read(tmp_path, cluster=listed(pod("web-1", "10.244.1.5"), dumps.FLANNEL))
    assert known_as("unknown", inventory).profile is None


def test_a_daemon_set_that_is_gone_does_not_count(tmp_path: Path) -> None:
    early = listed(pod("web-1", "10.244.1.5", start=0), _dated(dumps.CALICO, 0))
    late = listed(pod("web-1", "10.244.1.5", start=60), _dated(dumps.CILIUM, 60))
    inventory = read(tmp_path, early=early, late=late)
    assert told(recognise(inventory))[0] == "cilium"


def _dated(one: Object, seconds: int) -> Object:
    from tests.inventory.objects import stamp

    return {**one, "metadata": {**one["metadata"], "creationTimestamp": stamp(seconds)}}
