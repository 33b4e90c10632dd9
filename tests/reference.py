"""A second opinion on networking.k8s.io/v1 NetworkPolicy, one flow at a time.

Written from the definition of the API alone; it shares no code with the program it judges.
What the definition leaves open is decided like this:

==================================  ============================================================
a host-network pod                  is its node's address and nothing else: no policy selects it,
                                    no selector peer and no named port matches it, an ipBlock may
a Succeeded or Failed pod           the same: its address is all that is left of it
a pod to itself                     allowed on both sides, whatever policies say
a pod's own node to the pod         allowed in; the pod to its own node is policed
an ipBlock and a pod's address      match, unless ``ip_block_matches_pods`` is off
IPv4-mapped IPv6                    is the IPv4 address or block it contains
leading zeros in IPv4               are decimal
one port name, several numbers      each of them counts (several containers)
==================================  ============================================================

Only the opening of a connection is judged: replies need no rule. The port is the server's own,
after any Service has been translated.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard

INGRESS = "ingress"
EGRESS = "egress"
PROTOCOLS = ("TCP", "UDP", "SCTP")
NAMESPACE_NAME = "kubernetes.io/metadata.name"
PORT_NAME = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*"
FINISHED = ("Succeeded", "Failed")

Labels: TypeAlias = Mapping[str, str]
RuleName: TypeAlias = tuple[str, str, str, int]
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod under one of its addresses: a dual-stack pod is two values with one name."""

    namespace: str
    name: str
    labels: Labels = field(hash=False)
    address: str
    ports: tuple[tuple[str, str, int], ...] = field(default=(), hash=False)
    node: str = field(default="", hash=False)
    host_network: bool = field(default=False, hash=False)
    phase: str = field(default="Running", hash=False)


Endpoint: TypeAlias = Pod | str


@dataclass(frozen=True, slots=True)
class Flow:
    """One opened connection. A string is an address outside every pod.

    ``client_seen`` is the client as the server's side sees it, another address under masquerade.
    ``same_node`` says that the client *is* the node on which the server runs.
    """

    client: Endpoint
    client_seen: Endpoint
    server: Endpoint
    protocol: str
    port: int
    same_node: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """What policies say of a flow; the rules are all that admit it, also on an exempt side.

    A rule is (namespace, policy name, "egress" or "ingress", index of the rule).
    """

    egress_isolated: bool
    egress_allowed: bool
    ingress_isolated: bool
    ingress_allowed: bool
    allowed: bool
    egress_rules: tuple[RuleName, ...]
    ingress_rules: tuple[RuleName, ...]

    @property
    def decided(self) -> bool:
        """Whether policies had a say: at least one side is isolated."""
        return self.egress_isolated or self.ingress_isolated


class Reference:
    """The verdict of a set of NetworkPolicy objects, exactly as YAML or JSON would load them.

    Raises
    ------
    ValueError
        When a policy is one that an API server refuses for its peers, ports or policyTypes.
    """

    def __init__(
        self,
        policies: Iterable[Mapping[str, Any]],
        namespaces: Mapping[str, Labels | None],
        *,
        ip_block_matches_pods: bool = True,
    ) -> None:
        self._policies = sorted(map(_policy, policies), key=lambda p: (p.namespace, p.name))
        self._namespaces = {n: _named(n, labels) for n, labels in namespaces.items()}
        self._ip_block_matches_pods = ip_block_matches_pods
        self._isolating: dict[tuple[str, Pod], tuple[_Policy, ...]] = {}

    def judge(self, flow: Flow) -> Judgement:
        """Return what the client's and the server's side say, and their conjunction."""
        itself = _are_one_pod(flow.client, flow.server)
        out = self._isolating_policies(EGRESS, flow.client)
        into = self._isolating_policies(INGRESS, flow.server)
        egress_rules = self._admitting_rules(out, EGRESS, flow.server, flow)
        ingress_rules = self._admitting_rules(into, INGRESS, flow.client_seen, flow)
        egress_allowed = itself or not out or bool(egress_rules)
        ingress_allowed = itself or flow.same_node or not into or bool(ingress_rules)
        return Judgement(
            egress_isolated=bool(out),
            egress_allowed=egress_allowed,
            ingress_isolated=bool(into),
            ingress_allowed=ingress_allowed,
            allowed=egress_allowed and ingress_allowed,
            egress_rules=egress_rules,
            ingress_rules=ingress_rules,
        )

    def _isolating_policies(self, direction: str, subject: Endpoint) -> tuple[_Policy, ...]:
        """Return the policies that isolate the subject in this direction."""
        if not _is_subject(subject):
            return ()
        key = (direction, subject)
        if key not in self._isolating:
            self._isolating[key] = tuple(
                policy
                for policy in self._policies
                if direction in policy.rules
                and policy.namespace == subject.namespace
                and _holds(policy.pods, subject.labels)
            )
        return self._isolating[key]

    def _admitting_rules(
        self, policies: tuple[_Policy, ...], direction: str, peer: Endpoint, flow: Flow
    ) -> tuple[RuleName, ...]:
        """Return the names of every rule that admits the flow, in the order of the policies."""
        return tuple(
            (policy.namespace, policy.name, direction, index)
            for policy in policies
            for index, rule in enumerate(policy.rules[direction])
            if not rule.ports or any(_is_port(term, flow) for term in rule.ports)
            if not rule.peers or any(self._is_peer(term, peer) for term in rule.peers)
        )

    def _is_peer(self, term: _PodTerm | _BlockTerm, peer: Endpoint) -> bool:
        if isinstance(term, _BlockTerm):
            if _is_subject(peer) and not self._ip_block_matches_pods:
                return False
            address = _address(peer.address if isinstance(peer, Pod) else peer)
            # No address is inside a block of the other family.
            return address in term.block and not any(address in hole for hole in term.excepts)
        if not _is_subject(peer):
            return False
        if term.namespaces is None:
            here = peer.namespace == term.home
        else:
            labels = self._namespaces.get(peer.namespace) or _named(peer.namespace, None)
            here = _holds(term.namespaces, labels)
        return here and _holds(term.pods, peer.labels)


