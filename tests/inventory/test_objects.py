"""Services, nodes, namespaces, ranges, policies and names."""

import json
from pathlib import Path
from typing import Any

import pytest

from synth.errors import InputError
from synth.inventory.model import Inventory, Ranges, ServicePort
from synth.inventory.names import read_names
from synth.inventory.read import read_cluster
from synth.policy.ports import Protocol
from tests.inventory.objects import (
    event,
    listed,
    node,
    pod,
    read,
    service,
    stamp,
    thing,
    workload,
    write,
)

WEB = workload("Deployment", "web")


def services(tmp_path: Path, *objects: dict[str, object]) -> Inventory:
    return read(tmp_path, dump=listed(WEB, *objects))


def test_a_service_with_every_sort_of_address(tmp_path: Path) -> None:
    one = service(
        "web",
        {"port": 80, "targetPort": "http", "nodePort": 30080},
        {"port": 53, "protocol": "UDP"},
        ip="10.96.0.1",
        clusterIPs=["10.96.0.1", "fd00::0:1"],
        externalIPs=["192.0.2.9"],
        type="LoadBalancer",
        externalTrafficPolicy="Local",
        loadBalancerSourceRanges=["198.51.100.7/24"],
    )
    one["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.5"}, {"hostname": "x"}]}}
    (found,) = services(tmp_path, one).services
    assert found.addresses == ("10.96.0.1", "fd00::1", "192.0.2.9", "203.0.113.5")
    assert found.external_addresses == ("192.0.2.9", "203.0.113.5")
    assert found.ports == (
        ServicePort(Protocol.TCP, 80, "http", 30080),
        ServicePort(Protocol.UDP, 53, 53),
    )
    assert (found.external_traffic_policy, found.source_ranges) == ("Local", ("198.51.100.0/24",))
    assert found.selector == (("app", "web"),)


def test_headless_services_have_no_address_and_empty_selectors_are_none(tmp_path: Path) -> None:
    headless = service("web", ip="None", clusterIPs=["None"])
    plain = service("api", selector={})
    api, web = services(tmp_path, headless, plain).services
    assert (web.addresses, web.selector) == ((), (("app", "web"),))
    assert api.selector is None


@pytest.mark.parametrize(
    ("spec", "exposed"),
    [
        ({}, False),
        ({"type": "NodePort"}, True),
        ({"type": "LoadBalancer"}, True),
        ({"externalIPs": ["192.0.2.1"]}, True),
        ({"type": "ExternalName", "externalName": "x"}, False),
    ],
)
def test_what_exposes_a_service(tmp_path: Path, spec: dict[str, Any], exposed: bool) -> None:  # noqa: FBT001
    (found,) = services(tmp_path, service("web", **spec)).services
    assert found.exposed is exposed


def test_a_service_of_another_api_group_is_another_thing(tmp_path: Path) -> None:
    other = thing("Service", "web", version="serving.example/v1", spec={"ports": "junk"})
    assert services(tmp_path, other).services == ()


def test_a_deleted_service_is_gone_and_a_changed_one_is_as_last_seen(tmp_path: Path) -> None:
    stream = [
        event("ADDED", service("web", {"port": 80})),
        event("ADDED", service("api", {"port": 80})),
        event("MODIFIED", service("api", {"port": 81})),
        event("DELETED", service("web", {"port": 80})),
        WEB,
    ]
    (found,) = read(tmp_path, watched=stream).services
    assert (found.name, found.ports[0].port) == ("api", 81)


def test_namespaces_carry_their_name_even_if_only_mentioned(tmp_path: Path) -> None:
    one = thing("Namespace", "shop", meta={"labels": {"team": "a"}})
    found = services(tmp_path, one, pod("x", namespace="only-mentioned"))
    assert found.namespace_labels == {
        "only-mentioned": {"kubernetes.io/metadata.name": "only-mentioned"},
        "shop": {"kubernetes.io/metadata.name": "shop", "team": "a"},
    }


def test_pod_ranges_come_from_the_nodes_unless_given(tmp_path: Path) -> None:
    nodes = (
        node("node1", "192.0.2.1", spec={"podCIDRs": ["10.244.0.0/24", "fd00::/64"]}),
        node("node2", "192.0.2.2", spec={"podCIDR": "10.244.1.0/24"}),
    )
    found = services(tmp_path, *nodes)
    assert found.ranges == Ranges(pods=("10.244.0.0/23", "fd00::/64"))
    given = Ranges(("10.0.0.5/8",), ("10.96.0.0/12",), ("192.0.2.0/24",))
    declared = read(tmp_path, dump=listed(WEB, *nodes), ranges=given).ranges
    assert declared == Ranges(("10.0.0.0/8",), ("10.96.0.0/12",), ("192.0.2.0/24",))


def test_a_declared_range_that_is_no_cidr_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"declared ranges: expected a CIDR.*'10/8'"):
        read(tmp_path, dump=listed(WEB), ranges=Ranges(pods=("10/8",)))


