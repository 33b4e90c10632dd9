"""Workloads as the learner asks about them: who is who, who is there, who is gone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Pod

Key = tuple[str, str]
"""Namespace and workload key (``Kind/name``)."""


def identity(endpoint: Endpoint) -> str:
    """Return a text that is the same for all classes of pods of one workload, in every run."""
    own = f"{endpoint.kind} {endpoint.namespace} {endpoint.workload} {endpoint.name}"
    return " or ".join([own, *sorted({identity(one) for one in endpoint.candidates})])


def find_present(inventory: Inventory) -> frozenset[Key]:
    """Return the workloads that exist."""
    return frozenset((one.namespace, one.key) for one in inventory.workloads if one.exists)


def is_gone(endpoint: Endpoint, present: frozenset[Key]) -> bool:
    """Return whether the endpoint is of pods whose workload is not among those present."""
    key = endpoint.namespace, endpoint.workload
    return endpoint.kind is Kind.POD and key not in present


def pods_by_workload(inventory: Inventory) -> Mapping[Key, Sequence[Pod]]:
    """Return the pods of each workload that has any."""
    owned: dict[Key, list[Pod]] = defaultdict(list)
    for pod in inventory.pods:
        owned[pod.namespace, pod.workload].append(pod)
    return owned


def newest(pods: Sequence[Pod]) -> list[Pod]:
    """Return the pods that are there last: those without an end, else those that end last."""
    unended = [pod for pod in pods if pod.end is None]
    latest = max((pod.end or 0 for pod in pods), default=0)
    return unended or [pod for pod in pods if pod.end == latest]
