"""A second implementation: network-config-analyzer and connectivity on the same random clusters."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from synth.dialects.kubernetes import parse_policies
from synth.evaluator.connectivity import Connectivity, connect
from synth.evaluator.options import Options
from synth.evaluator.spans import IPV6_OFFSET, Span
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy import AddressPeer, Direction, PolicySet, PortSet, Protocol
from synth.policy.address import parse_address, parse_network
from tests import reference
from tests.conformance.nca.analyzer import Analyzer, Line, Missing
from tests.conformance.nca.deviations import (
    Document,
    acceptable,
    isolating_by_empty_egress,
    looking_up_keys_at_home,
    taking_missing_for_empty,
    with_one_port_a_name,
)
from tests.worlds import World, world

pytestmark = pytest.mark.slow

WORLDS = range(80)
End = str | Span
DEVIATIONS = ("keys", "empty", "egress", "blocks", "mapped")


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    """Return the analyzer; without it the test is skipped, but fails where CI=true."""
    try:
        return Analyzer.installed()
    except Missing as reason:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"network-config-analyzer: {reason}")


@dataclass(frozen=True)
class Case:
    """A world that both can read: one address a pod, and policies that the analyzer takes."""

    world: World
    pods: tuple[reference.Pod, ...]
    policies: list[Document]

    @classmethod
    def of(cls, seed: int) -> "Case":
        drawn = world(seed, edges=0)
        pods: dict[tuple[str, str], reference.Pod] = {}
        for one in drawn.pods:
            if not one.host_network and one.phase not in reference.FINISHED:
                pods.setdefault((one.namespace, one.name), with_one_port_a_name(one))
        return cls(drawn, tuple(pods.values()), [acceptable(one) for one in drawn.policies])

    def connectivity(self, without: str = "") -> Connectivity:
        """Return our answer with all deviations emulated, but one."""
        documents = self.policies
        if without != "egress":
            documents = isolating_by_empty_egress(documents)
        policies = parse_policies(documents, "world").policies
        if without != "keys":
            policies = looking_up_keys_at_home(policies)
        if without != "empty":
            policies = taking_missing_for_empty(policies, self.world.namespaces)
        options = Options(
            ip_block_pods="yes" if without == "blocks" else "no",
            ipv4_mapped="ipv4" if without == "mapped" else "ipv6",
        )
        labels = {name: dict(own) for name, own in self.world.namespaces.items()}
        pods = [_endpoint(one, policies) for one in self.pods]
        return connect(policies, pods, labels, options=options)

    def differences(self, lines: list[Line], found: Connectivity) -> Iterator[str]:
        """Yield the pairs on which the analyzer and we disagree."""
        ends: list[End] = [*map(_name, self.pods), *(one.span for one in found.outside)]
        theirs = _by_pair(lines)
        for client, one in enumerate(ends):
            for server, other in enumerate(ends):
                if client != server and min(client, server) < len(self.pods):
                    ours = found.ports(client, server)
                    for source, destination in zip(_edges(one), _edges(other), strict=True):
                        told = _told(theirs, source, destination)
                        if ours != told:
                            yield f"{one} => {other}: we say {ours}, the analyzer {told}"


def _endpoint(pod: reference.Pod, policies: PolicySet) -> Endpoint:
    blocks = {
        str(one)
        for policy in policies
        for direction in Direction
        for rule in policy.rules(direction) or ()
        for peer in rule.peers
        if isinstance(peer, AddressPeer)
        for one in (peer.block.cidr, *peer.block.excepts)
    }
    address = parse_address(pod.address)
    return Endpoint(
        kind=Kind.POD,
        namespace=pod.namespace,
        workload=f"Pod/{pod.name}",
        labels=tuple(sorted(pod.labels.items())),
        ports=tuple(ContainerPort(Protocol(p), number, name) for name, p, number in pod.ports),
        blocks=tuple(sorted(one for one in blocks if address in parse_network(one))),
    )


def _name(pod: reference.Pod) -> str:
    return f"{pod.namespace}/{pod.name}"


def _by_pair(lines: list[Line]) -> dict[tuple[bool, bool], list[tuple[End, End, PortSet]]]:
    found: dict[tuple[bool, bool], list[tuple[End, End, PortSet]]] = {}
    for line in lines:
        source, destination = _end(line.source), _end(line.destination)
        key = isinstance(source, str), isinstance(destination, str)
        found.setdefault(key, []).append((source, destination, line.ports))
    return found


def _end(text: str) -> End:
    """Return a pod's name, or the addresses of ``10.0.0.0-10.0.0.255`` or of a CIDR."""
    if "/pod-" in text:
        return text
    first, _, last = text.partition("-")
    return _place(first)[0], _place(last or first)[1]


def _place(text: str) -> Span:
    """Return the addresses on the line; an IPv4-mapped one stays what it is."""
    network = ip_network(text)
    offset = IPV6_OFFSET if network.version == 6 else 0
    return int(network.network_address) + offset, int(network.broadcast_address) + offset


def _edges(end: End) -> tuple[End, End]:
    """Return the end twice; of addresses, the first and the last."""
    return (end, end) if isinstance(end, str) else ((end[0], end[0]), (end[1], end[1]))


def _told(
    theirs: dict[tuple[bool, bool], list[tuple[End, End, PortSet]]], one: End, other: End
) -> PortSet:
    told = PortSet()
    for source, destination, ports in theirs.get(
        (isinstance(one, str), isinstance(other, str)), ()
    ):
        if _holds(source, one) and _holds(destination, other):
            told |= ports
    return told


def _holds(end: End, asked: End) -> bool:
    if isinstance(end, str) or isinstance(asked, str):
        return end == asked
    return end[0] <= asked[0] and asked[1] <= end[1]


def test_every_disagreement_is_one_that_is_known(analyzer: Analyzer, tmp_path: Path) -> None:
    explained = dict.fromkeys(DEVIATIONS, 0)
    open_pairs = 0
    for seed in WORLDS:
        case = Case.of(seed)
        lines = analyzer.connectivity(case.pods, case.world.namespaces, case.policies, tmp_path)
        assert list(case.differences(lines, case.connectivity())) == [], seed
        open_pairs += len(lines)
        for deviation in DEVIATIONS:
            apart = case.differences(lines, case.connectivity(without=deviation))
            explained[deviation] += any(True for _ in apart)
    assert open_pairs > 1_000
    assert min(explained.values()) > 0, f"the analyzer no longer deviates: {explained}"
