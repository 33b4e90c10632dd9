"""Workload objects, parsed: what they select, and what their templates would make."""

from dataclasses import dataclass
from typing import Final

from synth.inventory.fields import Field
from synth.inventory.model import Container, Labels
from synth.inventory.pods import (
    DAEMON_SET,
    Owner,
    PodSpec,
    is_by_cron,
    parse_containers,
    parse_owner,
    parse_spec,
)

TEMPLATES: Final = {
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps.openshift.io", "DeploymentConfig"): ("spec", "template"),
    ("argoproj.io", "Rollout"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("extensions", "DaemonSet"): ("spec", "template"),
    ("extensions", "Deployment"): ("spec", "template"),
    ("extensions", "ReplicaSet"): ("spec", "template"),
}
"""API group and kind → where its template of pods stands."""

_PLAIN_SELECTOR: Final = ("ReplicationController", "DeploymentConfig")
"""Kinds whose selector is a mapping of labels and nothing else."""


@dataclass(frozen=True, slots=True)
class SeenWorkload:
    """A workload as one sighting shows it; ``labels`` are those of its template."""

    labels: Labels
    spec: PodSpec
    match_labels: Labels
    owner: Owner | None
    by_cron: bool
    containers: tuple[Container, ...] = ()
    """Of a DaemonSet only."""


def parse_workload(field: Field, _namespace: str, _name: str) -> SeenWorkload:
    """Return the workload; the selector of a Job names one run only, so it counts as none."""
    kind, group = str(field.value["kind"]), str(field.value["apiVersion"]).rpartition("/")[0]
    template = field.at(*TEMPLATES[group, kind])
    selector = field.at("spec", "selector") if kind not in ("Job", "CronJob") else None
    return SeenWorkload(
        labels=template.at("metadata", "labels").labels(),
        spec=parse_spec(template.at("spec")),
        match_labels=_match_labels(selector, plain=kind in _PLAIN_SELECTOR) if selector else (),
        owner=parse_owner(field.at("metadata")),
        by_cron=is_by_cron(field.at("metadata")),
        containers=parse_containers(template.at("spec")) if kind == DAEMON_SET else (),
    )


def _match_labels(selector: Field, *, plain: bool) -> Labels:
    if plain:
        return selector.labels()
    if any(True for _ in selector.at("matchExpressions").items()):
        return ()
    return selector.at("matchLabels").labels()
