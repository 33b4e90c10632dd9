"""Made-up VPC flow logs as Parquet, with the columns and types of AWS, of the made-up cluster.

    python -m benchmarks.vpc_capture 5000000 build/bench

A conversation leaves up to four records a minute: at both interfaces, in both directions. Of the
conversations, 31 % show their opening (SYN, SYN-ACK), 2 % have an end outside; 0.3 % of the
records are probes from outside that were rejected. Order within a minute is arbitrary.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.vpc_world import (
    ADDRESSES,
    MINUTES,
    NODES,
    OUTSIDE,
    PAIRS,
    START,
    TCP,
    World,
    make_world,
    node_of,
    node_texts,
    outside_texts,
    pod_texts,
    write_cluster,
)

FILE_ROWS, GROUP_ROWS = 1_000_000, 500_000
CODECS = ("snappy", "gzip")
OPENED, WITH_OUTSIDE, SCANNED = 0.31, 0.02, 0.003
EGRESS, INGRESS = 0, 1
FIRST_EPHEMERAL, LAST_EPHEMERAL = 32768, 60999
_NODES_AT, _OUTSIDE_AT = ADDRESSES, ADDRESSES + NODES
Columns = dict[str, NDArray[Any]]


def main() -> None:
    """Write the capture, once for each codec, and the cluster."""
    write_capture(int(sys.argv[1]), Path(sys.argv[2]))


def write_capture(records: int, folder: Path) -> None:
    """Write ``cluster/``, ``snappy/`` and ``gzip/`` into the folder."""
    world = make_world()
    write_cluster(world, folder / "cluster")
    files = -(-records // FILE_ROWS)
    for number in range(files):
        rows = min(FILE_ROWS, records - number * FILE_ROWS)
        minutes = MINUTES * number // files, MINUTES * (number + 1) // files
        table = _table(_records(world, rows, minutes, seed=number))
        for codec in CODECS:
            path = folder / codec / f"{number:04}.log.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table, path, compression=codec, row_group_size=GROUP_ROWS)


def _records(world: World, rows: int, minutes: tuple[int, int], seed: int) -> Columns:
    """Return as many records; an address is a number: pods, then nodes, then outside."""
    rng = np.random.default_rng([2, seed])
    scans = int(rows * SCANNED)
    talks = _talks(world, rng, (rows - scans) // 3, minutes)
    kinds = [
        _seen(talks, rng, at_client=at_client, reply=reply)
        for at_client in (True, False)
        for reply in (False, True)
    ]
    whole = {name: np.concatenate([kind[name] for kind in kinds]) for name in kinds[0]}
    chosen = rng.permutation(len(whole["start"]))[: rows - scans]
    probes = _scans(rng, rows - len(chosen), minutes)
    mixed = {name: np.concatenate([whole[name][chosen], probes[name]]) for name in whole}
    order = np.argsort(mixed["start"] // 60, kind="stable")
    order = order[np.lexsort((rng.random(rows), mixed["start"][order] // 60))]
    return {name: values[order] for name, values in mixed.items()}


def _talks(world: World, rng: np.random.Generator, count: int, minutes: tuple[int, int]) -> Columns:
    pair = rng.choice(PAIRS, count, p=world.weight)
    minute = rng.integers(*minutes, count)
    client = world.held(world.pairs[0, pair], minute, rng.random(count))
    server = world.held(world.pairs[1, pair], minute, rng.random(count))
    far = rng.random(count) < WITH_OUTSIDE
    inward = far & (rng.random(count) < 0.5)
    outward = far & ~inward
    strangers = _OUTSIDE_AT + rng.integers(0, OUTSIDE, count)
    port, protocol = world.port[world.pairs[1, pair]], world.protocol[world.pairs[1, pair]]
    return {
        "client": np.where(inward, strangers, client),
        "server": np.where(outward, strangers, server),
        "client_port": rng.integers(FIRST_EPHEMERAL, LAST_EPHEMERAL + 1, count),
        "port": np.where(far, 443, port),
        "protocol": np.where(far, TCP, protocol),
        "start": START + 60 * minute,
        "opened": rng.random(count) < OPENED,
    }


def _seen(talks: Columns, rng: np.random.Generator, *, at_client: bool, reply: bool) -> Columns:
    """Return one record of each conversation whose interface is a node's of the cluster."""
    own = talks["client" if at_client else "server"]
    client, server = node_of(talks["client"]), node_of(talks["server"])
    rows = (own < _NODES_AT) & (client != server)  # what stays in a node passes no interface
    talk = {name: values[rows] for name, values in talks.items()}
    src, dst = (talk["server"], talk["client"]) if reply else (talk["client"], talk["server"])
    ports = talk["client_port"], talk["port"]
    outgoing = at_client != reply
    interface = node_of(own[rows])
    size = len(src)
    packets = rng.integers(1, 60, size)
    start = talk["start"] + rng.integers(0, 60, size)
    finished = rng.random(size) < 0.8
    flags = np.where(talk["opened"], (18 if reply else 2) + finished, 0)
    return {
        "interface": interface,
        "srcaddr": interface + _NODES_AT if outgoing else src,
        "dstaddr": dst if outgoing else interface + _NODES_AT,
        "pkt_srcaddr": src,
        "pkt_dstaddr": dst,
        "srcport": ports[1] if reply else ports[0],
        "dstport": ports[0] if reply else ports[1],
        "protocol": talk["protocol"],
        "packets": packets,
        "bytes": packets * rng.integers(52, 1_400, size),
        "start": start,
        "end": start + rng.integers(0, 60, size),
        "tcp_flags": np.where(talk["protocol"] == TCP, flags, 0),
        "way": np.full(size, EGRESS if outgoing else INGRESS),
        "rejected": np.zeros(size, bool),
    }


