"""What is written is what people write, and what a server accepts."""

import json
from collections.abc import Callable

import kubernetes_validate
import pytest
import yaml
from hypothesis import given, settings

from synth.dialects.kubernetes import parse_policies, to_document, to_json, to_yaml
from synth.dialects.kubernetes.yaml_values import yaml_documents
from synth.policy import (
    AddressPeer,
    IpBlock,
    NamedPort,
    Operator,
    PodPeer,
    Policy,
    PortRange,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from tests.dialects.kubernetes.objects import network_policy, read_one
from tests.policy.strategies import policies

SCHEMA = kubernetes_validate.latest_version()
TCP, UDP = Protocol.TCP, Protocol.UDP
API, DB = Selector.equal({"role": "api"}), Selector.equal({"role": "db"})

EVERYTHING = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: db
  namespace: shop
  labels:
    app.kubernetes.io/managed-by: synth
    tier: "080"
  annotations:
    note: "no"
spec:
  podSelector:
    matchLabels:
      role: db
    matchExpressions:
    - key: env
      operator: In
      values:
      - "on"
      - prod
    - key: old
      operator: DoesNotExist
  policyTypes:
  - Ingress
  - Egress
  ingress:
  - from:
    - podSelector:
        matchLabels:
          role: api
    - namespaceSelector: {}
      podSelector:
        matchLabels:
          role: api
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: web
    - ipBlock:
        cidr: 10.0.0.0/8
        except:
        - 10.1.0.0/16
    ports:
    - protocol: TCP
      port: 80
      endPort: 90
    - protocol: TCP
      port: 3306
    - protocol: UDP
    - protocol: TCP
      port: http
  egress:
  - {}
"""


def test_the_whole_form() -> None:
    peers = (
        PodPeer(API),
        PodPeer(Selector(), Selector.equal({"kubernetes.io/metadata.name": "web"})),
        PodPeer(API, Selector()),
        AddressPeer(IpBlock.parse("10.0.0.0/8", ["10.1.0.0/16"])),
    )
    ranges = PortRange(TCP, 80, 90), PortRange(TCP, 3306, 3306), PortRange(UDP, 1, 65535)
    env = Requirement("env", Operator.IN, ("prod", "on"))
    old = Requirement("old", Operator.DOES_NOT_EXIST)
    policy = Policy(
        "shop",
        "db",
        DB & Selector((env, old)),
        ingress=(Rule(peers, PortSet.of(*ranges, NamedPort(TCP, "http"))),),
        egress=(Rule(),),
        labels=(("tier", "080"), ("app.kubernetes.io/managed-by", "synth")),
        annotations=(("note", "no"),),
    )
    assert to_yaml(policy) == EVERYTHING


@pytest.mark.parametrize(
    ("inbound", "outbound", "spec"),
    [
        ((), None, {"policyTypes": ["Ingress"]}),
        (None, (), {"policyTypes": ["Egress"]}),
        ((), (), {"policyTypes": ["Ingress", "Egress"]}),
        ((Rule(),), None, {"policyTypes": ["Ingress"], "ingress": [{}]}),
        (None, (Rule(),), {"policyTypes": ["Egress"], "egress": [{}]}),
    ],
)
def test_directions(
    inbound: tuple[Rule, ...] | None, outbound: tuple[Rule, ...] | None, spec: dict[str, object]
) -> None:
    policy = Policy("shop", "db", ingress=inbound, egress=outbound)
    assert to_document(policy)["spec"] == {"podSelector": {}, **spec}
    assert read_one(to_document(policy)) == policy


def test_contradicting_equalities_are_both_kept() -> None:
    policy = Policy("shop", "db", API & DB, ())
    spec = to_document(policy)["spec"]
    assert isinstance(spec, dict)
    assert spec["podSelector"] == {
        "matchLabels": {"role": "api"},
        "matchExpressions": [{"key": "role", "operator": "In", "values": ["db"]}],
    }
    assert read_one(to_document(policy)) == policy


def test_a_block_whose_excepts_cover_it_is_written_in_halves() -> None:
    halves = ["10.0.0.0/9", "10.128.0.0/9"]
    block = IpBlock.parse("10.0.0.0/8", halves)
    policy = Policy("shop", "db", ingress=(Rule((AddressPeer(block),)),))
    spec = to_document(policy)["spec"]
    assert isinstance(spec, dict)
    assert spec["ingress"] == [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": halves}}]}]
    assert read_one(to_document(policy)) == policy


UNSAYABLE = [
    Policy("shop", "db"),
    Policy("shop", "db", ingress=(Rule(ports=PortSet()),)),
    Policy("Shop", "db", ingress=()),
    Policy("", "db", ingress=()),
    Policy("shop", "d b", ingress=()),
    Policy("shop", "db", Selector.equal({"a b": "c"}), ()),
    Policy("shop", "db", ingress=(Rule((PodPeer(Selector.equal({"a": "c d"})),)),)),
    Policy("shop", "db", ingress=(), labels=(("a", "b c"),)),
    Policy("shop", "db", ingress=(), labels=(("a", "b"), ("a", "c"))),
    Policy("shop", "db", ingress=(), annotations=(("a", "x" * 300_000),)),
    Policy("shop", "db", ingress=(Rule(ports=PortSet.of(NamedPort(TCP, "80"))),)),
]


@pytest.mark.parametrize("write", [to_document, to_yaml, to_json])
@pytest.mark.parametrize("policy", UNSAYABLE)
def test_what_no_server_would_accept_is_not_written(
    policy: Policy, write: Callable[[Policy], object]
) -> None:
    with pytest.raises(ValueError, match=r"db|shop"):
        write(policy)


@settings(deadline=None)
@given(policies())
def test_round_trip_and_schema(policy: Policy) -> None:
    document = to_document(policy)
    assert read_one(document) == policy
    kubernetes_validate.validate(document, SCHEMA, strict=True)
    text = to_yaml(policy)
    (again,) = parse_policies(yaml_documents(text), "a.yaml").policies
    assert again == policy
    assert yaml.safe_load(text) == document
    assert json.loads(to_json(policy)) == document
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert to_json(policy).endswith("}\n")


@settings(deadline=None, max_examples=30)
@given(policies())
def test_writing_what_was_read_changes_nothing(policy: Policy) -> None:
    text = to_yaml(policy)
    assert to_yaml(read_one(next(iter(yaml_documents(text))))) == text


def test_metadata_a_server_adds_is_not_written() -> None:
    policy = read_one(network_policy(uid="1", resourceVersion="2"))
    assert to_document(policy)["metadata"] == {"name": "db", "namespace": "shop"}
