"""``explain``: why one flow is allowed or denied."""

from dataclasses import dataclass, field

import numpy as np

from synth.commands.cluster import Cluster, open_cluster
from synth.errors import Fault, UsageError
from synth.evaluator.explain import explain as explain_row
from synth.evaluator.explanation import Explanation
from synth.evaluator.traffic import Traffic
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.locate import outside
from synth.inventory.model import Inventory, Ranges
from synth.policy.address import pack_address, parse_address
from synth.policy.ports import Protocol


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """A flow, as a person names it: workloads or pods (``web``, ``shop/web``) or addresses."""

    source: str
    destination: str
    protocol: Protocol
    port: int
    cluster: tuple[str, ...]
    policies: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)


def explain(request: ExplainRequest) -> Explanation:
    """Return why the flow is allowed or denied, under the given or the cluster's own policies.

    Raises
    ------
    UsageError
        If a name means nothing in the cluster, or several things.

    """
    cluster = open_cluster(request.cluster, request.ranges, request.policies or None)
    traffic = _traffic(request, cluster)
    return explain_row(cluster.policies, traffic, cluster.inventory.namespace_labels)


def _traffic(request: ExplainRequest, cluster: Cluster) -> Traffic:
    inventory = cluster.inventory
    client = _find(request.source, inventory, "--from")
    server = _find(request.destination, inventory, "--to")
    endpoints = tuple(sorted({client, server}))
    number = np.array([endpoints.index(client)], np.int32)
    never = np.zeros(1, np.bool_)
    return Traffic(
        endpoints=endpoints,
        client=number,
        client_seen=number,
        server=np.array([endpoints.index(server)], np.int32),
        protocol=np.array([request.protocol.number], np.uint8),
        port=np.array([request.port], np.int32),
        same_node=never,
        same_pod=never,
        decided=~never,
    )


def _find(text: str, inventory: Inventory, flag: str) -> Endpoint:
    """Return the endpoint that the text means: an address, or a workload or pod by name."""
    try:
        address = pack_address(parse_address(text))
    except ValueError:
        return _named(text, inventory, flag)
    last = [at for at, held in enumerate(inventory.holding_address) if held == address]
    if last:
        return inventory.endpoints[int(inventory.holding_endpoint[last[-1]])]
    return outside(inventory, address)


def _named(text: str, inventory: Inventory, flag: str) -> Endpoint:
    namespace, _, name = text.rpartition("/")
    owners = {
        (pod.namespace, pod.workload) for pod in inventory.pods if name in (pod.name, pod.workload)
    }
    found = [
        one
        for one in inventory.endpoints
        if one.kind is Kind.POD
        and namespace in ("", one.namespace)
        and (name == one.workload.partition("/")[2] or (one.namespace, one.workload) in owners)
    ]
    workloads = sorted({one.name for one in found})
    if len(workloads) != 1:
        got = f"{text!r}, which means " + (", ".join(workloads) or "nothing in the cluster")
        remedy = "Say namespace/workload, or an address."
        raise UsageError(Fault(flag, "the name of one workload", got, remedy))
    return _newest(found, inventory)


def _newest(found: list[Endpoint], inventory: Inventory) -> Endpoint:
    """Return the endpoint among those of one workload that was held last."""
    ends = dict.fromkeys(found, -1)
    numbers = {inventory.endpoints.index(endpoint): endpoint for endpoint in found}
    for number, end in zip(inventory.holding_endpoint, inventory.holding_end, strict=True):
        if int(number) in numbers:
            one = numbers[int(number)]
            ends[one] = max(ends[one], int(end))
    return max(found, key=lambda one: (ends[one], one))
