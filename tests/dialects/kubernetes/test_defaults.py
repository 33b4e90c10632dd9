"""What missing, null and empty fields mean, and what is accepted although it looks odd."""

from ipaddress import IPv6Network

import pytest

from synth.policy import (
    AddressPeer,
    IpBlock,
    NamedPort,
    Operator,
    PodPeer,
    PortRange,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from tests.dialects.kubernetes.objects import (
    Fields,
    faults_of,
    from_peer,
    ingress,
    network_policy,
    read_one,
    to_port,
)

TCP, UDP, SCTP = Protocol.TCP, Protocol.UDP, Protocol.SCTP
ALL = (Rule(),)


@pytest.mark.parametrize(
    ("spec", "inbound", "outbound"),
    [
        ({}, (), None),
        ({"ingress": None, "egress": None}, (), None),
        ({"ingress": [], "egress": []}, (), None),
        ({"ingress": [{}]}, ALL, None),
        ({"egress": [{}]}, (), ALL),
        ({"egress": [{}], "policyTypes": []}, (), ALL),
        ({"egress": [{}], "policyTypes": None}, (), ALL),
        ({"egress": [{}], "policyTypes": ["Egress"]}, None, ALL),
        ({"egress": [{}], "policyTypes": ["Ingress"]}, (), None),
        ({"policyTypes": ["Egress"]}, None, ()),
        ({"ingress": [{}], "policyTypes": ["Egress"]}, None, ()),
        ({"policyTypes": ["Egress", "Ingress"]}, (), ()),
        ({"policyTypes": ["Ingress", "Ingress"]}, (), None),
        ({"ingress": [{}], "egress": [{}], "policyTypes": ["Ingress", "Egress"]}, ALL, ALL),
    ],
)
def test_directions_in_force(
    spec: Fields, inbound: tuple[Rule, ...] | None, outbound: tuple[Rule, ...] | None
) -> None:
    policy = read_one(network_policy(spec))
    assert (policy.ingress, policy.egress) == (inbound, outbound)


@pytest.mark.parametrize("missing", [{}, {"spec": None}, {"spec": {}}])
def test_a_policy_without_a_spec_isolates_every_pod(missing: Fields) -> None:
    document = {key: value for key, value in network_policy().items() if key != "spec"}
    policy = read_one({**document, **missing})
    assert (policy.pods, policy.ingress, policy.egress) == (Selector(), (), None)


@pytest.mark.parametrize("rule", [{}, {"from": None}, {"from": []}, {"ports": None}, {"ports": []}])
def test_a_rule_without_peers_or_ports_admits_everyone_on_every_port(rule: Fields) -> None:
    assert read_one(ingress(rule)).ingress == ALL


@pytest.mark.parametrize(
    ("port", "meant"),
    [
        ({}, PortSet.every(TCP)),
        ({"protocol": None, "port": None, "endPort": None}, PortSet.every(TCP)),
        ({"protocol": "UDP"}, PortSet.every(UDP)),
        ({"protocol": "SCTP", "port": 1}, PortSet.port(SCTP, 1)),
        ({"port": 65535}, PortSet.port(TCP, 65535)),
        ({"port": 80, "endPort": 80}, PortSet.port(TCP, 80)),
        ({"port": 1, "endPort": 65535}, PortSet.every(TCP)),
        ({"port": 80, "endPort": 81, "protocol": "UDP"}, PortSet.of(PortRange(UDP, 80, 81))),
        ({"port": "http"}, PortSet.of(NamedPort(TCP, "http"))),
        ({"port": "a" * 15, "protocol": "UDP"}, PortSet.of(NamedPort(UDP, "a" * 15))),
        ({"port": "8-x-0"}, PortSet.of(NamedPort(TCP, "8-x-0"))),
    ],
)
def test_ports(port: Fields, meant: PortSet) -> None:
    assert read_one(to_port(port)).ingress == (Rule((), meant),)


def test_ports_of_one_rule_are_united() -> None:
    ports = [{"port": 80}, {"port": 81}, {"protocol": "UDP", "port": 80}, {"port": "http"}]
    terms = PortRange(TCP, 80, 81), PortRange(UDP, 80, 80), NamedPort(TCP, "http")
    assert read_one(ingress({"ports": ports})).ingress == (Rule((), PortSet.of(*terms)),)


ROLE = {"matchLabels": {"role": "api"}}
SELECTED = Selector.equal({"role": "api"})


@pytest.mark.parametrize(
    ("peer", "meant"),
    [
        ({"podSelector": {}}, PodPeer()),
        ({"podSelector": ROLE}, PodPeer(SELECTED)),
        ({"podSelector": {"matchLabels": None, "matchExpressions": None}}, PodPeer()),
        ({"namespaceSelector": {}}, PodPeer(Selector(), Selector())),
        ({"namespaceSelector": {}, "podSelector": None}, PodPeer(Selector(), Selector())),
        ({"namespaceSelector": ROLE}, PodPeer(Selector(), SELECTED)),
        ({"namespaceSelector": ROLE, "podSelector": {}}, PodPeer(Selector(), SELECTED)),
        ({"namespaceSelector": {}, "podSelector": ROLE}, PodPeer(SELECTED, Selector())),
        ({"namespaceSelector": None, "podSelector": ROLE}, PodPeer(SELECTED)),
        (
            {"ipBlock": {"cidr": "10.1.2.3/8", "except": None}},
            AddressPeer(IpBlock.parse("10.0.0.0/8")),
        ),
        (
            {"podSelector": None, "ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.2.3/16"]}},
            AddressPeer(IpBlock.parse("10.0.0.0/8", ["10.1.0.0/16"])),
        ),
        ({"ipBlock": {"cidr": "::/0"}}, AddressPeer(IpBlock.parse("::/0"))),
        ({"ipBlock": {"cidr": "2001:DB8::1/32"}}, AddressPeer(IpBlock.parse("2001:db8::/32"))),
        (
            {"ipBlock": {"cidr": "::ffff:10.0.0.1/104"}},
            AddressPeer(IpBlock(IPv6Network("::ffff:a00:0/104"))),
        ),
        (
            {"ipBlock": {"cidr": "10.0.0.1/8", "except": ["::ffff:10.1.2.3/112"]}},
            AddressPeer(IpBlock.parse("10.0.0.0/8", ["10.1.0.0/16"])),
        ),
        ({"ipBlock": {"cidr": "0.0.0.0/0"}}, AddressPeer(IpBlock.parse("0.0.0.0/0"))),
    ],
)
def test_peers(peer: Fields, meant: PodPeer | AddressPeer) -> None:
    assert read_one(from_peer(peer)).ingress == (Rule((meant,)),)


