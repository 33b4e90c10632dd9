"""What an API server refuses is refused, with the field, the value and nothing besides."""

import pytest

from tests.dialects.kubernetes.objects import (
    Fields,
    faults_of,
    from_peer,
    ingress,
    network_policy,
    to_port,
)

FROM = "spec.ingress[0].from[0]"
PORT = "spec.ingress[0].ports[0]"
EXPRESSION = "spec.podSelector.matchExpressions[0]"


def expression(**fields: object) -> Fields:
    """Return a policy whose pod selector has one expression."""
    return network_policy({"podSelector": {"matchExpressions": [fields]}})


def label(key: object, value: object) -> Fields:
    """Return a policy whose pod selector has one label."""
    return network_policy({"podSelector": {"matchLabels": {key: value}}})


def block(cidr: object, *excepts: object) -> Fields:
    """Return a policy with one ipBlock."""
    return from_peer({"ipBlock": {"cidr": cidr, "except": list(excepts)}})


def changed(**fields: object) -> Fields:
    """Return a policy with other top-level fields."""
    return {**network_policy(), **fields}


LABELS = "spec.podSelector.matchLabels"
CIDR = f"{FROM}.ipBlock.cidr"
EXCEPT = f"{FROM}.ipBlock.except[0]"
BOTH = {"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}

REFUSED = [
    # protocols and ports
    (to_port({"protocol": "ICMP"}), f"{PORT}.protocol", "'ICMP'"),
    (to_port({"protocol": "tcp"}), f"{PORT}.protocol", "'tcp'"),
    (to_port({"protocol": ""}), f"{PORT}.protocol", "''"),
    (to_port({"protocol": 6}), f"{PORT}.protocol", "6"),
    (to_port({"protocol": ["TCP"]}), f"{PORT}.protocol", "['TCP']"),
    (to_port({"port": 0}), f"{PORT}.port", "0"),
    (to_port({"port": -1}), f"{PORT}.port", "-1"),
    (to_port({"port": 65536}), f"{PORT}.port", "65536"),
    (to_port({"port": True}), f"{PORT}.port", "True"),
    (to_port({"port": 80.0}), f"{PORT}.port", "80.0"),
    (to_port({"port": [80]}), f"{PORT}.port", "[80]"),
    (to_port({"port": "80"}), f"{PORT}.port", "'80'"),
    (to_port({"port": ""}), f"{PORT}.port", "''"),
    (to_port({"port": "a" * 16}), f"{PORT}.port", repr("a" * 16)),
    (to_port({"port": "1-2"}), f"{PORT}.port", "'1-2'"),
    (to_port({"port": "a--b"}), f"{PORT}.port", "'a--b'"),
    (to_port({"port": "-a"}), f"{PORT}.port", "'-a'"),
    (to_port({"port": "a-"}), f"{PORT}.port", "'a-'"),
    (to_port({"port": "Http"}), f"{PORT}.port", "'Http'"),
    (to_port({"port": "ht_tp"}), f"{PORT}.port", "'ht_tp'"),
    (to_port({"port": "http\n"}), f"{PORT}.port", r"'http\n'"),
    (to_port({"port": 80, "endPort": 79}), f"{PORT}.endPort", "79"),
    (to_port({"port": 80, "endPort": 65536}), f"{PORT}.endPort", "65536"),
    (to_port({"port": 80, "endPort": 0}), f"{PORT}.endPort", "0"),
    (to_port({"port": 80, "endPort": "90"}), f"{PORT}.endPort", "'90'"),
    (to_port({"port": 80, "endPort": True}), f"{PORT}.endPort", "True"),
    (to_port({"port": "http", "endPort": 90}), f"{PORT}.endPort", "90"),
    (to_port({"endPort": 90}), f"{PORT}.endPort", "90"),
    (to_port({"number": 80}), PORT, "'number'"),
    (to_port("http"), PORT, "'http'"),
    (to_port(None), PORT, "None"),
    (ingress({"ports": {"port": 80}}), "spec.ingress[0].ports", "{'port': 80}"),
    # addresses
    (block(""), CIDR, "''"),
    (block("10.0.0.0"), CIDR, "'10.0.0.0'"),
    (block("10.0.0.0/33"), CIDR, "'10.0.0.0/33'"),
    (block("10.0.0.0/-1"), CIDR, "'10.0.0.0/-1'"),
    (block("10.0.0/8"), CIDR, "'10.0.0/8'"),
    (block("10.0.0.256/8"), CIDR, "'10.0.0.256/8'"),
    (block("10.0.0.0/255.0.0.0"), CIDR, "'10.0.0.0/255.0.0.0'"),
    (block("10.0.0.0/8 "), CIDR, "'10.0.0.0/8 '"),
    (block("010.0.0.0/8"), CIDR, "'010.0.0.0/8'"),
    (block("10.0.0.00/8"), CIDR, "'10.0.0.00/8'"),
    (block("10.0.0.0/08"), CIDR, "'10.0.0.0/08'"),
    (block("fe80::1%eth0/64"), CIDR, "'fe80::1%eth0/64'"),
    (block("2001:db8::/129"), CIDR, "'2001:db8::/129'"),
    (block("2001:db8:::/32"), CIDR, "'2001:db8:::/32'"),
    (block(10), CIDR, "10"),
    (from_peer({"ipBlock": {}}), CIDR, "nothing"),
    (from_peer({"ipBlock": "10.0.0.0/8"}), f"{FROM}.ipBlock", "'10.0.0.0/8'"),
    (from_peer({"ipBlock": {"cidr": "10.0.0.0/8", "excepts": []}}), f"{FROM}.ipBlock", "'excepts'"),
    (block("10.0.0.0/8", "10.0.0.0/8"), EXCEPT, "'10.0.0.0/8'"),
    (block("10.0.0.0/8", "0.0.0.0/0"), EXCEPT, "'0.0.0.0/0'"),
    (block("10.0.0.0/8", "11.0.0.0/16"), EXCEPT, "'11.0.0.0/16'"),
    (block("0.0.0.0/0", "2001:db8::/32"), EXCEPT, "'2001:db8::/32'"),
    (block("::/0", "10.0.0.0/8"), EXCEPT, "'10.0.0.0/8'"),
    (block("::ffff:10.0.0.0/104", "10.1.0.0/16"), EXCEPT, "'10.1.0.0/16'"),
    (block("::/0", "::ffff:10.0.0.0/104"), EXCEPT, "'::ffff:10.0.0.0/104'"),
    (block("10.0.0.0/8", "10.1.0.0"), EXCEPT, "'10.1.0.0'"),
    (block("10.0.0.0/8", 10), EXCEPT, "10"),
    (block("10.0.0.0/8", None), EXCEPT, "None"),
    (from_peer({"ipBlock": {"cidr": "10.0.0.0/8", "except": "10.1.0.0/16"}}),
     f"{FROM}.ipBlock.except", "'10.1.0.0/16'"),
    # peers
    (from_peer({}), FROM, "{}"),
    (from_peer({"podSelector": None}), FROM, "{'podSelector': None}"),
    (from_peer(None), FROM, "None"),
    (from_peer("db"), FROM, "'db'"),
    (from_peer(BOTH), FROM, "{'ipBlock': {'cidr': '10.0.0.0/8'}, 'podSelector': {}}"),
    (from_peer({"namespaceSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}}), FROM,
     "{'ipBlock': {'cidr': '10.0.0.0/8'}, 'namespaceSelector': {}}"),
    (from_peer({"podSelector": {}, "pods": {}}), FROM, "'pods'"),
    (from_peer({"podSelector": {"role": "db"}}), f"{FROM}.podSelector", "'role'"),
    (from_peer({"namespaceSelector": {"role": "db"}}), f"{FROM}.namespaceSelector", "'role'"),
    (from_peer({"podSelector": []}), f"{FROM}.podSelector", "[]"),
    # rules
    (ingress({"to": []}), "spec.ingress[0]", "'to'"),
    (network_policy({"egress": [{"from": []}]}), "spec.egress[0]", "'from'"),
    (ingress(None), "spec.ingress[0]", "None"),
    (ingress([]), "spec.ingress[0]", "[]"),
    (ingress({"from": {"podSelector": {}}}), "spec.ingress[0].from", "{'podSelector': {}}"),
    (network_policy({"ingress": {}}), "spec.ingress", "{}"),
    (network_policy({"egress": 0}), "spec.egress", "0"),
    # selectors
    (network_policy({"podSelector": "role=db"}), "spec.podSelector", "'role=db'"),
    (network_policy({"podSelector": {"matchLabel": {}}}), "spec.podSelector", "'matchLabel'"),
    (network_policy({"podSelector": {"matchLabels": []}}), LABELS, "[]"),
    (network_policy({"podSelector": {"matchExpressions": {}}}),
     "spec.podSelector.matchExpressions", "{}"),
    (label("role", value=True), f"{LABELS}[role]", "True"),
    (label("role", 1), f"{LABELS}[role]", "1"),
    (label("role", None), f"{LABELS}[role]", "None"),
    (label("role", "a b"), f"{LABELS}[role]", "'a b'"),
    (label("role", "-a"), f"{LABELS}[role]", "'-a'"),
    (label("role", "a."), f"{LABELS}[role]", "'a.'"),
    (label("role", "a\n"), f"{LABELS}[role]", r"'a\n'"),
    (label("role", "é"), f"{LABELS}[role]", "'é'"),
    (label("role", "a" * 64), f"{LABELS}[role]", repr("a" * 64)),
    (label(key=True, value="x"), f"{LABELS}[True]", "True"),
    (label("", "x"), LABELS, "''"),
    (label("a" * 64, "x"), LABELS, repr("a" * 64)),
    (label("a/b/c", "x"), LABELS, "'a/b/c'"),
    (label("/a", "x"), LABELS, "'/a'"),
    (label("a/", "x"), LABELS, "'a/'"),
    (label("A.com/a", "x"), LABELS, "'A.com/a'"),
    (label("a..b/a", "x"), LABELS, "'a..b/a'"),
    (label(f"{'a' * 254}/a", "x"), LABELS, repr("a" * 100)),
    (label("_a", "x"), LABELS, "'_a'"),
    (expression(operator="Exists"), f"{EXPRESSION}.key", "nothing"),
    (expression(key="", operator="Exists"), f"{EXPRESSION}.key", "''"),
    (expression(key=1, operator="Exists"), f"{EXPRESSION}.key", "1"),
    (expression(key="a b", operator="Exists"), f"{EXPRESSION}.key", "'a b'"),
    (expression(key="a"), f"{EXPRESSION}.operator", "nothing"),
    (expression(key="a", operator="Equals"), f"{EXPRESSION}.operator", "'Equals'"),
    (expression(key="a", operator="exists"), f"{EXPRESSION}.operator", "'exists'"),
    (expression(key="a", operator=["In"]), f"{EXPRESSION}.operator", "['In']"),
    (expression(key="a", operator="In"), f"{EXPRESSION}.values", "none"),
    (expression(key="a", operator="NotIn", values=[]), f"{EXPRESSION}.values", "none"),
    (expression(key="a", operator="Exists", values=["b"]), f"{EXPRESSION}.values", "['b']"),
    (expression(key="a", operator="DoesNotExist", values=["b"]), f"{EXPRESSION}.values", "['b']"),
    (expression(key="a", operator="In", values="b"), f"{EXPRESSION}.values", "'b'"),
    (expression(key="a", operator="In", values=["b c"]), f"{EXPRESSION}.values[0]", "'b c'"),
    (expression(key="a", operator="In", values=[False]), f"{EXPRESSION}.values[0]", "False"),
    (expression(key="a", operator="In", values=[None]), f"{EXPRESSION}.values[0]", "None"),
    (expression(key="a", operator="Exists", value="b"), EXPRESSION, "'value'"),
    (network_policy({"podSelector": {"matchExpressions": ["a"]}}),
     EXPRESSION, "'a'"),
    # policy types
    (network_policy({"policyTypes": ["ingress"]}), "spec.policyTypes[0]", "'ingress'"),
    (network_policy({"policyTypes": ["Ingress", "Both"]}), "spec.policyTypes[1]", "'Both'"),
    (network_policy({"policyTypes": [{}]}), "spec.policyTypes[0]", "{}"),
    (network_policy({"policyTypes": [None]}), "spec.policyTypes[0]", "None"),
    (network_policy({"policyTypes": "Ingress"}), "spec.policyTypes", "'Ingress'"),
    (network_policy({"policyTypes": ["Ingress", "Egress", "Egress"]}), "spec.policyTypes",
     "['Ingress', 'Egress', 'Egress']"),
    # the object
    (network_policy({"policyType": ["Ingress"]}), "spec", "'policyType'"),
    (network_policy([]), "spec", "[]"),
    (changed(specs={}), "", "'specs'"),
    (changed(apiVersion="extensions/v1beta1"), "apiVersion", "'extensions/v1beta1'"),
    (changed(apiVersion="networking.k8s.io/v1beta1"), "apiVersion", "'networking.k8s.io/v1beta1'"),
    (changed(apiVersion="v1"), "apiVersion", "'v1'"),
    (changed(apiVersion="netwroking.k8s.io/v1"), "apiVersion", "'netwroking.k8s.io/v1'"),
    (changed(apiVersion=None), "apiVersion", "None"),
    (changed(apiVersion=1), "apiVersion", "1"),
    (changed(kind="networkpolicy"), "kind", "'networkpolicy'"),
    (changed(kind="NetworkPolicies"), "kind", "'NetworkPolicies'"),
    (changed(kind="NetworkPolcy"), "kind", "'NetworkPolcy'"),
    (changed(kind=None), "kind", "None"),
    (network_policy(namespace="a.b"), "metadata.namespace", "'a.b'"),
    (network_policy(namespace="A"), "metadata.namespace", "'A'"),
    (network_policy(namespace="a" * 64), "metadata.namespace", repr("a" * 64)),
    (network_policy(namespace=5), "metadata.namespace", "5"),
    (network_policy(labels={"a b": "c"}), "metadata.labels", "'a b'"),
    (network_policy(labels={"a": "b c"}), "metadata.labels[a]", "'b c'"),
    (network_policy(labels={"a": 1}), "metadata.labels[a]", "1"),
    (network_policy(annotations={"a b": "c"}), "metadata.annotations", "'a b'"),
    (network_policy(annotations={"a": 1}), "metadata.annotations[a]", "1"),
    (network_policy(annotations={"a": "\ud800"}), "metadata.annotations[a]", r"'\ud800'"),
    (network_policy(annotations={"a": "x" * 2**18}), "metadata.annotations", str(2**18 + 1)),
    (network_policy(namepsace="shop"), "metadata", "'namepsace'"),
    (network_policy(uid=5), "metadata.uid", "5"),
    (network_policy(generation="3"), "metadata.generation", "'3'"),
    (network_policy(generation=True), "metadata.generation", "True"),
    (network_policy(creationTimestamp=2024), "metadata.creationTimestamp", "2024"),
    (network_policy(finalizers="a"), "metadata.finalizers", "'a'"),
    (network_policy(ownerReferences={}), "metadata.ownerReferences", "{}"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "path", "got"), REFUSED)
def test_one_fault_at_the_field_with_the_value(document: Fields, path: str, got: str) -> None:
    (fault,) = faults_of(document)
    owner = "document 1" if path == "metadata.namespace" else "shop/db"
    assert fault.place == f"file.yaml: {owner} {path}".rstrip()
    assert fault.got == got
    assert fault.expected


NAMES: list[object] = ["", "Db", "a_b", "-a", "a-", "a..b", ".a", "a" * 254, "a\n", "é", "a/b"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_objects(name: str) -> None:
    (fault,) = faults_of(network_policy(name=name))
    assert fault.place == "file.yaml: document 1 metadata.name"
    assert fault.got[:45] == repr(name)[:45]


@pytest.mark.parametrize("name", [None, 5, ["a"]])
def test_a_name_is_a_string(name: object) -> None:
    (fault,) = faults_of(network_policy(name=name))
    assert fault.place == "file.yaml: document 1 metadata.name"


@pytest.mark.parametrize("metadata", [None, {}])
def test_a_name_is_needed(metadata: object) -> None:
    (fault,) = faults_of(changed(metadata=metadata))
    assert fault.place == "file.yaml: document 1 metadata.name"


@pytest.mark.parametrize(
    ("document", "remedy"),
    [
        (changed(apiVersion="extensions/v1beta1"), "networking.k8s.io/v1"),
        (to_port({"port": "80"}), "quotes"),
        (to_port({"prot": 80}), "port"),
        (network_policy({"policyType": []}), "policyTypes"),
        (network_policy({"zzz": []}), "Remove"),
        (label("role", value=False), "quotes"),
        (block("010.0.0.0/8"), "010"),
        (from_peer(BOTH), "two peers"),
        (from_peer(None), "{}"),
    ],
)
def test_remedies(document: Fields, remedy: str) -> None:
    assert remedy in faults_of(document)[0].remedy


def test_all_faults_of_all_objects_at_once_in_order() -> None:
    spec = {
        "ingress": [{"from": [{}], "ports": [{"port": 0}, {"port": 80}, {"port": 1e3}]}],
        "egress": [{"to": [{"ipBlock": {"cidr": "x"}}]}],
    }
    bad = [network_policy(spec, name=name) for name in "ab"]
    places = [fault.place for fault in faults_of(bad[0], network_policy(), bad[1])]
    paths = ["ingress[0].from[0]", "ingress[0].ports[0].port", "ingress[0].ports[2].port"]
    paths.append("egress[0].to[0].ipBlock.cidr")
    expected = [f"file.yaml: shop/{name} spec.{path}" for name in "ab" for path in paths]
    assert places == expected


def test_rules_of_a_direction_not_in_force_are_checked() -> None:
    (fault,) = faults_of(network_policy({"policyTypes": ["Ingress"], "egress": [{"ports": [0]}]}))
    assert fault.place.endswith("spec.egress[0].ports[0]")


def test_faulty_expressions_beside_good_ones() -> None:
    good = {"key": "a", "operator": "Exists"}
    bad: list[Fields] = [{"operator": "Exists"}, {"key": "a"}, {**good, "values": ["b"]}]
    for one in bad:
        expressions = [good, one, {"key": "b", "operator": "In", "values": ["c"]}]
        (fault,) = faults_of(network_policy({"podSelector": {"matchExpressions": expressions}}))
        assert fault.place.startswith(f"file.yaml: shop/db {EXPRESSION[:-3]}[1]")


def test_several_unknown_fields_are_several_faults() -> None:
    faults = faults_of(from_peer({"podSelector": {}, "a": 1, "b": 2, 3: 3}))
    assert [fault.got for fault in faults] == ["'a'", "'b'", "3"]


def test_two_objects_of_one_name_in_one_file() -> None:
    twin = network_policy(namespace=None)
    default = network_policy(namespace="default")
    (fault,) = faults_of(network_policy(), twin, default)
    assert fault.place == "file.yaml: default/db"
    assert fault.got == "another one in file.yaml, document 2"


def test_the_line_reads_as_promised() -> None:
    document = ingress({"from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0/8"}}]})
    (fault,) = faults_of(document)
    start = "file.yaml: shop/db spec.ingress[0].from[1].ipBlock.cidr: expected "
    assert str(fault).startswith(start)
    assert str(fault).endswith("Got '10.0.0/8' instead.")
