"""Top-level owners: ReplicaSet → Deployment, Job → CronJob, also where the dump lacks them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from synth.inventory.model import Labels
from synth.inventory.pods import Owner, SeenPod
from synth.inventory.workloads import SeenWorkload

_HASHES: Final = (
    ("pod-template-hash", "Deployment"),
    ("rollouts-pod-template-hash", "Rollout"),
)
"""Label that ends the name of a ReplicaSet → the kind that made the ReplicaSet."""

_ROLLED_UP: Final = ("ReplicaSet", "Job", "ReplicationController")
_RUN = re.compile(r"(?P<cron>.+)-\d+")

Key = tuple[str, str, str]
"""Namespace, kind, name."""


@dataclass(frozen=True, slots=True)
class Owners:
    """The workloads of the dump, and the CronJobs that it holds or that Jobs of it name."""

    known: Mapping[Key, SeenWorkload]
    cron_jobs: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, known: Mapping[Key, SeenWorkload]) -> "Owners":
        """Return the owners among these workloads."""
        held = {(namespace, name) for namespace, kind, name in known if kind == "CronJob"}
        named = {
            (key[0], one.owner.name)
            for key, one in known.items()
            if one.owner and one.owner.kind == "CronJob"
        }
        return cls(known, frozenset(held | named))

    def top_of_pod(self, namespace: str, name: str, pod: SeenPod) -> Owner:
        """Return the top-level owner of the pod; itself (kind Pod) if nothing owns it.

        A static pod belongs to its node: its name without the node's stands for all its likes.
        """
        if pod.owner is None:
            return Owner("Pod", name)
        if pod.owner.kind == "Node":
            return Owner("Pod", name.removesuffix(f"-{pod.owner.name}"))
        return self.top(namespace, pod.owner, pod.labels, by_cron=pod.by_cron)

    def top(self, namespace: str, owner: Owner, labels: Labels, *, by_cron: bool) -> Owner:
        """Return the top-level owner above this one, whose pods carry these labels."""
        if owner.kind not in _ROLLED_UP:
            return owner
        seen = self.known.get((namespace, owner.kind, owner.name))
        if seen and seen.owner:
            return seen.owner
        if owner.kind == "ReplicaSet":
            return _made_with_hash(owner, labels) if seen is None else owner
        if owner.kind == "Job":
            return self._cron_of(namespace, owner, seen, by_cron=by_cron)
        return owner

    def _cron_of(
        self, namespace: str, job: Owner, seen: SeenWorkload | None, *, by_cron: bool
    ) -> Owner:
        """Return the CronJob of the Job, if the dump says that one made it."""
        match = _RUN.fullmatch(job.name)
        if match is None:
            return job
        # A Job of the dump without an owner was made by hand, whatever its name.
        guessed = seen is None and (namespace, match["cron"]) in self.cron_jobs
        made = by_cron or guessed or (seen is not None and seen.by_cron)
        return Owner("CronJob", match["cron"]) if made else job


def _made_with_hash(owner: Owner, labels: Labels) -> Owner:
    held = dict(labels)
    for label, kind in _HASHES:
        suffix = f"-{held.get(label, '')}"
        if suffix != "-" and owner.name.endswith(suffix) and owner.name != suffix:
            return Owner(kind, owner.name.removesuffix(suffix))
    return owner
