"""The vectorised evaluator and the scalar reference, which share no code, on the same worlds."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest

from synth.dialects.kubernetes import parse_policies
from synth.evaluator.admits import admissions
from synth.evaluator.compile import compile_policies
from synth.evaluator.options import CHOICES, Options
from synth.evaluator.traffic import HIDDEN, SERVER, Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy import AddressPeer, Direction, PolicySet, Protocol
from synth.policy.address import Network, parse_address, parse_network
from tests import reference
from tests.worlds import NODES, World, ports_of, world

NODE_ADDRESSES = frozenset(address for pair in NODES.values() for address in pair)
ANSWERS = ("egress_isolated", "egress_allowed", "ingress_isolated", "ingress_allowed", "allowed")
LEAST_DECIDED = 0.3
Chosen = dict[str, str]
HARD = ("host-network", "dnat")
"""The choices that an edge cannot always decide."""
DECIDED = {choice.field: choice.values for choice in CHOICES if choice.name not in HARD}


@dataclass(frozen=True)
class Question:
    """A world in the words of both evaluators."""

    world: World
    policies: PolicySet
    options: Options
    judge: reference.Reference
    chosen: Chosen

    @classmethod
    def of(cls, seed: int, edges: int, chosen: Chosen | None = None) -> "Question":
        """Return the world of the seed, under choices drawn from those that any edge decides."""
        drawn = world(seed, edges=edges)
        rng = random.Random(seed)  # noqa: S311 - chosen for being repeatable
        picked = {name: rng.choice(values) for name, values in DECIDED.items()}
        picked |= chosen or {}
        return cls(
            world=drawn,
            policies=parse_policies(drawn.policies, f"world {seed}").policies,
            options=Options(**picked),
            judge=reference.Reference(
                drawn.policies, drawn.namespaces, picked, nodes=NODE_ADDRESSES
            ),
            chosen=picked,
        )

    def lenient(self) -> reference.Reference:
        """Return the reference for which a selector stands for Services too."""
        world = self.world
        return reference.Reference(
            world.policies, world.namespaces, self.chosen, nodes=NODE_ADDRESSES, lenient=True
        )

    @property
    def namespaces(self) -> dict[str, dict[str, str]]:
        return {name: dict(labels) for name, labels in self.world.namespaces.items()}

    @property
    def networks(self) -> list[Network]:
        """Every CIDR and except of the policies."""
        rules = [
            rule
            for policy in self.policies
            for direction in Direction
            for rule in policy.rules(direction) or ()
        ]
        blocks = [
            peer.block for rule in rules for peer in rule.peers if isinstance(peer, AddressPeer)
        ]
        found = {
            parse_network(str(network))
            for block in blocks
            for network in (block.cidr, *block.excepts)
        }
        return sorted(found, key=str)

    def verdicts(self, traffic: Traffic) -> Verdicts:
        return evaluate(self.policies, traffic, self.namespaces, options=self.options)

    def traffic(self, flows: Sequence[reference.Flow]) -> Traffic:
        """Return the flows as the product sees them."""
        networks = self.networks
        ends = [end for flow in flows for end in (flow.client, flow.client_seen, flow.server)]
        known = {end: self._endpoint(end, networks) for end in dict.fromkeys(ends)}
        services = {flow.asked for flow in flows if flow.asked}
        known |= {text: Endpoint(Kind.SERVICE, "shop", text, address=text) for text in services}
        endpoints = tuple(sorted(set(known.values())))
        place = {endpoint: number for number, endpoint in enumerate(endpoints)}
        number = {end: place[endpoint] for end, endpoint in known.items()}
        return Traffic(
            endpoints=endpoints,
            client=np.array([number[flow.client] for flow in flows], np.int32),
            client_seen=np.array([number[flow.client_seen] for flow in flows], np.int32),
            server=np.array([number[flow.server] for flow in flows], np.int32),
            protocol=np.array([Protocol(flow.protocol).number for flow in flows], np.uint8),
            port=np.array([flow.port for flow in flows], np.int32),
            same_node=np.array([flow.same_node or flow.to_node for flow in flows], np.bool_),
            same_pod=np.array([_same_pod(flow) for flow in flows], np.bool_),
            decided=np.ones(len(flows), np.bool_),
            asked=np.array([number[f.asked] if f.asked else SERVER for f in flows], np.int32),
        )

    def _endpoint(self, end: reference.Endpoint, networks: Sequence[Network]) -> Endpoint:
        """Return the end; a node with the host-network pods on it."""
        found = _endpoint(end, networks)
        if found.kind is not Kind.NODE:
            return found
        hosts = [replace(pod, host_network=False) for pod in self.hosts(found.address)]
        return replace(found, candidates=tuple(_endpoint(one, networks) for one in hosts))

    def hosts(self, address: str) -> list[reference.Pod]:
        """Return the host-network pods of the node with this address."""
        pods = (pod for pod in self.world.pods if pod.address == address and pod.host_network)
        return [pod for pod in pods if pod.phase not in reference.FINISHED]


def _is_pod(end: reference.Endpoint) -> bool:
    return (
        isinstance(end, reference.Pod)
        and not end.host_network
        and end.phase not in reference.FINISHED
    )


def _same_pod(flow: reference.Flow) -> bool:
    client, server = flow.client, flow.server
    if not (isinstance(client, reference.Pod) and isinstance(server, reference.Pod)):
        return False
    same = (client.namespace, client.name) == (server.namespace, server.name)
    return same and _is_pod(client)


def _exempt(flow: reference.Flow, direction: Direction, options: Options) -> bool:
    """Return whether rules are not asked."""
    if _same_pod(flow) and (flow.asked is None or options.hairpin == "allow"):
        return True
    if direction is Direction.INGRESS:
        return flow.same_node and options.from_own_node == "allow"
    return flow.to_node and options.to_own_node == "allow"


def _endpoint(end: reference.Endpoint, networks: Sequence[Network]) -> Endpoint:
    if isinstance(end, reference.Pod) and _is_pod(end):
        address = parse_address(end.address)
        return Endpoint(
            kind=Kind.POD,
            namespace=end.namespace,
            workload=f"Pod/{end.name}",
            labels=tuple(sorted(end.labels.items())),
            ports=tuple(ContainerPort(Protocol(p), number, name) for name, p, number in end.ports),
            blocks=tuple(sorted(str(network) for network in networks if address in network)),
        )
    text = end if isinstance(end, str) else end.address
    kind = Kind.NODE if text in NODE_ADDRESSES else Kind.ADDRESS
    return Endpoint(kind, workload=text if kind is Kind.NODE else "", address=text)


def _compare(seeds: range, edges: int) -> float:
    """Assert that all answers agree on the worlds; return the share that policies had a say in."""
    had_a_say = 0
    for seed in seeds:
        question = Question.of(seed, edges)
        flows = question.world.flows
        found = question.verdicts(question.traffic(flows))
        judged = [question.judge.judge(flow) for flow in flows]
        assert not found.undetermined.any()
        for answer in ANSWERS:
            expected = np.array([getattr(one, answer) for one in judged])
            differing = np.flatnonzero(getattr(found, answer) != expected)
            first = flows[differing[0]] if len(differing) else None
            assert first is None, f"world {seed}: {answer} differs for {first}"
        had_a_say += sum(one.decided for one in judged)
    return had_a_say / (len(seeds) * edges)


@pytest.mark.parametrize("part", range(6))
def test_both_evaluators_agree(part: int) -> None:
    assert _compare(range(part, 600, 6), edges=500) >= LEAST_DECIDED


@pytest.mark.stress
@pytest.mark.parametrize("part", range(20))
def test_both_evaluators_agree_on_ten_million_edges(part: int) -> None:
    assert _compare(range(1_000 + part, 3_000, 20), edges=5_000) >= LEAST_DECIDED


@pytest.mark.parametrize("direction", Direction)
def test_both_name_the_same_admitting_rules(direction: Direction) -> None:
    named = 0
    for seed in range(60):
        question = Question.of(seed, edges=150)
        flows = question.world.flows
        traffic = question.traffic(flows)
        compiled = compile_policies(
            question.policies, traffic.endpoints, question.namespaces, question.options
        )
        found = admissions(compiled, traffic, direction)
        ours: list[list[reference.RuleName]] = [[] for _ in flows]
        for row, rule in zip(found.row.tolist(), found.rule.tolist(), strict=True):
            ref = found.refs[rule]
            ours[row].append((ref.namespace, ref.policy, direction.lower(), ref.index))
        for flow, own in zip(flows, ours, strict=True):
            exempt = _exempt(flow, direction, question.options)
            theirs = getattr(question.judge.judge(flow), f"{direction.lower()}_rules")
            assert own == ([] if exempt else sorted(theirs)), flow
        named += len(found.row)
    assert named > 1_000


def test_ambiguous_ends_are_what_the_reference_says_of_every_candidate() -> None:
    words: list[str] = []
    for seed in range(80):
        question = Question.of(seed, edges=120)
        triples = list(_triples(question.world.flows))
        singles = [one for triple in triples for one in triple]
        traffic = question.traffic(singles)
        found = question.verdicts(_ambiguous(traffic, len(triples)))
        for row, (first, second, third) in enumerate(triples):
            # The clients of the first two flows, the servers of the first and the third.
            answers = {
                question.judge.judge(replace(first, client=c, client_seen=c, server=s)).allowed
                for c, s in product((first.client, second.client), (first.server, third.server))
            }
            expected = {frozenset({True}): "allowed", frozenset({False}): "denied"}
            word = expected.get(frozenset(answers), "undetermined")
            assert getattr(found, word)[row], (seed, first, second, third)
            words.append(word)
    assert min(words.count(word) for word in set(words)) > 100


def _triples(
    flows: Sequence[reference.Flow],
) -> Iterator[tuple[reference.Flow, reference.Flow, reference.Flow]]:
    """Yield flows of three, no client among them a server, none from the server's node."""
    for first, second, third in zip(flows[::3], flows[1::3], flows[2::3], strict=True):
        clients = {_name(first.client), _name(second.client)}
        servers = {_name(first.server), _name(third.server)}
        three = (first, second, third)
        if not (clients & servers or any(one.same_node or one.to_node for one in three)):
            yield first, second, third


