"""Two opinions on selectors: what the learner meant to pick, and what the evaluator picks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from synth.errors import Fault
from synth.evaluator.members import members
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Labels
from synth.learner.model import Role


@dataclass(frozen=True, slots=True)
class _Known:
    """A pod, or a template's pod; ``there``: it exists, or its workload would make it now."""

    endpoint: Endpoint
    name: str
    there: bool


def check_selectors(roles: Iterable[Role], inventory: Inventory) -> tuple[Fault, ...]:
    """Return a fault for each selector that does not pick exactly the role's own pods.

    It must pick every pod of the role that is there, and every pod its templates would make; and
    no pod or template of another workload, be it of the past. Older pods of the role itself, whose
    labels may have changed, are don't-care.
    """
    universe = _by_namespace(inventory)
    faults = []
    for role in roles:
        if role.selector is None:
            continue
        known = universe.get(role.namespace, [])
        picked = members(role.selector, role.namespace, [one.endpoint for one in known])
        wrong = _wrong(role, known, set(picked.tolist()))
        if wrong:
            where = f"selector {role.selector} of {role}"
            faults.append(Fault(where, "exactly its pods", ", ".join(sorted(wrong))))
    return tuple(faults)


def _wrong(role: Role, known: Sequence[_Known], picked: set[int]) -> set[str]:
    wrong = set()
    for number, one in enumerate(known):
        own = one.endpoint.workload in role.workloads
        if own and one.there and number not in picked:
            wrong.add(f"without {one.name}")
        if not own and number in picked:
            wrong.add(f"with {one.name}")
    return wrong


def _by_namespace(inventory: Inventory) -> Mapping[str, list[_Known]]:
    found: dict[str, list[_Known]] = defaultdict(list)
    for pod in inventory.pods:
        endpoint = _endpoint(pod.namespace, pod.workload, pod.labels)
        known = _Known(endpoint, f"pod {pod.name}", pod.end is None)
        found[pod.namespace].append(known)
    for one in inventory.workloads:
        if one.template_labels is not None:
            endpoint = _endpoint(one.namespace, one.key, one.template_labels)
            found[one.namespace].append(_Known(endpoint, f"template of {one.key}", one.exists))
    return found


def _endpoint(namespace: str, workload: str, labels: Labels) -> Endpoint:
    return Endpoint(Kind.POD, namespace=namespace, workload=workload, labels=labels)
