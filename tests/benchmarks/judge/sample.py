"""Values made by hand: web calls api on 5000, api calls db on 3306, and nothing else is true."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.judge.grid import Grid
from benchmarks.judge.names import Names
from datasets.generator import TrueEdge
from synth.edges.schema import Edges
from synth.evaluator.connectivity import connect
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy.model import PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import PortSet, Protocol
from synth.policy.selector import Selector

WORKLOADS = ("api", "db", "web")
API, DB, WEB = range(3)
"""Numbers of the endpoints."""
OUTSIDE = 3


def pod(name: str, **labels: str) -> Endpoint:
    return Endpoint(
        Kind.POD,
        "shop",
        f"Deployment/{name}",
        labels=tuple(sorted(({"app": name} | labels).items())),
        blocks=("0.0.0.0/0",),
    )


PODS = tuple(map(pod, WORKLOADS))


def true_edge(
    client: str,
    server: str,
    port: int,
    **about: Any,  # noqa: ANN401 - any field
) -> TrueEdge:
    plain: dict[str, Any] = {
        "client": client,
        "server": server,
        "client_role": client,
        "server_role": server,
        "protocol": "TCP",
        "port": port,
        "group": "core",
        "pattern": "steady",
        "attack": "",
        "masked": False,
        "since": None,
        "until": None,
        "rate": 1.0,
        "connections": 1,
        "ahead": 1,
    }
    return TrueEdge(**plain | about)


def names(*edges: TrueEdge) -> Names:
    """Return the names; without edges, those of the two true ones."""
    true = edges or (
        true_edge("shop/web", "shop/api", 5000),
        true_edge("shop/api", "shop/db", 3306),
    )
    return Names(
        {("shop", f"Deployment/{one}"): f"shop/{one}" for one in WORKLOADS},
        ((100, 110, "outside/users"),),
        {(one.client, one.server, one.protocol, one.port): (one,) for one in true},
    )


def edges(*rows: tuple[int, int, int, int], **columns: Sequence[Any]) -> Edges:
    """Return edges of client, server, port, records, all TCP, decided, answered once."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    empty = Edges.empty()
    blank = {
        name: np.zeros((len(rows), *one.shape[1:]), one.dtype)
        for name, one in empty.columns.items()
    }
    given = {
        "client": table[:, 0],
        "client_seen": table[:, 0],
        "server": table[:, 1],
        "protocol": np.full(len(rows), 6),
        "port": table[:, 2],
        "records": table[:, 3],
        "answered": np.ones(len(rows)),
        "decided": np.ones(len(rows)),
        **{name: np.array(values) for name, values in columns.items()},
    }
    columns_of: dict[str, Any] = blank | {
        name: values.astype(blank[name].dtype) for name, values in given.items()
    }
    ends = (*PODS, Endpoint(Kind.ADDRESS, address="203.0.113.9"))
    return replace(empty, endpoints=ends, **columns_of)


def admit(server: str, port: int, *clients: str) -> Policy:
    """Return the ingress policy that lets these clients in."""
    peers = tuple(PodPeer(Selector.equal({"app": one})) for one in clients)
    rule = Rule(peers, PortSet.port(Protocol.TCP, port))
    return Policy("shop", server, Selector.equal({"app": server}), ingress=(rule,))


def policies(*some: Policy) -> PolicySet:
    """Return the policies; without any, those that admit just the two true edges."""
    return PolicySet.of(some or (admit("api", 5000, "web"), admit("db", 3306, "api")))


def grid(some: PolicySet, pods: tuple[int, int, int] = (1, 1, 1)) -> Grid:
    """Return the grid of the policies; so many pods of api, db and web."""
    found = connect(some, PODS, {})
    roles = [(one.namespace, one.workload) for one in PODS]
    number = found.class_of.tolist()
    api, db, web = roles
    return Grid(
        connectivity=found,
        pods={role: {number[at]: pods[at]} for at, role in enumerate(roles)},
        listening={
            api: PortSet.port(Protocol.TCP, 5000),
            db: PortSet.port(Protocol.TCP, 3306),
            web: PortSet(),
        },
        legitimate={
            (web, api): PortSet.port(Protocol.TCP, 5000),
            (api, db): PortSet.port(Protocol.TCP, 3306),
        },
    )
