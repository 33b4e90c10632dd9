"""Connectivity against both evaluators: each pair of a world, on the ports around every border."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import pairwise
from random import Random

import numpy as np
import pytest

from synth.dialects.kubernetes import parse_policies
from synth.evaluator import connectivity as module
from synth.evaluator import port_sets
from synth.evaluator.connectivity import Connectivity, connect
from synth.evaluator.options import BY_NAME, Options
from synth.evaluator.spans import IPV6_OFFSET
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy import AddressPeer, Direction, PodPeer, Policy, PolicySet, PortSet, Protocol, Rule
from synth.policy.address import parse_address, parse_network
from synth.policy.ports import LAST_PORT
from tests import reference
from tests.evaluator.cluster import (
    NAMESPACES,
    block,
    labelled,
    one_sided,
    pod,
    ports,
)
from tests.worlds import World, world

WORLDS = range(40)
PROBES = 1_500
"""How many pairs and ports of a world the scalar reference is asked about."""


@dataclass(frozen=True)
class Case:
    """A world: its pods as both evaluators know them, and its connectivity."""

    world: World
    policies: PolicySet
    options: Options
    pods: tuple[reference.Pod, ...]
    found: Connectivity

    @classmethod
    def of(cls, seed: int) -> "Case":
        drawn = world(seed, edges=0)
        policies = parse_policies(drawn.policies, f"world {seed}").policies
        options = Options(
            ip_block_pods="yes" if seed % 3 else "no", ipv4_mapped="ipv4" if seed % 4 else "ipv6"
        )
        pods = tuple(
            one
            for one in drawn.pods
            if not one.host_network and one.phase not in reference.FINISHED
        )
        networks = sorted({str(parse_network(one)) for one in _networks(policies)})
        endpoints = [_endpoint(one, networks) for one in pods]
        found = connect(policies, endpoints, _labels(drawn), options=options)
        return cls(drawn, policies, options, pods, found)

    @property
    def judge(self) -> reference.Reference:
        """The scalar reference, under the same choices."""
        chosen = self.options.chosen.items()
        named = {BY_NAME[name].field: value for name, value in chosen}
        return reference.Reference(self.world.policies, self.world.namespaces, named)

    @property
    def ends(self) -> tuple[reference.Endpoint, ...]:
        """The endpoints in the words of the reference: pods, then a first address of each piece."""
        return (*self.pods, *(one.endpoint.address for one in self.found.outside))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of two different ends, of which at least one is a pod."""
        ends = self.ends
        for client, one in enumerate(ends):
            for server, other in enumerate(ends):
                if min(client, server) < len(self.pods) and not _same(one, other):
                    yield client, server


def _networks(policies: PolicySet) -> Iterator[str]:
    for policy in policies:
        for direction in Direction:
            for rule in policy.rules(direction) or ():
                for peer in rule.peers:
                    if isinstance(peer, AddressPeer):
                        yield from map(str, (peer.block.cidr, *peer.block.excepts))


def _labels(drawn: World) -> dict[str, dict[str, str]]:
    return {name: dict(labels) for name, labels in drawn.namespaces.items()}


def _endpoint(end: reference.Pod, networks: list[str]) -> Endpoint:
    address = parse_address(end.address)
    return Endpoint(
        kind=Kind.POD,
        namespace=end.namespace,
        workload=f"Pod/{end.name}",
        labels=tuple(sorted(end.labels.items())),
        ports=tuple(ContainerPort(Protocol(p), number, name) for name, p, number in end.ports),
        blocks=tuple(text for text in networks if address in ip_network(text)),
    )


def _same(one: reference.Endpoint, other: reference.Endpoint) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    return (one.namespace, one.name) == (other.namespace, other.name)


def _borders(case: Case) -> list[tuple[Protocol, int]]:
    """Return both sides of every border of the sets found, and of the ports that pods name."""
    found = {
        (one.protocol, port)
        for some in case.found.sets
        for one in some.ranges
        for port in (one.first - 1, one.first, one.last, one.last + 1)
    }
    found |= {
        (Protocol(protocol), near)
        for one in case.pods
        for _, protocol, port in one.ports
        for near in (port - 1, port, port + 1)
    }
    found |= {(protocol, port) for protocol in Protocol for port in (1, 30_000, LAST_PORT)}
    return sorted(one for one in found if 1 <= one[1] <= LAST_PORT)


