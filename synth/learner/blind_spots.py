"""What the logs of a capture cannot show of a direction, as questions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges, Source
from synth.inventory.endpoint import Kind
from synth.inventory.listeners import service_listeners
from synth.inventory.model import Inventory
from synth.learner.facts import Facts
from synth.learner.model import Question, Role, RuleEvidence
from synth.learner.questions import contact_text, stable_key
from synth.learner.whereabouts import Whereabouts
from synth.learner.workloads import Key
from synth.policy.model import Direction

_MOST = 3
"""Contacts of nodes that a question names; the rest are counted."""
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Sight:
    """What the logs of one capture show, and whose traffic may hide behind it."""

    edges: Edges
    inventory: Inventory
    whereabouts: Whereabouts

    @classmethod
    def of(cls, edges: Edges, inventory: Inventory) -> "Sight":
        """Return what the capture shows."""
        return cls(edges, inventory, Whereabouts.of(inventory, edges))

    @cached_property
    def sources(self) -> int:
        """The kinds of logs in the capture, bits of ``Source``."""
        return int(np.bitwise_or.reduce(self.edges.sources))

    @cached_property
    def left_by_node(self) -> Mapping[str, Rows]:
        """Node → rows of what it, or a pod that shows as it, opened outside, not in vain."""
        rows = self._answered_by_interfaces(Kind.NODE, Kind.ADDRESS)
        return self._by_node(rows, self.edges.client)

    @cached_property
    def users_by_port(self) -> Mapping[tuple[int, int], Rows]:
        """IANA protocol number and port of any node → rows of clients outside who got answers."""
        rows = self._answered_by_interfaces(Kind.ADDRESS, Kind.NODE)
        services = list(zip(self.edges.protocol[rows], self.edges.port[rows], strict=True))
        wanted = [(int(protocol), int(port)) for protocol, port in services]
        return {
            one: rows[np.array([other == one for other in wanted], np.bool_)]
            for one in dict.fromkeys(wanted)
        }

    @cached_property
    def node_ports(self) -> Mapping[Key, tuple[tuple[str, int, int], ...]]:
        """Workload → Services with IANA protocol number and port at every node."""
        found: dict[Key, dict[tuple[str, int, int], None]] = {}
        for service, (namespace, workload, protocol, number) in service_listeners(self.inventory):
            name = f"{service.namespace}/{service.name}"
            for port in service.ports:
                at_target = port.target == number or isinstance(port.target, str)
                if port.node_port and port.protocol.number == protocol and at_target:
                    told = found.setdefault((namespace, workload), {})
                    told[name, protocol, port.node_port] = None
        return {key: tuple(some) for key, some in found.items()}

    def touches(self, ends: Sequence[int]) -> Rows:
        """Return the rows of edges that one of the endpoints is an end of."""
        return np.flatnonzero(np.isin(self.edges.client, ends) | np.isin(self.edges.server, ends))

    def is_tracked(self, rows: Rows) -> bool:
        """Return whether a connection tracker saw all of these edges too."""
        return bool((self.edges.sources[rows] & Source.CONNTRACK).all())

    def _answered_by_interfaces(self, client: Kind, server: Kind) -> Rows:
        edges = self.edges
        kinds = np.array([one.kind for one in edges.endpoints], object)
        ends = (kinds[edges.client] == client) & (kinds[edges.server] == server)
        seen = edges.sources & (Source.VPC | Source.CONNTRACK) == Source.VPC
        return np.flatnonzero(ends & seen & Facts(edges, self.inventory).answered)

    def _by_node(self, rows: Rows, column: NDArray[np.int32]) -> Mapping[str, Rows]:
        names = np.array([self.edges.endpoints[end].workload for end in column[rows]], object)
        return {name: rows[names == name] for name in dict.fromkeys(names.tolist())}


def blind_spots(sight: Sight, concern: tuple[Role, Direction], rows: Rows) -> tuple[Question, ...]:
    """Return what the logs of this capture cannot show of the direction; ``rows`` are its edges.

    VPC flow logs miss traffic within a node, and name the node instead of the pod on traffic
    that leaves the VPC (production rules: *same-node pairs*, *SNAT*). A connection tracker that
    saw all edges of the direction was on the pods' nodes, and misses neither.
    """
    role, direction = concern
    spots = [*_interfaces(sight, role, direction)]
    if sight.is_tracked(rows):
        return tuple(spots)
    if direction is Direction.EGRESS:
        spots.append(_outside(sight, role))
    return (*spots, *_same_node(sight, role, (direction,)))


def unseen(
    sight: Sight, role: Role, directions: Sequence[Direction], ends: Sequence[int]
) -> tuple[Question, ...]:
    """Return why nothing may have been seen of these directions, though there is something.

    ``ends`` are the numbers of the role's endpoints. No policy is drafted of what was never seen,
    so that no answer isolates anything; and none counts once something is seen.
    """
    rows = sight.touches(ends)
    tracked = sight.is_tracked(rows) if len(rows) else sight.sources & Source.CONNTRACK
    if tracked or not directions or not sight.sources & Source.VPC:
        return ()
    found = [*_same_node(sight, role, directions)]
    if Direction.INGRESS in directions:
        found += _node_ports(sight, role)
    nodes = sight.whereabouts.nodes(role)
    if Direction.EGRESS in directions and any(node in sight.left_by_node for node in nodes):
        found.append(_outside(sight, role))
    return tuple(_without_draft(one, role) for one in found)


def _without_draft(spot: Question, role: Role) -> Question:
    """Return the question with a key that is the same whichever directions it concerns."""
    told = "no policy is drafted, whatever the answer"
    evidence = f"{spot.evidence}; {told}" if spot.evidence else f"Nothing was seen: {told}"
    return replace(spot, key=stable_key("unseen", str(role), spot.text), evidence=evidence)


def _interfaces(sight: Sight, role: Role, direction: Direction) -> Iterator[Question]:
    if sight.sources & Source.INTERFACES:
        text = (
            "some VPC flow logs lack pkt-srcaddr and pkt-dstaddr, and so name interfaces in place "
            f"of the pods behind them: who {role} really talks to is not in them"
        )
        yield _blind("interfaces", role, (direction,), text)


def _outside(sight: Sight, role: Role) -> Question:
    text = (
        "VPC flow logs show traffic that leaves the VPC with the node's address: "
        f"what {role} opens to the Internet cannot be attributed to it"
    )
    spot = _blind("snat", role, (Direction.EGRESS,), text)
    nodes = sorted(sight.whereabouts.nodes(role))
    rows = [row for node in nodes for row in sight.left_by_node.get(node, ())]
    return _with_contacts(spot, sight.edges, rows, "Seen of its nodes:")


def _node_ports(sight: Sight, role: Role) -> Iterator[Question]:
    for key in role.workloads:
        for name, protocol, port in sight.node_ports.get((role.namespace, key), ()):
            rows = sight.users_by_port.get((protocol, port), ())
            if len(rows):
                text = (
                    f"users of Service {name} came to node port {port}, where VPC flow logs lose "
                    f"sight of them: which of them reached {role} is not in them"
                )
                spot = _blind(f"node-port {name} {port}", role, (Direction.INGRESS,), text)
                yield _with_contacts(spot, sight.edges, rows, "Seen at the nodes:")


def _same_node(sight: Sight, role: Role, directions: Sequence[Direction]) -> Iterator[Question]:
    together = sight.whereabouts.always_together(role)
    if together:
        text = (
            f"{role} was always, or may have been, on one node with {', '.join(together)}: VPC "
            "flow logs do not show traffic within a node"
        )
        yield _blind("same-node", role, directions, text)


def _with_contacts(
    spot: Question, edges: Edges, rows: Sequence[int] | Rows, words: str
) -> Question:
    """Return the question with the contacts that may be what it asks about."""
    if not len(rows):
        return spot
    records = int(edges.records[np.asarray(rows)].sum())
    ordered = sorted(rows, key=lambda row: (edges.example_of(int(row)), int(row)))
    texts = list(dict.fromkeys(contact_text(edges, int(row)) for row in ordered))
    more = f" and {len(texts) - _MOST} more" if len(texts) > _MOST else ""
    file, line = edges.example_of(int(ordered[0]))
    counted = f"{records} record{'s' if records != 1 else ''}, first {file}:{line}"
    evidence = f"{words} {', '.join(texts[:_MOST])}{more}: {counted}"
    return replace(spot, records=records, evidence=evidence)


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
    return (_blind("dns", role, (direction,), text),)


def _blind(what: str, role: Role, directions: Sequence[Direction], text: str) -> Question:
    return Question(
        key=stable_key("blind-spot", what, str(role), *directions),
        kind="blind-spot",
        text=text,
        concerns=tuple((str(role), one) for one in directions),
    )
