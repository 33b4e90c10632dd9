"""Nodes, namespaces and ConfigMaps, parsed; and the address ranges that nodes declare."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses
from typing import Final

from synth.errors import Fault, InputError
from synth.inventory.fields import Field
from synth.inventory.model import Labels, Namespace, Node, Ranges
from synth.inventory.pods import SeenPod
from synth.inventory.sightings import Dump, Sighting
from synth.policy.address import parse_network

NAMESPACE_NAME: Final = "kubernetes.io/metadata.name"
"""The label that every namespace carries, with its name."""

_OF_THE_NODE: Final = ("InternalIP", "ExternalIP")


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node as one sighting shows it."""

    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenNamespace:
    """A namespace as one sighting shows it."""

    labels: Labels


@dataclass(frozen=True, slots=True)
class SeenConfigMap:
    """The data of a ConfigMap: key and text."""

    data: tuple[tuple[str, str], ...]


def parse_node(field: Field, _namespace: str, _name: str) -> SeenNode:
    """Return the node, with its internal and external addresses."""
    addresses = (
        one.at("address").address()
        for one in field.at("status", "addresses").items()
        if one.at("type").text() in _OF_THE_NODE
    )
    cidrs = (*field.at("spec", "podCIDRs").items(), field.at("spec", "podCIDR"))
    networks = dict.fromkeys(one.network() for one in cidrs)
    return SeenNode(
        addresses=tuple(dict.fromkeys(one for one in addresses if one)),
        pod_cidrs=tuple(one for one in networks if one),
        annotations=tuple(sorted(map(str, field.at("metadata", "annotations").mapping()))),
    )


def parse_namespace(field: Field, _namespace: str, _name: str) -> SeenNamespace:
    """Return the namespace."""
    return SeenNamespace(field.at("metadata", "labels").labels())


def parse_config_map(field: Field, _namespace: str, _name: str) -> SeenConfigMap:
    """Return the ConfigMap; ``binaryData`` sets no environment."""
    data = field.at("data")
    return SeenConfigMap(tuple((str(key), data.at(key).text()) for key in data.mapping()))


def list_nodes(dump: Dump) -> list[Node]:
    """Return the nodes by name; those without an object as far as their pods tell (hostIPs)."""
    nodes = {
        one.name: Node(one.name, seen.addresses, seen.pod_cidrs, _end(one, dump), seen.annotations)
        for one, seen in dump.latest(SeenNode)
    }
    hinted: dict[str, set[str]] = {}
    for _, pod in dump.of(SeenPod):
        if pod.node and pod.node not in nodes:
            hinted.setdefault(pod.node, set()).update(pod.node_addresses)
    for name, addresses in hinted.items():
        nodes[name] = Node(name, tuple(sorted(addresses)))
    return [nodes[name] for name in sorted(nodes)]


def list_namespaces(dump: Dump, mentioned: Iterable[str]) -> list[Namespace]:
    """Return the namespaces by name: those of the dump, and those that its objects mention."""
    labels = {one.name: dict(seen.labels) for one, seen in dump.latest(SeenNamespace)}
    return [
        Namespace(name, tuple(sorted({**labels.get(name, {}), NAMESPACE_NAME: name}.items())))
        for name in sorted({*labels, *mentioned})
    ]


def complete_ranges(given: Ranges, nodes: Iterable[Node]) -> Ranges:
    """Return the ranges in canonical text: the given ones, else the pod ranges of the nodes.

    Service and node ranges cannot be told from objects.

    Raises
    ------
    InputError
        If a given range is not a CIDR.

    """
    pods = given.pods or [cidr for node in nodes for cidr in node.pod_cidrs]
    return Ranges(_canonical(pods), _canonical(given.services), _canonical(given.nodes))


def _end(sighting: Sighting, dump: Dump) -> int | None:
    return sighting.time if sighting.deleted else dump.missed_at(sighting)


def _canonical(cidrs: Iterable[str]) -> tuple[str, ...]:
    networks, faults = [], []
    for cidr in cidrs:
        try:
            networks.append(parse_network(cidr))
        except ValueError:
            faults.append(Fault("declared ranges", "a CIDR such as 10.0.0.0/16", repr(cidr)))
    if faults:
        raise InputError(*faults)
    fours = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    sixes = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    return tuple(map(str, (*fours, *sixes)))
