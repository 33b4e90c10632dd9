"""Endpoint classes, holdings, and what addresses are that nobody holds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.inventory.endpoints import hash_member, with_endpoints
from synth.inventory.locate import outside
from synth.inventory.model import NEVER, Inventory, Node, Pod, Ranges, Service
from synth.inventory.volatile import VOLATILE, without_volatile
from synth.policy.address import pack_address, parse_address
from synth.policy.ports import Protocol
from tests.inventory.objects import listed, node, pod, read

HTTP = ContainerPort(Protocol.TCP, 80, "http")
WEB = Pod(
    "shop",
    "web-1",
    "u1",
    "Deployment/web",
    labels=(("app", "web"), ("pod-template-hash", "abc")),
    ports=(HTTP, ContainerPort(Protocol.TCP, 81)),
    node="node1",
    addresses=("10.0.0.7",),
    start=5_000_000,
)


def packed(text: str) -> bytes:
    return pack_address(parse_address(text))


def test_a_class_is_what_policies_cannot_tell_apart() -> None:
    other = replace(WEB, uid="u2", name="web-2", addresses=("10.0.0.8",), ports=(HTTP,))
    changed = replace(other, labels=(("app", "web"), ("pod-template-hash", "def")))
    found = with_endpoints(Inventory(pods=(WEB, changed)))
    assert found.endpoints == (
        Endpoint(Kind.POD, "shop", "Deployment/web", (("app", "web"),), (HTTP,)),
    )
    assert found.holding_endpoint.tolist() == [0, 0]


def test_a_mentioned_label_is_kept() -> None:
    found = with_endpoints(Inventory(pods=(WEB,)), mentioned=["pod-template-hash"])
    assert found.endpoints[0].labels == WEB.labels


def test_volatile_labels_are_those_of_controllers() -> None:
    labels = tuple(sorted((key, "x") for key in (*VOLATILE, "app", "version")))
    assert without_volatile(labels) == (("app", "x"), ("version", "x"))
    assert ("job-name", "x") in without_volatile(labels, {"job-name"})


def test_separators_around_an_address_split_a_class() -> None:
    far = replace(WEB, uid="u2", addresses=("10.1.0.7", "fd00::7"))
    separators = ["10.0.0.9/24", "0.0.0.0/0", "::/0", "192.0.2.0/24"]
    found = with_endpoints(Inventory(pods=(WEB, far)), separators=separators)
    assert sorted(one.blocks for one in found.endpoints) == [
        ("0.0.0.0/0",),
        ("0.0.0.0/0", "10.0.0.0/24"),
        ("::/0",),
    ]


def test_holdings_are_sorted_and_parallel() -> None:
    early = replace(WEB, uid="u0", start=None, end=4_000_000)
    gone = Node("node9", ("10.0.0.1",), end=7)
    nodes = (Node("node1", ("192.0.2.1", "fd00::1")), gone)
    found = with_endpoints(Inventory(pods=(WEB, early), nodes=nodes))
    assert found.holding_address == tuple(sorted(found.holding_address))
    assert len(found.holding_address) == 5
    of_pod = [n for n, one in enumerate(found.holding_address) if one == packed("10.0.0.7")]
    assert found.holding_start[of_pod].tolist() == [-NEVER, 5_000_000]
    assert found.holding_end[of_pod].tolist() == [4_000_000, NEVER]
    assert found.holding_node[of_pod].tolist() == [0, 0]
    assert found.holding_member[of_pod].tolist() == [hash_member("u0"), hash_member("u1")]
    assert found.holding_end[found.holding_address.index(packed("10.0.0.1"))] == 7
    assert found.holding_start.dtype == found.holding_end.dtype == np.int64
    assert found.holding_endpoint.dtype == found.holding_node.dtype == np.int32
    assert found.holding_member.dtype == np.uint64


def test_a_member_is_the_same_on_every_machine() -> None:
    assert hash_member("u1") == 0x92994D683F4E6AD5
    assert hash_member("u1") != hash_member("u2")


def test_a_pod_on_an_unknown_node_and_a_host_network_pod() -> None:
    lost = replace(WEB, node="nowhere")
    host = replace(WEB, uid="u3", host_network=True, addresses=("192.0.2.1",))
    found = with_endpoints(Inventory(pods=(lost, host)))
    assert found.holding_node.tolist() == [-1]


def test_an_empty_inventory_has_no_holdings() -> None:
    found = with_endpoints(Inventory())
    assert (found.endpoints, found.holding_address) == ((), ())


def test_a_separator_that_is_no_cidr_is_refused() -> None:
    with pytest.raises(ValueError, match="10"):
        with_endpoints(Inventory(), separators=["10.0.0.0/33"])


def test_endpoints_do_not_depend_on_the_order_of_pods(tmp_path: Path) -> None:
    pods = [pod(f"p{n}", f"10.0.0.{n % 3}", start=n) for n in range(9)]
    nodes = [node(f"node{n}", f"192.0.2.{n}") for n in range(3)]
    one = read(tmp_path, dump=listed(*pods, *nodes))
    other = read(tmp_path, dump=listed(*reversed(nodes), *reversed(pods)))
    assert one.endpoints == other.endpoints
    assert one.holding_endpoint.tolist() == other.holding_endpoint.tolist()
    assert one.holding_member.tolist() == other.holding_member.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.96.0.1", Endpoint(Kind.SERVICE, "a", "first", address="10.96.0.1")),
        ("10.96.0.2", Endpoint(Kind.UNHELD, address="10.96.0.2")),
        ("10.244.0.9", Endpoint(Kind.UNHELD, address="10.244.0.9")),
        ("fd00:1::9", Endpoint(Kind.UNHELD, address="fd00:1::9")),
        ("192.0.2.9", Endpoint(Kind.NODE, address="192.0.2.9")),
        ("10.244.7.7", Endpoint(Kind.UNHELD, address="10.244.7.7")),  # shared by pods and nodes
        ("203.0.113.10", Endpoint(Kind.ADDRESS, address="203.0.113.10")),
        ("2001:db8::1", Endpoint(Kind.ADDRESS, address="2001:db8::1")),
    ],
)
def test_an_address_that_nobody_holds(text: str, expected: Endpoint) -> None:
    inventory = Inventory(
        services=(
            Service("a", "first", addresses=("10.96.0.1",)),
            Service("b", "second", addresses=("10.96.0.1",)),
        ),
        ranges=Ranges(
            pods=("10.244.0.0/16", "fd00:1::/64"),
            services=("10.96.0.0/12",),
            nodes=("192.0.2.0/24", "10.244.7.0/24"),
        ),
    )
    assert outside(inventory, packed(text)) == expected


def test_families_of_blocks_do_not_mix() -> None:
    blocks = Blocks.of(["::/0", "::ffff:10.0.0.0/104"])
    assert blocks.around(packed("10.1.2.3")) == ("10.0.0.0/8",)
    assert blocks.around(packed("fd00::1")) == ("::/0",)
    assert not blocks.hold(packed("192.0.2.1"))


def holders(inventory: Inventory, *texts: str) -> list[str]:
    """Return who holds each address; empty: nobody."""
    held = list(zip(inventory.holding_address, inventory.holding_endpoint.tolist(), strict=True))
    return [
        " and ".join(inventory.endpoints[one].name for where, one in held if where == packed(text))
        for text in texts
    ]


def test_a_node_holds_the_first_two_addresses_of_its_pod_ranges() -> None:
    one = Node("node1", ("192.0.2.1",), ("10.244.1.0/24", "fd00:1::/64"))
    found = with_endpoints(Inventory(nodes=(one,)))
    texts = ("10.244.1.0", "10.244.1.1", "10.244.1.2", "fd00:1::", "fd00:1::1", "fd00:1::2")
    assert holders(found, *texts) == ["node node1", "node node1", ""] * 2
    gateway = found.endpoints[found.holding_endpoint[1]]
    assert (gateway.kind, gateway.workload, gateway.address) == (Kind.NODE, "node1", "10.244.1.1")
    assert found.holding_node.tolist() == [0] * 5


def test_a_pod_on_a_first_address_keeps_it() -> None:
    """CNIs of their own IPAM give out every address, the first ones too."""
    one = Node("node1", ("192.0.2.1",), ("10.0.0.6/31", "10.0.0.0/28"))
    early = replace(WEB, addresses=("10.0.0.1",))
    found = with_endpoints(Inventory(nodes=(one,), pods=(early,)))
    assert holders(found, "10.0.0.0", "10.0.0.1") == ["node node1", "shop/web"]
    assert holders(found, "10.0.0.6", "10.0.0.7") == ["", ""]  # no room for a gateway and a pod


def test_a_node_that_went_gave_up_its_gateway_too() -> None:
    gone = Node("node1", ("192.0.2.1",), ("10.244.1.0/24",), end=7)
    found = with_endpoints(Inventory(nodes=(gone,)))
    assert found.holding_end.tolist() == [7, 7, 7]
