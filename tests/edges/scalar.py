"""The fold written out: one record at a time, in plain Python, by what the reference says.

It shares with ``synth`` the values (endpoints, enumerations, hashes of members), no code that
places, orients, counts or groups.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from synth.edges.schema import NEVER
from synth.flows import Initiator, Outcome, Rung, Vantage
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.endpoints import hash_member
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory
from tests.edges.strategies import UDP, Line, packed

HALF_DAY = 43_200_000_000
SOURCES = {"vpc-text": 1, "conntrack-text": 2}


@dataclass(frozen=True)
class End:
    """One end of one record."""

    endpoint: Endpoint
    node: str | None
    member: int
    address: str
    port: int


class ScalarFold:
    """Edges as a dict from key to measures."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.declared = listeners(inventory)
        self.edges: dict[tuple[Any, ...], dict[str, Any]] = {}
        self.connections: dict[tuple[Any, ...], set[Any]] = {}

    def add(
        self, line: Line, file: str = "a.log", source: str = "vpc-text", slack: int = 0
    ) -> None:
        """Count one record."""
        src, dst = (
            self._place(line, address, port, slack)
            for address, port in ((line.src, line.src_port), (line.dst, line.dst_port))
        )
        swap, rung = self._orient(line, src, dst)
        decided = rung != Rung.NONE
        client, server = (dst, src) if swap else (src, dst)
        seen = client.endpoint
        if line.seen_src is not None and decided and not swap:
            seen = self._place(line, line.seen_src, 0, slack).endpoint
        near, far = (self._was_given(one, line.protocol) for one in (client, server))
        key = (
            client.endpoint,
            seen,
            server.endpoint,
            line.protocol,
            0 if decided or (near and not far) else client.port,
            0 if not decided and far and not near else server.port,
            decided,
            client.node is not None and client.node == server.node,
            client.endpoint.kind is server.endpoint.kind is Kind.POD
            and client.member == server.member,
        )
        told = self._measures(line, client, server, swap, rung)
        told["sources"] = SOURCES[source]
        told["example"] = (file, line.row)
        ends = sorted([(src.address, src.port), (dst.address, dst.port)])
        self.connections.setdefault(key, set()).add(tuple(ends))
        self.edges[key] = _added(self.edges[key], told) if key in self.edges else told

    def _place(self, line: Line, address: str, port: int, slack: int) -> End:
        start = -NEVER if line.start is None else line.start - slack
        end = NEVER if line.end is None else line.end + slack
        holders = [one for one in self._holdings(address) if one[0] <= end and start < one[1]]
        known = [(endpoint, node, hash_member(member)) for _, _, endpoint, node, member in holders]
        if not known:
            return End(self._outside(address), None, 0, address, port)
        if len(known) == 1:
            return End(*known[0], address, port)
        if len({(one.kind, one.namespace, one.workload) for one, _, _ in known}) == 1:
            return End(known[-1][0], None, known[-1][2], address, port)
        both = tuple(sorted({one for one, _, _ in known}))
        ambiguous = Endpoint(Kind.AMBIGUOUS, address=address, candidates=both)
        return End(ambiguous, None, 0, address, port)

    def _holdings(self, address: str) -> list[tuple[int, int, Endpoint, str, str]]:
        found = []
        for pod in self.inventory.pods:
            if address in pod.addresses:
                one = Endpoint(Kind.POD, pod.namespace, pod.workload, pod.labels)
                start = -NEVER if pod.start is None else pod.start
                end = NEVER if pod.end is None else pod.end
                found.append((start, end, one, pod.node, pod.uid))
        for node in self.inventory.nodes:
            if address in node.addresses:
                one = Endpoint(Kind.NODE, workload=node.name, address=address)
                found.append((-NEVER, NEVER, one, node.name, node.name))
        return sorted(found)

    def _outside(self, address: str) -> Endpoint:
        for service in self.inventory.services:
            if address in service.addresses:
                return Endpoint(Kind.SERVICE, service.namespace, service.name, address=address)
        ranges = self.inventory.ranges
        if _inside(address, ranges.nodes):
            return Endpoint(Kind.NODE, address=address)
        if _inside(address, (*ranges.pods, *ranges.services)):
            return Endpoint(Kind.UNHELD, address=address)
        return Endpoint(Kind.ADDRESS, address=address)

    def _listens(self, end: End, protocol: int) -> bool:
        one = end.endpoint
        return (one.namespace, one.workload, protocol, end.port) in self.declared

    def _was_given(self, end: End, protocol: int) -> bool:
        return 32768 <= end.port <= 60999 and not self._listens(end, protocol)

    def _orient(self, line: Line, src: End, dst: End) -> tuple[bool, Rung]:
        src_listens, dst_listens = (self._listens(one, line.protocol) for one in (src, dst))
        may_be_late = (
            line.protocol == UDP and line.bidirectional and line.outcome == Outcome.UNKNOWN
        )
        late = may_be_late and src_listens and not dst_listens
        if line.initiator != Initiator.UNKNOWN and not late:
            return line.initiator == Initiator.DST, line.rung
        if src_listens != dst_listens:
            return src_listens, Rung.DECLARED
        ends = [(one.endpoint, one.port, packed(one.address)) for one in (src, dst)]
        return ends[0] > ends[1], Rung.NONE

    def _measures(
        self,
        line: Line,
        client: End,
        server: End,
        swap: bool,  # noqa: FBT001 - a column of its own
        rung: Rung,
    ) -> dict[str, Any]:
        silent = line.outcome == Outcome.UNKNOWN
        one_way = not line.bidirectional
        at_client = line.vantage == (Vantage.AT_DST if swap else Vantage.AT_SRC)
        at_server = line.vantage == (Vantage.AT_SRC if swap else Vantage.AT_DST)
        if line.observer in ("n1", "n2"):
            at_client |= line.observer == client.node
            at_server |= line.observer == server.node
        fwd, rev = line.fwd or 0, line.rev or 0
        out, back = (rev, fwd) if swap else (fwd, rev)
        out_bytes, back_bytes = (rev * 10, fwd * 100) if swap else (fwd * 100, rev * 10)
        return {
            "records": 1,
            "answered": int(
                line.outcome == Outcome.ANSWERED or (silent and rung != Rung.NONE and swap)
            ),
            "failed": int(line.outcome == Outcome.FAILED),
            "denied": int(line.outcome == Outcome.DENIED),
            "from_client": int(one_way and not swap),
            "from_server": int(one_way and swap),
            "heard_client": int(silent and not swap),
            "heard_server": int(silent and swap),
            "opened_at_client": int(line.opening and at_client and not at_server),
            "opened_at_server": int(line.opening and at_server),
            "opened_unplaced": int(line.opening and not at_client and not at_server),
            "packets_out": out,
            "packets_back": back,
            "bytes_out": out_bytes,
            "bytes_back": back_bytes,
            "first": NEVER if line.start is None else line.start,
            "last": -NEVER if line.end is None else line.end,
            "client_members": {client.member},
            "server_members": {server.member},
            "rungs": tuple(int(one == rung) for one in Rung),
            "half_days": set() if line.start is None else {line.start // HALF_DAY},
            "asked": None if line.asked is None else self._outside(line.asked),
        }


def _inside(address: str, blocks: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(block) for block in blocks)


def _added(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    smaller, larger = {"first", "example"}, {"last"}
    total = {}
    for name, value in one.items():
        theirs = other[name]
        if name in smaller:
            total[name] = min(value, theirs)
        elif name in larger:
            total[name] = max(value, theirs)
        elif name == "asked":
            total[name] = min((two for two in (value, theirs) if two), default=None)
        elif name == "rungs":
            total[name] = tuple(a + b for a, b in zip(value, theirs, strict=True))
        elif isinstance(value, set) or name == "sources":
            total[name] = value | theirs
        else:
            total[name] = value + theirs
    return total
