"""CPU seconds of the fold on made-up VPC records, and of a pandas groupby on the same rows.

    python benchmarks/fold.py [records]

The fold places addresses in time, tells who opened, and counts; the groupby is given the edge's
ends and the server's port as finished integers, and only counts. Each runs in a process of its
own, so that each has a peak of its own.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.edges.collapse import collapse
from synth.edges.fold import fold
from synth.edges.merge import merge
from synth.edges.schema import Edges
from synth.engines.local import ROWS_HELD
from synth.flows import CODED_ADDRESS, CODED_TEXT, SCHEMA, TIME, FlowBatch, validate
from synth.inventory.endpoint import ContainerPort
from synth.inventory.endpoints import with_endpoints
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory, Node, Pod, Ranges, Workload
from synth.policy.ports import Protocol

BATCH = 500_000
WORKLOADS, REPLICAS, OUTSIDE, NODES = 200, 20, 2_000, 50
LINKS = 1_500
START = 1_700_000_000_000_000
DAY = 24 * 3600 * 1_000_000
Columns = dict[str, NDArray[Any]]


def main() -> None:
    """Print what both take."""
    if sys.argv[1:2] in (["fold"], ["groupby"]):
        work = _fold if sys.argv[1] == "fold" else _groupby
        work(int(sys.argv[2]))
        return
    records = sys.argv[1] if len(sys.argv) > 1 else "5000000"
    seconds = {}
    for name in ("fold", "groupby"):
        run = subprocess.run(  # noqa: S603 - this very file
            [sys.executable, __file__, name, records], check=True, capture_output=True, text=True
        )
        seconds[name], rows, peak = map(float, run.stdout.split())
        rate = int(records) / seconds[name] / 1e6
        print(
            f"{name:8} {seconds[name]:6.2f} CPU s, {rate:5.2f} M records per CPU second, "
            f"{rows:,.0f} rows, peak {peak:,.0f} MB"
        )
    print(f"the fold takes {seconds['fold'] / seconds['groupby']:.1f} times the groupby")


def _fold(records: int) -> None:
    inventory = _inventory()
    declared = listeners(inventory)
    parts, spent = list[Edges](), 0.0
    for number, columns in enumerate(_batches(records)):
        batch = _flow_batch(columns, f"{number}.parquet")
        begin = time.process_time()
        parts.append(fold(batch, inventory, declared))
        if sum(map(len, parts)) > ROWS_HELD:
            parts = [collapse(merge(parts))]
        spent += time.process_time() - begin
    begin = time.process_time()
    whole = collapse(merge(parts))
    spent += time.process_time() - begin
    if whole.records.sum() != records:
        raise SystemExit("the fold lost records")
    print(spent, len(whole), _peak())


def _groupby(records: int) -> None:
    import pandas as pd  # noqa: PLC0415 - the fold's process does not need it

    whole, spent = pd.DataFrame(), 0.0
    for columns in _batches(records):
        frame = pd.DataFrame(_finished(columns))
        begin = time.process_time()
        part = frame.groupby(["client", "server", "port", "protocol"]).agg(
            records=("start", "size"),
            bytes=("bytes", "sum"),
            first=("start", "min"),
            last=("end", "max"),
        )
        whole = (
            pd.concat([whole, part])
            .groupby(level=[0, 1, 2, 3])
            .agg({"records": "sum", "bytes": "sum", "first": "min", "last": "max"})
            if len(whole)
            else part
        )
        spent += time.process_time() - begin
    print(spent, len(whole), _peak())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _batches(records: int) -> Iterator[Columns]:
    rng = np.random.default_rng(1)
    clients, servers = rng.integers(0, WORKLOADS, (2, LINKS))
    ports = rng.choice([80, 443, 3306, 5000, 8080, 9090, 50051], LINKS)
    for first in range(0, records, BATCH):
        size = min(BATCH, records - first)
        link = (rng.zipf(1.2, size) - 1) % LINKS
        client = clients[link] * REPLICAS + rng.integers(0, REPLICAS, size)
        outside = rng.random(size) < 0.02
        client[outside] = WORKLOADS * REPLICAS + rng.integers(0, OUTSIDE, int(outside.sum()))
        start = START + rng.integers(0, DAY, size) // 1_000_000 * 1_000_000
        yield {
            "client": client,
            "server": servers[link] * REPLICAS + rng.integers(0, REPLICAS, size),
            "port": ports[link],
            "client_port": rng.integers(32768, 61000, size),
            "reply": rng.random(size) < 0.5,
            "flags": rng.random(size) < 0.6,
            "egress": rng.random(size) < 0.5,
            "start": start,
            "end": start + 59_000_000,
            "packets": rng.integers(1, 100, size),
            "bytes": rng.integers(40, 100_000, size),
        }


def _flow_batch(columns: Columns, file: str) -> FlowBatch:
    reply, flags = columns["reply"], columns["flags"]
    size = len(reply)
    addresses = pa.array(_addresses(), pa.binary(16))
    src = np.where(reply, columns["server"], columns["client"]).astype(np.int32)
    dst = np.where(reply, columns["client"], columns["server"]).astype(np.int32)
    table = {
        "row": np.arange(1, size + 1),
        "start": pa.array(columns["start"]).cast(TIME),
        "end": pa.array(columns["end"]).cast(TIME),
        "protocol": np.full(size, 6, np.uint8),
        "src": pa.DictionaryArray.from_arrays(pa.array(src), addresses),
        "dst": pa.DictionaryArray.from_arrays(pa.array(dst), addresses),
        "src_port": np.where(reply, columns["port"], columns["client_port"]).astype(np.uint16),
        "dst_port": np.where(reply, columns["client_port"], columns["port"]).astype(np.uint16),
        "asked": pa.nulls(size, CODED_ADDRESS),
        "asked_port": pa.nulls(size, pa.uint16()),
        "seen_src": pa.nulls(size, CODED_ADDRESS),
        "initiator": np.where(flags, np.where(reply, 2, 1), 0).astype(np.uint8),
        "rung": flags.astype(np.uint8),
        "outcome": (flags & reply).astype(np.uint8),
        "opening": flags & ~reply,
        "bidirectional": np.zeros(size, np.bool_),
        "observer": pa.nulls(size, CODED_TEXT),
        "vantage": np.where(columns["egress"], 1, 2).astype(np.uint8),
        "fwd_packets": columns["packets"].astype(np.uint64),
        "fwd_bytes": columns["bytes"].astype(np.uint64),
        "rev_packets": pa.nulls(size, pa.uint64()),
        "rev_bytes": pa.nulls(size, pa.uint64()),
    }
    arrays = [
        table[one.name]
        if isinstance(table[one.name], pa.Array)
        else pa.array(table[one.name], one.type)
        for one in SCHEMA
    ]
    return validate(FlowBatch(file, "vpc-parquet", pa.record_batch(arrays, schema=SCHEMA)))


def _finished(columns: Columns) -> Columns:
    """Return the columns as a groupby wants them: who and where, as integers."""
    count = WORKLOADS * REPLICAS
    client = np.where(columns["client"] < count, columns["client"] // REPLICAS, columns["client"])
    return {
        "client": client,
        "server": columns["server"] // REPLICAS,
        "port": columns["port"],
        "protocol": np.full(len(client), 6, np.uint8),
        "start": columns["start"],
        "end": columns["end"],
        "bytes": columns["bytes"],
    }


def _addresses() -> list[bytes]:
    mapped = bytes(10) + b"\xff\xff"
    pods = [mapped + bytes([10, 0, one >> 8, one & 255]) for one in range(WORKLOADS * REPLICAS)]
    outside = [mapped + bytes([198, 18 + (one & 1), one >> 8, one & 255]) for one in range(OUTSIDE)]
    return pods + outside


def _inventory() -> Inventory:
    nodes = tuple(Node(f"n{one:02}", (f"192.168.0.{one + 1}",)) for one in range(NODES))
    pods = tuple(
        Pod(
            namespace=f"ns{number // REPLICAS % 20}",
            name=f"p{number}",
            uid=f"u{number}",
            workload=f"Deployment/w{number // REPLICAS}",
            labels=(("app", f"w{number // REPLICAS}"),),
            node=nodes[number % NODES].name,
            addresses=(f"10.0.{number >> 8}.{number & 255}",),
        )
        for number in range(WORKLOADS * REPLICAS)
    )
    workloads = tuple(
        Workload(f"ns{one % 20}", "Deployment", f"w{one}", ports=_ports(one))
        for one in range(WORKLOADS)
    )
    ranges = Ranges(pods=("10.0.0.0/16",), nodes=("192.168.0.0/24",))
    return with_endpoints(Inventory((), workloads, (), nodes, pods, ranges))


def _ports(number: int) -> tuple[ContainerPort, ...]:
    listening = (ContainerPort(Protocol.TCP, 8080), ContainerPort(Protocol.TCP, 5000))
    return listening if number % 2 else ()


if __name__ == "__main__":
    main()
