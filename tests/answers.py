"""The right answer of a data set, as data, in the words in which a test compares it."""

import json

from tests.judge import Cluster, Document
from tests.reference import Flow, Reference

DIRECTIONS = {"ingress": "from", "egress": "to"}
"""A direction, and what a rule calls its peers there."""


def sort_rules(rules: list[Document]) -> list[str]:
    """Return the rules as sorted text, the order of peers and ports left aside."""
    return sorted(
        json.dumps(
            {key: sorted(json.dumps(one, sort_keys=True) for one in rule[key]) for key in rule},
            sort_keys=True,
        )
        for rule in rules
    )


def answered_rules(subject: Document, direction: str) -> list[Document]:
    """Return the rules of the answer as a NetworkPolicy spells them."""
    return [
        {
            DIRECTIONS[direction]: [
                {key: value for key, value in peer.items() if key != "workload"}
                for peer in rule["peers"]
            ],
            "ports": rule["ports"],
        }
        for rule in subject[direction].get("rules", [])
    ]


def flows_of(pair: Document, cluster: Cluster) -> list[Flow]:
    """Return a flow for each pod of the client with each pod of the server."""
    ends = []
    for end in ("client", "server"):
        held = [pod for pod, _, _ in cluster.held if cluster.name(pod) == pair[end]]
        ends.append(held or [pair[end]])
    return [Flow(a, a, b, pair["protocol"], pair["port"]) for a in ends[0] for b in ends[1]]


def denying_sides(reference: Reference, flow: Flow) -> list[str]:
    """Return the directions that deny the flow, sorted."""
    said = reference.judge(flow)
    denied = {"egress": not said.egress_allowed, "ingress": not said.ingress_allowed}
    return sorted(side for side in denied if denied[side])
