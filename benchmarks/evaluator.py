"""CPU seconds of the evaluator on a million edges, and of a loop over some of the same edges.

    python benchmarks/evaluator.py [edges] [endpoints] [policies]

The loop judges edge by edge with what a person would write first: all policies, their selectors,
their rules. It is timed on a sample, scaled to all edges, and must agree on the sample.
"""

import random
import resource
import sys
import time
from dataclasses import replace

import numpy as np

from synth.evaluator.compile import compile_policies
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import judge
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy.address import IpBlock, parse_address
from synth.policy.model import AddressPeer, Direction, Peer, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import NamedPort, PortRange, PortSet, Protocol
from synth.policy.selector import Operator, Requirement, Selector

NAMESPACES = 200
LISTENERS = [(Protocol.TCP, number) for number in range(8000, 8016)] + [
    (Protocol.TCP, 443),
    (Protocol.UDP, 53),
    (Protocol.TCP, 5432),
    (Protocol.UDP, 4500),
]
SAMPLE = 1_000
CROWD = 100_000
Labels = dict[str, str]


def main() -> None:
    """Print what both take."""
    sizes = [int(argument) for argument in sys.argv[1:]]
    edges, endpoints, policies = (*sizes, *(1_000_000, 3_000, 5_000)[len(sizes) :])
    rng = random.Random(1)
    traffic = _traffic(_endpoints(rng, endpoints), edges)
    rules = _policies(rng, endpoints, policies)
    namespaces = {f"ns{one}": {"team": f"t{one % 9}"} for one in range(NAMESPACES)}

    start = time.process_time()
    compiled = compile_policies(rules, traffic.endpoints, namespaces)
    between = time.process_time()
    clock = time.perf_counter()
    verdicts = judge(compiled, traffic)
    end, clock = time.process_time(), time.perf_counter() - clock

    loop = Loop(rules, traffic.endpoints, namespaces)
    sample = np.linspace(0, edges - 1, SAMPLE).astype(np.int64)
    begin = time.process_time()
    answers = [loop.allowed(traffic, row) for row in sample.tolist()]
    scaled = (time.process_time() - begin) / SAMPLE * edges
    if answers != verdicts.allowed[sample].tolist():
        raise SystemExit("the loop and the evaluator disagree")

    count = sum(len(policy.rules(one) or ()) for policy in rules for one in Direction)
    isolated = (verdicts.egress_isolated | verdicts.ingress_isolated).mean()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{edges:,} edges, {endpoints:,} endpoints, {policies:,} policies, {count:,} rules")
    print(f"isolated {isolated:.0%}, allowed {verdicts.allowed.mean():.1%}, peak {peak:,.0f} MB")
    judged = end - between
    print(f"compile {between - start:.2f} s, judge {judged:.2f} s CPU ({clock:.2f} s by the clock)")
    print(f"loop {scaled:,.0f} s CPU, {scaled / (end - start):,.0f} times as much")
    _compile_crowd(traffic.endpoints, _policies(rng, endpoints, policies * 4 // 5), namespaces)


def _compile_crowd(
    endpoints: tuple[Endpoint, ...], policies: PolicySet, namespaces: dict[str, Labels]
) -> None:
    """Print what it takes to compile against a crowd of different pods, alike to policies."""
    crowd = tuple(
        replace(endpoints[number % len(endpoints)], workload=f"Deployment/copy{number}")
        for number in range(CROWD)
    )
    start = time.process_time()
    compiled = compile_policies(policies, crowd, namespaces)
    seconds = time.process_time() - start
    print(
        f"{len(policies):,} policies against {CROWD:,} endpoints in {len(compiled.classes):,}"
        f" classes: compile {seconds:.2f} s CPU"
    )


def _endpoints(rng: random.Random, count: int) -> tuple[Endpoint, ...]:
    pods = [
        Endpoint(
            kind=Kind.POD,
            namespace=f"ns{number % NAMESPACES}",
            workload=f"Deployment/app{number}",
            labels=(("app", f"app{number}"), ("tier", rng.choice("abc"))),
            ports=(ContainerPort(Protocol.TCP, rng.choice((8000, 8001)), "http"),),
        )
        for number in range(count * 19 // 20)
    ]
    outside = [
        Endpoint(kind=Kind.ADDRESS, address=f"203.{number >> 8}.{number & 255}.7")
        for number in range(count - len(pods))
    ]
    return (*pods, *outside)


def _traffic(endpoints: tuple[Endpoint, ...], edges: int) -> Traffic:
    rng = np.random.default_rng(1)
    client = rng.integers(0, len(endpoints), edges, dtype=np.int32)
    listeners = np.array([(one.number, port) for one, port in LISTENERS])
    listener = listeners[rng.integers(0, len(listeners), edges)]
    return Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=rng.integers(0, len(endpoints), edges, dtype=np.int32),
        protocol=listener[:, 0].astype(np.uint8),
        port=listener[:, 1].astype(np.int32),
        same_node=np.zeros(edges, np.bool_),
        same_pod=np.zeros(edges, np.bool_),
        decided=np.ones(edges, np.bool_),
    )


def _policies(rng: random.Random, endpoints: int, count: int) -> PolicySet:
    deny = [Policy(f"ns{one}", "deny", ingress=(), egress=()) for one in range(NAMESPACES)]
    named = [_policy(rng, number, endpoints) for number in range(count - len(deny))]
    return PolicySet.of((*deny, *named))


def _policy(rng: random.Random, number: int, endpoints: int) -> Policy:
    app = rng.randrange(endpoints)
    rules = tuple(_rule(rng, endpoints) for _ in range(2))
    return Policy(
        namespace=f"ns{app % NAMESPACES}",
        name=f"policy{number}",
        pods=Selector.equal({"app": f"app{app}"}),
        ingress=rules,
        egress=(*rules[:1], _rule(rng, endpoints)),
    )


def _rule(rng: random.Random, endpoints: int) -> Rule:
    peers: list[Peer] = [
        PodPeer(Selector.equal({"app": f"app{rng.randrange(endpoints)}"}), Selector()),
        PodPeer(Selector.equal({"tier": rng.choice("abc")}), Selector.equal({"team": "t1"})),
    ]
    if rng.random() < 0.2:
        hole = f"203.0.{rng.randrange(9)}.0/24"
        peers.append(AddressPeer(IpBlock.parse("203.0.0.0/17", [hole])))
    protocol, number = rng.choice(LISTENERS)
    last = number + rng.choice((0, 0, 0, 5))
    terms: list[PortRange | NamedPort] = [PortRange(protocol, number, last)]
    if rng.random() < 0.1:
        terms.append(NamedPort(Protocol.TCP, "http"))
    return Rule(tuple(peers[rng.randrange(2) :]), PortSet.of(*terms))


class Loop:
    """One edge at a time."""

    def __init__(
        self, policies: PolicySet, endpoints: tuple[Endpoint, ...], namespaces: dict[str, Labels]
    ) -> None:
        self.policies = policies
        self.endpoints = endpoints
        self.labels = [dict(endpoint.labels) for endpoint in endpoints]
        self.namespaces = namespaces

    def allowed(self, traffic: Traffic, row: int) -> bool:
        """Return whether both sides let the row through."""
        client, server = int(traffic.client[row]), int(traffic.server[row])
        protocol, port = int(traffic.protocol[row]), int(traffic.port[row])
        names = {
            one.name
            for one in self.endpoints[server].ports
            if (one.protocol.number, one.number) == (protocol, port)
        }
        asked = protocol, port, names
        return self._side(Direction.EGRESS, client, server, asked) and self._side(
            Direction.INGRESS, server, client, asked
        )

    def _side(
        self, direction: Direction, subject: int, peer: int, asked: tuple[int, int, set[str]]
    ) -> bool:
        isolated = False
        for policy in self.policies:
            rules = policy.rules(direction)
            if rules is None or policy.namespace != self.endpoints[subject].namespace:
                continue
            if not _meets(policy.pods, self.labels[subject]):
                continue
            isolated = True
            for rule in rules:
                if _port_in(rule.ports, *asked) and self._among(rule, policy.namespace, peer):
                    return True
        return not isolated

    def _among(self, rule: Rule, namespace: str, peer: int) -> bool:
        endpoint = self.endpoints[peer]
        for term in rule.peers:
            if isinstance(term, AddressPeer):
                address = endpoint.address
                if address and term.block.contains(parse_address(address)):
                    return True
            elif endpoint.kind is Kind.POD and _meets(term.pods, self.labels[peer]):
                labels = self.namespaces[endpoint.namespace]
                if term.namespaces is None:
                    if endpoint.namespace == namespace:
                        return True
                elif _meets(term.namespaces, labels):
                    return True
        return rule.everyone


def _meets(selector: Selector, labels: Labels) -> bool:
    return all(_meets_one(requirement, labels) for requirement in selector.requirements)


def _meets_one(requirement: Requirement, labels: Labels) -> bool:
    value = labels.get(requirement.key)
    if requirement.operator is Operator.IN:
        return value in requirement.values
    if requirement.operator is Operator.NOT_IN:
        return value not in requirement.values
    return (value is not None) == (requirement.operator is Operator.EXISTS)


def _port_in(ports: PortSet, protocol: int, number: int, names: set[str]) -> bool:
    return any(
        one.protocol.number == protocol and one.first <= number <= one.last for one in ports.ranges
    ) or any(one.protocol.number == protocol and one.name in names for one in ports.names)


if __name__ == "__main__":
    main()
