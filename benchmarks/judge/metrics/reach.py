"""What the policies leave open: surface, and how far an intruder gets from a pod."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from benchmarks.judge.case import Prepared
from benchmarks.judge.grid import count_open, draw_grid
from benchmarks.judge.proposal import Proposal

Numbers = NDArray[np.int64]
Measure = Callable[[Prepared, Proposal, Proposal], float | None]


def reduce_surface(opened: Numbers, pods: Numbers, ports: Numbers) -> float:
    """Return 1 - what is open / all triples of pod, pod and listening port.

    ``opened`` is int64[W, W], triples by client and server; ``pods`` and ``ports`` count, int64[W].
    """
    every = int(pods.sum()) * int((pods * ports).sum())
    return 1.0 - int(opened.sum()) / every if every else 1.0


def spread(opened: Numbers, pods: Numbers, hops: int | None) -> float:
    """Return the mean share of pods that a pod reaches in so many hops; None: in any number.

    A pod's own workload counts as reached only if it is open to itself, or to one on the way.
    """
    step = sparse.csr_matrix(opened > 0)
    far = _closure(step) if hops is None else _within(step, hops)
    reached = far @ pods
    total = int(pods.sum())
    return float((reached * pods).sum()) / total**2 if total else 0.0


def _within(step: sparse.csr_matrix, hops: int) -> NDArray[np.int64]:
    reached = far = step.astype(np.int64)
    for _ in range(hops - 1):
        far = ((far @ step.astype(np.int64)) > 0).astype(np.int64)
        reached = ((reached + far) > 0).astype(np.int64)
    return np.asarray(reached.toarray())


def _closure(step: sparse.csr_matrix) -> NDArray[np.int64]:
    """Return int64[W, W]: whether one is reached from the other in one hop or more.

    Workloads that reach each other are one: between those there are no cycles, and few.
    """
    count, part = csgraph.connected_components(step, directed=True, connection="strong")
    rows = np.arange(len(part))
    joined = sparse.csr_matrix((np.ones(len(part), np.int64), (rows, part)), (len(part), count))
    between = ((joined.T @ step.astype(np.int64) @ joined) > 0).toarray().astype(np.float32)
    while True:
        further = np.minimum(between + between @ between, 1)
        if (further == between).all():
            break
        between = further
    return np.asarray(between[np.ix_(part, part)].astype(np.int64))


def surface(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return the surface reduction."""
    return reduce_surface(*count_open(draw_grid(prepared, proposal)))


def surface_of_oracle(prepared: Prepared, proposal: Proposal, oracle: Proposal) -> float | None:
    """Return the surface reduction as a share of the oracle's."""
    best = surface(prepared, oracle, oracle)
    return surface(prepared, proposal, oracle) / best if best else None


def blast_in(hops: int | None) -> Measure:
    """Return the metric of the mean share of pods reached in so many hops."""

    def measure(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
        opened, pods, _ports = count_open(draw_grid(prepared, proposal))
        return spread(opened, pods, hops)

    return measure


def blast_of_oracle(prepared: Prepared, proposal: Proposal, oracle: Proposal) -> float | None:
    """Return how many times as many pods are reached in two hops as with the oracle's policies."""
    measure = blast_in(2)
    own, least = measure(prepared, proposal, oracle), measure(prepared, oracle, oracle)
    return own / least if own is not None and least else None
