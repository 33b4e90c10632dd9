"""What each workload is: namespace, name, kind, ports, labels, and the role it truly has."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datasets.generator.labels import Labels, label
from datasets.generator.options import NEVER, START, Options
from datasets.generator.seeds import Floats, luck
from datasets.generator.tails import NO_CALLERS
from datasets.generator.topology import Topology

TCP, UDP = 6, 17
DEPLOYMENT, STATEFUL_SET, CRON_JOB = "Deployment", "StatefulSet", "CronJob"
PERIODS: Mapping[str, int] = {"hourly": 5, "daily": 6, "weekly": 4, "monthly": 1}
"""Period → how many of 16 periodic jobs have it."""
SYSTEM = "kube-system"
COLOURS = ("blue", "green")
_PORTS = (8080, 8080, 80, 443, 3000, 5000, 3306, 5432, 6379, 9092)
_UDP_PORTS, _ONE_WAY_PORTS = (5060, 1812), (8125, 514)
_PEER_PORTS = ((TCP, 2380), (TCP, 7000), (UDP, 7946))
"""etcd, Cassandra, and gossip that is sent from the port it is sent to."""
_METRICS, _GRPC = 9090, 50051
_WORDS = (
    *("orders", "carts", "users", "billing", "search", "stock", "pricing", "media", "mail"),
    *("login", "audit", "reports", "events", "ledger", "routes", "fleet", "menus", "quotes"),
    *("claims", "tickets", "offers", "rates", "visits", "photos", "tags", "alerts", "plans"),
    *("teams", "jobs", "chats", "feeds", "labels", "loans", "banks", "games", "maps", "news"),
    *("polls", "sites", "zones"),
)
_PARTS = (
    *("api", "web", "worker", "db", "cache", "queue"),
    *("gateway", "sync", "index", "proxy", "admin", "store"),
)


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a workload listens on, and whether its containers declare it."""

    protocol: int
    number: int
    declared: bool = True


@dataclass(frozen=True, slots=True)
class Workload:
    """One workload; ``coloured`` ones are two Deployments, of which one has pods at a time."""

    number: int
    namespace: str
    name: str
    kind: str
    role: str
    replicas: int
    ports: tuple[Port, ...]
    labels: Labels
    selector: Labels
    since: int = START
    until: int = NEVER
    versioned: bool = False
    coloured: bool = False
    period: str = ""
    exposed: str = ""
    one_way: bool = False
    peers: Port | None = None

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def owners(self) -> tuple[str, ...]:
        """``Kind/name`` of the objects that own its pods."""
        names = [f"{self.name}-{one}" for one in COLOURS] if self.coloured else [self.name]
        return tuple(f"{self.kind}/{name}" for name in names)


def make_workloads(options: Options, topology: Topology) -> list[Workload]:
    """Return the workloads by number: the first ones, CoreDNS, and those that come later.

    CoreDNS takes no part in the distributions.
    """
    chances = _Chances(options, len(topology.replicas))
    namespaces = _place(options, topology, chances)
    names = [_name(number) for number in range(len(namespaces))]
    for two, one in enumerate(topology.twin_of.tolist()):
        if one >= 0:
            names[one], names[two] = f"{_name(one)}-a", f"{_name(one)}-b"
    return [
        _core_dns(number)
        if number == options.workloads
        else _make(options, topology, chances, number, names, namespaces)
        for number in range(len(names))
    ]


class _Chances:
    """Luck by concern and workload."""

    def __init__(self, options: Options, size: int) -> None:
        self._seed, self._numbers = options.seed, np.arange(size)
        self._drawn: dict[str, Floats] = {}

    def __call__(self, concern: str) -> Floats:
        if concern not in self._drawn:
            self._drawn[concern] = luck(self._seed, concern, self._numbers)
        return self._drawn[concern]


