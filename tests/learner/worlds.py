"""Small clusters and captures for tests of the learner and the proofs, in few words.

A name in a contact is ``shop/web`` (or ``web``, in namespace shop; ``web#1`` is its second class
of pods), ``node n1``, ``service web``, ``unheld 10.1.9.9``, an address or prefix outside, or
several of these joined by ``|``: an ambiguous end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from synth.edges.schema import KEY, MEASURES, NEVER, RUNGS, Edges, Source
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.flows import Rung
from synth.inventory.endpoint import ContainerPort, Endpoint, Kind
from synth.inventory.endpoints import with_endpoints
from synth.inventory.model import (
    Inventory,
    Labels,
    Namespace,
    Node,
    Pod,
    Ranges,
    Service,
    ServicePort,
    Workload,
)
from synth.learner.learn import Choices, learn
from synth.learner.model import Answer, Learned, Subject
from synth.learner.peers import node_subnets
from synth.policy.model import Direction, PolicySet
from synth.policy.ports import Protocol

DAY = 24 * 3600 * 1_000_000
NUMBERS = {one.value: one.number for one in Protocol}
VPC, CONNTRACK, INTERFACES = Source.VPC, Source.CONNTRACK, Source.INTERFACES
INGRESS, EGRESS = Direction.INGRESS, Direction.EGRESS
ACCEPT, REFUSE = Answer.ACCEPT, Answer.REFUSE


def labels(text: str) -> Labels:
    """Return the labels that ``app=web,tier=front`` means."""
    return tuple(sorted(tuple(pair.split("=")) for pair in text.split(",") if pair))  # type: ignore[misc]


def port(text: str) -> ContainerPort:
    """Return the port that ``TCP 80`` or ``TCP 80 http`` means."""
    protocol, number, *name = text.split()
    return ContainerPort(Protocol(protocol), int(number), *name)


@dataclass
class World:
    """A cluster that grows by calls; pods get addresses 10.1.N.M, nodes 192.168.N.1."""

    namespaces: set[str] = field(default_factory=lambda: {"shop"})
    workloads: list[Workload] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    nodes: list[str] = field(default_factory=lambda: ["n1", "n2"])
    ranges: Ranges = field(default_factory=lambda: Ranges(("10.1.0.0/16",)))
    admission: list[str] = field(default_factory=list)
    names: tuple[tuple[str, str], ...] = ()

    def app(
        self,
        name: str,
        own: str | None = None,
        *,
        replicas: int = 1,
        kind: str = "Deployment",
        on: Sequence[str] = ("n1", "n2"),
        **more: Any,  # noqa: ANN401 - fields of Workload
    ) -> "World":
        """Add a workload and its pods, labelled ``app=NAME`` unless told, in turn on the nodes."""
        namespace, _, short = name.rpartition("/")
        workload = Workload(
            namespace=namespace or "shop",
            kind=kind,
            name=short,
            match_labels=labels(more.pop("match", "")),
            template_labels=labels(f"app={short}" if own is None else own),
        )
        workload = replace(workload, **more)
        self.namespaces.add(workload.namespace)
        self.workloads.append(workload)
        for number in range(replicas):
            self.pod(workload, own, node=on[number % len(on)])
        return self

    def pod(self, owner: Workload | str, own: str | None = None, **more: Any) -> "World":  # noqa: ANN401
        """Add one pod of a workload; ``own`` are its labels, the template's unless told."""
        if isinstance(owner, str):
            owner = next(one for one in self.workloads if one.name == owner)
        number = len(self.pods)
        pod = Pod(
            namespace=owner.namespace,
            name=f"{owner.name}-{number}",
            uid=f"uid-{number}",
            workload=owner.key,
            labels=(owner.template_labels or ()) if own is None else labels(own),
            ports=owner.ports,
            node="n1",
            addresses=(f"10.1.{number // 250}.{number % 250 + 1}",),
            host_network=owner.host_network,
        )
        self.pods.append(replace(pod, **more))
        return self

    def service(
        self,
        name: str,
        selector: str | None = None,
        ports: Iterable[tuple[str, int | str]] = (("TCP 80", 80),),
        **more: Any,  # noqa: ANN401 - fields of Service
    ) -> "World":
        """Add a Service for ``app=NAME`` unless told; ``ports`` are pairs of port and target."""
        namespace, _, short = name.rpartition("/")
        parsed = [(port(text), target) for text, target in ports]
        service = Service(
            namespace=namespace or "shop",
            name=short,
            selector=labels(selector or f"app={short}"),
            addresses=(f"10.2.0.{len(self.services) + 1}",),
            ports=tuple(ServicePort(one.protocol, one.number, to) for one, to in parsed),
        )
        self.services.append(replace(service, **more))
        return self

    def dns(self, target: int = 53) -> "World":
        """Add the cluster's DNS."""
        self.app("kube-system/coredns", "k8s-app=kube-dns", match="k8s-app=kube-dns")
        ports = (("UDP 53", target), ("TCP 53", target), ("TCP 9153", 9153))
        return self.service("kube-system/kube-dns", "k8s-app=kube-dns", ports)

    def build(self) -> Inventory:
        """Return the inventory."""
        bare = Inventory(
            namespaces=tuple(
                Namespace(name, (("kubernetes.io/metadata.name", name),))
                for name in sorted(self.namespaces)
            ),
            workloads=tuple(sorted(self.workloads, key=lambda one: (one.namespace, one.key))),
            services=tuple(sorted(self.services, key=lambda one: (one.namespace, one.name))),
            nodes=tuple(Node(name, (f"192.168.{at}.1",)) for at, name in enumerate(self.nodes, 1)),
            pods=tuple(self.pods),
            ranges=self.ranges,
            admission=tuple(self.admission),
            names=self.names,
        )
        wide = ["0.0.0.0/0", "::/0", *self.ranges.pods, *map(str, node_subnets(bare))]
        sources = [one for service in self.services for one in service.source_ranges]
        return with_endpoints(bare, separators=[*wide, *sources])


