"""What a person means by a client or a server: a workload, a pod, or an address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from synth.errors import Fault, UsageError
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.endpoints import hash_member
from synth.inventory.locate import outside
from synth.inventory.model import Inventory
from synth.policy.address import pack_address, parse_address


@dataclass(frozen=True, slots=True)
class End:
    """One end of a flow: the endpoint taken, and the others that the words mean as well.

    ``note`` says what was taken for what, where that needs saying.
    """

    endpoint: Endpoint
    others: tuple[Endpoint, ...] = ()
    note: str = ""


def find_end(text: str, inventory: Inventory, flag: str) -> End:
    """Return the end that the text means: of a workload, its newest pods.

    Raises
    ------
    UsageError
        If the text means nothing in the cluster, or several workloads.

    """
    try:
        address = pack_address(parse_address(text))
    except ValueError:
        return _named(text, inventory, flag)
    last = [at for at, held in enumerate(inventory.holding_address) if held == address]
    if not last:
        return End(outside(inventory, address))
    found = inventory.endpoints[int(inventory.holding_endpoint[last[-1]])]
    more = f", who held it last of {len(last)}" if len(last) > 1 else ""
    return End(found, note=f"{text} is taken for {found.name}{more}")


def difference(one: Endpoint, other: Endpoint) -> str:
    """Return how the endpoint differs from the other; empty if it does not."""
    if one == other:
        return ""
    own, theirs = dict(one.labels), dict(other.labels)
    told = [f"{key}={value}" for key, value in one.labels if theirs.get(key) != value]
    told += [f"no {key}" for key in theirs if key not in own]
    told += [f"in {block}" for block in one.blocks if block not in other.blocks]
    told += [f"not in {block}" for block in other.blocks if block not in one.blocks]
    told += [f"port {p.name}={p.number}" for p in one.ports if p not in other.ports]
    told += [f"no port {p.name}={p.number}" for p in other.ports if p not in one.ports]
    told += [one.workload] if one.workload != other.workload else []
    return ", ".join(told)


def _named(text: str, inventory: Inventory, flag: str) -> End:
    namespace, _, name = text.rpartition("/")
    pods = [one for one in inventory.endpoints if one.kind is Kind.POD]
    here = [one for one in pods if namespace in ("", one.namespace)]
    found = [one for one in here if name == one.workload.partition("/")[2]]
    by_pod = not found
    found = found or _of_pod(namespace, name, inventory)
    workloads = sorted({one.name for one in found})
    if len(workloads) != 1:
        got = f"{text!r}, which means " + (", ".join(workloads) or "nothing in the cluster")
        remedy = "Say namespace/workload, or an address."
        raise UsageError(Fault(flag, "the name of one workload", got, remedy))
    newest = _newest_first(found, inventory)
    chosen, others = newest[0], tuple(newest[1:])
    if by_pod:
        return End(chosen, note=f"{text} is a pod of {chosen.name}")
    # Where addresses alone make a difference, the other verdicts tell it.
    plain = [replace(one, blocks=()) for one in newest]
    kinds = len(set(plain))
    if kinds == 1:
        return End(chosen, others)
    told = (difference(plain[0], one) for one in plain[1:])
    what = ", ".join(filter(None, dict.fromkeys(told)))
    note = f"{chosen.name} has {kinds} kinds of pods; the newest are taken ({what})"
    return End(chosen, others, note)


def _of_pod(namespace: str, name: str, inventory: Inventory) -> list[Endpoint]:
    """Return the endpoints of the pods of this very name."""
    uids = {
        hash_member(pod.uid)
        for pod in inventory.pods
        if pod.name == name and namespace in ("", pod.namespace)
    }
    numbers = {
        int(endpoint)
        for endpoint, member in zip(
            inventory.holding_endpoint, inventory.holding_member.tolist(), strict=True
        )
        if member in uids
    }
    return [inventory.endpoints[number] for number in sorted(numbers)]


def _newest_first(found: Sequence[Endpoint], inventory: Inventory) -> list[Endpoint]:
    """Return the endpoints that are there last, the one that began last first.

    Pods of the past are left out, unless nothing else is left.
    """
    numbers = {inventory.endpoints.index(endpoint): endpoint for endpoint in found}
    times = dict.fromkeys(found, (-1, -1))
    held = zip(
        inventory.holding_endpoint.tolist(),
        inventory.holding_end.tolist(),
        inventory.holding_start.tolist(),
        strict=True,
    )
    for number, end, start in held:
        if number in numbers:
            one = numbers[number]
            times[one] = max(times[one], (end, start))
    last = max(end for end, _ in times.values())
    there = [one for one in found if times[one][0] == last]
    return sorted(there, key=lambda one: (times[one], one), reverse=True)