def test_one_peer_with_both_selectors_is_not_two_peers() -> None:
    together = read_one(ingress({"from": [{"podSelector": ROLE, "namespaceSelector": {}}]}))
    apart = read_one(ingress({"from": [{"podSelector": ROLE}, {"namespaceSelector": {}}]}))
    assert together.ingress is not None
    assert apart.ingress is not None
    assert [len(rules[0].peers) for rules in (together.ingress, apart.ingress)] == [1, 2]


def test_the_terms_of_a_selector_are_all_kept() -> None:
    expressions = [
        {"key": "role", "operator": "NotIn", "values": ["b", "", "a", "a"]},
        {"key": "example.com/x", "operator": "Exists", "values": []},
        {"key": "y", "operator": "DoesNotExist", "values": None},
        {"key": "role", "operator": "In", "values": ["api", "db"]},
    ]
    selector = {"matchLabels": {"role": "api", "empty": ""}, "matchExpressions": expressions}
    assert read_one(network_policy({"podSelector": selector})).pods == Selector.of(
        [
            Requirement("role", Operator.NOT_IN, ("", "a", "b")),
            Requirement("example.com/x", Operator.EXISTS),
            Requirement("y", Operator.DOES_NOT_EXIST),
            Requirement("role", Operator.IN, ("api", "db")),
            Requirement("role", Operator.IN, ("api",)),
            Requirement("empty", Operator.IN, ("",)),
        ]
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", ""),
        ("A.b_c-9", "A.b_c-9"),
        ("a" * 63, "a" * 63),
        (f"{'a' * 253}/a", "0"),
        ("x.y-z.io/A", "x"),
    ],
)
def test_labels_at_the_limits(key: str, value: str) -> None:
    policy = read_one(network_policy({"podSelector": {"matchLabels": {key: value}}}))
    assert policy.pods == Selector.equal({key: value})


@pytest.mark.parametrize(
    ("given", "meant"), [(None, "default"), ("", "default"), ("a" * 63, "a" * 63)]
)
def test_namespaces(given: str | None, meant: str) -> None:
    assert read_one(network_policy(namespace=given)).namespace == meant


@pytest.mark.parametrize("name", ["a" * 253, "0", "a.b-c.d", "a--b"])
def test_names(name: str) -> None:
    assert read_one(network_policy(name=name)).name == name


def test_metadata_is_sorted_and_what_a_server_adds_is_passed_over() -> None:
    metadata = {
        "labels": {"b": "2", "a": "1"},
        "annotations": {"Example.COM/b": "x: y", "a": ""},
        "uid": "1",
        "resourceVersion": "2",
        "generation": 3,
        "creationTimestamp": "2024-01-01T00:00:00Z",
        "managedFields": [{}],
        "ownerReferences": [],
        "finalizers": None,
    }
    policy = read_one({**network_policy(**metadata), "status": {"conditions": []}})
    assert policy.labels == (("a", "1"), ("b", "2"))
    assert policy.annotations == (("Example.COM/b", "x: y"), ("a", ""))


def test_annotations_up_to_the_limit() -> None:
    assert not faults_of(network_policy(annotations={"a": "x" * (2**18 - 1)}))


def test_the_order_of_rules_is_kept() -> None:
    numbers = (9, 1, 5)
    policy = read_one(network_policy({"ingress": [{"ports": [{"port": n}]} for n in numbers]}))
    assert policy.ingress == tuple(Rule((), PortSet.port(TCP, n)) for n in numbers)
