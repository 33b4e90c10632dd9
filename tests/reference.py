"""A second opinion on networking.k8s.io/v1 NetworkPolicy, one flow at a time.

Written from the definition of the API alone; it shares no code with the program it judges.
What the definition leaves open is decided like this, where it is a choice, with a name and a value:

==================================  ============================================================
a host-network pod                  is its node's address and nothing else: no policy selects it,
                                    no selector peer and no named port matches it, an ipBlock may;
                                    ``host_network="pod"``: it is a pod like others
a Succeeded or Failed pod           its address is all that is left of it
a pod to itself                     allowed on both sides, whatever policies say
a pod to itself by a Service        the same; ``hairpin="police"``: rules must admit it
a pod's own node to the pod         allowed in; ``from_own_node="police"``: rules must admit it
a pod to its own node               policed; ``to_own_node="allow"``: allowed out
an ipBlock and a pod's address      match; ``ip_block_pods="no"``: never
an ipBlock and a node's address     match; ``ip_block_nodes="no"``: never
a Service's address                 is translated before egress is judged; ``dnat="before"``: egress
                                    is judged on the address and the port asked for
an IPv4-mapped IPv6 address         is the IPv4 address it contains
an IPv4-mapped IPv6 block           the same; ``ipv4_mapped="ipv6"``: it holds no address
leading zeros in IPv4               are decimal
one port name, several numbers      each of them counts (several containers)
==================================  ============================================================

Only the opening of a connection is judged: replies need no rule.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard

INGRESS = "ingress"
EGRESS = "egress"
PROTOCOLS = ("TCP", "UDP", "SCTP")
NAMESPACE_NAME = "kubernetes.io/metadata.name"
PORT_NAME = r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*"
FINISHED = ("Succeeded", "Failed")
MAPPED_BLOCK = re.compile(r"::ffff:[0-9a-f.:]+/(9[6-9]|1[0-2][0-9])")
NOWHERE = ipaddress.ip_network("100::/64")
_CHOICES = {
    "ip_block_pods": ("yes", "no"),
    "ip_block_nodes": ("yes", "no"),
    "hairpin": ("allow", "police"),
    "from_own_node": ("allow", "police"),
    "to_own_node": ("police", "allow"),
    "host_network": ("node", "pod"),
    "dnat": ("after", "before"),
    "ipv4_mapped": ("ipv4", "ipv6"),
}
"""The choices, the default first."""

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
    ``same_node`` says that the client *is* the node on which the server runs, ``to_node`` the
    reverse. ``asked`` is the address of the Service that the client asked for, if it did.
    """

    client: Endpoint
    client_seen: Endpoint
    server: Endpoint
    protocol: str
    port: int
    same_node: bool = False
    to_node: bool = False
    asked: str | None = None
    asked_port: int = 0


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
        choices: Mapping[str, str] | None = None,
        *,
        nodes: Iterable[str] = (),
        lenient: bool = False,
    ) -> None:
        """Take what the definition needs, and what it leaves open.

        ``nodes`` are the addresses of nodes. ``lenient``: judged before DNAT, a selector stands
        for the Services of the pods it selects, under any port name.
        """
        choices = choices or {}
        unknown = choices.keys() - _CHOICES.keys()
        if unknown or any(choices[name] not in _CHOICES[name] for name in choices):
            raise ValueError(f"choices: {_CHOICES}. Got {choices} instead.")
        self._choices = {name: values[0] for name, values in _CHOICES.items()} | dict(choices)
        mapped = self._choices["ipv4_mapped"] == "ipv4"
        read = (_policy(policy, mapped=mapped) for policy in policies)
        self._policies = sorted(read, key=lambda p: (p.namespace, p.name))
        self._namespaces = {n: _named(n, labels) for n, labels in namespaces.items()}
        self._nodes = frozenset(nodes)
        self._lenient = lenient
        self._isolating: dict[tuple[str, Pod], tuple[_Policy, ...]] = {}

    def judge(self, flow: Flow) -> Judgement:
        """Return what the client's and the server's side say, and their conjunction."""
        itself = _are_one_pod(flow.client, flow.server)
        if flow.asked is not None and self._choices["hairpin"] == "police":
            itself = False
        out = self._isolating_policies(EGRESS, flow.client)
        into = self._isolating_policies(INGRESS, flow.server)
        egress_rules = self._admitting_rules(out, EGRESS, flow.server, flow)
        if flow.asked is not None and self._choices["dnat"] == "before":
            egress_rules = self._admitting_before_dnat(out, flow, flow.asked)
        ingress_rules = self._admitting_rules(into, INGRESS, flow.client_seen, flow)
        to_node = flow.to_node and not self._is_subject(flow.server)
        from_node = flow.same_node and not self._is_subject(flow.client_seen)
        to_node = to_node and self._choices["to_own_node"] == "allow"
        from_node = from_node and self._choices["from_own_node"] == "allow"
        egress_allowed = itself or to_node or not out or bool(egress_rules)
        ingress_allowed = itself or from_node or not into or bool(ingress_rules)
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
        if not self._is_subject(subject):
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
            if not rule.ports or any(self._is_port(term, flow) for term in rule.ports)
            if not rule.peers or any(self._is_peer(term, peer) for term in rule.peers)
        )

    def _admitting_before_dnat(
        self, policies: tuple[_Policy, ...], flow: Flow, asked: str
    ) -> tuple[RuleName, ...]:
        """Return the names of every rule that admits the address and the port asked for."""
        seen = replace(flow, server=asked, port=flow.asked_port)
        rules = set(self._admitting_rules(policies, EGRESS, asked, seen))
        if self._lenient:
            rules |= set(self._admitting_rules(policies, EGRESS, flow.server, seen))
        return tuple(sorted(rules))

    def _is_subject(self, endpoint: Endpoint) -> TypeGuard[Pod]:
        """Return whether policies know it as a pod, and not only by its address."""
        if not isinstance(endpoint, Pod) or endpoint.phase in FINISHED:
            return False
        return not endpoint.host_network or self._choices["host_network"] == "pod"

    def _is_port(self, term: _PortTerm, flow: Flow) -> bool:
        if term.protocol != flow.protocol:
            return False
        if term.name is None:
            return term.first <= flow.port <= term.last
        if isinstance(flow.server, str) and flow.asked == flow.server:
            return self._lenient
        # A name means what the server's pod means by it, in both directions.
        named = (term.name, term.protocol, flow.port)
        return self._is_subject(flow.server) and named in flow.server.ports

    def _is_peer(self, term: _PodTerm | _BlockTerm, peer: Endpoint) -> bool:
        if isinstance(term, _BlockTerm):
            text = peer.address if isinstance(peer, Pod) else peer
            if self._is_subject(peer):
                if self._choices["ip_block_pods"] == "no":
                    return False
            elif text in self._nodes and self._choices["ip_block_nodes"] == "no":
                return False
            address = _address(text)
            # No address is inside a block of the other family.
            return address in term.block and not any(address in hole for hole in term.excepts)
        if not self._is_subject(peer):
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


