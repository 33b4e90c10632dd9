"""Role quality: the roles found against the true ones, by workload."""

from collections.abc import Mapping, Sequence

from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
)

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal

Pairs = tuple[Sequence[str], Sequence[str]]


def pair_roles(roles: Mapping[str, str], true: Mapping[str, str]) -> Pairs:
    """Return the true role and the one found, of each workload that has both."""
    known = sorted(roles.keys() & true.keys())
    return [true[one] for one in known], [roles[one] for one in known]


def _pairs(prepared: Prepared, proposal: Proposal) -> Pairs | None:
    """Return the pairs; None of the oracle, whose workloads are true roles, or without roles."""
    true = {one.key: one.role for one in prepared.truth.workloads}
    pairs = pair_roles(proposal.roles, true)
    return None if proposal.repaired or not pairs[0] else pairs


def homogeneity(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return to which extent each role found holds workloads of one true role only, 0 to 1."""
    pairs = _pairs(prepared, proposal)
    return float(homogeneity_score(*pairs)) if pairs else None


def completeness(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return to which extent the workloads of each true role are in one role found, 0 to 1."""
    pairs = _pairs(prepared, proposal)
    return float(completeness_score(*pairs)) if pairs else None


def rand(prepared: Prepared, proposal: Proposal, _: Proposal) -> float | None:
    """Return the adjusted Rand index: 1 if the roles are the true ones, about 0 by chance."""
    pairs = _pairs(prepared, proposal)
    return float(adjusted_rand_score(*pairs)) if pairs else None
