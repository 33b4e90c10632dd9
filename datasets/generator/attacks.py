"""Attacks: what a compromised pod does, call by call.

| attack | what happens |
|---|---|
| fast-scan | one pod tries many addresses and ports within five minutes, mostly in vain |
| slow-scan | the same over the whole time |
| movement | a chain of three workloads within an hour of one day, one replica each, answered |
| beacon | one pod calls one new address outside, every ten minutes, from mid-window to the end |
| poisoning | ``poison_replicas`` pods of a workload reach one server on ``poison_days`` days |

No attack uses an edge that is legitimate. Times follow from the days to learn from.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from datasets.generator.edges import ATTACK, BY_ATTACKER, Edges
from datasets.generator.life import Slots
from datasets.generator.options import DAY, HOUR, START, Options
from datasets.generator.outside import BEACON, Pool
from datasets.generator.seeds import Ints, stream
from datasets.generator.workloads import CRON_JOB, TCP, Workload

ANYBODY = -1
SILENT, ANSWERED, REFUSED = 0, 1, 2
_SCANNED = (22, 23, 80, 443, 445, 2379, 3306, 3389, 5432, 6379, 8080, 8443, 9200, 27017)
_HOPS = 3


@dataclass(frozen=True, slots=True)
class Calls:
    """Arrays by connection: its edge, second, the slots of both ends (-1: any), and outcome."""

    edge: Ints
    time: Ints
    client_slot: Ints
    server_slot: Ints
    outcome: Ints

    @classmethod
    def of(cls, rows: Sequence[tuple[int, ...]]) -> "Calls":
        """Return the calls of the rows."""
        return cls(*np.array(rows, np.int64).reshape(-1, len(fields(cls))).T)

    def between(self, start: int, end: int) -> "Calls":
        """Return those within the stretch of time."""
        rows = (self.time >= start) & (self.time < end)
        return Calls(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True, slots=True)
class _Act:
    """One connection of an attack; ends are workloads, below 0 outside."""

    attack: str
    client: int
    server: int
    port: int
    time: int
    client_slot: int
    server_slot: int
    outcome: int

    @property
    def key(self) -> tuple[str, int, int, int]:
        return self.attack, self.client, self.server, self.port


@dataclass(frozen=True, slots=True)
class _Scene:
    """What attackers find; ``suspects`` can be taken over, in random order."""

    options: Options
    workloads: list[Workload]
    slots: Slots
    known: frozenset[tuple[int, int, int]]
    suspects: list[Workload]
    beacon: int
    rng: np.random.Generator

    @property
    def span(self) -> int:
        """Seconds to learn from."""
        return self.options.split - START

    def slot(self, workload: Workload, place: int = 0) -> int:
        return int(self.slots.first[workload.number]) + place % workload.replicas

    def is_new(self, client: Workload, server: Workload, port: int) -> bool:
        return client != server and (client.number, server.number, port) not in self.known


def make_attacks(
    options: Options, workloads: list[Workload], benign: Edges, slots: Slots, pools: list[Pool]
) -> tuple[Edges, list[str], Calls]:
    """Return the edges of the attacks, the attack of each, and every call; numbers go on."""
    known = frozenset(
        zip(benign.client.tolist(), benign.server.tolist(), benign.port.tolist(), strict=True)
    )
    beacon = next(-1 - number for number, one in enumerate(pools) if one.name == BEACON)
    acts = []
    for name in options.attacks:
        rng = stream(options.seed, f"attack {name}")
        suspects = _suspects(options, workloads, rng)
        scene = _Scene(options, workloads, slots, known, suspects, beacon, rng)
        acts += [*_STORIES[name](scene, name)]
    keys = sorted({act.key for act in acts})
    numbers = {key: len(benign) + at for at, key in enumerate(keys)}
    rows = [
        (numbers[x.key], x.time, x.client_slot, x.server_slot, x.outcome)
        for x in sorted(acts, key=lambda act: act.time)
    ]
    calls = Calls.of(rows)
    return _edges(keys, calls, len(benign)), [key[0] for key in keys], calls


def _suspects(
    options: Options, workloads: list[Workload], rng: np.random.Generator
) -> list[Workload]:
    stay = [
        one
        for one in workloads[: options.workloads]
        if one.kind != CRON_JOB and one.until > options.end and not one.coloured
    ]
    order = rng.permutation(len(stay))
    return sorted((stay[at] for at in order), key=lambda one: one.replicas < 2)


def _edges(keys: list[tuple[str, int, int, int]], calls: Calls, before: int) -> Edges:
    size = len(keys)
    since, until = np.full(size, 1 << 40), np.zeros(size, np.int64)
    np.minimum.at(since, calls.edge - before, calls.time)
    np.maximum.at(until, calls.edge - before, calls.time + 1)
    column = np.array([key[1:] for key in keys], np.int64).reshape(-1, 3).T
    return Edges(
        group=np.full(size, ATTACK),
        client=column[0],
        server=column[1],
        protocol=np.full(size, TCP),
        port=column[2],
        pattern=np.full(size, BY_ATTACKER),
        rate=np.zeros(size),
        kept=np.zeros(size, np.bool_),
        named=np.zeros(size, np.bool_),
        since=since,
        until=until,
    )


def _fast_scan(scene: _Scene, name: str) -> Iterator[_Act]:
    begin = START + int(0.4 * scene.span)
    yield from _scan(scene, name, begin, min(300, scene.span // 4))


def _slow_scan(scene: _Scene, name: str) -> Iterator[_Act]:
    yield from _scan(scene, name, START, scene.options.end - START)


def _scan(scene: _Scene, name: str, begin: int, length: int) -> Iterator[_Act]:
    client = scene.suspects[0]
    count = scene.options.scan_targets
    times = begin + np.sort(scene.rng.integers(0, length, count))
    alive = [one for one in scene.workloads if one.kind != CRON_JOB and one.since < START]
    targets = scene.rng.integers(0, len(alive), count)
    ports = scene.rng.choice(_SCANNED, count)
    for time, target, port in zip(times.tolist(), targets.tolist(), ports.tolist(), strict=True):
        server = alive[target]
        listens = any((one.protocol, one.number) == (TCP, port) for one in server.ports)
        if not scene.is_new(client, server, port):
            continue
        place = int(scene.rng.integers(server.replicas))
        miss = REFUSED if scene.rng.random() < 0.7 else SILENT
        yield _Act(
            name,
            client.number,
            server.number,
            port,
            time,
            scene.slot(client),
            scene.slot(server, place),
            ANSWERED if listens else miss,
        )


def _movement(scene: _Scene, name: str) -> Iterator[_Act]:
    begin = START + int(0.55 * scene.span)
    at = scene.suspects[0]
    for hop in range(_HOPS):
        server, port = _prey(scene, at)
        for _ in range(int(scene.rng.integers(3, 9))):
            time = begin + min(hop * 1_200, scene.span // 8) + int(scene.rng.integers(0, 600))
            yield _answered(scene, name, at, server, port, time)
        at = server


def _beacon(scene: _Scene, name: str) -> Iterator[_Act]:
    client = scene.suspects[1]
    time = START + scene.span // 2
    while time < scene.options.end:
        slot = scene.slot(client)
        yield _Act(name, client.number, scene.beacon, 443, time, slot, ANYBODY, ANSWERED)
        time += 600 + int(scene.rng.integers(-30, 30))


def _poisoning(scene: _Scene, name: str) -> Iterator[_Act]:
    client = scene.suspects[0]
    server, port = _prey(scene, client)
    days = max(1, scene.span // DAY)
    chosen = np.sort(scene.rng.permutation(days)[: scene.options.poison_days])
    for day in chosen.tolist():
        for place in range(scene.options.poison_replicas):
            for _ in range(3):
                time = (
                    START + day * DAY + int(scene.rng.integers(0, min(DAY, scene.span) - HOUR // 2))
                )
                yield _answered(scene, name, client, server, port, time, place)


def _prey(scene: _Scene, client: Workload) -> tuple[Workload, int]:
    """Return a server and port that the client never calls otherwise."""
    for server in sorted(scene.suspects, key=lambda _: scene.rng.random()):
        for port in server.ports:
            if port.protocol == TCP and scene.is_new(client, server, port.number):
                return server, port.number
    raise ValueError("no server is left that the attacker's pod does not call already")


def _answered(  # noqa: PLR0913, PLR0917 - the columns of an act
    scene: _Scene,
    name: str,
    client: Workload,
    server: Workload,
    port: int,
    time: int,
    place: int = 0,
) -> _Act:
    ends = scene.slot(client, place), scene.slot(server)
    return _Act(name, client.number, server.number, port, time, *ends, ANSWERED)


_STORIES = {
    "fast-scan": _fast_scan,
    "slow-scan": _slow_scan,
    "movement": _movement,
    "beacon": _beacon,
    "poisoning": _poisoning,
}
