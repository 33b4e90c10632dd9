"""What a contestant proposes, and all that the judge needs to know of how it came to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Key
from benchmarks.judge.world import World
from synth.edges.schema import Edges
from synth.policy.model import PolicySet
from synth.policy.selector import Selector


@dataclass(frozen=True, slots=True)
class Selection:
    """A selector of a namespace's pods, and the workloads it is meant to pick, truly named."""

    namespace: str
    selector: Selector
    meant: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Policies, and what they rest on.

    ``edges`` are what the contestant learned from, n rows; ``accepted`` is bool[n]: those that it
    took into rules. ``quarantined`` are those put to review, as the truth names them. ``roles``
    maps each workload, truly named, to the contestant's role. ``seconds`` are those of learning;
    of a baseline, without reading. ``sizes`` are a learner's own cost and proven optimum, by
    subject direction. ``repaired``: the policies are for the repaired cluster.
    """

    contestant: str
    policies: PolicySet
    edges: Edges
    accepted: NDArray[np.bool_]
    quarantined: frozenset[Key] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    selections: tuple[Selection, ...] = ()
    seconds: float = 0.0
    records: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    repaired: bool = False

    def world(self, prepared: Prepared) -> World:
        """Return the cluster that the policies are for."""
        return prepared.repaired if self.repaired else prepared.plain
