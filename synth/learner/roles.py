"""Roles: one for each workload, named by a person's word for it and by one exact selector."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Labels, Pod, Workload
from synth.inventory.volatile import VOLATILE
from synth.learner.model import Role
from synth.learner.selectors import Crowd, exact_selector
from synth.learner.workloads import Key, newest, pods_by_workload
from synth.policy.selector import Selector


@dataclass(frozen=True, slots=True)
class Universe:
    """The label sets that selectors must tell apart, by workload, volatile labels left out.

    | whose labels | for its own workload | for all others |
    |---|---|---|
    | a template's, and those of pods that are there | member | outsider |
    | of pods that were there last and carry the template's labels | member | outsider |
    | of other pods of the past, whose labels may have changed | don't-care | outsider |
    """

    members: Mapping[Key, tuple[Labels, ...]]
    crowds: Mapping[str, Crowd]
    """Namespace → the label sets of all its workloads."""
    places: Mapping[Key, frozenset[int]]
    """Workload → the numbers of its own label sets in its namespace's crowd."""
    pods: Mapping[Key, tuple[str, ...]]

    @classmethod
    def of(cls, inventory: Inventory) -> "Universe":
        """Return the universe of the inventory."""
        owned = pods_by_workload(inventory)
        templates = {
            (one.namespace, one.key): _stable(one.template_labels)
            for one in inventory.workloads
            if one.template_labels is not None
        }
        keys = sorted({*owned, *templates})
        current = {key: _current(owned.get(key, ()), templates.get(key)) for key in keys}
        seen: dict[str, list[Mapping[str, str]]] = defaultdict(list)
        places: dict[Key, frozenset[int]] = {}
        for key in keys:
            some = _label_sets(templates.get(key), owned.get(key, ()))
            before = len(seen[key[0]])
            seen[key[0]].extend(map(dict, some))
            places[key] = frozenset(range(before, before + len(some)))
        return cls(
            members={key: _label_sets(templates.get(key), current[key]) for key in keys},
            crowds={namespace: Crowd.of(some) for namespace, some in seen.items()},
            places=places,
            pods={key: tuple(sorted({pod.name for pod in current[key]})) for key in keys},
        )

    def outside(self, key: Key) -> Crowd:
        """Return the label sets of all other workloads of the namespace."""
        return self.crowds[key[0]].without(self.places[key])


def _current(pods: Sequence[Pod], template: Labels | None) -> list[Pod]:
    """Return the pods that are there; of those that were there last, the ones made as now."""
    wanted = set(template or ())
    return [pod for pod in newest(pods) if pod.end is None or wanted <= set(pod.labels)]


def _label_sets(template: Labels | None, pods: Iterable[Pod]) -> tuple[Labels, ...]:
    """Return the distinct label sets of the pods and of the template."""
    own = () if template is None else (template,)
    return tuple(sorted({*own, *(_stable(pod.labels) for pod in pods)}))


def find_roles(inventory: Inventory, endpoints: Sequence[Endpoint]) -> tuple[Role, ...]:
    """Return one role for each workload that exists and has pods of its own, sorted."""
    universe = Universe.of(inventory)
    members: dict[Key, list[int]] = defaultdict(list)
    for number, endpoint in enumerate(endpoints):
        if endpoint.kind is Kind.POD:
            members[endpoint.namespace, endpoint.workload].append(number)
    names = _names(inventory)
    roles = [
        Role(
            namespace=workload.namespace,
            name=names[workload.namespace, workload.key],
            workloads=(workload.key,),
            selector=_selector(workload, universe),
            endpoints=tuple(members.get((workload.namespace, workload.key), ())),
            pods=universe.pods.get((workload.namespace, workload.key), ()),
        )
        for workload in inventory.workloads
        if workload.exists and not workload.host_network
    ]
    return tuple(sorted(roles, key=lambda role: (role.namespace, role.name)))


def _names(inventory: Inventory) -> dict[Key, str]:
    """Return each workload's own name, with its kind where a namespace has the name twice."""
    present = [one for one in inventory.workloads if one.exists]
    shared = Counter((one.namespace, one.name) for one in present)
    names = {
        (one.namespace, one.key): one.name
        for one in present
        if shared[one.namespace, one.name] == 1
    }
    taken = {(namespace, name) for (namespace, _), name in names.items()}
    for one in present:
        if (one.namespace, one.key) not in names:
            wanted = (f"{one.name}-{one.kind.lower()}{'-x' * more}" for more in count())
            name = next(name for name in wanted if (one.namespace, name) not in taken)
            taken.add((one.namespace, name))
            names[one.namespace, one.key] = name
    return names


def _selector(workload: Workload, universe: Universe) -> Selector | None:
    key = workload.namespace, workload.key
    members = [dict(one) for one in universe.members.get(key, ())]
    if not members:
        return None
    return exact_selector(members, universe.outside(key), dict(workload.match_labels))


def _stable(labels: Labels) -> Labels:
    return tuple(sorted((key, value) for key, value in labels if key not in VOLATILE))
