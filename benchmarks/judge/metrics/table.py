"""All metrics, in the order of reports, with the targets that the learner is held to."""

from benchmarks.judge.metrics import (
    contamination,
    false_blocks,
    identity,
    minimality,
    misread,
    over_permission,
    reach,
    reruns,
    role_quality,
    selectors,
    soundness,
)
from benchmarks.judge.metrics.metric import Better, Metric
from datasets.generator import ATTACKS

__all__ = ["METRICS", "Better", "Metric"]

LOWER, HIGHER = Better.LOWER, Better.HIGHER
_LEARNED = {"fast-scan": 0.0, "slow-scan": 0.0, "movement": 0.01, "beacon": 0.0}
"""Poisoning has no target: it is what an attacker with enough patience gets."""

METRICS: tuple[Metric, ...] = (
    Metric("replay blocked", "records", LOWER, 0, soundness.blocked),
    Metric("replay disputed", "edges", LOWER, 0, soundness.disputed),
    Metric("false blocks", "share", LOWER, None, false_blocks.of_records),
    Metric("excess false blocks", "share", LOWER, 6e-4, false_blocks.excess_of_records),
    Metric("excess by edge", "share", LOWER, None, false_blocks.excess_of_edges),
    Metric("excess by workload", "share", LOWER, None, false_blocks.excess_of_workloads),
    Metric("over-permission", "ratio", LOWER, 0.05, over_permission.against_truth),
    Metric("never seen", "share", LOWER, 0, over_permission.never_seen),
    Metric("outside egress", "addresses", LOWER, None, over_permission.outside_egress),
    Metric("inexact selectors", "count", LOWER, 0, selectors.inexact),
    Metric("size to optimum", "ratio", LOWER, 1.02, minimality.size_to_optimum),
    Metric("rules to grouping", "ratio", LOWER, 0.6, minimality.rules_to_grouping),
    Metric("homogeneity", "index", HIGHER, 0.998, role_quality.homogeneity),
    Metric("completeness", "index", HIGHER, 0.985, role_quality.completeness),
    Metric("adjusted Rand", "index", HIGHER, 0.97, role_quality.rand),
    Metric("surface reduction", "share", HIGHER, 0.98, reach.surface),
    Metric("surface to oracle", "ratio", HIGHER, 0.99, reach.surface_of_oracle),
    Metric("blast in 1 hop", "share", LOWER, None, reach.blast_in(1)),
    Metric("blast in 2 hops", "share", LOWER, None, reach.blast_in(2)),
    Metric("blast in any hops", "share", LOWER, None, reach.blast_in(None)),
    Metric("blast to oracle", "ratio", LOWER, 1.02, reach.blast_of_oracle),
    *(
        Metric(f"{one} learned", "share", LOWER, _LEARNED.get(one), contamination.learned(one))
        for one in ATTACKS
    ),
    Metric("beacon reviewed", "share", HIGHER, 1, contamination.reviewed("beacon")),
    Metric("benign edges in review", "share", LOWER, 0.02, contamination.benign_edges),
    Metric("benign records in review", "share", LOWER, 0.001, contamination.benign_records),
    Metric("invented", "share", LOWER, 0, misread.invented),
    Metric("joins right", "share", HIGHER, 0.999, identity.correct),
    Metric("joins wrong", "share", LOWER, 0, identity.wrong),
    Metric("determinism", "same", HIGHER, 1, reruns.determinism),
    Metric("stability", "Jaccard", HIGHER, 0.98, reruns.stability),
    Metric("seconds", "s", LOWER, None, lambda _, one, __: one.seconds),
)
