"""NetworkPolicy objects for tests, and what reading them says."""

from copy import deepcopy

from synth.dialects.kubernetes import parse_policies
from synth.errors import Fault, InputError
from synth.policy import Policy

Fields = dict[str, object]


def network_policy(spec: object = None, **metadata: object) -> Fields:
    """Return the object ``shop/db`` with this spec."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "db", "namespace": "shop", **metadata},
        "spec": {} if spec is None else spec,
    }


def ingress(rule: object) -> Fields:
    """Return a policy of one ingress rule."""
    return network_policy({"ingress": [rule]})


def from_peer(peer: object) -> Fields:
    """Return a policy of one ingress rule with one peer."""
    return ingress({"from": [peer]})


def to_port(port: object) -> Fields:
    """Return a policy of one ingress rule with one port."""
    return ingress({"ports": [port]})


def read_one(document: object) -> Policy:
    """Return the only policy of the document."""
    (policy,) = parse_policies([deepcopy(document)], "file.yaml").policies
    return policy


def faults_of(*documents: object) -> tuple[Fault, ...]:
    """Return the faults of the documents; none if they are accepted."""
    try:
        parse_policies(deepcopy(documents), "file.yaml")
    except InputError as error:
        return error.faults
    return ()