def _scans(rng: np.random.Generator, count: int, minutes: tuple[int, int]) -> Columns:
    target = rng.integers(0, ADDRESSES, count)
    src = _OUTSIDE_AT + rng.integers(0, 50, count)
    start = START + 60 * rng.integers(*minutes, count) + rng.integers(0, 60, count)
    return {
        "interface": node_of(target),
        "srcaddr": src,
        "dstaddr": node_of(target) + _NODES_AT,
        "pkt_srcaddr": src,
        "pkt_dstaddr": target,
        "srcport": rng.integers(FIRST_EPHEMERAL, LAST_EPHEMERAL + 1, count),
        "dstport": rng.integers(1, 65_536, count),
        "protocol": np.full(count, TCP),
        "packets": np.ones(count, np.int64),
        "bytes": np.full(count, 44),
        "start": start,
        "end": start + rng.integers(0, 60, count),
        "tcp_flags": np.full(count, 2),
        "way": np.full(count, INGRESS),
        "rejected": np.ones(count, bool),
    }


def _table(records: Columns) -> pa.Table:
    """Return the 29 columns of version 5, in AWS's order, with AWS's names and types."""
    size = len(records["start"])
    addresses = np.concatenate([pod_texts(), node_texts(), outside_texts()])
    interface = records["interface"]

    def constant(text: str) -> pa.Array:
        return _words(np.zeros(size, np.int64), [text])

    def address(name: str) -> pa.Array:
        return _words(records[name], addresses)

    def number(name: str, kind: pa.DataType) -> pa.Array:
        return pa.array(records[name]).cast(kind)

    outgoing = records["way"] == EGRESS
    return pa.table(
        {
            "version": pa.array(np.full(size, 5), pa.int32()),
            "account_id": constant("123456789012"),
            "interface_id": _words(interface, [f"eni-{one:017x}" for one in range(NODES)]),
            "srcaddr": address("srcaddr"),
            "dstaddr": address("dstaddr"),
            "srcport": number("srcport", pa.int32()),
            "dstport": number("dstport", pa.int32()),
            "protocol": number("protocol", pa.int32()),
            "packets": number("packets", pa.int64()),
            "bytes": number("bytes", pa.int64()),
            "start": number("start", pa.int64()),
            "end": number("end", pa.int64()),
            "action": _words(records["rejected"].astype(np.int64), ["ACCEPT", "REJECT"]),
            "log_status": constant("OK"),
            "vpc_id": constant("vpc-0123456789abcdef0"),
            "subnet_id": _words(interface % 3, [f"subnet-{one:017x}" for one in range(3)]),
            "instance_id": _words(interface, [f"i-{one:017x}" for one in range(NODES)]),
            "tcp_flags": number("tcp_flags", pa.int32()),
            "type": constant("IPv4"),
            "pkt_srcaddr": address("pkt_srcaddr"),
            "pkt_dstaddr": address("pkt_dstaddr"),
            "region": constant("eu-central-1"),
            "az_id": _words(interface % 3, [f"euc1-az{one + 1}" for one in range(3)]),
            "sublocation_type": constant("-"),
            "sublocation_id": constant("-"),
            "pkt_src_aws_service": constant("-"),
            "pkt_dst_aws_service": constant("-"),
            "flow_direction": _words(records["way"], ["egress", "ingress"]),
            "traffic_path": pa.array(np.ones(size, np.int32), pa.int32(), mask=~outgoing),
        }
    )


def _words(codes: NDArray[Any], words: Any) -> pa.Array:  # noqa: ANN401 - a list or an array
    coded = pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(words))
    return coded.cast(pa.utf8())


if __name__ == "__main__":
    main()
