"""Roles: one for each workload, named by a person's word for it and by one exact selector."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Labels, Pod, Workload
from synth.inventory.volatile import VOLATILE
from synth.learner.model import Role
from synth.learner.selectors import exact_selector

_Key = tuple[str, str]
"""Namespace and workload key."""


@dataclass(frozen=True, slots=True)
class Universe:
    """The label sets of each workload that selectors must tell apart, by namespace.

    For a workload that exists: its newest pods and its template; older pods of it are don't-care.
    For one that no longer exists: the pods that were seen.
    """

    labels: Mapping[_Key, tuple[Labels, ...]]
    pods: Mapping[_Key, tuple[str, ...]]

    @classmethod
    def of(cls, inventory: Inventory) -> "Universe":
        """Return the universe of the inventory."""
        owned: dict[_Key, list[Pod]] = defaultdict(list)
        for pod in inventory.pods:
            owned[pod.namespace, pod.workload].append(pod)
        labels: dict[_Key, set[Labels]] = {
            key: {_stable(pod.labels) for pod in _newest(pods)} for key, pods in owned.items()
        }
        for workload in inventory.workloads:
            if workload.template_labels is not None:
                key = workload.namespace, workload.key
                labels.setdefault(key, set()).add(_stable(workload.template_labels))
        names = {key: tuple(sorted({pod.name for pod in _newest(p)})) for key, p in owned.items()}
        return cls({key: tuple(sorted(some)) for key, some in labels.items()}, names)

    def outside(self, key: _Key) -> list[dict[str, str]]:
        """Return the label sets of all other workloads of the namespace."""
        return [
            dict(one)
            for other, some in sorted(self.labels.items())
            for one in some
            if other != key and other[0] == key[0]
        ]


def find_roles(inventory: Inventory, endpoints: Sequence[Endpoint]) -> tuple[Role, ...]:
    """Return one role for each workload that exists and has pods of its own, sorted."""
    universe = Universe.of(inventory)
    members: dict[_Key, list[int]] = defaultdict(list)
    for number, endpoint in enumerate(endpoints):
        if endpoint.kind is Kind.POD:
            members[endpoint.namespace, endpoint.workload].append(number)
    shared = Counter((one.namespace, one.name) for one in inventory.workloads if one.exists)
    roles = [
        _role(
            workload, universe, tuple(members.get((workload.namespace, workload.key), ())), shared
        )
        for workload in inventory.workloads
        if workload.exists and not workload.host_network
    ]
    return tuple(sorted(roles, key=lambda role: (role.namespace, role.name)))


def _role(
    workload: Workload, universe: Universe, endpoints: tuple[int, ...], shared: Counter[_Key]
) -> Role:
    key = workload.namespace, workload.key
    members = [dict(one) for one in universe.labels.get(key, ())]
    alone = shared[workload.namespace, workload.name] == 1
    return Role(
        namespace=workload.namespace,
        name=workload.name if alone else f"{workload.name}-{workload.kind.lower()}",
        workloads=(workload.key,),
        selector=exact_selector(members, universe.outside(key), dict(workload.match_labels))
        if members
        else None,
        endpoints=endpoints,
        pods=universe.pods.get(key, ()),
    )


def _newest(pods: Sequence[Pod]) -> list[Pod]:
    """Return the pods that are there last: those without an end, else those that end last."""
    unended = [pod for pod in pods if pod.end is None]
    latest = max((pod.end or 0 for pod in pods), default=0)
    return unended or [pod for pod in pods if pod.end == latest]


def _stable(labels: Labels) -> Labels:
    return tuple(sorted((key, value) for key, value in labels if key not in VOLATILE))
