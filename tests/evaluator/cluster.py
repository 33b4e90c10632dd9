"""Small clusters for tests of the evaluator: endpoints, flows and their verdicts, in few words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from synth.evaluator.compile import Namespaces
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.policy import (
    AddressPeer,
    Direction,
    IpBlock,
    NamedPort,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicySet,
    PortRange,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)

NAMESPACES = {"shop": {"team": "a"}, "bank": {"team": "b", "empty": ""}}
NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1}


@dataclass(frozen=True)
class Flow:
    client: Endpoint
    server: Endpoint
    port: int = 80
    protocol: str = "TCP"
    seen: Endpoint | None = None
    same_node: bool = False
    same_pod: bool = False
    decided: bool = True


def pod(
    namespace: str = "shop",
    /,
    *,
    ports: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    blocks: Iterable[str] = (),
    **labels: str,
) -> Endpoint:
    """Return a pod; ``ports`` is ``{"http": "TCP 80"}``, or pairs where a name stands twice."""
    pairs = ports.items() if isinstance(ports, Mapping) else ports
    declared = tuple(ContainerPort(*_port(text), name) for name, text in pairs)
    own = tuple(sorted(labels.items()))
    name = "-".join(value for _, value in own) or "plain"
    return Endpoint(Kind.POD, namespace, f"Deployment/{name}", own, declared, tuple(blocks))


def _port(text: str) -> tuple[Protocol, int]:
    protocol, _, number = text.partition(" ")
    return Protocol(protocol), int(number)


def outside(address: str) -> Endpoint:
    return Endpoint(Kind.ADDRESS, address=address)


def node(address: str, name: str = "node1") -> Endpoint:
    return Endpoint(Kind.NODE, workload=name, address=address)


def either(*candidates: Endpoint) -> Endpoint:
    return Endpoint(Kind.AMBIGUOUS, address="10.0.0.1", candidates=candidates)


def traffic(*flows: Flow) -> Traffic:
    seen = [flow.seen or flow.client for flow in flows]
    ends = (*(flow.client for flow in flows), *seen, *(flow.server for flow in flows))
    endpoints = tuple(dict.fromkeys(ends))
    number = {endpoint: place for place, endpoint in enumerate(endpoints)}
    return Traffic(
        endpoints=endpoints,
        client=np.array([number[flow.client] for flow in flows], np.int32),
        client_seen=np.array([number[one] for one in seen], np.int32),
        server=np.array([number[flow.server] for flow in flows], np.int32),
        protocol=np.array([NUMBERS[flow.protocol] for flow in flows], np.uint8),
        port=np.array([flow.port for flow in flows], np.int32),
        same_node=np.array([flow.same_node for flow in flows], np.bool_),
        same_pod=np.array([flow.same_pod for flow in flows], np.bool_),
        decided=np.array([flow.decided for flow in flows], np.bool_),
    )


def judge(
    policies: Iterable[Policy],
    *flows: Flow,
    namespaces: Namespaces = NAMESPACES,
    options: Options = DEFAULT,
) -> Verdicts:
    return evaluate(PolicySet.of(policies), traffic(*flows), namespaces, options=options)


def verdict(
    policies: Policy | Iterable[Policy],
    flow: Flow,
    *,
    namespaces: Namespaces = NAMESPACES,
    options: Options = DEFAULT,
) -> str:
    """Return ``allowed``, ``denied`` or ``undetermined``."""
    chosen = [policies] if isinstance(policies, Policy) else policies
    found = judge(chosen, flow, namespaces=namespaces, options=options)
    words = [
        word for word in ("allowed", "denied", "undetermined") if bool(getattr(found, word)[0])
    ]
    assert len(words) == 1
    return words[0]


def admitted(peers: Peer | Iterable[Peer], *clients: Endpoint) -> list[bool]:
    """Return which clients an ingress rule with the peers, of a policy in shop, admits."""
    chosen = (peers,) if isinstance(peers, PodPeer | AddressPeer) else tuple(peers)
    policy = Policy("shop", "test", ingress=(Rule(chosen),))
    server = pod(it="server")
    found: list[bool] = judge([policy], *(Flow(one, server) for one in clients)).allowed.tolist()
    return found


def one_sided(
    direction: Direction, *rules: Rule, namespace: str = "shop", pods: Selector | None = None
) -> Policy:
    """Return a policy that isolates one direction."""
    chosen = pods or Selector()
    if direction is Direction.EGRESS:
        return Policy(namespace, "one-sided", chosen, egress=rules)
    return Policy(namespace, "one-sided", chosen, ingress=rules)


def labelled(**labels: str) -> Selector:
    return Selector.equal(labels)


def where(key: str, operator: Operator, *values: str) -> Selector:
    return Selector.of([Requirement(key, operator, values)])


def block(cidr: str, *excepts: str) -> AddressPeer:
    return AddressPeer(IpBlock.parse(cidr, excepts))


def ports(*texts: str) -> PortSet:
    """Return the set of ``TCP 80``, ``UDP 53-60``, ``TCP http`` or ``SCTP`` (all its ports)."""
    return PortSet.of(*map(_term, texts))


def _term(text: str) -> PortRange | NamedPort:
    protocol, _, port = text.partition(" ")
    if port and not port[0].isdigit():
        return NamedPort(Protocol(protocol), port)
    first, _, last = port.partition("-")
    return PortRange(Protocol(protocol), int(first or 1), int(last or first or 65535))
