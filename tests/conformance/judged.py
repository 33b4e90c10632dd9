"""A case through the real readers: policies from YAML, the cluster from what kubectl prints."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth.commands.cluster import Cluster, open_cluster
from synth.commands.host_pods import with_host_pods
from synth.evaluator.options import DEFAULT
from synth.evaluator.traffic import SERVER, Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint
from synth.inventory.locate import locate, outside, resolve
from synth.inventory.model import Inventory, Ranges
from synth.policy import Protocol
from synth.policy.address import pack_address, parse_address
from tests.conformance.case import Case, Probe, addresses_of

NOW = 1_717_200_000_000_000
"""When the probes are tried: 2024-06-01."""
START, FINISHED = "2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"
WORDS = ("allowed", "denied", "undetermined")


def judged(case: Case, folder: Path) -> list[tuple[Probe, str]]:
    """Return every probe of the case with the verdict of the evaluator."""
    policies, objects = folder / "policies.yaml", folder / "cluster.json"
    policies.write_text(_in_shop(case.policies))
    objects.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": _objects(case)}))
    ranges = Ranges(pods=("10.0.0.0/16", "fd00:10::/64"), services=("10.96.0.0/16",))
    cluster = open_cluster([str(objects)], ranges, [str(policies)])
    probes = list(case.probes())
    traffic = with_host_pods(_traffic(probes, case, cluster), cluster.inventory)
    options = DEFAULT.with_all(case.choices.items())
    labels = cluster.inventory.namespace_labels
    found = evaluate(cluster.policies, traffic, labels, options=options)
    said = [[word for word in WORDS if getattr(found, word)[row]] for row in range(len(probes))]
    assert all(len(words) == 1 for words in said)
    return [(probe, words[0]) for probe, words in zip(probes, said, strict=True)]


def _in_shop(text: str) -> str:
    """Return the policies with their namespace written out, as kubectl -n shop would add it."""
    return text.replace("metadata: {name: ", "metadata: {namespace: shop, name: ")


@dataclass(frozen=True)
class _Place:
    endpoint: Endpoint
    node: int
    member: int


def _place(address: str, inventory: Inventory) -> _Place:
    """Return who has the address now."""
    packed = pack_address(parse_address(address))
    now = np.array([NOW], np.int64)
    placement = locate(inventory, [packed], np.zeros(1, np.int32), now, now)
    number = int(resolve(inventory, placement).endpoint[0])
    assert number >= -1, "no probe is ambiguous"
    if number < 0:
        return _Place(outside(inventory, packed), -1, 0)
    row = int(placement.last[0])
    held = int(inventory.holding_node[row]), int(inventory.holding_member[row])
    return _Place(inventory.endpoints[number], *held)


def _traffic(probes: list[Probe], case: Case, cluster: Cluster) -> Traffic:
    inventory = cluster.inventory
    places = {
        address: _place(address, inventory)
        for probe in probes
        for address in (probe.client.address, probe.server.address)
    }
    services = {name: _place(text, inventory) for name, text in case.services.items()}
    known = {one.endpoint for one in (*places.values(), *services.values())}
    endpoints = tuple(sorted(known))
    number = {endpoint: row for row, endpoint in enumerate(endpoints)}
    pairs = [(places[one.client.address], places[one.server.address]) for one in probes]
    client, server = (
        np.array([number[pair[side].endpoint] for pair in pairs], np.int32) for side in (0, 1)
    )
    asked = [number[services[one.service].endpoint] if one.service else SERVER for one in probes]
    same_node = [one.node == other.node >= 0 for one, other in pairs]
    return Traffic(
        endpoints=endpoints,
        client=client,
        client_seen=client,
        server=server,
        protocol=np.array([Protocol(one.protocol).number for one in probes], np.uint8),
        port=np.array([one.port for one in probes], np.int32),
        same_node=np.array(same_node, np.bool_),
        same_pod=np.array([one.member == other.member != 0 for one, other in pairs], np.bool_),
        decided=np.ones(len(probes), np.bool_),
        asked=np.array(asked, np.int32),
    )


def _objects(case: Case) -> list[dict[str, Any]]:
    """Return the cluster as the API would show it."""
    nodes = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name},
            "status": {"addresses": [{"type": "InternalIP", "address": address}]},
        }
        for name, address in case.nodes.items()
    ]
    services = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"clusterIP": address, "clusterIPs": [address], "ports": [{"port": 80}]},
        }
        for name, address in case.services.items()
    ]
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        for name, labels in case.namespaces.items()
    ]
    pods = [_pod(name, told) for name, told in case.pods.items()]
    return [*spaces, *nodes, *services, *pods]


def _pod(name: str, told: dict[str, Any]) -> dict[str, Any]:
    phase = told.get("phase", "Running")
    ports = [text.split() for text in told.get("ports", ())]
    ended = {"terminated": {"startedAt": START, "finishedAt": FINISHED, "exitCode": 0}}
    running = {"running": {"startedAt": START}}
    state = ended if phase in ("Succeeded", "Failed") else running
    addresses = addresses_of(told)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": told.get("in", "shop"),
            "uid": f"uid-{name}",
            "labels": told.get("labels") or {},
            "creationTimestamp": START,
        },
        "spec": {
            "nodeName": told.get("node", "elsewhere"),
            "hostNetwork": told.get("hostNetwork", False),
            "containers": [
                {
                    "name": "main",
                    "ports": [
                        {"name": one, "protocol": protocol, "containerPort": int(port)}
                        for one, protocol, port in ports
                    ],
                }
            ],
        },
        "status": {
            "phase": phase,
            "startTime": START,
            "podIP": addresses[0],
            "podIPs": [{"ip": address} for address in addresses],
            "containerStatuses": [{"name": "main", "state": state}],
        },
    }
