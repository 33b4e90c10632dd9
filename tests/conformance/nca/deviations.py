"""Where network-config-analyzer differs from the API: worked around, or emulated.

| legal, but refused or misread | what it is given instead, which means the same |
|---|---|
| podSelector left out or null | ``{}`` |
| policyTypes null, empty, ``[Egress, Ingress]`` | left out; in the order that it takes |
| rules of a direction that policyTypes does not list | nothing |
| fields that are null | nothing |
| a port name that stands twice in one pod | the first |

| answer that differs | emulated on our side by |
|---|---|
| ``Exists``, ``DoesNotExist`` in a peer's podSelector mean the own namespace | so written |
| a namespace without a label counts as one whose value is empty | other operators |
| ``egress: []`` without policyTypes isolates egress | policyTypes with both |
| an ipBlock never holds a pod | the option of that name |
| an IPv4-mapped ipBlock holds no IPv4 address | the option of that name |
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from synth.policy import Peer, PodPeer, Policy, PolicySet, Rule, Selector
from synth.policy.selector import Operator, Requirement
from tests.reference import NAMESPACE_NAME, Pod

Document = dict[str, Any]
RULES = {"Ingress": "ingress", "Egress": "egress"}
BY_KEY = (Operator.EXISTS, Operator.DOES_NOT_EXIST)


def acceptable(document: Mapping[str, Any]) -> Document:
    """Return a policy of the same meaning that the analyzer takes."""
    spec: Document = _without_null(document["spec"])
    spec.setdefault("podSelector", {})
    types = spec.pop("policyTypes", [])
    if types:
        spec["policyTypes"] = [one for one in RULES if one in types]
        for unlisted in RULES.keys() - set(types):
            spec.pop(RULES[unlisted], None)
    return {**document, "spec": spec}


def _without_null(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {key: _without_null(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_null(one) for one in value]
    return value


def with_one_port_a_name(pod: Pod) -> Pod:
    """Return the pod with the first port of each name; unnamed ports say nothing to policies."""
    first = {name: (name, *rest) for name, *rest in reversed(pod.ports) if name}
    kept = tuple(port for port in pod.ports if first.get(port[0]) == port)
    return replace(pod, ports=kept)


def isolating_by_empty_egress(documents: Iterable[Mapping[str, Any]]) -> list[Document]:
    """Return the policies; ``egress: []`` without policyTypes isolates."""
    found = []
    for document in documents:
        spec = document["spec"]
        silent = "egress" in spec and "policyTypes" not in spec
        types = {"policyTypes": ["Ingress", "Egress"]} if silent else {}
        found.append({**document, "spec": {**spec, **types}})
    return found


def looking_up_keys_at_home(policies: PolicySet) -> PolicySet:
    """Return the policies; a peer with a term on a key alone is of the policy's namespace."""
    return _with_peers(policies, _at_home)


def taking_missing_for_empty(
    policies: PolicySet, namespaces: Mapping[str, Mapping[str, str]]
) -> PolicySet:
    """Return the policies; a namespace that lacks a label has it, and its value is empty."""

    def peer(one: PodPeer, _: str) -> PodPeer:
        if one.namespaces is None:
            return one
        terms = [new for term in one.namespaces.requirements for new in _with_missing(term, known)]
        return replace(one, namespaces=Selector.of(terms))

    known: dict[str, set[str]] = {}
    for labels in namespaces.values():
        for key, value in labels.items():
            known.setdefault(key, set()).add(value)
    return _with_peers(policies, peer)


def _with_missing(term: Requirement, known: Mapping[str, set[str]]) -> list[Requirement]:
    """Return terms that a namespace meets if the analyzer says so."""
    if "" not in term.values:
        return [term]
    if term.operator is Operator.NOT_IN:
        return [term, Requirement(term.key, Operator.EXISTS)]
    others = tuple(sorted(known.get(term.key, set()) - set(term.values)))
    return [Requirement(term.key, Operator.NOT_IN, others)] if others else []


def _with_peers(policies: PolicySet, change: Callable[[PodPeer, str], PodPeer]) -> PolicySet:
    """Return the policies with every peer of pods changed, given the policy's namespace."""

    def rules(policy: Policy, some: tuple[Rule, ...] | None) -> tuple[Rule, ...] | None:
        if some is None:
            return None
        return tuple(replace(rule, peers=peers(policy, rule)) for rule in some)

    def peers(policy: Policy, rule: Rule) -> tuple[Peer, ...]:
        return tuple(
            change(one, policy.namespace) if isinstance(one, PodPeer) else one for one in rule.peers
        )

    return PolicySet.of(
        replace(one, ingress=rules(one, one.ingress), egress=rules(one, one.egress))
        for one in policies
    )


def _at_home(peer: PodPeer, namespace: str) -> PodPeer:
    if peer.namespaces is None:
        return peer
    if not any(term.operator in BY_KEY for term in peer.pods.requirements):
        return peer
    home = Requirement(NAMESPACE_NAME, Operator.IN, (namespace,))
    return replace(peer, namespaces=Selector.of([*peer.namespaces.requirements, home]))
