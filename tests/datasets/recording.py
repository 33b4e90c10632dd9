"""The committed recording as plain values, read by code that is not synth's."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from datasets.recorder.conntrack_parquet import read_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "three-tier"
NODES = ("node1", "node2")
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP"}
LINE = re.compile(r"(?P<family>ipv[46]) +\d+ \w+ +(?P<proto>\d+) .* id=(?P<id>\d+)$")
TUPLE = re.compile(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)(?: packets=(\d+) bytes=(\d+))?")
Row = dict[str, Any]
Contact = tuple[str, str, str, int | None, str]


@dataclass(frozen=True, slots=True)
class Held:
    """A pod's hold on its addresses, in seconds since 1970."""

    workload: str
    name: str
    node: str
    addresses: tuple[str, ...]
    start: float
    end: float


def read_json(*parts: str) -> Row:
    """Return what a file of the data set holds."""
    found: Row = json.loads(FOLDER.joinpath(*parts).read_text())
    return found


def read_items(when: str, kind: str) -> list[Row]:
    """Return the items of one list of a snapshot."""
    listed = read_json("cluster", when, f"{kind}.json")
    assert (listed["kind"], listed["apiVersion"]) == ("List", "v1")
    items: list[Row] = listed["items"]
    return items


def read_watch() -> list[Row]:
    """Return the events of the watch stream."""
    decoder, text = json.JSONDecoder(), (FOLDER / "cluster/watch/pods.json").read_text().strip()
    found: list[Row] = []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def events_of(node: str) -> Path:
    """Return the event log of a node."""
    return FOLDER / "flows" / "conntrack" / f"{node}.events.txt"


def read_lines(node: str) -> list[str]:
    """Return the lines of an event log."""
    return events_of(node).read_text().splitlines()


def read_rows(node: str) -> list[Row]:
    """Return the rows of a Parquet file of conntrack."""
    rows: list[Row] = pq.read_table(FOLDER / "flows" / "parquet" / f"{node}.parquet").to_pylist()
    return rows


def read_vpc() -> list[Row]:
    """Return the VPC flow log records, from the Parquet files."""
    files = sorted((FOLDER / "flows" / "vpc" / "parquet").rglob("*.parquet"))
    return [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]


def read_entries(node: str) -> Iterator[Row]:
    """Yield each connection that has ended or was tracked at the end, with its counters."""
    for row in read_events(events_of(node)):
        if row["event"] == "destroy" and row["orig_sport"] is not None:
            yield row
    for line in (FOLDER / "flows" / "tables" / f"{node}.table.txt").read_text().splitlines():
        tuples = TUPLE.findall(line)
        match = LINE.match(line)
        assert match is not None
        if tuples:
            row = {"proto": int(match["proto"]), "ct_id": int(match["id"])}
            for side, (src, dst, sport, dport, packets, size) in zip(
                ("orig", "reply"), tuples, strict=True
            ):
                row |= {f"{side}_src": src, f"{side}_dst": dst, f"{side}_sport": int(sport)}
                row |= {f"{side}_dport": int(dport), f"{side}_packets": int(packets)}
                row |= {f"{side}_bytes": int(size)}
            yield row


def seconds(text: str) -> float:
    """Return the time as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def read_holds() -> list[Held]:
    """Return who held which addresses and when, from the watch stream."""
    owners = {
        item["metadata"]["uid"]: item
        for when in ("before", "after")
        for item in read_items(when, "workloads")
    }
    last: dict[str, Row] = {}
    for event in read_watch():
        pod = event["object"]
        if "podIPs" in pod["status"]:
            last[pod["metadata"]["uid"]] = pod
    return [_hold(pod, owners) for pod in last.values()]


def _hold(pod: Row, owners: dict[str, Row]) -> Held:
    states = [one["state"] for one in pod["status"]["containerStatuses"]]
    ends = [seconds(one["terminated"]["finishedAt"]) for one in states if "terminated" in one]
    # Kubernetes tells whole seconds: it ended within the one told.
    end = max(ends) + 1 if ends else float("inf")
    addresses = tuple(one["ip"] for one in pod["status"]["podIPs"])
    start = seconds(pod["status"]["startTime"])
    meta = pod["metadata"]
    return Held(
        find_workload(pod, owners), meta["name"], pod["spec"]["nodeName"], addresses, start, end
    )


def find_workload(item: Row, owners: dict[str, Row]) -> str:
    """Return the top-level owner as ``namespace/name``."""
    while "ownerReferences" in item["metadata"]:
        (owner,) = item["metadata"]["ownerReferences"]
        item = owners[owner["uid"]]
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


def own_ranges(node: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the node's addresses and those of its pods, as networks."""
    (found,) = [one for one in read_items("before", "nodes") if one["metadata"]["name"] == node]
    own = [one["address"] for one in found["status"]["addresses"] if one["type"] == "InternalIP"]
    return [ipaddress.ip_network(one) for one in chain(own, found["spec"]["podCIDRs"])]


def holds(ranges: Iterable[Any], address: str) -> bool:
    """Return whether the address is in one of the networks."""
    return any(ipaddress.ip_address(address) in one for one in ranges)


def print_line(row: Row) -> str:
    """Return the line that conntrack printed for a row, with single blanks."""
    ts, names = row["ts"], {2: "ipv4", 10: "ipv6"}
    parts = [f"[{int(ts.timestamp())}.{ts.microsecond:06}]", f"[{row['event'].upper()}]"]
    parts += [
        f"{names[row['l3']]} {row['l3']}",
        f"{PROTOCOLS[row['proto']].lower()} {row['proto']}",
    ]
    parts += [str(row["timeout_s"])] * (row["timeout_s"] is not None)
    parts += [row["tcp_state"]] * (row["tcp_state"] is not None)
    parts += [print_tuple(row, "orig"), "[UNREPLIED]" * row["unreplied"]]
    parts += [print_tuple(row, "reply"), "[ASSURED]" * row["assured"]]
    parts += [f"delta-time={row['delta_time']}"] * (row["delta_time"] is not None)
    return " ".join(part for part in [*parts, f"id={row['ct_id']}"] if part)


def print_tuple(row: Row, side: str) -> str:
    """Return one tuple of a row as conntrack prints it."""
    parts = [f"src={row[f'{side}_src']} dst={row[f'{side}_dst']}"]
    if row["icmp_type"] is None:
        parts += [f"sport={row[f'{side}_sport']} dport={row[f'{side}_dport']}"]
    else:  # an echo request is type 8, its reply type 0
        shown = row["icmp_type"] if side == "orig" else 0
        parts += [f"type={shown} code={row['icmp_code']} id={row['icmp_id']}"]
    if row[f"{side}_packets"] is not None:
        parts += [f"packets={row[f'{side}_packets']} bytes={row[f'{side}_bytes']}"]
    return " ".join(parts)
