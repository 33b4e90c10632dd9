"""False blocks: legitimate traffic of the days after that the policies do not let through."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import NODE, Key
from benchmarks.judge.proposal import Proposal
from benchmarks.judge.verdicts import judge_held_out
from synth.evaluator.verdicts import Verdicts

OUTSIDE = "outside/"


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares that are blocked: of records, of true edges, of workloads that any edge touches."""

    records: float
    edges: float
    workloads: float


def rate(keys: list[Key], records: NDArray[np.int64], blocked: NDArray[np.bool_]) -> Rates:
    """Return the rates of n legitimate rows; an edge or workload is blocked if any row of it is."""
    edges, workloads = defaultdict[Key, bool](bool), defaultdict[str, bool](bool)
    for key, stopped in zip(keys, blocked.tolist(), strict=True):
        edges[key] |= stopped
        for end in key[:2]:
            if end != NODE and not end.startswith(OUTSIDE):
                workloads[end] |= stopped
    total = int(records.sum())
    return Rates(
        records=int(records[blocked].sum()) / total if total else 0.0,
        edges=_share(list(edges.values())),
        workloads=_share(list(workloads.values())),
    )


def _share(some: list[bool]) -> float:
    return sum(some) / len(some) if some else 0.0


def find_blocked(said: Verdicts) -> NDArray[np.bool_]:
    """Return bool[n]: what is not surely let through; perhaps, as part of a prefix, is not."""
    return ~said.allowed


def held_out_rates(prepared: Prepared, proposal: Proposal) -> Rates:
    """Return the rates of the proposal on the days after."""
    world = proposal.world(prepared)
    truth, edges = world.held_out_truth, world.held_out.settled
    rows = np.flatnonzero(truth.legitimate)
    said = judge_held_out(prepared, proposal)
    keys = [key for row in rows.tolist() if (key := truth.keys[row])]
    return rate(keys, edges.records[rows], find_blocked(said)[rows])


def of_records(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return the share of held-out benign records that are blocked."""
    return held_out_rates(prepared, proposal).records


def excess_of_records(prepared: Prepared, proposal: Proposal, oracle: Proposal) -> float:
    """Return the same beyond the oracle's."""
    own, least = held_out_rates(prepared, proposal), held_out_rates(prepared, oracle)
    return own.records - least.records


def excess_of_edges(prepared: Prepared, proposal: Proposal, oracle: Proposal) -> float:
    """Return the share of held-out benign edges that are blocked, beyond the oracle's."""
    return held_out_rates(prepared, proposal).edges - held_out_rates(prepared, oracle).edges


def excess_of_workloads(prepared: Prepared, proposal: Proposal, oracle: Proposal) -> float:
    """Return the share of workloads with a blocked benign edge, beyond the oracle's."""
    own, least = held_out_rates(prepared, proposal), held_out_rates(prepared, oracle)
    return own.workloads - least.workloads
