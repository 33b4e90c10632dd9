"""What changes between two sets of policies: in text, in connections, in verdicts of records."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from synth.cni.enforcement import Enforcement
from synth.edges.schema import Edges
from synth.evaluator.diff import Edit
from synth.evaluator.reach import Reach
from synth.evaluator.verdicts import Verdicts
from synth.ledger import Ledger
from synth.policy.model import Policy
from synth.policy.ports import Protocol
from synth.proof.replay import Verdict
from synth.proof.results import InputFile

_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}


@dataclass(frozen=True, slots=True)
class VerdictChange:
    """Records that the old and the new policies judge differently."""

    source: str
    destination: str
    protocol: str
    port: int
    records: int
    example: str
    old: Verdict
    new: Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of all records under both sets: counts, and the changes, most records first.

    ``skipped`` became no edge.
    """

    old: Mapping[Verdict, int]
    new: Mapping[Verdict, int]
    changes: tuple[VerdictChange, ...]
    inputs: tuple[InputFile, ...]
    skipped: Ledger = field(default_factory=Ledger)

    @property
    def blocked(self) -> int:
        """Records that were allowed and would be denied."""
        return sum(
            one.records
            for one in self.changes
            if (one.old, one.new) == (Verdict.ALLOWED, Verdict.DENIED)
        )


@dataclass(frozen=True, slots=True)
class DiffResult:
    """What ``synth diff`` found; without a cluster, ``connections`` is None, as is ``judged``.

    ``beside`` are policies of the cluster that neither set names: they hold before and after.
    """

    old: str
    new: str
    policies: tuple[Edit[Policy], ...]
    connections: tuple[Edit[Reach], ...] | None = None
    judged: Judged | None = None
    beside: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    enforcement: Enforcement | None = None
    """What the cluster's network plugin makes of the new policies."""
    warnings: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether the sets differ in meaning; without a cluster, in canonical YAML."""
        if self.connections is None:
            return bool(self.policies)
        return bool(self.connections or (self.judged and self.judged.changes))


def compare_verdicts(edges: Edges, old: Verdicts, new: Verdicts) -> tuple[VerdictChange, ...]:
    """Return the edges whose verdicts differ, those of one name and one change added up."""
    before, after = words_of(old), words_of(new)
    found: dict[tuple[str, str, str, int, str, str], list[int]] = {}
    for row in np.flatnonzero(before != after).tolist():
        protocol = int(edges.protocol[row])
        key = (
            edges.endpoints[edges.client[row]].name,
            edges.endpoints[edges.server[row]].name,
            _PROTOCOLS.get(protocol, str(protocol)),
            int(edges.port[row]),
            str(before[row]),
            str(after[row]),
        )
        found.setdefault(key, []).append(row)
    changes = [_change(edges, key, rows) for key, rows in sorted(found.items())]
    return tuple(sorted(changes, key=lambda one: -one.records))


def count_verdicts(edges: Edges, verdicts: Verdicts) -> Mapping[Verdict, int]:
    """Return the records of each verdict."""
    words = words_of(verdicts)
    return {verdict: int(edges.records[words == verdict.value].sum()) for verdict in Verdict}


def words_of(verdicts: Verdicts) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Return str[n]: the verdict of each row."""
    words = np.full(len(verdicts), Verdict.DENIED.value, "U12")
    words[verdicts.allowed] = Verdict.ALLOWED.value
    words[verdicts.undetermined] = Verdict.UNDETERMINED.value
    return words


def _change(
    edges: Edges, key: tuple[str, str, str, int, str, str], rows: list[int]
) -> VerdictChange:
    first = min(rows, key=lambda row: int(edges.example[row]))
    file, line = edges.example_of(first)
    source, destination, protocol, port, old, new = key
    return VerdictChange(
        source=source,
        destination=destination,
        protocol=protocol,
        port=port,
        records=int(edges.records[rows].sum()),
        example=f"{file}:{line}",
        old=Verdict(old),
        new=Verdict(new),
    )
