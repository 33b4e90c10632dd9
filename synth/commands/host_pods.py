"""The host-network pods behind the addresses of nodes, which no log tells from the nodes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from synth.evaluator.traffic import Traffic
from synth.inventory.blocks import Blocks
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Pod
from synth.inventory.volatile import without_volatile
from synth.policy.address import pack_address, parse_address


def with_host_pods(traffic: Traffic, inventory: Inventory) -> Traffic:
    """Return the traffic, whose nodes name the host-network pods that were ever on them.

    An address of the node ranges that no node holds may be any of them.
    """
    pods: dict[str, list[Pod]] = defaultdict(list)
    for pod in inventory.pods:
        if pod.host_network:
            pods[pod.node].append(pod)
    if not pods:
        return traffic
    every = [pod for node in sorted(pods) for pod in pods[node]]
    blocks, kept = Blocks.of(inventory.separators), frozenset(inventory.mentioned)
    endpoints = tuple(
        _with_candidates(one, pods.get(one.workload, []) if one.workload else every, blocks, kept)
        if one.kind is Kind.NODE
        else one
        for one in traffic.endpoints
    )
    return replace(traffic, endpoints=endpoints)


def _with_candidates(
    node: Endpoint, pods: Sequence[Pod], blocks: Blocks, kept: frozenset[str]
) -> Endpoint:
    around = blocks.around(pack_address(parse_address(node.address))) if node.address else ()
    found = {
        Endpoint(
            Kind.POD,
            namespace=pod.namespace,
            workload=pod.workload,
            labels=without_volatile(pod.labels, kept),
            ports=tuple(port for port in pod.ports if port.name),
            blocks=around,
        )
        for pod in pods
    }
    return replace(node, candidates=tuple(sorted(found)))
