"""``certificate.json``: what was proven, of which inputs, by hashes and counts."""

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256

from synth.outputs.policies import Files
from synth.proof.results import LearnResult
from synth.reports.counts import plain_ledger, plain_matrix
from synth.reports.envelope import envelope
from synth.reports.learn import plain_need
from synth.reports.paths import relative_names


def certificate(result: LearnResult, policies: Files) -> dict[str, object]:
    """Return the certificate of the result; ``policies`` are the files of ready policies."""
    learned = result.learned
    answered = [question for question in learned.questions if question.answer]
    return envelope(
        {
            "inputs": _inputs(result),
            "policies": {name: digest(content) for name, content in sorted(policies.items())},
            "ledger": plain_ledger(result.ledger),
            "matrix": plain_matrix(result.replay),
            "blocked": result.blocked,
            "stages": [
                {"title": one.title, "matrix": plain_matrix(one.replay)} for one in result.stages
            ],
            "need": plain_need(result.need),
            "selectors": _selectors(result),
            "questions": {
                "open": [one.key for one in learned.questions if one.answer is None],
                "answered": {one.key: str(one.answer) for one in answered},
            },
        }
    )


def digest(content: bytes) -> str:
    """Return the SHA-256 of the bytes in hexadecimal."""
    return sha256(content).hexdigest()


def _inputs(result: LearnResult) -> list[dict[str, object]]:
    names = relative_names(one.path for one in result.inputs)
    inputs = [{**asdict(one), "path": names[one.path]} for one in result.inputs]
    return sorted(inputs, key=lambda one: (str(one["path"]), str(one["sha256"])))


def _selectors(result: LearnResult) -> Mapping[str, object]:
    return {
        str(role): {
            "selector": str(role.selector) if role.selector else None,
            "pods": sorted(role.pods),
        }
        for role in result.learned.roles
    }
