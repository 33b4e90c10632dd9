"""Exact label copy: each pod is selected by all of its labels, whatever they are.

Labels that differ by pod or rollout are left out, which is kinder than copying them.
"""

from benchmarks.judge.baselines.write import propose
from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from synth.inventory.endpoint import Endpoint
from synth.policy.selector import Selector


def copy_labels(endpoint: Endpoint) -> Selector:
    """Return the selector of all labels of the pod."""
    return Selector.equal(dict(endpoint.labels))


def propose_label_copy(prepared: Prepared) -> Proposal:
    """Return policies whose selectors copy labels, from every answered contact."""
    return propose("label-copy", prepared, lambda traffic: (traffic.answered, copy_labels))
