"""A Policy → the NetworkPolicy object that means it, as plain values, YAML or JSON.

What is written is read again before it is handed out: a policy that the API cannot say, or that a
server would refuse, is never written.
"""

import json
import sys

import yaml

from synth.dialects.kubernetes.nodes import Faults, Node
from synth.dialects.kubernetes.scalars import misread
from synth.dialects.kubernetes.validate import API_VERSION, KIND, read_policy
from synth.policy import (
    AddressPeer,
    Direction,
    IpBlock,
    NamedPort,
    Peer,
    Policy,
    PortRange,
    PortSet,
    Rule,
    Selector,
)

Fields = dict[str, object]

_PEERS = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


def to_document(policy: Policy) -> Fields:
    """Return the object as plain dicts and lists, keys in the order in which people write them.

    Raises
    ------
    ValueError
        If no valid object means the policy: a rule without any port, no direction isolated, an
        invalid name.

    """
    document: Fields = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": _metadata(policy),
        "spec": _spec(policy),
    }
    _check(policy, document)
    return document


def to_yaml(policy: Policy) -> str:
    """Return the object as YAML, ending with a newline; ``Raises`` as ``to_document`` does."""
    return yaml.dump(
        to_document(policy),
        Dumper=_Dumper,
        allow_unicode=True,
        default_flow_style=False,
        sort_keys=False,
        width=sys.maxsize,
    )


def to_json(policy: Policy) -> str:
    """Return the object as JSON, ending with a newline; ``Raises`` as ``to_document`` does."""
    return json.dumps(to_document(policy), ensure_ascii=False, indent=2) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes no aliases, and in quotes what some reader of YAML would not take for text."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class passes it
        """Return True: every value is written out."""
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        """Return the string's node."""
        style = '"' if misread(data) or not data.isprintable() else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _check(policy: Policy, document: Fields) -> None:
    faults = Faults()
    again = read_policy(Node(document, str(policy), faults))
    if faults.found:
        raise ValueError("\n".join(map(str, faults.found)))
    if _canonical(again) != _canonical(policy):
        raise ValueError(f"{policy}: no NetworkPolicy object means {policy!r}")


def _canonical(policy: Policy) -> tuple[object, ...]:
    metadata = tuple(sorted(policy.labels)), tuple(sorted(policy.annotations))
    return (*policy.key, policy.pods, policy.ingress, policy.egress, *metadata)


def _metadata(policy: Policy) -> Fields:
    metadata: Fields = {"name": policy.name, "namespace": policy.namespace}
    if policy.labels:
        metadata["labels"] = dict(sorted(policy.labels))
    if policy.annotations:
        metadata["annotations"] = dict(sorted(policy.annotations))
    return metadata


def _spec(policy: Policy) -> Fields:
    isolated = [way for way in Direction if policy.rules(way) is not None]
    spec: Fields = {
        "podSelector": _selector(policy.pods),
        "policyTypes": [way.value for way in isolated],
    }
    for way in isolated:
        rules = policy.rules(way)
        if rules:
            spec[way.lower()] = [_rule(rule, _PEERS[way]) for rule in rules]
    return spec


def _rule(rule: Rule, peers: str) -> Fields:
    fields: Fields = {peers: [_peer(peer) for peer in rule.peers]} if rule.peers else {}
    if rule.ports != PortSet.every():
        fields["ports"] = [_port(term) for term in rule.ports.terms]
    return fields


def _peer(peer: Peer) -> Fields:
    if isinstance(peer, AddressPeer):
        return {"ipBlock": _ip_block(peer.block)}
    if peer.namespaces is None:
        return {"podSelector": _selector(peer.pods)}
    fields: Fields = {"namespaceSelector": _selector(peer.namespaces)}
    if not peer.pods.everything:
        fields["podSelector"] = _selector(peer.pods)
    return fields


def _ip_block(block: IpBlock) -> Fields:
    fields: Fields = {"cidr": str(block.cidr)}
    if block.excepts:
        fields["except"] = [str(hole) for hole in block.excepts]
    return fields


def _port(term: PortRange | NamedPort) -> Fields:
    fields: Fields = {"protocol": term.protocol.value}
    if isinstance(term, NamedPort):
        fields["port"] = term.name
    elif not term.every:
        fields["port"] = term.first
        if term.last != term.first:
            fields["endPort"] = term.last
    return fields


def _selector(selector: Selector) -> Fields:
    """Return the selector: one equality a key as ``matchLabels``, the rest as expressions."""
    labels: dict[str, str] = {}
    expressions: list[Fields] = []
    for term in selector.requirements:
        if term.equality and term.key not in labels:
            labels[term.key] = term.values[0]
            continue
        fields: Fields = {"key": term.key, "operator": term.operator.value}
        expressions.append({**fields, "values": list(term.values)} if term.values else fields)
    found = {"matchLabels": labels, "matchExpressions": expressions}
    return {name: part for name, part in found.items() if part}
