"""What the logs of a capture cannot show of a direction, as questions."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges, Source
from synth.inventory.model import Inventory
from synth.learner.model import Question, Role, RuleEvidence
from synth.learner.questions import stable_key
from synth.learner.workloads import Key
from synth.policy.model import Direction

_DAEMON = "DaemonSet/"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Which workloads had pods of their own on which nodes."""

    nodes: Mapping[Key, frozenset[str]]
    """Workload → nodes."""
    guests: Mapping[str, frozenset[Key]]
    """Node → workloads."""

    @classmethod
    def of(cls, inventory: Inventory) -> "Whereabouts":
        """Return where the inventory's pods ran; host-network pods left out."""
        nodes: dict[Key, set[str]] = defaultdict(set)
        guests: dict[str, set[Key]] = defaultdict(set)
        for pod in inventory.pods:
            if not pod.host_network:
                nodes[pod.namespace, pod.workload].add(pod.node)
                guests[pod.node].add((pod.namespace, pod.workload))
        return cls(
            {key: frozenset(some) for key, some in nodes.items()},
            {node: frozenset(some) for node, some in guests.items()},
        )

    def always_together(self, role: Role) -> tuple[str, ...]:
        """Return the other workloads whose traffic with the role may never have left a node.

        They are those on the role's only node and on no other; and, as a Service can keep traffic
        on its node, a DaemonSet and whatever shares a node with it.
        """
        mine = {(role.namespace, key) for key in role.workloads}
        own = frozenset[str]().union(*(self.nodes.get(key, ()) for key in mine))
        daemon = any(key.startswith(_DAEMON) for key in role.workloads)
        near = {key for node in own for key in self.guests[node]} - mine
        together = (
            (namespace, key)
            for namespace, key in near
            if daemon
            or key.startswith(_DAEMON)
            or (len(own) == 1 and self.nodes[namespace, key] == own)
        )
        return tuple(sorted(f"{namespace}/{key.partition('/')[2]}" for namespace, key in together))


def blind_spots(
    edges: Edges,
    whereabouts: Whereabouts,
    concern: tuple[Role, Direction],
    rows: NDArray[np.int64],
) -> tuple[Question, ...]:
    """Return what the logs of this capture cannot show of the direction; ``rows`` are its edges.

    VPC flow logs miss traffic within a node, and name the node instead of the pod on traffic
    that leaves the VPC (production rules: *same-node pairs*, *SNAT*). A connection tracker that
    saw all edges of the direction was on the pods' nodes, and misses neither.
    """
    role, direction = concern
    spots = []
    if np.bitwise_or.reduce(edges.sources) & Source.INTERFACES:
        text = (
            "some VPC flow logs lack pkt-srcaddr and pkt-dstaddr, and so name interfaces in place "
            f"of the pods behind them: who {role} really talks to is not in them"
        )
        spots.append(_blind("interfaces", role, direction, text))
    if (edges.sources[rows] & Source.CONNTRACK).all():
        return tuple(spots)
    if direction is Direction.EGRESS:
        text = (
            "VPC flow logs show traffic that leaves the VPC with the node's address: "
            f"what {role} opens to the Internet cannot be attributed to it"
        )
        spots.append(_blind("snat", role, direction, text))
    together = whereabouts.always_together(role)
    if together:
        text = (
            f"{role} was always, or may have been, on one node with {', '.join(together)}: VPC "
            "flow logs do not show traffic within a node"
        )
        spots.append(_blind("same-node", role, direction, text))
    return tuple(spots)


def no_dns(
    role: Role, direction: Direction, declared: Sequence[RuleEvidence]
) -> tuple[Question, ...]:
    """Return a question if isolating the role's egress would leave it without any DNS."""
    if direction is Direction.INGRESS or declared:
        return ()
    text = (
        "no DNS Service of the cluster, or no pods behind it that a selector can name: isolated, "
        f"{role} could not resolve names; is kube-system in the cluster files?"
    )
    return (_blind("dns", role, direction, text),)


def _blind(what: str, role: Role, direction: Direction, text: str) -> Question:
    return Question(
        key=stable_key("blind-spot", what, str(role), direction),
        kind="blind-spot",
        text=text,
        concerns=((str(role), direction),),
    )
