"""Labels that differ by pod or by rollout, which no selector of a policy should name."""

from collections.abc import Collection
from typing import Final

from synth.inventory.model import Labels

VOLATILE: Final = frozenset(
    {
        # by rollout
        "controller-revision-hash",
        "pod-template-generation",
        "pod-template-hash",
        "rollouts-pod-template-hash",
        # by run of a Job
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-name",
        "controller-uid",
        "job-name",
        # by pod
        "apps.kubernetes.io/pod-index",
        "batch.kubernetes.io/job-completion-index",
        "statefulset.kubernetes.io/pod-name",
    }
)
"""Label keys that controllers set to another value for each pod, rollout or run."""


def without_volatile(labels: Labels, kept: Collection[str] = ()) -> Labels:
    """Return the labels without the volatile ones that are not in ``kept``."""
    return tuple((key, value) for key, value in labels if key not in VOLATILE or key in kept)
