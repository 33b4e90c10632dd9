"""Two opinions on selectors: what the learner meant to pick, and what the evaluator picks."""

from collections.abc import Iterable

from synth.errors import Fault
from synth.evaluator.members import members
from synth.inventory.model import Inventory
from synth.inventory.volatile import VOLATILE
from synth.learner.model import Role


def check_selectors(roles: Iterable[Role], inventory: Inventory) -> tuple[Fault, ...]:
    """Return a fault for each selector that does not pick exactly the role's own pods.

    The pods are the inventory's endpoints whose workload still exists and whose labels are not
    those of an older rollout: the universe of exactness.
    """
    current = _current(inventory)
    faults = []
    for role in roles:
        if role.selector is None:
            continue
        picked = set(members(role.selector, role.namespace, inventory.endpoints).tolist())
        meant = {
            number
            for number, endpoint in enumerate(inventory.endpoints)
            if endpoint.namespace == role.namespace and endpoint.workload in role.workloads
        }
        wrong = {number for number in picked ^ meant if number in current}
        if wrong:
            names = ", ".join(sorted({inventory.endpoints[number].name for number in wrong}))
            faults.append(Fault(f"selector {role.selector} of {role}", "exactly its pods", names))
    return tuple(faults)


def _current(inventory: Inventory) -> set[int]:
    """Return the numbers of endpoints whose labels some live pod (or the last of a kind) has."""
    live = {
        (pod.namespace, pod.workload, _stable(pod.labels))
        for pod in inventory.pods
        if pod.end is None and not pod.host_network
    }
    return {
        number
        for number, one in enumerate(inventory.endpoints)
        if (one.namespace, one.workload, _stable(one.labels)) in live
    }


def _stable(labels: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in labels if key not in VOLATILE))