@dataclass(frozen=True)
class Contact:
    """One edge, accepted by default: answered, twice connected, by two replicas."""

    client: str
    server: str
    port: int = 80
    protocol: str = "TCP"
    records: int = 4
    answered: int = 4
    failed: int = 0
    denied: int = 0
    from_client: int = 0
    from_server: int = 0
    heard_client: int = 0
    heard_server: int = 0
    packets_out: int = 0
    bytes_out: int = 0
    seen: str = ""
    connections: int = 2
    members: tuple[int, int] = (1, 2)
    days: tuple[int, ...] = (0,)
    span: tuple[int, int] | None = None
    """First and last time, microseconds; None: those of its days."""
    rung: Rung = Rung.FLAGS
    source: Source = CONNTRACK
    decided: bool = True
    client_port: int = 0
    same_node: bool = False
    same_pod: bool = False


def failing(client: str, server: str, port: int = 80, **more: Any) -> Contact:  # noqa: ANN401
    """Return a contact that only failed."""
    return Contact(client, server, port, answered=0, failed=4, **more)


def unanswered(client: str, server: str, port: int = 80, **more: Any) -> Contact:  # noqa: ANN401
    """Return a contact of which no record shows an answer, nor a failure."""
    return Contact(client, server, port, answered=0, **more)


def endpoint(inventory: Inventory, name: str) -> Endpoint:
    """Return the endpoint that the name means."""
    if "|" in name:
        some = tuple(sorted(endpoint(inventory, one) for one in name.split("|")))
        return Endpoint(Kind.AMBIGUOUS, address="10.1.200.1", candidates=some)
    word, _, rest = name.partition(" ")
    if word == "node":
        return next(one for one in inventory.endpoints if one.workload == rest)
    if word == "unheld":
        return Endpoint(Kind.UNHELD, address=rest)
    if word == "service":
        found = next(one for one in inventory.services if one.name == rest)
        return Endpoint(Kind.SERVICE, found.namespace, rest, address=found.addresses[0])
    if name[0].isdigit() or ":" in name:
        return Endpoint(Kind.ADDRESS, address=name)
    return _pod(inventory, name)


def _pod(inventory: Inventory, name: str) -> Endpoint:
    full, _, number = (name if "/" in name else f"shop/{name}").partition("#")
    classes = [one for one in inventory.endpoints if one.kind is Kind.POD and one.name == full]
    return classes[int(number or 0)]


def edges_of(inventory: Inventory, contacts: Iterable[Contact]) -> Edges:
    """Return settled edges, one a contact, over the endpoints that occur."""
    contacts = list(contacts)
    ends = [
        [endpoint(inventory, name) for name in (one.client, one.seen or one.client, one.server)]
        for one in contacts
    ]
    every = sorted({one for some in ends for one in some})
    at = {one: number for number, one in enumerate(every)}
    rows = sorted(
        (_row(one, [at[end] for end in some]) for one, some in zip(contacts, ends, strict=True)),
        key=lambda row: [int(row[name]) for name in KEY],
    )
    columns = {
        name: np.array([row[name] for row in rows], dtype)
        for name, dtype in (*KEY.items(), *((key, one) for key, (one, _) in MEASURES.items()))
    }
    return Edges(
        endpoints=tuple(every),
        files=("flows.log",),
        half_day_base=0,
        rungs=np.array([row["rungs"] for row in rows], np.int64).reshape(-1, RUNGS),
        half_days=np.array([[row["days"]] for row in rows], np.uint64).reshape(-1, 1),
        asked=np.full(len(rows), -1, np.int32),
        example=np.arange(1, len(rows) + 1, dtype=np.int64),
        **columns,
    )


