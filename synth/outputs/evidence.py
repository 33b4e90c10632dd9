"""``evidence.json``: every rule of every policy, and what it rests on."""

from collections.abc import Mapping
from itertools import groupby

from synth.learner.model import RuleEvidence, Subject
from synth.outputs.traffic import Telling
from synth.proof.results import LearnResult
from synth.reports.envelope import envelope
from synth.reports.sentences import Names, names_of

EDGES_SHOWN = 1000
"""Of one rule; the world behind an exposed Service has many more."""


def evidence(result: LearnResult) -> dict[str, object]:
    """Return policy → direction → rule → edges, as plain values."""
    learned = result.learned
    telling = Telling.of(result.edges)
    names = names_of(learned)
    subjects = sorted(learned.subjects, key=lambda one: (str(one.role), one.direction.value))
    policies = [
        _policy(role, learned.policy_of, [_direction(one, telling, names) for one in some])
        for role, some in groupby(subjects, key=lambda one: str(one.role))
    ]
    return envelope({"policies": policies})


def _policy(
    role: str, policy_of: Mapping[str, str], directions: list[dict[str, object]]
) -> dict[str, object]:
    return {
        "namespace": role.partition("/")[0],
        "role": role,
        "policy": policy_of.get(role),
        "directions": directions,
    }


def _direction(subject: Subject, telling: Telling, names: Names) -> dict[str, object]:
    return {
        "direction": subject.direction.value,
        "ready": subject.ready,
        "cost": subject.cost,
        "optimum": subject.optimum,
        "rules": [_rule(one, subject, telling, names) for one in subject.rules],
    }


def _rule(one: RuleEvidence, subject: Subject, telling: Telling, names: Names) -> dict[str, object]:
    return {
        "rule": str(one.rule),
        "told": names.rule(one.rule, subject.role.namespace),
        "declared": one.declared,
        "widened": one.widened,
        "edge_count": len(one.edges),
        "edges": [telling.evidence(row) for row in one.edges[:EDGES_SHOWN]],
    }
