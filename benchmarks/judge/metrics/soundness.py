"""Replay soundness: accepted training flows that the policies block."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.judge.case import Prepared
from benchmarks.judge.proposal import Proposal
from benchmarks.judge.verdicts import judge_training
from synth.dialects.kubernetes.write import to_document
from synth.edges.schema import Edges
from synth.evaluator.verdicts import Verdicts
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.policy.model import PolicySet
from tests.reference import Flow, Judgement, Pod, Reference

_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}


def count_blocked(
    edges: Edges, accepted: np.ndarray[Any, np.dtype[np.bool_]], said: Verdicts
) -> int:
    """Return the records of accepted edges that are surely denied."""
    return int(edges.records[accepted & said.denied].sum())


def blocked(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return the accepted training records that the evaluator blocks."""
    said = judge_training(prepared, proposal)
    return float(count_blocked(proposal.edges, proposal.accepted, said))


def disputed(prepared: Prepared, proposal: Proposal, _: Proposal) -> float:
    """Return the training edges between concrete ends on which the two evaluators differ."""
    inventory = proposal.world(prepared).learnt.inventory
    said = judge_training(prepared, proposal)
    return float(count_disputed(proposal.policies, proposal.edges, said, inventory))


def count_disputed(policies: PolicySet, edges: Edges, said: Verdicts, inventory: Inventory) -> int:
    """Return the edges that the scalar reference, which shares no code, judges differently."""
    reference = Reference([to_document(one) for one in policies], inventory.namespace_labels)
    address = {
        (pod.namespace, pod.workload): text for pod in inventory.pods for text in pod.addresses
    }
    ends = [_end(one, address) for one in edges.endpoints]
    found, known = 0, dict[tuple[object, ...], Judgement]()
    for row in np.flatnonzero(edges.decided & ~edges.same_pod & ~edges.same_node).tolist():
        protocol = _PROTOCOLS.get(int(edges.protocol[row]))
        client, seen, server = (
            ends[int(column[row])] for column in (edges.client, edges.client_seen, edges.server)
        )
        if protocol is None or client is None or seen is None or server is None:
            continue
        flow = Flow(client, seen, server, protocol, int(edges.port[row]))
        key = (edges.client[row], edges.client_seen[row], edges.server[row], flow.port, protocol)
        judged = known.setdefault(key, reference.judge(flow)) if key not in known else known[key]
        found += judged.allowed != bool(said.allowed[row])
    return found


def _end(endpoint: Endpoint, address: Mapping[tuple[str, str], str]) -> Pod | str | None:
    """Return the endpoint as the reference has it; None if it is not one thing."""
    if endpoint.kind is Kind.POD:
        return Pod(
            namespace=endpoint.namespace,
            name=f"{endpoint.workload} {endpoint.labels}",
            labels=dict(endpoint.labels),
            address=address[endpoint.namespace, endpoint.workload],
            ports=tuple((one.protocol.value, one.name, one.number) for one in endpoint.ports),
        )
    concrete = endpoint.kind in (Kind.ADDRESS, Kind.NODE) and "/" not in endpoint.address
    return endpoint.address if concrete and endpoint.address else None
