"""What is true of a made-up cluster: roles, legitimate and hostile edges, holders of addresses."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.generator.edges import GROUPS, PATTERNS
from datasets.generator.names import name_pod, node_name
from datasets.generator.options import DAY, NEVER, START
from datasets.generator.talks import NODE_PORTS
from datasets.generator.workloads import UDP
from datasets.generator.world import World

FOLDER = "truth"


@dataclass(frozen=True, slots=True)
class TrueWorkload:
    """A workload: ``namespace/name``, its role, and ``Kind/name`` of what owns its pods."""

    key: str
    role: str
    namespace: str
    owners: tuple[str, ...]
    replicas: int
    exposed: str
    node_port: int | None
    since: int | None
    until: int | None


@dataclass(frozen=True, slots=True)
class TrueEdge:
    """Who opens connections to whom; ends are keys of workloads, or ``outside/name``.

    Times are seconds, half-open, None: always. ``masked``: the server, or the outside, sees a
    node's address in place of the client's. ``rate`` is connections a day, of steady and bursty
    edges. ``connections`` were opened in the days to learn from, ``ahead`` in those after; they
    need not have left a record.
    """

    client: str
    server: str
    client_role: str
    server_role: str
    protocol: str
    port: int
    group: str
    pattern: str
    attack: str
    masked: bool
    since: int | None
    until: int | None
    rate: float
    connections: int
    ahead: int

    @property
    def legitimate(self) -> bool:
        """Whether it is no attack."""
        return not self.attack

    def holds_at(self, second: int) -> bool:
        """Return whether it exists at the time."""
        return (self.since is None or self.since <= second) and (
            self.until is None or second < self.until
        )


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses outside that follow each other: a name's, or those of some sort of client."""

    key: str
    first: str
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Everything true of what was generated.

    ``holdings`` are rows of address, since, until (seconds, half-open; null: still held), pod,
    uid, workload (its key), owner, role, node. ``nodes`` are name and address. ``records`` counts
    what was written, by folder and format.
    """

    options: Mapping[str, Any]
    start: int
    split: int
    end: int
    workloads: tuple[TrueWorkload, ...]
    edges: tuple[TrueEdge, ...]
    outside: tuple[Outside, ...]
    nodes: tuple[tuple[str, str], ...]
    holdings: pa.Table
    records: Mapping[str, int]

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """Role → the keys of the workloads that truly are one, sorted."""
        found: dict[str, list[str]] = {}
        for one in self.workloads:
            found.setdefault(one.role, []).append(one.key)
        return {role: tuple(sorted(keys)) for role, keys in sorted(found.items())}

    def changes(self, day: int) -> tuple[tuple[TrueEdge, ...], tuple[TrueEdge, ...]]:
        """Return the legitimate edges that begin on the day, and those that end."""
        begin, end = START + day * DAY, START + (day + 1) * DAY
        legitimate = [one for one in self.edges if one.legitimate]
        new = (one for one in legitimate if one.since is not None and begin <= one.since < end)
        old = (one for one in legitimate if one.until is not None and begin <= one.until < end)
        return tuple(new), tuple(old)


def make_truth(
    world: World, connections: tuple[Iterable[int], Iterable[int]], records: Mapping[str, int]
) -> Truth:
    """Return the truth; ``connections`` count by edge, in the days to learn from and after."""
    return Truth(
        options=asdict(world.options),
        start=START,
        split=world.options.split,
        end=world.options.end,
        workloads=_workloads(world),
        edges=_edges(world, connections),
        outside=tuple(
            Outside(one.key, world.book.text(int(at)), one.size)
            for one, at in zip(world.pools, world.book.pool_at, strict=True)
        ),
        nodes=tuple(
            (node_name(one), world.book.text(world.book.nodes_at + one))
            for one in range(world.nodes)
        ),
        holdings=_holdings(world),
        records=dict(records),
    )


def write_truth(truth: Truth, out: Path) -> None:
    """Write the truth below ``out``."""
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    plain = {
        "options": dict(truth.options),
        "start": truth.start,
        "split": truth.split,
        "end": truth.end,
        "workloads": [asdict(one) for one in truth.workloads],
        "outside": [asdict(one) for one in truth.outside],
        "nodes": truth.nodes,
        "records": dict(truth.records),
        "roles": truth.roles,
        "days": [_day(truth, day) for day in range(-(-(truth.end - truth.start) // DAY))],
    }
    (folder / "truth.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
    rows = [asdict(one) | {"legitimate": one.legitimate} for one in truth.edges]
    pq.write_table(pa.Table.from_pylist(rows, _EDGES), folder / "edges.parquet")
    pq.write_table(truth.holdings, folder / "holdings.parquet")


def read_truth(out: Path) -> Truth:
    """Return the truth of what was generated into ``out``."""
    folder = out / FOLDER
    plain = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    rows = pq.read_table(folder / "edges.parquet").drop_columns(["legitimate"]).to_pylist()
    lists = {
        name: tuple(value) for name, value in plain["options"].items() if isinstance(value, list)
    }
    return Truth(
        options=plain["options"] | lists,
        start=plain["start"],
        split=plain["split"],
        end=plain["end"],
        workloads=tuple(
            TrueWorkload(**one | {"owners": tuple(one["owners"])}) for one in plain["workloads"]
        ),
        edges=tuple(TrueEdge(**row) for row in rows),
        outside=tuple(Outside(**one) for one in plain["outside"]),
        nodes=tuple((name, address) for name, address in plain["nodes"]),
        holdings=pq.read_table(folder / "holdings.parquet"),
        records=plain["records"],
    )


_EDGES = pa.schema(
    [
        *((name, pa.string()) for name in ("client", "server", "client_role", "server_role")),
        ("protocol", pa.string()),
        ("port", pa.int32()),
        *((name, pa.string()) for name in ("group", "pattern", "attack")),
        ("masked", pa.bool_()),
        ("since", pa.int64()),
        ("until", pa.int64()),
        ("rate", pa.float64()),
        ("connections", pa.int64()),
        ("ahead", pa.int64()),
        ("legitimate", pa.bool_()),
    ]
)


def _day(truth: Truth, day: int) -> dict[str, object]:
    new, old = truth.changes(day)
    begin, end = START + day * DAY, START + (day + 1) * DAY
    alive = [one for one in truth.workloads if one.since is not None]
    return {
        "day": day,
        "new_edges": [_short(one) for one in new],
        "removed_edges": [_short(one) for one in old],
        "new_workloads": [one.key for one in alive if begin <= (one.since or 0) < end],
        "removed_workloads": [
            one.key for one in truth.workloads if one.until and begin <= one.until < end
        ],
    }


def _short(edge: TrueEdge) -> list[object]:
    return [edge.client, edge.server, edge.protocol, edge.port]


def _since(second: int) -> int | None:
    return second if second > START else None


def _until(second: int) -> int | None:
    return second if second < NEVER else None


def _workloads(world: World) -> tuple[TrueWorkload, ...]:
    return tuple(
        TrueWorkload(
            key=one.key,
            role=one.role,
            namespace=one.namespace,
            owners=one.owners,
            replicas=one.replicas,
            exposed=one.exposed,
            node_port=NODE_PORTS + one.number % 2_700 if one.exposed else None,
            since=_since(one.since),
            until=_until(one.until),
        )
        for one in world.workloads
    )


def _edges(world: World, connections: tuple[Iterable[int], Iterable[int]]) -> tuple[TrueEdge, ...]:
    edges = world.edges
    keys = [*(one.key for one in world.workloads), *(one.key for one in reversed(world.pools))]
    roles = [*(one.role for one in world.workloads), *(one.key for one in reversed(world.pools))]
    columns = (edges.client, edges.server, edges.protocol, edges.port, edges.group, edges.pattern)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    times = zip(edges.since.tolist(), edges.until.tolist(), edges.rate.tolist(), strict=True)
    counts = zip(*(np.asarray(some).tolist() for some in connections), strict=True)
    return tuple(
        TrueEdge(
            client=keys[client],
            server=keys[server],
            client_role=roles[client],
            server_role=roles[server],
            protocol="UDP" if protocol == UDP else "TCP",
            port=port,
            group=GROUPS[group],
            pattern=PATTERNS[pattern],
            attack=attack,
            masked=_is_masked(world, client, server),
            since=_since(since),
            until=_until(until),
            rate=rate,
            connections=learnt,
            ahead=ahead,
        )
        for (client, server, protocol, port, group, pattern), (since, until, rate), (
            learnt,
            ahead,
        ), attack in zip(rows, times, counts, world.attack_names, strict=True)
    )


def _is_masked(world: World, client: int, server: int) -> bool:
    if server < 0:
        return client >= 0 and world.options.snat
    return client < 0 and world.workloads[server].exposed == "Cluster"


def _holdings(world: World) -> pa.Table:
    pods, seed = world.pods, world.options.seed
    owners = [world.workloads[one] for one in pods.workload.tolist()]
    names = [name_pod(seed, owner, pods, pod) for pod, owner in enumerate(owners)]
    return pa.table(
        {
            "address": [world.book.text(one) for one in pods.address.tolist()],
            "since": pods.start,
            "until": pa.array(pods.end, mask=pods.end >= NEVER),
            "pod": [one.pod for one in names],
            "uid": [one.uid for one in names],
            "workload": [one.key for one in owners],
            "owner": [one.owner for one in names],
            "role": [one.role for one in owners],
            "node": [node_name(one) for one in pods.node.tolist()],
        }
    )