@dataclass(frozen=True, slots=True)
class _Requirement:
    key: str
    operator: str
    values: tuple[str, ...]


_Selector: TypeAlias = tuple[_Requirement, ...]


@dataclass(frozen=True, slots=True)
class _PodTerm:
    """A peer of pods; without a namespace selector, those of the policy's own namespace."""

    home: str
    namespaces: _Selector | None
    pods: _Selector


@dataclass(frozen=True, slots=True)
class _BlockTerm:
    block: Network
    excepts: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class _PortTerm:
    protocol: str
    name: str | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Rule:
    """Peers and ports; an empty tuple stands for all of them."""

    peers: tuple[_PodTerm | _BlockTerm, ...]
    ports: tuple[_PortTerm, ...]


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy after defaulting; only directions in force have an entry in rules."""

    namespace: str
    name: str
    pods: _Selector
    rules: Mapping[str, tuple[_Rule, ...]]


def _policy(document: Mapping[str, Any]) -> _Policy:
    metadata = document.get("metadata") or {}
    spec = document.get("spec") or {}
    namespace = metadata.get("namespace") or "default"
    rules = {
        INGRESS: _rules(spec.get("ingress"), "from", namespace),
        EGRESS: _rules(spec.get("egress"), "to", namespace),
    }
    return _Policy(
        namespace=namespace,
        name=metadata["name"],
        pods=_selector(spec.get("podSelector")),
        # Rules of the other direction are read, so that faults in them are found, and ignored.
        rules={direction: rules[direction] for direction in _directions(spec)},
    )


def _directions(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the directions in force; by default ingress, and egress if it has a rule."""
    types = spec.get("policyTypes") or []
    if not types:
        return (INGRESS, EGRESS) if spec.get("egress") else (INGRESS,)
    if len(types) > 2 or any(entry not in ("Ingress", "Egress") for entry in types):
        raise ValueError(f"policyTypes: at most two of Ingress and Egress. Got {types} instead.")
    return tuple(entry.lower() for entry in types)


def _rules(rules: Sequence[Any] | None, peers: str, home: str) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            peers=tuple(_peer(peer or {}, home) for peer in rule.get(peers) or []),
            ports=tuple(_port(port or {}) for port in rule.get("ports") or []),
        )
        for rule in ((item or {}) for item in rules or [])
    )


def _peer(peer: Mapping[str, Any], home: str) -> _PodTerm | _BlockTerm:
    block, namespaces, pods = map(peer.get, ("ipBlock", "namespaceSelector", "podSelector"))
    selects = namespaces is not None or pods is not None
    if (block is not None) == selects:
        raise ValueError(f"peer: an ipBlock or selectors, not both or none. Got {peer} instead.")
    if block is not None:
        return _block(block)
    return _PodTerm(
        home=home,
        namespaces=None if namespaces is None else _selector(namespaces),
        pods=_selector(pods),
    )


