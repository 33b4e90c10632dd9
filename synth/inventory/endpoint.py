"""Endpoints: the things that records connect, told apart only by what a policy can tell apart."""

import json
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Any

from synth.policy.ports import Protocol

_PRIVATE = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)


class Kind(StrEnum):
    """What an endpoint is."""

    POD = "pod"
    """A class of pods of one workload alike in namespace, stable labels and named ports."""
    NODE = "node"
    """A node's address: the node itself, the host-network pods on it, or traffic behind it."""
    ADDRESS = "address"
    """An address outside the cluster, or a fixed prefix that such addresses fold into."""
    SERVICE = "service"
    """A Service's own address: nobody holds it, so a record that ends there was not answered."""
    UNHELD = "unheld"
    """An address of the pod or Service ranges that nobody held at the time."""
    AMBIGUOUS = "ambiguous"
    """One of several candidates, near a hand-over of the address."""


@dataclass(frozen=True, slots=True, order=True)
class ContainerPort:
    """A declared container port; ``name`` is empty where it has none."""

    protocol: Protocol
    number: int
    name: str = ""


class _Hashed:
    """Keeps a hash beside the fields, which comparing and pickling take no notice of."""

    __slots__ = ("_hash",)
    _hash: int


@dataclass(frozen=True, slots=True, order=True)
class Endpoint(_Hashed):
    """One endpoint, named by its content alone, so that equal endpoints of different runs merge.

    | field | POD | NODE | ADDRESS | SERVICE | UNHELD | AMBIGUOUS |
    |---|---|---|---|---|---|---|
    | namespace | pod's | | | Service's | | |
    | workload | ``Kind/name`` | node name | | Service name | | |
    | labels, ports | the class's | | | | | |
    | blocks | CIDRs around it | | | | | |
    | address | | the node's | address or prefix | its own | address | address |
    | candidates | | | | | | two or more |

    ``blocks`` are the separating CIDRs (of loaded policies and declared ranges) that hold the
    pod's address: all that an ``ipBlock`` can tell about a pod.
    """

    kind: Kind
    namespace: str = ""
    workload: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    blocks: tuple[str, ...] = ()
    address: str = ""
    candidates: tuple["Endpoint", ...] = ()

    def __hash__(self) -> int:
        """Return the hash of the fields, worked out once: endpoints are looked up often."""
        try:
            return self._hash
        except AttributeError:
            whole = (self.kind, self.namespace, self.workload, self.labels, self.ports)
            object.__setattr__(
                self, "_hash", hash((whole, self.blocks, self.address, self.candidates))
            )
            return self._hash

    @property
    def name(self) -> str:
        """The shortest name a person would use: ``shop/api``, ``node node1``, ``203.0.113.10``."""
        if self.kind is Kind.POD:
            return f"{self.namespace}/{self.workload.partition('/')[2]}"
        if self.kind is Kind.NODE:
            return f"node {self.workload}"
        if self.kind is Kind.SERVICE:
            return f"service {self.namespace}/{self.workload}"
        if self.kind is Kind.AMBIGUOUS:
            return " or ".join(sorted({one.name for one in self.candidates}))
        return self.address

    @property
    def private(self) -> bool:
        """Whether an outside address is of a private range (RFC 1918, 6598, 4193)."""
        return self.kind is Kind.ADDRESS and is_private(self.address)

    def to_json(self) -> str:
        """Return the endpoint as canonical JSON: its identity between runs."""
        return json.dumps(_plain(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Endpoint":
        """Return the endpoint that ``to_json`` wrote."""
        return _built(json.loads(text))


def is_private(address: str) -> bool:
    """Return whether the address or prefix lies in a private range (RFC 1918, 6598, 4193)."""
    first = ip_address(address.partition("/")[0])
    return any(first in network for network in _PRIVATE)


def _plain(endpoint: Endpoint) -> dict[str, object]:
    fields = {
        "kind": endpoint.kind.value,
        "namespace": endpoint.namespace,
        "workload": endpoint.workload,
        "labels": dict(endpoint.labels),
        "ports": [[port.protocol.value, port.number, port.name] for port in endpoint.ports],
        "blocks": list(endpoint.blocks),
        "address": endpoint.address,
        "candidates": [_plain(one) for one in endpoint.candidates],
    }
    return {name: value for name, value in fields.items() if value}


def _built(plain: dict[str, Any]) -> Endpoint:
    ports = (
        ContainerPort(Protocol(protocol), number, name)
        for protocol, number, name in plain.get("ports", ())
    )
    return Endpoint(
        kind=Kind(plain["kind"]),
        namespace=plain.get("namespace", ""),
        workload=plain.get("workload", ""),
        labels=tuple(sorted(plain.get("labels", {}).items())),
        ports=tuple(ports),
        blocks=tuple(plain.get("blocks", ())),
        address=plain.get("address", ""),
        candidates=tuple(_built(one) for one in plain.get("candidates", ())),
    )
