"""What the cluster declares: which workloads listen where, who is exposed, who names whom."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from synth.inventory.endpoint import ContainerPort
from synth.inventory.model import Inventory, Labels, Service, ServicePort

Key = tuple[str, str]
"""Namespace and workload key (``Kind/name``)."""
Listener = tuple[str, str, int, int]
"""Namespace, workload key, IANA protocol number, port."""
Reference = tuple[str, str, str, str, int, int]
"""Client's namespace and workload key, server's, IANA protocol number, port."""


@dataclass(frozen=True, slots=True, order=True)
class _Shape:
    """Labels and ports that pods of a workload have, or would have."""

    workload: str
    labels: Labels
    ports: tuple[ContainerPort, ...]


def listeners(inventory: Inventory) -> frozenset[Listener]:
    """Return the declared listeners: container ports, and target ports of Services."""
    declared = {
        (*key, port.protocol.number, port.number)
        for key, ports in _list_ports(inventory)
        for port in ports
    }
    return frozenset(declared.union(target for _, target in service_listeners(inventory)))


def service_listeners(inventory: Inventory) -> list[tuple[Service, Listener]]:
    """Return each Service with each listener behind it, sorted by Service, then listener.

    A Service speaks for every workload of its namespace whose template or pods it selects; a
    named target port means what each of them means by it.
    """
    shapes = _find_shapes(inventory)
    return [
        (service, target)
        for service in inventory.services
        for target in _find_targets(service, shapes.get(service.namespace, ()))
    ]


def exposed_ports(inventory: Inventory) -> dict[Key, list[tuple[Service, int, int]]]:
    """Return, by workload, the exposed Services with IANA protocol number and target port."""
    found: dict[Key, list[tuple[Service, int, int]]] = {}
    for service, (namespace, workload, protocol, port) in service_listeners(inventory):
        if service.exposed:
            found.setdefault((namespace, workload), []).append((service, protocol, port))
    return dict(sorted(found.items()))


def declared_references(inventory: Inventory) -> frozenset[Reference]:
    """Return who names whom: each workload with the listeners behind the Services it names."""
    behind: dict[str, list[Listener]] = {}
    for service, target in service_listeners(inventory):
        behind.setdefault(f"{service.namespace}/{service.name}", []).append(target)
    return frozenset(
        (workload.namespace, workload.key, *target)
        for workload in inventory.workloads
        for name in workload.references
        for target in behind.get(name, ())
    )


def _list_ports(inventory: Inventory) -> Iterator[tuple[Key, tuple[ContainerPort, ...]]]:
    for workload in inventory.workloads:
        yield (workload.namespace, workload.key), workload.ports
    for pod in inventory.pods:
        yield (pod.namespace, pod.workload), pod.ports


def _find_shapes(inventory: Inventory) -> dict[str, list[_Shape]]:
    """Return the distinct shapes by namespace, sorted; labels that no Service asks for left out."""
    asked = {key for one in inventory.services for key, _ in one.selector or ()}
    found: dict[str, set[_Shape]] = {}
    for one in inventory.workloads:
        if one.template_labels is not None:
            shape = _Shape(one.key, _only(one.template_labels, asked), one.ports)
            found.setdefault(one.namespace, set()).add(shape)
    for pod in inventory.pods:
        shape = _Shape(pod.workload, _only(pod.labels, asked), pod.ports)
        found.setdefault(pod.namespace, set()).add(shape)
    return {namespace: sorted(some) for namespace, some in found.items()}


def _only(labels: Labels, keys: Collection[str]) -> Labels:
    return tuple(pair for pair in labels if pair[0] in keys)


def _find_targets(service: Service, shapes: Iterable[_Shape]) -> list[Listener]:
    if service.selector is None:
        return []
    wanted = set(service.selector)
    return sorted(
        {
            (service.namespace, shape.workload, port.protocol.number, number)
            for shape in shapes
            if wanted.issubset(shape.labels)
            for port in service.ports
            for number in _resolve_port(port, shape)
        }
    )


def _resolve_port(port: ServicePort, shape: _Shape) -> Iterator[int]:
    if isinstance(port.target, int):
        yield port.target
        return
    for one in shape.ports:
        if (one.name, one.protocol) == (port.target, port.protocol):
            yield one.number