def test_policies_of_every_kind_are_kept_as_they_are(tmp_path: Path) -> None:
    one = thing("NetworkPolicy", "a", version="networking.k8s.io/v1", spec={"podSelector": {}})
    same_name = thing("NetworkPolicy", "a", version="projectcalico.org/v3")
    wide = thing("CiliumClusterwideNetworkPolicy", "b", version="cilium.io/v2")
    found = services(tmp_path, wide, same_name, one, thing("Gadget", "c", version="x/v1"))
    assert found.policies == (wide, one, same_name)
    assert "shop" in found.namespace_labels


def test_the_api_server_calls_webhooks_apis_and_conversions(tmp_path: Path) -> None:
    def called(name: str) -> dict[str, object]:
        return {"service": {"namespace": "sys", "name": name, "port": 443}}

    hook = thing(
        "ValidatingWebhookConfiguration",
        "h",
        version="admissionregistration.k8s.io/v1",
        webhooks=[{"clientConfig": called("hook")}, {"clientConfig": {"url": "https://x"}}],
    )
    api = thing("APIService", "v1.x", version="apiregistration.k8s.io/v1", spec=called("metrics"))
    local = thing("APIService", "v1.", version="apiregistration.k8s.io/v1", spec={"service": None})
    crd = thing(
        "CustomResourceDefinition",
        "things.x",
        version="apiextensions.k8s.io/v1",
        spec={"conversion": {"webhook": {"clientConfig": called("convert")}}},
    )
    assert services(tmp_path, hook, api, local, crd).admission == (
        "sys/convert",
        "sys/hook",
        "sys/metrics",
    )


def test_items_of_a_typed_list_need_no_kind(tmp_path: Path) -> None:
    bare = pod("web-1", "10.0.0.7")
    del bare["kind"], bare["apiVersion"]
    inventory = read(tmp_path, dump={"kind": "PodList", "apiVersion": "v1", "items": [bare]})
    assert [one.name for one in inventory.pods] == ["web-1"]


def test_folders_are_read_deeply_and_strangers_in_them_left_out(tmp_path: Path) -> None:
    (tmp_path / "a" / ".git").mkdir(parents=True)
    write(tmp_path / "a", dump=listed(WEB))
    (tmp_path / "a" / "values.yaml").write_text("replicas: 3\n")
    (tmp_path / "a" / "notes.txt").write_text("{")
    (tmp_path / "a" / ".git" / "x.json").write_text("{")
    inventory = read_cluster([str(tmp_path)])
    assert len(inventory.workloads) == 1
    (warning,) = inventory.warnings
    assert warning.endswith("values.yaml: left out, as it holds no Kubernetes object.")


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    (path,) = write(tmp_path, dump=listed(pod("web-1", "10.0.0.7")))
    inventory = read_cluster([path, path, str(tmp_path)])
    assert inventory.warnings == ()
    assert repr(inventory) == repr(read_cluster([path]))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "dump"
    path.write_text(json.dumps(listed(WEB)).replace("\n", "\r\n"), encoding=encoding)
    assert len(read_cluster([str(path)]).workloads) == 1


def test_times_without_quotes_in_yaml_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "pod.yaml"
    path.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {day: 2026-03-02}\n"
        f"status:\n  startTime: {stamp(0)}\n  podIP: 10.0.0.7\n"
    )
    (found,) = read_cluster([str(path)]).pods
    assert found.labels == (("day", "2026-03-02"),)
    assert found.start is not None


def test_names_of_outside_addresses(tmp_path: Path) -> None:
    plain = tmp_path / "names.yaml"
    plain.write_text("orders-db: 10.9.0.5\npartners: [203.0.113.0/24, 'fd00::/8']\n")
    interface = {
        "NetworkInterfaceId": "eni-1",
        "Description": "",
        "PrivateIpAddress": "10.9.0.6",
        "PrivateIpAddresses": [{"PrivateIpAddress": "10.9.0.6", "Primary": True}],
        "Association": {"PublicIp": "198.51.100.1"},
        "Ipv6Addresses": [{"Ipv6Address": "fd00::6"}],
    }
    cloud = tmp_path / "interfaces.json"
    cloud.write_text(json.dumps({"NetworkInterfaces": [interface]}))
    (dump,) = write(tmp_path, dump=listed(WEB))
    assert read_cluster([dump], addresses=[str(plain), str(cloud)]).names == (
        ("10.9.0.5/32", "orders-db"),
        ("10.9.0.6/32", "eni-1"),
        ("198.51.100.1/32", "eni-1"),
        ("203.0.113.0/24", "partners"),
        ("fd00::/8", "partners"),
        ("fd00::6/128", "eni-1"),
    )


def test_a_name_of_no_address_is_refused(tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("db: 10.9.0\nweb: [{}]\n")
    with pytest.raises(InputError) as caught:
        read_names([str(tmp_path)])
    assert [fault.expected for fault in caught.value.faults] == ["a CIDR", "a text"]
