"""The distributions of a cluster, as published for large fleets, and where they cannot all hold.

| figure | stated | here |
|---|---|---|
| replicas | lognormal 2.86/2.47, median 8, 9 % single | the median and the singles; the lognormal
  from one standard deviation up; a line between. A lognormal of that mean has a median of 17 |
| fan-in | 39 % zero, else lognormal 1.46/1.45, tail about 1.0, top 1 % hold 67 % | zeros, spread
  and the tail's 1/rank; the top's share where a hub can have as many callers; the rest is scaled
  to what the callers open |
| fan-out | 15 % zero, else lognormal 1.78/1.28 | as stated from 2,000 workloads up; smaller
  clusters have fewer callees, by the fourth root of their size |
| density | 0.17 % | not reached: it is that of 18,500 services, where it means 31 callees. It
  follows from the degrees: about 0.5 % of 2,000 workloads, 3 % of 200, 15 % of 20; see `density` |
| rank correlation of fan-in and replicas | 0.55 | as stated |
| rarity | of callers with 20 edges or more, 60 % in under 1 % of requests, 24 % in under 0.1 % |
  as stated |
"""

from math import log

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from datasets.generator.seeds import Floats, Ints

REPLICA_MU, REPLICA_SIGMA, REPLICA_MEDIAN, SINGLE = 2.86, 2.47, 8, 0.09
NO_CALLERS, FAN_IN_MU, FAN_IN_SIGMA = 0.39, 1.46, 1.45
HUBS, HUB_SHARE = 0.01, 0.67
NO_CALLEES, FAN_OUT_MU, FAN_OUT_SIGMA = 0.15, 1.78, 1.28
FULL_SIZE, SHRINKING = 2_000, 0.25
CORRELATION = 0.55
MANY_EDGES = 20
RARE, RAREST = (0.60, 1e-2), (0.24, 1e-3)
_COUPLING = 0.63
"""Correlation of the normal variables behind the ranks; the many equal fan-ins dampen it."""


def replica_counts(luck: Floats, cap: int) -> Ints:
    """Return int64[n], at least 1: the quantiles of replicas at ``luck``, capped."""
    normal = ndtri(np.clip(luck, 1e-9, 1 - 1e-9))
    middle = log(REPLICA_MEDIAN)
    below = (middle - log(1.5)) / -ndtri(SINGLE)
    above = REPLICA_MU + REPLICA_SIGMA - middle
    logs = np.where(normal < 0, middle + below * normal, middle + above * normal)
    logs = np.where(normal >= 1, REPLICA_MU + REPLICA_SIGMA * normal, logs)
    counts = np.rint(np.exp(np.minimum(logs, 20)))
    return np.asarray(np.clip(counts, 1, cap).astype(np.int64))


def fan_outs(rng: np.random.Generator, size: int, most: int) -> Ints:
    """Return int64[n], sorted from the largest: how many servers each caller calls; none is 0."""
    callers = size - round(NO_CALLEES * size)
    shrunk = SHRINKING * log(min(1.0, size / FULL_SIZE))
    normal = ndtri((np.arange(callers) + rng.random(callers)) / callers)  # stratified
    drawn = np.rint(np.exp(FAN_OUT_MU + shrunk + FAN_OUT_SIGMA * normal))
    return np.asarray(np.clip(drawn, 1, most).astype(np.int64)[::-1])


def fan_ins(rng: np.random.Generator, size: int, opened: Ints) -> Ints:
    """Return int64[m], sorted from the largest: how many callers each server has; none is 0.

    ``opened`` are the fan-outs, sorted from the largest. The n-th hub cannot have more callers
    than there are with n edges or more.
    """
    servers = size - round(NO_CALLERS * size)
    hubs = max(1, round(HUBS * size))
    room = np.array([(opened > rank).sum() for rank in range(servers)], np.int64)
    total = int(opened.sum())
    of_hubs = _hub_degrees(round(HUB_SHARE * total), room[:hubs])
    rest = servers - hubs
    normal = np.sort(ndtri((np.arange(rest) + rng.random(rest)) / rest))[::-1]
    body = np.exp(FAN_IN_MU + FAN_IN_SIGMA * normal)
    least = int(of_hubs.min()) if len(of_hubs) else 1
    return np.concatenate([of_hubs, _scaled(body, total - int(of_hubs.sum()), least)])


def _hub_degrees(total: int, room: Ints) -> Ints:
    """Return int64[hubs]: degrees as 1 over the rank (a tail of 1.0), within the room."""
    ranks = np.arange(1, len(room) + 1)
    low, high = 0.0, float(total * len(room) + 1)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if np.minimum(room, middle / ranks).sum() < total else (low, middle)
        )
    return np.maximum(np.minimum(room, np.rint(high / ranks)), 1).astype(np.int64)


def _scaled(body: Floats, total: int, most: int) -> Ints:
    """Return int64[n] in the shape of ``body`` that add up to about ``total``, from 1 to most."""
    low, high = 1e-3, 1e3
    for _ in range(50):
        middle = (low * high) ** 0.5
        fits = np.clip(np.rint(body * middle), 1, most).sum() < total
        low, high = (middle, high) if fits else (low, middle)
    return np.clip(np.rint(body * high), 1, most).astype(np.int64)


def coupled_ranks(rng: np.random.Generator, replicas: Ints) -> Ints:
    """Return int64[n], a permutation: workloads in the order in which they get their fan-in."""
    size = len(replicas)
    shaken = rankdata(replicas + 1e-6 * rng.random(size))
    normal = ndtri((shaken - 0.5) / size)
    noise = rng.standard_normal(size)
    return np.argsort(-(_COUPLING * normal + (1 - _COUPLING**2) ** 0.5 * noise), kind="stable")


def shares(rng: np.random.Generator, edges: int) -> Floats:
    """Return float64[edges]: in what share of its caller's requests each edge occurs."""
    if edges < MANY_EDGES:
        return rng.permutation(1 / np.arange(1.0, edges + 1))
    at = (np.arange(edges) + rng.random(edges)) / edges
    bounds = np.array([0, RAREST[0], RARE[0], 1])
    logs = np.log([1e-5, RAREST[1], RARE[1], 1.0])
    return rng.permutation(np.exp(np.interp(at, bounds, logs)))