def _row(one: Contact, ends: Sequence[int]) -> dict[str, Any]:
    zeros = dict.fromkeys(MEASURES, 0)
    rungs = [0] * RUNGS
    rungs[one.rung if one.decided else 0] = one.records
    plain = {name: getattr(one, name) for name in (*KEY, *MEASURES) if hasattr(one, name)}
    return {
        **zeros,
        **plain,
        "client": ends[0],
        "client_seen": ends[1],
        "server": ends[2],
        "protocol": NUMBERS[one.protocol],
        "first": one.span[0] if one.span else min(one.days) * DAY if one.days else NEVER,
        "last": one.span[1] if one.span else max(one.days) * DAY if one.days else -NEVER,
        "least_client": one.members[0],
        "greatest_client": one.members[1],
        "least_connection": 1,
        "greatest_connection": one.connections,
        "sources": one.source,
        "rungs": rungs,
        "days": sum(1 << (2 * day) for day in one.days),
    }


@dataclass(frozen=True)
class Lesson:
    """What was learned of a world, and short ways to ask about it."""

    inventory: Inventory
    edges: Edges
    learned: Learned

    def subject(self, role: str, direction: Direction) -> Subject | None:
        """Return the subject of the role (``web`` or ``bank/web``), if there is one."""
        name = role if "/" in role else f"shop/{role}"
        for one in self.learned.subjects:
            if (str(one.role), one.direction) == (name, direction):
                return one
        return None

    def rules(self, role: str, direction: Direction) -> list[str]:
        """Return the rules of the subject, as text; those declared carry why in front."""
        subject = self.subject(role, direction)
        found = () if subject is None else subject.rules
        return [f"{one.declared}: {one.rule}" if one.declared else str(one.rule) for one in found]

    def ready(self, role: str, direction: Direction) -> bool:
        """Return whether the direction is among the policies to apply."""
        name = role.rpartition("/")[2]
        policies = [one for one in self.learned.policies if one.name == name]
        return any(policy.rules(direction) is not None for policy in policies)

    def screened(self) -> dict[tuple[str, str, int], tuple[str, str]]:
        """Return client, server, port → screening word and reason, of every edge."""
        screening, ends = self.learned.screening, self.edges.endpoints
        words = ("accepted", "quarantined", "rejected", "unresolved", "retired")
        return {
            (
                ends[self.edges.client[row]].name,
                ends[self.edges.server[row]].name,
                int(self.edges.port[row]),
            ): (words[screening.status[row]], screening.reason_of(row))
            for row in range(len(self.edges))
        }

    def questions(self, kind: str = "") -> list[str]:
        """Return the texts of the open questions (of the kind)."""
        some = self.learned.questions
        return [one.text for one in some if one.answer is None and kind in ("", one.kind)]

    def key(self, part: str) -> str:
        """Return the key of the one question whose text holds the part."""
        (found,) = {one.key for one in self.learned.questions if part in one.text}
        return found

    def judge(self, policies: PolicySet | None = None) -> Verdicts:
        """Return the verdicts of the ready policies, or of these, on the edges."""
        wanted = self.learned.policies if policies is None else policies
        return evaluate(wanted, Traffic.of(self.edges), self.inventory.namespace_labels)


def study(
    world: World | Inventory,
    *contacts: Contact,
    answers: Mapping[str, Answer] | None = None,
    **choices: Any,  # noqa: ANN401 - fields of Choices
) -> Lesson:
    """Return what is learned from the contacts."""
    inventory = world.build() if isinstance(world, World) else world
    edges = edges_of(inventory, contacts)
    learned = learn(edges, inventory, Choices(answers or {}, **choices))
    return Lesson(inventory, edges, learned)


def shop(**more: Any) -> World:  # noqa: ANN401 - fields of World
    """Return web, api and db, two replicas each, with declared ports and the cluster's DNS."""
    world = World(**more)
    for name, declared in (("web", "TCP 80"), ("api", "TCP 5000"), ("db", "TCP 3306")):
        world.app(name, replicas=2, match=f"app={name}", ports=(port(declared),))
    return world.dns()