def _block(ip_block: Mapping[str, Any]) -> _BlockTerm:
    block = _network(ip_block["cidr"])
    excepts = tuple(_network(text) for text in ip_block.get("except") or [])
    for hole in excepts:
        if hole.network_address not in block or hole.prefixlen <= block.prefixlen:
            raise ValueError(f"except: a strict subset of {block}. Got {hole} instead.")
    return _BlockTerm(block, excepts)


def _port(port: Mapping[str, Any]) -> _PortTerm:
    protocol = port.get("protocol") or "TCP"
    first, last = port.get("port"), port.get("endPort")
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol: one of {PROTOCOLS}. Got {protocol!r} instead.")
    if isinstance(first, str):
        if not re.fullmatch(PORT_NAME, first) or last is not None:
            raise ValueError(f"port: a name, without endPort. Got {dict(port)} instead.")
        return _PortTerm(protocol, first, 0, 0)
    if first is None and last is None:
        return _PortTerm(protocol, None, 1, 65535)
    end: Any = first if last is None else last
    if first is None or not 1 <= first <= end <= 65535:
        raise ValueError(f"port: 1 <= port <= endPort <= 65535. Got {dict(port)} instead.")
    return _PortTerm(protocol, None, first, end)


def _selector(selector: Mapping[str, Any] | None) -> _Selector:
    """Return the terms, all of which must hold; none for a missing or empty selector."""
    selector = selector or {}
    labels = selector.get("matchLabels") or {}
    equal = tuple(_Requirement(key, "In", (value or "",)) for key, value in labels.items())
    return equal + tuple(map(_requirement, selector.get("matchExpressions") or []))


def _requirement(term: Mapping[str, Any]) -> _Requirement:
    operator, values = term["operator"], tuple(term.get("values") or ())
    if operator not in ("In", "NotIn", "Exists", "DoesNotExist"):
        raise ValueError(f"operator: In, NotIn, Exists or DoesNotExist. Got {operator!r} instead.")
    if (operator in ("In", "NotIn")) != bool(values):
        raise ValueError(f"values: some for In and NotIn, else none. Got {dict(term)} instead.")
    return _Requirement(term["key"], operator, values)


def _named(namespace: str, labels: Labels | None) -> Labels:
    """Return a namespace's labels with the one that every namespace carries."""
    return {**(labels or {}), NAMESPACE_NAME: namespace}


def _is_subject(endpoint: Endpoint) -> TypeGuard[Pod]:
    """Return whether policies know it as a pod, and not only by its address."""
    if not isinstance(endpoint, Pod):
        return False
    return not endpoint.host_network and endpoint.phase not in FINISHED


def _are_one_pod(one: Endpoint, other: Endpoint) -> bool:
    """Return whether both are one pod, which may have two addresses."""
    if not isinstance(one, Pod) or not isinstance(other, Pod):
        return False
    return (one.namespace, one.name) == (other.namespace, other.name)


def _holds(selector: _Selector, labels: Labels) -> bool:
    return all(_meets(requirement, labels) for requirement in selector)


def _meets(requirement: _Requirement, labels: Labels) -> bool:
    present = requirement.key in labels
    match requirement.operator:
        case "In":
            return present and labels[requirement.key] in requirement.values
        case "NotIn":
            return not present or labels[requirement.key] not in requirement.values
        case "Exists":
            return present
        case _:
            return not present


def _is_port(term: _PortTerm, flow: Flow) -> bool:
    if term.protocol != flow.protocol:
        return False
    if term.name is None:
        return term.first <= flow.port <= term.last
    # A name means what the server's pod means by it, in both directions.
    return _is_subject(flow.server) and (term.name, term.protocol, flow.port) in flow.server.ports


@lru_cache(maxsize=4096)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(_without_leading_zeros(text))
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def _network(text: str) -> Network:
    """Return the block without its host bits; a mapped block is an IPv4 block."""
    if not re.fullmatch(r"[^/]+/[0-9]+", text):
        raise ValueError(f"cidr: address/length. Got {text!r} instead.")
    network = ipaddress.ip_network(_without_leading_zeros(text), strict=False)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((int(mapped), network.prefixlen - 96))
    return network


def _without_leading_zeros(text: str) -> str:
    """Return the text with 010.0.0.1 read as 10.0.0.1, also at the end of an IPv6 address."""
    head, colon, tail = text.rpartition(":")
    return head + colon + re.sub(r"\b0+(?=[0-9])", "", tail) if "." in tail else text
