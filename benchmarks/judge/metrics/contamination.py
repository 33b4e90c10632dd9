"""Contamination: hostile edges that became rules, and benign ones that wait for review."""

from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.names import Key
from benchmarks.judge.proposal import Proposal
from benchmarks.judge.verdicts import judge_training

Measure = Callable[[Prepared, Proposal, Proposal], float | None]
Flags = NDArray[np.bool_]


def share_of(keys: Collection[Key], some: Collection[Key]) -> float | None:
    """Return the share of the keys that are among ``some``; None if there is no key."""
    return len(set(keys) & set(some)) / len(set(keys)) if keys else None


def list_learned(keys: Sequence[Key | None], admitted: Flags) -> set[Key]:
    """Return the keys with a row that rules admit."""
    return {key for key, learned in zip(keys, admitted.tolist(), strict=True) if key and learned}


def admitted_by_rules(prepared: Prepared, proposal: Proposal) -> Flags:
    """Return bool[n]: training edges that policies have a say on, and let through."""
    said = judge_training(prepared, proposal)
    return said.allowed & (said.egress_isolated | said.ingress_isolated)


def learned(attack: str) -> Measure:
    """Return the metric of the share of this attack's edges, as the logs show them, in rules.

    None if there is none; so of the oracle, which is shown no attack.
    """

    def measure(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
        truth = proposal.world(prepared).names.judge(proposal.edges)
        hostile = _of(attack, truth.keys, truth.attack)
        return share_of(hostile, list_learned(truth.keys, admitted_by_rules(prepared, proposal)))

    return measure


def reviewed(attack: str) -> Measure:
    """Return the metric of the share of this attack's edges that are put to review."""

    def measure(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
        truth = proposal.world(prepared).names.judge(proposal.edges)
        return share_of(_of(attack, truth.keys, truth.attack), proposal.quarantined)

    return measure


def _of(attack: str, keys: Sequence[Key | None], attacks: Sequence[str]) -> set[Key]:
    return {key for key, one in zip(keys, attacks, strict=True) if key and one == attack}


def benign_edges(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the share of benign training edges that wait for review."""
    truth = proposal.world(prepared).names.judge(proposal.edges)
    benign = {key for key, fair in zip(truth.keys, truth.legitimate, strict=True) if key and fair}
    return share_of(benign, proposal.quarantined)


def benign_records(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the share of benign training records whose edge waits for review."""
    truth = proposal.world(prepared).names.judge(proposal.edges)
    waits = np.array([key in proposal.quarantined for key in truth.keys], np.bool_)
    waits &= ~proposal.accepted
    total = int(proposal.edges.records[truth.legitimate].sum())
    held = int(proposal.edges.records[truth.legitimate & waits].sum())
    return held / total if total else None