def _allowed(case: Case, rows: list[tuple[int, int, Protocol, int]]) -> list[bool]:
    endpoints = (*case.found.endpoints, *(one.endpoint for one in case.found.outside))
    never = np.zeros(len(rows), np.bool_)
    client = np.array([row[0] for row in rows], np.int32)
    traffic = Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=np.array([row[1] for row in rows], np.int32),
        protocol=np.array([row[2].number for row in rows], np.uint8),
        port=np.array([row[3] for row in rows], np.int32),
        same_node=never,
        same_pod=never,
        decided=~never,
    )
    found = evaluate(case.policies, traffic, _labels(case.world), options=case.options)
    assert not found.undetermined.any()
    allowed: list[bool] = found.allowed.tolist()
    return allowed


def _sample(seed: int, rows: int) -> list[int]:
    return Random(seed).sample(range(rows), min(PROBES, rows))  # noqa: S311 - to be repeatable


@pytest.mark.parametrize("part", range(4))
def test_every_answer_is_that_of_both_evaluators(part: int) -> None:
    open_answers = answers = 0
    for seed in WORLDS[part::4]:
        case = Case.of(seed)
        borders = _borders(case)
        rows = [(*pair, *border) for pair in case.pairs() for border in borders]
        ours = [case.found.ports(row[0], row[1]).contains(row[2], row[3]) for row in rows]
        assert ours == _allowed(case, rows), seed
        judge = case.judge
        for at in _sample(seed, len(rows)):
            client, server, protocol, port = rows[at]
            one, other = case.ends[client], case.ends[server]
            flow = reference.Flow(one, one, other, protocol.value, port)
            assert judge.judge(flow).allowed == ours[at], (seed, flow)
        open_answers += sum(ours)
        answers += len(ours)
    assert 0.2 < open_answers / answers < 0.8


def test_isolation_is_that_of_the_reference() -> None:
    for seed in WORLDS[:30]:
        case = Case.of(seed)
        judge = case.judge
        for number, one in enumerate(case.pods):
            judged = judge.judge(reference.Flow(one, one, one, "TCP", 80))
            at = case.found.class_of[number]
            assert case.found.isolated_out[at] == judged.egress_isolated
            assert case.found.isolated_in[at] == judged.ingress_isolated


def test_pieces_outside_hold_every_address_once_and_blocks_cut_nowhere_else() -> None:
    for seed in WORLDS[:20]:
        case = Case.of(seed)
        spans = [one.span for one in case.found.outside]
        assert spans[0][0] == 0
        assert spans[-1][1] == IPV6_OFFSET + 2**128 - 1
        assert all(low[1] + 1 == high[0] for low, high in pairwise(spans))
        assert any(low[1] + 1 == IPV6_OFFSET for low in spans)


def test_the_last_address_of_a_piece_is_judged_like_its_first() -> None:
    for seed in WORLDS[:20]:
        case = Case.of(seed)
        judge = case.judge
        for number, one in enumerate(case.found.outside, len(case.pods)):
            place = one.span[1]
            last = str(
                IPv4Address(place) if place < IPV6_OFFSET else IPv6Address(place - IPV6_OFFSET)
            )
            for at, own in enumerate(case.pods):
                for protocol, port in ((Protocol.TCP, 80), (Protocol.UDP, 53)):
                    into = judge.judge(reference.Flow(last, last, own, protocol.value, port))
                    out = judge.judge(reference.Flow(own, own, last, protocol.value, port))
                    assert case.found.ports(number, at).contains(protocol, port) == into.allowed
                    assert case.found.ports(at, number).contains(protocol, port) == out.allowed


def test_blocks_of_clients_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    pods = [pod(app=f"app{number}", tier=str(number % 7)) for number in range(300)]
    policies = PolicySet.of(
        Policy(
            "shop",
            f"p{number}",
            labelled(app=f"app{number}"),
            ingress=(Rule((_peer(number % 7),), ports(f"TCP {number}", "UDP 53-60")),),
            egress=(Rule((_peer(number % 5),), ports(f"TCP {number - 20}-{number + 30}")),),
        )
        for number in range(40, 290)
    )
    whole = connect(policies, pods, NAMESPACES)
    monkeypatch.setattr(module, "TABLES", 1)
    monkeypatch.setattr(port_sets, "PAIRS", 7)
    pieces = connect(policies, pods, NAMESPACES)
    assert len(whole.isolated_in) > 128
    for client in range(0, 300, 7):
        for server in range(0, 300, 3):
            assert whole.ports(client, server) == pieces.ports(client, server)


