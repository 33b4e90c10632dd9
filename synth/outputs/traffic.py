"""Edges in words: who, to whom, on what, how often, when, and where it can be read."""

from collections.abc import Mapping
from dataclasses import dataclass

from synth.edges.schema import NEVER, Edges
from synth.reports.figures import instant, protocol_name
from synth.reports.paths import relative_names

HALF_DAYS_A_DAY = 2


@dataclass(frozen=True)
class Telling:
    """Edges, and what their files are called."""

    edges: Edges
    names: Mapping[str, str]

    @classmethod
    def of(cls, edges: Edges) -> "Telling":
        """Return the edges with their files named below the folder that all share."""
        return cls(edges, relative_names(edges.files))

    def key(self, row: int) -> dict[str, object]:
        """Return client, server, protocol and port."""
        edges = self.edges
        return {
            "client": edges.endpoints[edges.client[row]].name,
            "server": edges.endpoints[edges.server[row]].name,
            "protocol": protocol_name(int(edges.protocol[row])),
            "port": int(edges.port[row]),
        }

    def example(self, row: int) -> str:
        """Return ``file:row`` of the first record."""
        file, line = self.edges.example_of(row)
        return f"{self.names[file]}:{line}"

    def evidence(self, row: int) -> dict[str, object]:
        """Return the key and all that speaks for the edge."""
        edges = self.edges
        connections = int(edges.connections[row])
        timed = int(edges.first[row]) != NEVER
        return {
            **self.key(row),
            "records": int(edges.records[row]),
            "connections": None if connections < 0 else connections,
            "first_seen": instant(int(edges.first[row])) if timed else None,
            "last_seen": instant(int(edges.last[row])) if timed else None,
            "one_day": days_of(edges, row) < 2,  # noqa: PLR2004 - fewer than two days
            "example": self.example(row),
        }


def days_of(edges: Edges, row: int) -> int:
    """Return on how many days, UTC, the edge was seen; 0 if its records carry no time."""
    bits = 0
    for word, value in enumerate(edges.half_days[row].tolist()):
        bits |= value << (64 * word)
    bits <<= edges.half_day_base % HALF_DAYS_A_DAY
    days = 0
    while bits:
        days += bool(bits & 0b11)
        bits >>= HALF_DAYS_A_DAY
    return days
