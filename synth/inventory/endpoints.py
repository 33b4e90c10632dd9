"""Endpoint classes of an inventory, and who held which address when."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import NEVER, Inventory, Node, Pod
from synth.inventory.volatile import without_volatile
from synth.policy.address import Address, pack_address, parse_address, parse_network

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class _Holding:
    address: bytes
    start: int
    end: int
    member: int
    endpoint: Endpoint
    node: int


def with_endpoints(
    inventory: Inventory, *, separators: Collection[str] = (), mentioned: Collection[str] = ()
) -> Inventory:
    """Return the inventory with its endpoints, and its holdings sorted by address and start.

    A class of pods is what policies cannot tell apart: namespace, workload, labels without the
    volatile ones (save those in ``mentioned``), named ports, and the CIDRs among ``separators``
    that hold the address. Host-network pods hold nothing: their address is the node's.

    Raises
    ------
    ValueError
        If a separator is not a CIDR.

    """
    blocks, kept = Blocks.of(separators), frozenset(mentioned)
    numbers = {node.name: number for number, node in enumerate(inventory.nodes)}
    holdings = [
        *(one for pod in inventory.pods for one in _of_pod(pod, numbers, blocks, kept)),
        *(one for node in inventory.nodes for one in _of_node(node, numbers[node.name])),
    ]
    held = {one.address for one in holdings}
    holdings += [
        one
        for node in inventory.nodes
        for one in _of_gateways(node, numbers[node.name])
        if one.address not in held
    ]
    endpoints = sorted({one.endpoint for one in holdings})
    told = replace(
        inventory,
        separators=tuple(sorted({str(parse_network(one)) for one in separators})),
        mentioned=tuple(sorted(kept)),
    )
    return _with_holdings(told, endpoints, holdings)


def hash_member(identity: str) -> int:
    """Return a stable 64-bit hash of a pod's uid, or a node's name."""
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big")


def _of_pod(
    pod: Pod, numbers: dict[str, int], blocks: Blocks, kept: frozenset[str]
) -> Iterator[_Holding]:
    if pod.host_network:
        return
    bare = Endpoint(
        Kind.POD,
        namespace=pod.namespace,
        workload=pod.workload,
        labels=without_volatile(pod.labels, kept),
        ports=tuple(port for port in pod.ports if port.name),
    )
    start = -NEVER if pod.start is None else pod.start
    # Times are cut to seconds, so a pod that came and went within one was there for part of it.
    end = NEVER if pod.end is None else max(pod.end, start + _SECOND)
    for text in pod.addresses:
        address = pack_address(parse_address(text))
        yield _Holding(
            address=address,
            start=start,
            end=end,
            member=hash_member(pod.uid),
            endpoint=_inside(bare, blocks.around(address)),
            node=numbers.get(pod.node, -1),
        )


@lru_cache(maxsize=4096)
def _inside(endpoint: Endpoint, blocks: tuple[str, ...]) -> Endpoint:
    return replace(endpoint, blocks=blocks)


def _of_node(node: Node, number: int) -> Iterator[_Holding]:
    for text in node.addresses:
        yield _held_by_node(node, number, parse_address(text))


def _of_gateways(node: Node, number: int) -> Iterator[_Holding]:
    """Yield the node's own addresses within its pod range: its bridge's, and its tunnel's.

    Bridge and host-local IPAM give a node the first address of its podCIDR, and Flannel's tunnel
    the range's own; kubelet's probes and masqueraded traffic come from them.
    """
    for cidr in map(parse_network, node.pod_cidrs):
        if cidr.num_addresses > 2:  # noqa: PLR2004 - the two, and room for a pod
            yield _held_by_node(node, number, cidr.network_address)
            yield _held_by_node(node, number, cidr.network_address + 1)


def _held_by_node(node: Node, number: int, address: Address) -> _Holding:
    return _Holding(
        address=pack_address(address),
        start=-NEVER,
        end=NEVER if node.end is None else node.end,
        member=hash_member(node.name),
        endpoint=Endpoint(Kind.NODE, workload=node.name, address=str(address)),
        node=number,
    )


def _with_holdings(
    inventory: Inventory, endpoints: list[Endpoint], holdings: list[_Holding]
) -> Inventory:
    numbers = {endpoint: number for number, endpoint in enumerate(endpoints)}
    holdings = sorted(
        holdings,
        key=lambda one: (one.address, one.start, one.end, numbers[one.endpoint], one.member),
    )
    return replace(
        inventory,
        endpoints=tuple(endpoints),
        holding_address=tuple(one.address for one in holdings),
        holding_start=np.array([one.start for one in holdings], np.int64),
        holding_end=np.array([one.end for one in holdings], np.int64),
        holding_endpoint=np.array([numbers[one.endpoint] for one in holdings], np.int32),
        holding_node=np.array([one.node for one in holdings], np.int32),
        holding_member=np.array([one.member for one in holdings], np.uint64),
    )
