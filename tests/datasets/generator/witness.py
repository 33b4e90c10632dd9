"""Judges logs by the truth alone: each record must have come about."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import numpy as np

from datasets.generator import TrueEdge, Truth
from synth.flows import FlowBatch
from synth.sources import load
from synth.sources.files import find_files
from synth.sources.sniff import units

NODE = "node"
SECOND = 1_000_000


def read_batches(folder: Path) -> list[FlowBatch]:
    """Return what the real readers make of the logs."""
    return [
        batch
        for unit in units(find_files([str(folder)]), None, ())
        for batch in load(unit.source).read(unit)
    ]


def text_of(address: bytes) -> str:
    return str(ip_address(address[12:]))


class Witness:
    """Knows from the truth who held what, and who may call whom."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self._held = defaultdict[str, list[tuple[int, int, str, str]]](list)
        for row in truth.holdings.to_pylist():
            until = 1 << 40 if row["until"] is None else row["until"]
            self._held[row["address"]].append((row["since"], until, row["workload"], row["uid"]))
        self._nodes = {address for _, address in truth.nodes}
        starts = [(int(ip_address(one.first)), one.size, one.key) for one in truth.outside]
        self._outside = sorted(starts)
        self._edges = defaultdict[tuple[str, str, int, int], list[TrueEdge]](list)
        self._masked = defaultdict[tuple[str, int, int], list[TrueEdge]](list)
        self._leaving = defaultdict[tuple[str, int, int], list[TrueEdge]](list)
        for edge in truth.edges:
            service = 17 if edge.protocol == "UDP" else 6, edge.port
            self._edges[edge.client, edge.server, *service].append(edge)
            if edge.masked and edge.client.startswith("outside/"):
                self._masked[edge.server, *service].append(edge)
            elif edge.masked:
                self._leaving[edge.server, *service].append(edge)
        self._node_ports = {one.node_port for one in truth.workloads if one.node_port}

    def uids(self, address: str, first: int, last: int) -> set[str]:
        """Return the pods that held the address within the seconds, both included."""
        return {one[3] for one in self._meeting(address, first, last)}

    def _meeting(self, address: str, first: int, last: int) -> Iterator[tuple[int, int, str, str]]:
        return (x for x in self._held.get(address, ()) if x[0] <= last and first < x[1])

    def holders(self, address: str, first: int, last: int) -> set[str]:
        """Return the workloads, nodes or outsiders that the address was."""
        if address in self._nodes:
            return {NODE}
        found = {one[2] for one in self._meeting(address, first, last)}
        number = int(ip_address(address))
        at = bisect_left(self._outside, (number + 1,)) - 1
        if at >= 0 and number < self._outside[at][0] + self._outside[at][1]:
            found.add(self._outside[at][2])
        return found

    def edges_of(
        self, client: str, server: str, service: tuple[int, int], time: tuple[int, int]
    ) -> set[TrueEdge]:
        """Return the edges that a connection of these addresses may have been of."""
        some = set[TrueEdge]()
        for one in self.holders(client, *time):
            for other in self.holders(server, *time):
                if one == NODE:
                    some |= {*self._masked[other, *service], *self._leaving[other, *service]}
                elif other == NODE and service[1] in self._node_ports:
                    some |= {x for rows in self._masked.values() for x in rows}
                else:
                    some |= {*self._edges[one, other, *service]}
        return {x for x in some if (x.since or 0) <= time[1] and time[0] < (x.until or 1 << 40)}

    def explain(self, batch: FlowBatch, sample: int) -> Iterator[tuple[dict[str, Any], set[Any]]]:
        """Yield records, and the edges that each may be of: every so manyth one."""
        rows = batch.table.take(np.arange(0, batch.table.num_rows, sample)).to_pylist()
        for row in rows:
            src, dst = text_of(row["src"]), text_of(row["dst"])
            start, end = (int(row[name].timestamp()) for name in ("start", "end"))
            if batch.source.startswith("conntrack"):
                time = start - 1, start + 1
                yield row, self.edges_of(src, dst, (row["protocol"], row["dst_port"]), time)
                continue
            time = start - 60, end
            there = self.edges_of(src, dst, (row["protocol"], row["dst_port"]), time)
            back = self.edges_of(dst, src, (row["protocol"], row["src_port"]), time)
            yield row, there | back | self._probe(src, time)

    def _probe(self, src: str, time: tuple[int, int]) -> set[str]:
        return {"probe"} if "outside/probers" in self.holders(src, *time) else set()