def _peer(tier: int) -> PodPeer:
    return PodPeer(labelled(tier=str(tier)))


def found(policy: Policy, *pods: Endpoint) -> Connectivity:
    return connect(PolicySet.of([policy]), pods, NAMESPACES)


def test_without_policies_every_port_is_open() -> None:
    answer = connect(PolicySet(), [pod(app="a"), pod("bank", app="b")], NAMESPACES)
    assert answer.ports(0, 1) == PortSet.every()
    assert answer.ports(1, 2) == PortSet.every()
    assert answer.ports(3, 1) == PortSet.every()
    assert not answer.isolated_in.any()
    assert len(answer.sets) == 2


def test_no_pods_are_no_fault() -> None:
    answer = connect(PolicySet(), [], {})
    assert answer.endpoints == ()


def test_a_named_port_is_the_servers_number_in_both_directions() -> None:
    client = pod(app="client", ports={"http": "TCP 1234"})
    servers = [
        pod(app="a", ports={"http": "TCP 80"}),
        pod(app="b", ports={"http": "TCP 8080"}),
        pod(app="c", ports=[("http", "TCP 80"), ("http", "TCP 81")]),
        pod(app="d", ports={"http": "UDP 80"}),
    ]
    egress = one_sided(Direction.EGRESS, Rule((), ports("TCP http")), pods=labelled(app="client"))
    out = found(egress, client, *servers)
    expected = ("TCP 80", "TCP 8080", "TCP 80-81", None)
    for number, text in enumerate(expected, 1):
        assert out.ports(0, number) == (ports(text) if text else PortSet())
        assert out.ports(number, 0) == PortSet.every()
    assert out.ports(0, 5) == PortSet(), "no address outside has named ports"
    ingress = one_sided(Direction.INGRESS, Rule((), ports("TCP http", "TCP 79")))
    into = found(ingress, client, *servers)
    assert into.ports(0, 1) == ports("TCP 79-80")
    assert into.ports(0, 2) == ports("TCP 79", "TCP 8080")
    assert into.ports(0, 4) == ports("TCP 79")


def test_both_sides_must_admit_a_port() -> None:
    policies = PolicySet.of(
        [
            Policy("shop", "in", labelled(app="a"), ingress=(Rule((), ports("TCP 80-90")),)),
            Policy("shop", "out", labelled(app="b"), egress=(Rule((), ports("TCP 85-99", "UDP")),)),
        ]
    )
    answer = connect(policies, [pod(app="a"), pod(app="b")], NAMESPACES)
    assert answer.ports(1, 0) == ports("TCP 85-90")
    assert answer.ports(0, 1) == PortSet.every()
    assert answer.ports(1, 1) == ports("TCP 85-99", "UDP")


def test_addresses_are_cut_where_blocks_tell_them_apart() -> None:
    policy = one_sided(Direction.INGRESS, Rule((block("10.0.0.0/8", "10.1.0.0/16"),)))
    answer = found(policy, pod(app="a"))
    opened = [
        one.span
        for number, one in enumerate(answer.outside, 1)
        if answer.ports(number, 0) == PortSet.every()
    ]
    first = int(IPv4Address("10.0.0.0"))
    assert opened == [(first, first + 0xFFFF), (first + 0x20000, first + 0xFFFFFF)]


def test_equal_pods_share_a_class_and_ports_that_nobody_names_split_none() -> None:
    several = [replace(pod(app="a"), workload=f"Deployment/{name}") for name in "abc"]
    other = pod(app="a", ports={"metrics": "TCP 9"})
    answer = found(one_sided(Direction.INGRESS, Rule((), ports("TCP http"))), *several, other)
    assert len(set(answer.class_of[:4].tolist())) == 1
    assert answer.endpoints[0].name == "shop/a"


def test_the_first_and_last_port_and_never_port_0() -> None:
    rule = Rule((), ports("TCP 1", "TCP 65535", "UDP 1-65535", "SCTP 65535"))
    answer = found(one_sided(Direction.INGRESS, rule), pod(app="a"), pod("bank", app="b"))
    assert answer.ports(1, 0) == rule.ports