def _name(end: reference.Endpoint) -> str:
    return end if isinstance(end, str) else f"{end.namespace}/{end.name}"


def _ambiguous(traffic: Traffic, rows: int) -> Traffic:
    """Return a row for each three of the traffic, its ends one of two candidates."""
    known = traffic.endpoints
    client, server = traffic.client.reshape(rows, 3), traffic.server.reshape(rows, 3)
    pairs = [*client[:, [0, 1]].tolist(), *server[:, [0, 2]].tolist()]
    either = tuple(
        Endpoint(Kind.AMBIGUOUS, address="10.0.0.1", candidates=(known[one], known[other]))
        for one, other in pairs
    )
    first = traffic.take(slice(None, None, 3))
    clients = np.arange(len(known), len(known) + rows, dtype=np.int32)
    return replace(
        first,
        endpoints=known + either,
        client=clients,
        client_seen=clients,
        server=clients + np.int32(rows),
    )


def _candidates(question: Question, end: reference.Endpoint) -> list[reference.Endpoint]:
    """Return what an edge that knows the end's address alone may mean by it."""
    text = end if isinstance(end, str) else end.address
    if text in NODE_ADDRESSES and question.options.host_network == "pod":
        return [text, *question.hosts(text)]
    return [end]


def _truths(question: Question, flow: reference.Flow, asked: Sequence[int]) -> set[bool]:
    """Return every verdict on a flow of which no more is known than an edge tells."""
    ports = asked if flow.asked and question.options.dnat == "before" else [flow.asked_port]
    found = set()
    client, server = (_candidates(question, end) for end in (flow.client, flow.server))
    seen = [None] if flow.client_seen == flow.client else _candidates(question, flow.client_seen)
    for one, other, third, port in product(client, server, seen, ports):
        full = replace(
            flow, client=one, server=other, client_seen=one if third is None else third,
            asked_port=port,
        )  # fmt: skip
        judges = [question.judge, question.lenient()] if len(ports) > 1 else [question.judge]
        found |= {judge.judge(full).allowed for judge in judges}
    return found