def _policy(document: Mapping[str, Any], *, mapped: bool) -> _Policy:
    metadata = document.get("metadata") or {}
    spec = document.get("spec") or {}
    namespace = metadata.get("namespace") or "default"
    rules = {
        INGRESS: _rules(spec.get("ingress"), "from", namespace, mapped=mapped),
        EGRESS: _rules(spec.get("egress"), "to", namespace, mapped=mapped),
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


def _rules(
    rules: Sequence[Any] | None, peers: str, home: str, *, mapped: bool
) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            peers=tuple(_peer(peer or {}, home, mapped=mapped) for peer in rule.get(peers) or []),
            ports=tuple(_port(port or {}) for port in rule.get("ports") or []),
        )
        for rule in ((item or {}) for item in rules or [])
    )


def _peer(peer: Mapping[str, Any], home: str, *, mapped: bool) -> _PodTerm | _BlockTerm:
    block, namespaces, pods = map(peer.get, ("ipBlock", "namespaceSelector", "podSelector"))
    selects = namespaces is not None or pods is not None
    if (block is not None) == selects:
        raise ValueError(f"peer: an ipBlock or selectors, not both or none. Got {peer} instead.")
    if block is not None:
        if not mapped and MAPPED_BLOCK.fullmatch(block["cidr"].lower()):
            return _BlockTerm(NOWHERE, ())
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
