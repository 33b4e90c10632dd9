"""A small cluster, records of every kind in it, and the plain values that edges are compared as."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from synth.edges.fold import fold
from synth.edges.schema import KEY, MEASURES, NEVER, Edges
from synth.flows import (
    SCHEMA,
    FlowBatch,
    Initiator,
    Microseconds,
    Outcome,
    Rung,
    Vantage,
    validate,
)
from synth.inventory.endpoint import ContainerPort, Endpoint
from synth.inventory.endpoints import with_endpoints
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory, Node, Pod, Ranges, Service, ServicePort, Workload
from synth.ledger import Ledger
from synth.policy.ports import Protocol

TCP, UDP = 6, 17
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR
"""12:00 UTC of some day: a border of half-days, and when an address changes hands."""

WEB1, WEB2, API, DB = "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"
PEER1, PEER2, PEER3 = "10.0.0.5", "10.0.0.6", "10.0.0.10"
SHARED, HANDED = "10.0.0.7", "10.0.0.8"
UNHELD, OUTSIDE, OTHER_OUTSIDE = "10.0.9.9", "203.0.113.7", "198.51.100.9"
NODE1, NODE2, NODE9 = "192.168.0.1", "192.168.0.2", "192.168.0.9"
SERVICE = "10.96.0.3"
SIX = "fd00::1"
ADDRESSES = (
    *(WEB1, WEB2, API, DB, PEER1, PEER2, SHARED, HANDED, UNHELD, OUTSIDE, OTHER_OUTSIDE),
    *(NODE1, NODE2, NODE9, SERVICE, SIX),
)
PORTS = (0, 53, 80, 123, 5000, 7000, 20000, 32767, 32768, 41822, 50051, 60999, 61000)


@dataclass(frozen=True)
class Line:
    """One record, as plain values."""

    src: str = WEB1
    dst: str = API
    src_port: int = 41822
    dst_port: int = 5000
    protocol: int = TCP
    start: int | None = NOON + HOUR
    end: int | None = NOON + HOUR + SECOND
    asked: str | None = None
    seen_src: str | None = None
    initiator: Initiator = Initiator.UNKNOWN
    rung: Rung = Rung.NONE
    outcome: Outcome = Outcome.UNKNOWN
    opening: bool = False
    bidirectional: bool = False
    observer: str | None = None
    vantage: Vantage = Vantage.UNKNOWN
    fwd: int | None = 3
    rev: int | None = None
    row: int = 1

    @property
    def turned(self) -> "Line":
        """The same ends with what src sent sent by dst instead."""
        initiator = {Initiator.SRC: Initiator.DST, Initiator.DST: Initiator.SRC}
        vantage = {Vantage.AT_SRC: Vantage.AT_DST, Vantage.AT_DST: Vantage.AT_SRC}
        return replace(
            self,
            src=self.dst,
            dst=self.src,
            src_port=self.dst_port,
            dst_port=self.src_port,
            initiator=initiator.get(self.initiator, self.initiator),
            vantage=vantage.get(self.vantage, self.vantage),
        )


def syn(client: str, server: str, port: int, client_port: int = 41822, **more: Any) -> Line:  # noqa: ANN401 - any field
    """Return a SYN as a VPC flow log has it."""
    told = {"initiator": Initiator.SRC, "rung": Rung.FLAGS, "opening": True} | more
    return Line(client, server, client_port, port, **told)


def syn_ack(client: str, server: str, port: int, client_port: int = 41822, **more: Any) -> Line:  # noqa: ANN401 - any field
    """Return the answer to a SYN as a VPC flow log has it."""
    told = {"initiator": Initiator.DST, "rung": Rung.FLAGS, "outcome": Outcome.ANSWERED} | more
    return Line(server, client, port, client_port, **told)


def tracked(client: str, server: str, port: int, client_port: int = 41822, **more: Any) -> Line:  # noqa: ANN401 - any field
    """Return an entry of a connection tracker."""
    told = {"initiator": Initiator.SRC, "rung": Rung.TUPLE, "bidirectional": True, "rev": 2}
    return Line(client, server, client_port, port, **(told | more))


def batch(
    lines: Sequence[Line],
    *,
    file: str = "a.log",
    source: str = "vpc-text",
    skipped: Ledger | None = None,
    slack: int = 0,
) -> FlowBatch:
    """Return the lines as a batch of one file."""
    columns: dict[str, list[Any]] = {
        "row": [one.row for one in lines],
        "start": [one.start for one in lines],
        "end": [one.end for one in lines],
        "protocol": [one.protocol for one in lines],
        "src": [packed(one.src) for one in lines],
        "dst": [packed(one.dst) for one in lines],
        "src_port": [one.src_port for one in lines],
        "dst_port": [one.dst_port for one in lines],
        "asked": [packed(one.asked) for one in lines],
        "asked_port": [None for one in lines],
        "seen_src": [packed(one.seen_src) for one in lines],
        "initiator": [int(one.initiator) for one in lines],
        "rung": [int(one.rung) for one in lines],
        "outcome": [int(one.outcome) for one in lines],
        "opening": [one.opening for one in lines],
        "bidirectional": [one.bidirectional for one in lines],
        "observer": [one.observer for one in lines],
        "vantage": [int(one.vantage) for one in lines],
        "fwd_packets": [one.fwd for one in lines],
        "fwd_bytes": [None if one.fwd is None else one.fwd * 100 for one in lines],
        "rev_packets": [one.rev for one in lines],
        "rev_bytes": [None if one.rev is None else one.rev * 10 for one in lines],
    }
    arrays = [_array(columns[field.name], field.type) for field in SCHEMA]
    table = pa.record_batch(arrays, schema=SCHEMA)
    early = late = Microseconds(slack)
    return validate(FlowBatch(file, source, table, skipped or Ledger(), early, late))


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode().cast(kind)
    return pa.array(values, kind)


def packed(address: str | None) -> bytes | None:
    """Return the address as 16 bytes."""
    if address is None:
        return None
    found = ip_address(address)
    return found.packed if found.version == 6 else bytes(10) + b"\xff\xff" + found.packed


def cluster(**changes: Any) -> Inventory:  # noqa: ANN401 - any field
    """Return a cluster of two nodes; SHARED and HANDED change hands at noon.

    SHARED passes between replicas of one workload, HANDED between two workloads.
    """
    pods = (
        _pod("web-1", "n1", WEB1),
        _pod("web-2", "n2", WEB2),
        _pod("api-1", "n1", API, SIX),
        _pod("db-1", "n2", DB),
        _pod("peer-1", "n1", PEER1),
        _pod("peer-2", "n2", PEER2),
        _pod("peer-3", "n2", PEER3),
        _pod("job-1", "n1", SHARED, end=NOON),
        _pod("job-2", "n2", SHARED, start=NOON),
        _pod("old-1", "n1", HANDED, end=NOON),
        _pod("new-1", "n2", HANDED, start=NOON + 10 * SECOND),
    )
    parts: dict[str, Any] = {
        "workloads": (
            _workload("web"),
            _workload("api", (Protocol.TCP, 5000), (Protocol.UDP, 53)),
            _workload("db"),
            _workload("peer", (Protocol.UDP, 50051)),
        ),
        "services": (
            Service(
                "shop",
                "api",
                selector=(("app", "api"),),
                addresses=(SERVICE,),
                ports=(ServicePort(Protocol.TCP, 80, 5000),),
            ),
        ),
        "nodes": (Node("n1", (NODE1,)), Node("n2", (NODE2,))),
        "pods": pods,
        "ranges": Ranges(("10.0.0.0/16",), ("10.96.0.0/16",), ("192.168.0.0/24",)),
    }
    return with_endpoints(Inventory(**(parts | changes)))


def _pod(
    name: str, node: str, *addresses: str, start: int | None = None, end: int | None = None
) -> Pod:
    app = name.partition("-")[0]
    labels = (("app", app),)
    workload = f"Deployment/{app}"
    return Pod(
        namespace="shop",
        name=name,
        uid=f"uid-{name}",
        workload=workload,
        labels=labels,
        node=node,
        addresses=addresses,
        start=start,
        end=end,
    )


def _workload(name: str, *ports: tuple[Protocol, int]) -> Workload:
    listening = tuple(ContainerPort(protocol, number) for protocol, number in ports)
    return Workload("shop", "Deployment", name, (("app", name),), (("app", name),), listening)


CLUSTER = cluster()
DECLARED = listeners(CLUSTER)


def folded(*lines: Line, **about: Any) -> Edges:  # noqa: ANN401 - any field
    """Return the edges of the lines in the cluster."""
    return fold(batch(lines, **about), CLUSTER, DECLARED)


def rows(edges: Edges) -> list[dict[str, Any]]:
    """Return each edge as plain values: endpoints in full, half-days and example as they are."""
    return [_plain(edges, at) for at in range(len(edges))]


def _plain(edges: Edges, at: int) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(edges, name)[at].item() for name in (*KEY, *MEASURES)}
    for name in ("client", "client_seen", "server"):
        plain[name] = edges.endpoints[plain[name]]
    plain["rungs"] = tuple(edges.rungs[at].tolist())
    plain["half_days"] = {
        edges.half_day_base + 64 * word + bit
        for word, value in enumerate(edges.half_days[at].tolist())
        for bit in range(64)
        if value >> bit & 1
    }
    asked = int(edges.asked[at])
    plain["asked"] = None if asked < 0 else edges.endpoints[asked]
    plain["example"] = edges.example_of(at)
    return plain


def assert_same(one: Edges, other: Edges) -> None:
    """Assert that both are equal, array for array."""
    assert one.endpoints == other.endpoints
    assert one.files == other.files
    assert one.half_day_base == other.half_day_base
    assert one.columns.keys() == other.columns.keys()
    for name, values in one.columns.items():
        theirs = other.columns[name]
        assert values.dtype == theirs.dtype, name
        assert values.shape == theirs.shape, name
        assert np.array_equal(values, theirs), name


def only(edges: Edges) -> dict[str, Any]:
    """Return the only edge, as plain values."""
    assert len(edges) == 1, rows(edges)
    return rows(edges)[0]


def names(edges: Edges) -> list[tuple[str, str, int, bool]]:
    """Return client, server, port and whether they are known to be that, of each edge."""
    return [
        (row["client"].name, row["server"].name, row["port"], row["decided"]) for row in rows(edges)
    ]


def endpoints_of(edges: Edges) -> set[Endpoint]:
    """Return the endpoints that rows mention."""
    found = {
        row[name] for row in rows(edges) for name in ("client", "client_seen", "server", "asked")
    }
    return found - {None}


_TIMES = st.one_of(
    st.none(),
    st.sampled_from((0, NOON - 1, NOON, NOON + 5 * SECOND, NOON + HOUR, NOON + 40 * DAY)),
    st.integers(NOON - 3 * DAY, NOON + 3 * DAY),
)
_TOLD = st.sampled_from(
    (
        (Initiator.UNKNOWN, Rung.NONE),
        (Initiator.SRC, Rung.FLAGS),
        (Initiator.DST, Rung.FLAGS),
        (Initiator.SRC, Rung.TUPLE),
        (Initiator.DST, Rung.REPORTED),
    )
)
_COUNTS = st.one_of(st.none(), st.integers(0, 9))


@st.composite
def lines(draw: st.DrawFn, addresses: Sequence[str] = ADDRESSES) -> Line:
    """Return any record among the addresses."""
    start = draw(_TIMES)
    initiator, rung = draw(_TOLD)
    return Line(
        src=draw(st.sampled_from(addresses)),
        dst=draw(st.sampled_from(addresses)),
        src_port=draw(st.sampled_from(PORTS)),
        dst_port=draw(st.sampled_from(PORTS)),
        protocol=draw(st.sampled_from((TCP, UDP))),
        start=start,
        end=None if start is None else start + draw(st.sampled_from((0, SECOND, 2 * HOUR))),
        asked=draw(st.sampled_from((None, None, SERVICE, OUTSIDE))),
        seen_src=draw(st.sampled_from((None, None, NODE1, WEB2))),
        initiator=initiator,
        rung=rung,
        outcome=draw(st.sampled_from(Outcome)),
        opening=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        observer=draw(st.sampled_from((None, "n1", "n2", "elsewhere"))),
        vantage=draw(st.sampled_from(Vantage)),
        fwd=draw(_COUNTS),
        rev=draw(_COUNTS),
        row=draw(st.integers(1, 99)),
    )


def fold_all(batches: Iterable[FlowBatch]) -> list[Edges]:
    """Return the edges of each batch."""
    return [fold(one, CLUSTER, DECLARED) for one in batches]


def never(value: int) -> bool:
    """Return whether the time is one that no record told."""
    return abs(value) == NEVER
