"""How well policies cover the traffic there is: figures, gaps, unused rules, over-permission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from synth.cni.enforcement import Enforcement
from synth.edges.schema import Edges
from synth.evaluator.compile import Compiled
from synth.evaluator.coverage import Figures, Scope, State, States
from synth.evaluator.over_permission import OverPermission
from synth.evaluator.usage import RuleUse, isolated_ends
from synth.ledger import Ledger
from synth.policy.model import Direction, PolicySet
from synth.policy.ports import Protocol
from synth.proof.results import InputFile

_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}
_LACKING = (State.UNCOVERED, State.UNDETERMINED, State.DENIED)
_WORDS = {State.COVERED: "covered"} | {state: state.name.lower() for state in _LACKING}


@dataclass(frozen=True, slots=True)
class Isolation:
    """How many of the pods that exist are isolated; ``both`` are in ``ingress`` and ``egress``."""

    total: int = 0
    ingress: int = 0
    egress: int = 0
    both: int = 0

    @property
    def neither(self) -> int:
        """The pods that no policy isolates."""
        return self.total - self.ingress - self.egress + self.both


@dataclass(frozen=True, slots=True)
class Gap:
    """Traffic that is not covered at one side at least.

    ``egress`` and ``ingress`` are what the client's and the server's side is: ``covered``,
    ``uncovered``, ``undetermined``, ``denied``; empty where policies have no say.
    """

    source: str
    destination: str
    protocol: str
    port: int
    egress: str
    ingress: str
    records: int
    bytes: int
    example: str


@dataclass(frozen=True, slots=True)
class CoverageResult:
    """What ``synth coverage`` found; ``gaps`` are sorted, most records first."""

    figures: Mapping[Scope, Figures]
    pods: Isolation
    rules: tuple[RuleUse, ...]
    over_permission: OverPermission
    gaps: tuple[Gap, ...]
    inputs: tuple[InputFile, ...]
    policies: PolicySet
    skipped: Ledger = field(default_factory=Ledger)
    elsewhere: tuple[str, ...] = ()
    enforcement: Enforcement = field(default_factory=Enforcement)
    """What the cluster's network plugin makes of the policies."""
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """All records read."""
        return sum(one.records for one in self.inputs)


def count_isolated(compiled: Compiled, first: int, pods: Sequence[int]) -> Isolation:
    """Return the isolation of the endpoints from number ``first`` on, ``pods[i]`` pods each."""
    counts = np.array(pods, np.int64)
    ingress, egress = (
        isolated_ends(compiled, direction)[first : first + len(counts)]
        for direction in (Direction.INGRESS, Direction.EGRESS)
    )
    masks = (ingress | True, ingress, egress, ingress & egress)
    return Isolation(*(int(counts[mask].sum()) for mask in masks))


def find_gaps(edges: Edges, states: Mapping[Scope, States]) -> tuple[Gap, ...]:
    """Return the traffic that is not covered, edges of one name and one state added up."""
    egress, ingress = states[Scope.EGRESS], states[Scope.INGRESS]
    lacking = np.isin(egress, _LACKING) | np.isin(ingress, _LACKING)
    found: dict[tuple[str, str, str, int, str, str], list[int]] = {}
    for row in np.flatnonzero(lacking).tolist():
        protocol = int(edges.protocol[row])
        key = (
            edges.endpoints[edges.client[row]].name,
            edges.endpoints[edges.server[row]].name,
            _PROTOCOLS.get(protocol, str(protocol)),
            int(edges.port[row]),
            _WORDS.get(State(egress[row]), ""),
            _WORDS.get(State(ingress[row]), ""),
        )
        found.setdefault(key, []).append(row)
    gaps = [_gap(edges, key, np.array(rows)) for key, rows in found.items()]
    return tuple(sorted(gaps, key=lambda one: (-one.records, *_name(one))))


def _gap(
    edges: Edges,
    key: tuple[str, str, str, int, str, str],
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Gap:
    first = int(rows[edges.example[rows].argmin()])
    file, line = edges.example_of(first)
    volume = edges.bytes_out[rows].sum() + edges.bytes_back[rows].sum()
    return Gap(*key, int(edges.records[rows].sum()), int(volume), f"{file}:{line}")


def _name(gap: Gap) -> tuple[str, str, str, int, str, str]:
    return gap.source, gap.destination, gap.protocol, gap.port, gap.egress, gap.ingress