def _place(options: Options, topology: Topology, chances: _Chances) -> list[str]:
    """Return the namespace of each workload; lone ones first, the rest by Zipf's law."""
    count = max(2, options.workloads // 10)
    lone = min(round(options.lone_namespaces * count), count - 1)
    names = [f"{_WORDS[one % len(_WORDS)]}-team{one // len(_WORDS) or ''}" for one in range(count)]
    weight = np.cumsum(1 / np.arange(1.0, count - lone + 1))
    at = np.searchsorted(weight / weight[-1], chances("namespace"), side="right")
    placed = [names[lone + min(int(one), count - lone - 1)] for one in at]
    models = set(topology.twin_of.tolist())
    single = np.argsort(chances("lone")[: options.workloads], kind="stable").tolist()
    first = (x for x in single if topology.twin_of[x] < 0 and x not in models)
    for name in names[:lone]:
        placed[next(first)] = name
    for two, one in enumerate(topology.twin_of.tolist()):
        if one >= 0:
            placed[two] = placed[one]
    return placed


def _name(number: int) -> str:
    word, rest = _WORDS[number % len(_WORDS)], number // len(_WORDS)
    turn = rest // len(_PARTS)
    return f"{word}-{_PARTS[(rest + number) % len(_PARTS)]}{turn or ''}"


def _make(  # noqa: PLR0913, PLR0917 - one table of everything known so far
    options: Options,
    topology: Topology,
    chances: _Chances,
    number: int,
    names: list[str],
    namespaces: list[str],
) -> Workload:
    model = int(topology.twin_of[number])
    has_twin = model >= 0 or bool((topology.twin_of == number).any())
    base = model if model >= 0 else number
    same = has_twin and not _is_near(topology, number)
    namespace, name = namespaces[number], names[number]
    called = bool(topology.fan_in[number])
    kind = _kind(options, topology, chances, number, alone=not has_twin)
    at_edge = kind == DEPLOYMENT and not called and not has_twin
    share = options.exposed / NO_CALLERS / (1 - min(options.cron_jobs / NO_CALLERS, 0.9))
    exposed = (
        ("Local", "Cluster")[number % 2] if at_edge and chances("exposed")[number] < share else ""
    )
    ports, one_way = _ports(options, chances, base) if called or exposed else ((), False)
    peers = _peers(options, chances, number) if kind == STATEFUL_SET else None
    labelled = label(
        options,
        number,
        name,
        namespace,
        twin=_name(base) if same else "",
        neighbour=_neighbour(number, names, namespaces),
    )
    return Workload(
        number=number,
        namespace=namespace,
        name=name,
        kind=kind,
        role=f"{namespace}/{_name(base) if same else name}",
        replicas=1 if kind == CRON_JOB else int(topology.replicas[number]),
        ports=(*ports, *((peers,) if peers else ())),
        labels=labelled.labels,
        selector=labelled.selector,
        since=int(topology.since[number]),
        until=NEVER if kind == CRON_JOB else int(topology.until[number]),
        versioned=labelled.versioned,
        coloured=kind == DEPLOYMENT
        and not has_twin
        and chances("blue")[number] < options.blue_green,
        period=_period(float(chances("period")[number])) if kind == CRON_JOB else "",
        exposed=exposed,
        one_way=one_way,
        peers=peers,
    )


def _is_near(topology: Topology, number: int) -> bool:
    return bool(
        topology.near[
            (topology.twin_of == number) | (np.arange(len(topology.near)) == number)
        ].any()
    )


def _kind(
    options: Options, topology: Topology, chances: _Chances, number: int, *, alone: bool
) -> str:
    if topology.fan_in[number]:
        stateful = alone and chances("kind")[number] < 0.25
        return STATEFUL_SET if stateful else DEPLOYMENT
    cron = chances("cron")[number] < options.cron_jobs / NO_CALLERS
    return CRON_JOB if alone and cron and topology.fan_out[number] else DEPLOYMENT


def _ports(options: Options, chances: _Chances, number: int) -> tuple[tuple[Port, ...], bool]:
    """Return the ports, and whether they take UDP without an answer; a fifth have a second one."""
    declared = bool(chances("undeclared")[number] >= options.undeclared_ports)
    pick, chance = chances("port")[number], chances("protocol")[number]
    if chance < options.one_way:
        return (Port(UDP, _ONE_WAY_PORTS[int(pick * 2)], declared),), True
    if chance < options.one_way + options.udp:
        return (Port(UDP, _UDP_PORTS[int(pick * 2)], declared),), False
    ephemeral = chances("ephemeral")[number] < options.ephemeral_ports
    first = Port(TCP, _GRPC if ephemeral else _PORTS[int(pick * len(_PORTS))], declared)
    second = chances("second port")[number] < 0.2
    return (first, *((Port(TCP, _METRICS, declared),) if second else ())), False


def _peers(options: Options, chances: _Chances, number: int) -> Port | None:
    if chances("peers")[number] >= options.peers:
        return None
    return Port(*_PEER_PORTS[int(chances("peer port")[number] * len(_PEER_PORTS))])


def _period(chance: float) -> str:
    """Return hourly to monthly."""
    bounds = np.cumsum(list(PERIODS.values())) / sum(PERIODS.values())
    return list(PERIODS)[int(np.searchsorted(bounds, chance, side="right"))]


def _neighbour(number: int, names: list[str], namespaces: list[str]) -> str:
    for step in range(1, 40):
        other = (number + step) % len(names)
        if namespaces[other] == namespaces[number] and other != number:
            return names[other]
    return ""


def _core_dns(number: int) -> Workload:
    labels = (("k8s-app", "kube-dns"),)
    return Workload(
        number=number,
        namespace=SYSTEM,
        name="coredns",
        kind=DEPLOYMENT,
        role=f"{SYSTEM}/coredns",
        replicas=2,
        ports=(Port(UDP, 53), Port(TCP, 53)),
        labels=labels,
        selector=labels,
        since=START - 30 * 24 * 3600,
    )
