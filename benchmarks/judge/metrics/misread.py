"""Edges that nobody opened: a wrong join or a reversed direction that became a rule."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Legitimacy
from benchmarks.judge.proposal import Proposal
from synth.edges.schema import Edges


def count_untrue(edges: Edges, accepted: NDArray[np.bool_], truth: Legitimacy) -> int:
    """Return the accepted records on edges with two known ends that no truth knows."""
    known = np.array([key is not None for key in truth.keys], np.bool_)
    untrue = known & ~truth.legitimate & ~truth.hostile
    return int(edges.records[accepted & untrue].sum())


def invented(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the share of accepted records on edges that nobody opened."""
    truth = proposal.world(prepared).names.judge(proposal.edges)
    total = int(proposal.edges.records[proposal.accepted].sum())
    return count_untrue(proposal.edges, proposal.accepted, truth) / total if total else None
