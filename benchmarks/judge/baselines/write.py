"""From contacts to policies, given how a pod is named: what all baselines do alike."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.baselines.traffic import Contact, Traffic
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal, Selection
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.address import IpBlock, parse_network
from synth.policy.model import AddressPeer, Direction, Peer, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import PortSet
from synth.policy.selector import Selector

NAMESPACE_NAME = "kubernetes.io/metadata.name"
Name = Callable[[Endpoint], Selector]
"""How a baseline selects the pods that a pod stands for."""
Rules = Mapping[tuple[str, Selector], Mapping[Direction, Iterable[Rule]]]
"""Namespace and selector of a subject → direction → rules."""


def name_peer(endpoint: Endpoint, selector: Selector, namespace: str) -> Peer:
    """Return the endpoint as a peer of a policy in the namespace; addresses exactly."""
    if endpoint.kind is not Kind.POD:
        return AddressPeer(IpBlock(parse_network(endpoint.address)))
    if endpoint.namespace == namespace:
        return PodPeer(selector)
    return PodPeer(selector, Selector.equal({NAMESPACE_NAME: endpoint.namespace}))


def gather(contacts: Iterable[Contact], name: Name) -> Rules:
    """Return one rule for each set of ports that peers of a subject's direction have in common."""
    peers: dict[tuple[str, Selector], dict[Direction, dict[Peer, PortSet]]] = defaultdict(dict)
    for one in contacts:
        subject = one.subject.namespace, name(one.subject)
        selector = name(one.peer) if one.peer.kind is Kind.POD else Selector()
        peer = name_peer(one.peer, selector, one.subject.namespace)
        found = peers[subject].setdefault(one.direction, {})
        found[peer] = found.get(peer, PortSet()) | one.ports
    return {
        subject: {way: group_by_ports(some) for way, some in ways.items()}
        for subject, ways in peers.items()
    }


def group_by_ports(ports: Mapping[Peer, PortSet]) -> tuple[Rule, ...]:
    """Return one rule for each distinct set of ports."""
    groups: dict[PortSet, list[Peer]] = defaultdict(list)
    for peer, some in ports.items():
        groups[some].append(peer)
    rules = (Rule(tuple(some), own) for own, some in groups.items())
    return tuple(sorted(rules, key=lambda rule: rule.sort_key))


def to_policies(rules: Rules) -> PolicySet:
    """Return a policy for each subject, its name a hash of its selector."""
    return PolicySet.of(
        Policy(
            namespace=namespace,
            name=f"p-{blake2b(str(selector).encode(), digest_size=8).hexdigest()}",
            pods=selector,
            ingress=tuple(ways[Direction.INGRESS]) if Direction.INGRESS in ways else None,
            egress=tuple(ways[Direction.EGRESS]) if Direction.EGRESS in ways else None,
        )
        for (namespace, selector), ways in rules.items()
    )


def select_all(traffic: Traffic, rows: NDArray[np.bool_], name: Name) -> tuple[Selection, ...]:
    """Return each selector in use, meant for the workloads of the pods that it was made from."""
    made: dict[tuple[str, Selector], set[Endpoint]] = defaultdict(set)
    for one in _pods(traffic, rows):
        made[one.namespace, name(one)].add(one)
    return tuple(
        Selection(namespace, selector, traffic.true_names(some))
        for (namespace, selector), some in sorted(made.items())
    )


def roles_of(traffic: Traffic, rows: NDArray[np.bool_], name: Name) -> dict[str, str]:
    """Return each workload's role: how its pods are selected."""
    true = traffic.world.names.of_endpoint
    return {
        word: f"{one.namespace} {name(one)}" for one in _pods(traffic, rows) if (word := true(one))
    }


def _pods(traffic: Traffic, rows: NDArray[np.bool_]) -> list[Endpoint]:
    edges = traffic.edges
    numbers = np.union1d(edges.client[rows], edges.server[rows]).tolist()
    return [one for at in numbers if (one := edges.endpoints[at]).kind is Kind.POD]


def propose(
    contestant: str, prepared: Prepared, choose: Callable[[Traffic], tuple[NDArray[np.bool_], Name]]
) -> Proposal:
    """Return the proposal of a baseline that chooses edges, and how pods are named."""
    traffic = Traffic(prepared.plain)
    _ = traffic.edges  # read before the clock starts
    began = time.perf_counter()
    rows, name = choose(traffic)
    policies = to_policies(gather(traffic.contacts(rows), name))
    return Proposal(
        contestant=contestant,
        policies=policies,
        edges=traffic.edges,
        accepted=rows,
        roles=roles_of(traffic, rows, name),
        selections=select_all(traffic, rows, name),
        seconds=time.perf_counter() - began,
        records=int(traffic.edges.records.sum()) + traffic.world.capture.skipped.total,
    )