@pytest.mark.parametrize("hard", [("pod", "after"), ("node", "before"), ("pod", "before")])
def test_what_an_edge_cannot_tell_is_undetermined_and_all_else_is_not(
    hard: tuple[str, str],
) -> None:
    host_network, dnat = hard
    answers: list[tuple[bool, bool]] = []
    for seed in range(60):
        question = Question.of(seed, 80, {"host_network": host_network, "dnat": dnat})
        flows = [flow for flow in question.world.flows if not _is_loop(flow)]
        ports = sorted({port for _, port in ports_of(question.world.policies)})
        found = question.verdicts(question.traffic(flows))
        for row, flow in enumerate(flows):
            truths = _truths(question, flow, ports)
            verdicts = (found.allowed[row], found.denied[row], found.undetermined[row])
            open_ = bool(found.undetermined[row])
            assert open_ or {bool(found.allowed[row])} == truths, (seed, flow, truths, verdicts)
            answers.append((open_, len(truths) > 1))
    assert answers.count((True, True)) > 20
    # Where several rules share the ports out, each port is admitted and no rule admits all.
    assert answers.count((True, False)) <= len(answers) // 200


def _is_loop(flow: reference.Flow) -> bool:
    """Return whether a node talks to itself, which no policy meets."""
    ends = (flow.client, flow.server)
    return len({end if isinstance(end, str) else end.address for end in ends}) == 1


def test_a_service_that_nobody_knows_is_undetermined_where_any_service_matters() -> None:
    words: list[str] = []
    for seed in range(60):
        question = Question.of(seed, 80, {"hairpin": "police", "dnat": "before"})
        flows = [replace(flow, asked=None) for flow in question.world.flows]
        traffic = question.traffic(flows)
        hidden = replace(traffic, asked=np.full(len(flows), HIDDEN, np.int32))
        found = question.verdicts(hidden)
        for row, flow in enumerate(flows):
            truths = {question.judge.judge(flow).allowed}
            for asked, port in product(("10.96.0.1", "10.0.1.20", "fd00:96::1"), (80, 53, 65535)):
                through = replace(flow, asked=asked, asked_port=port)
                truths |= {judge.judge(through).allowed for judge in (question.judge,)}
            assert found.undetermined[row] or truths == {bool(found.allowed[row])}, (seed, flow)
            words.append("open" if found.undetermined[row] else "told")
    assert min(words.count("open"), words.count("told")) > 500
