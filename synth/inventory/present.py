"""The pods there are now: those that run, and templates for those that the files do not show."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Pod, Workload
from synth.policy.address import Network, pack_address, parse_address, parse_network

Places = tuple[tuple[tuple[int, ...], tuple[str, ...]], ...]
"""Families, and the CIDRs around an address."""
FAMILIES = {4: "0.0.0.0/0", 6: "::/0"}


@dataclass(frozen=True, slots=True, order=True)
class Present:
    """A pod at one address, or at one that it may have where its address is not known.

    ``pod`` is its name; empty: any number of pods that a template would make.
    """

    endpoint: Endpoint
    pod: str
    families: tuple[int, ...]


def list_present(inventory: Inventory, cidrs: Iterable[str]) -> tuple[Present, ...]:
    """Return the pods that exist as the latest files show them, told apart by these CIDRs.

    A workload that exists and has no such pod stands for the pods of its template, save for a Job
    that is over. A pod without an address is listed once for each way in which the CIDRs divide
    the pod ranges; where no pod range is known, as if the CIDRs of a whole family alone held it.
    Pods on the host network are their nodes, and are not listed.
    """
    named = tuple(sorted(set(cidrs)))
    blocks, places = Blocks.of(named), _places(inventory.ranges.pods, named)
    found: set[Present] = set()
    for pod in inventory.pods:
        if exists(pod, inventory) and not pod.host_network:
            found.update(_of_pod(pod, blocks, places))
    for one in _templates(inventory):
        found.update(_anywhere(_of_template(one), "", places))
    return tuple(sorted(found))


def exists(pod: Pod, inventory: Inventory) -> bool:
    """Return whether the pod still runs, as far as the files tell."""
    observed = inventory.observed
    return pod.end is None or (observed is not None and pod.end > observed[1])


def without_address(present: Iterable[Present]) -> tuple[str, ...]:
    """Return the workloads among these with pods whose addresses are not known; sorted."""
    return tuple(sorted({one.endpoint.name for one in present if len(one.families) > 1}))


def _templates(inventory: Inventory) -> Iterator[Workload]:
    """Yield the workloads that exist without a pod that does."""
    seen = {(pod.namespace, pod.workload) for pod in inventory.pods}
    running = {(pod.namespace, pod.workload) for pod in inventory.pods if exists(pod, inventory)}
    for one in inventory.workloads:
        known = seen if one.kind == "Job" else running
        makes = one.exists and one.template_labels is not None and not one.host_network
        if makes and (one.namespace, one.key) not in known:
            yield one


def _of_template(one: Workload) -> Endpoint:
    ports = tuple(sorted(port for port in one.ports if port.name))
    labels = one.template_labels or ()
    return Endpoint(Kind.POD, one.namespace, one.key, labels=labels, ports=ports)


def _of_pod(pod: Pod, blocks: Blocks, places: Places) -> Iterator[Present]:
    bare = Endpoint(
        Kind.POD,
        namespace=pod.namespace,
        workload=pod.workload,
        labels=pod.labels,
        ports=tuple(port for port in pod.ports if port.name),
    )
    if not pod.addresses:
        yield from _anywhere(bare, pod.name, places)
    for text in pod.addresses:
        address = parse_address(text)
        around = blocks.around(pack_address(address))
        yield Present(replace(bare, blocks=around), pod.name, (address.version,))


def _anywhere(bare: Endpoint, pod: str, places: Places) -> Iterator[Present]:
    for families, around in places:
        yield Present(replace(bare, blocks=around), pod, families)


def _places(ranges: Iterable[str], cidrs: tuple[str, ...]) -> Places:
    """Return families and CIDRs around each kind of place that a pod may be at."""
    blocks, named = Blocks.of(cidrs), [parse_network(one) for one in cidrs]
    found = {
        ((network.version,), blocks.around(pack_address(network[offset])))
        for network in map(parse_network, ranges)
        for offset in _offsets(network, named)
    }
    whole = tuple(text for text in FAMILIES.values() if text in cidrs)
    return tuple(sorted(found)) or (((4, 6), whole),)


def _offsets(network: Network, named: list[Network]) -> set[int]:
    """Return where in the network one of the named ones begins, or has just ended."""
    first, last = int(network.network_address), int(network.broadcast_address)
    edges = {first}
    for one in named:
        if one.version == network.version:
            edges |= {int(one.network_address), int(one.broadcast_address) + 1}
    return {edge - first for edge in edges if first <= edge <= last}
