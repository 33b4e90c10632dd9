"""Where the pods of workloads were, and which of them no interface ever stood between."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, product

from synth.edges.schema import NEVER, Edges
from synth.inventory.model import Inventory
from synth.learner.model import Role
from synth.learner.workloads import Key, find_present

_DAEMON = "DaemonSet/"
_SEVERAL = 2
_NOBODY_KNOWS = ""
"""The node of pods of which nobody said where they were: it may have been any."""

Stay = tuple[int, int]
"""When a pod was on a node: half-open, microseconds."""
Stays = Mapping[str, Sequence[Stay]]
"""Node → when somebody was there."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where the pods of existing workloads were during a capture; host-network pods left out."""

    stays: Mapping[Key, Stays]
    """Workload → node → when."""
    guests: Mapping[str, frozenset[Key]]
    """Node → workloads."""
    spread: frozenset[Key]
    """Workloads that were on two nodes at every moment, so that nobody was always with them."""
    lost: frozenset[Key]
    """Workloads of which nobody knows any node."""

    @classmethod
    def of(cls, inventory: Inventory, edges: Edges) -> "Whereabouts":
        """Return where the inventory's pods were while the edges were recorded."""
        present, (first, end) = find_present(inventory), _span(edges)
        stays: dict[Key, dict[str, set[Stay]]] = defaultdict(lambda: defaultdict(set))
        guests: dict[str, set[Key]] = defaultdict(set)
        for pod in inventory.pods:
            key = pod.namespace, pod.workload
            since = first if pod.start is None else max(pod.start, first)
            until = end if pod.end is None else min(pod.end, end)
            if key in present and not pod.host_network and since < until:
                stays[key][pod.node].add((since, until))
                guests[pod.node].add(key)
        placed = {
            key: {node: sorted(some) for node, some in on.items()} for key, on in stays.items()
        }
        return cls(
            placed,
            {node: frozenset(some) for node, some in guests.items()},
            frozenset(key for key, on in placed.items() if _is_spread(on, (first, end))),
            frozenset(key for key, on in placed.items() if on.keys() == {_NOBODY_KNOWS}),
        )

    def nodes(self, role: Role) -> frozenset[str]:
        """Return the nodes that the role was on, as far as they are known."""
        return frozenset(self._of(role)) - {_NOBODY_KNOWS}

    def always_together(self, role: Role) -> tuple[str, ...]:
        """Return the other workloads whose traffic with the role may never have left a node.

        They are those that were on one node with it, or may have been, and never at the same time
        on another; and, as a Service can keep traffic on its node, a DaemonSet and whatever
        shares a node with it.
        """
        own = self._of(role)
        together = (
            f"{namespace}/{key.partition('/')[2]}"
            for namespace, key in self._candidates(role, own)
            if _have_met(own, self.stays[namespace, key])
        )
        return tuple(sorted(together))

    def _candidates(self, role: Role, own: Stays) -> set[Key]:
        """Return who was never apart from the role; or was, and is a DaemonSet, or the role is."""
        mine = {(role.namespace, key) for key in role.workloads}
        near = self._near(own) - mine
        if any(key.startswith(_DAEMON) for key in role.workloads):
            return near
        daemons = {key for key in near if key[1].startswith(_DAEMON)}
        if not mine.isdisjoint(self.spread):
            return daemons | (near & self.lost)
        rest = near - daemons if own.keys() == {_NOBODY_KNOWS} else near - daemons - self.spread
        return daemons | {key for key in rest if not _were_apart(own, self.stays[key])}

    def _of(self, role: Role) -> Stays:
        found: dict[str, list[Stay]] = defaultdict(list)
        for key in role.workloads:
            for node, some in self.stays.get((role.namespace, key), {}).items():
                found[node].extend(some)
        return found

    def _near(self, own: Stays) -> set[Key]:
        """Return who was, or may have been, on one of the nodes."""
        nodes = self.guests.keys() if _NOBODY_KNOWS in own else {*own, _NOBODY_KNOWS} if own else ()
        return {key for node in nodes for key in self.guests.get(node, ())}


def _span(edges: Edges) -> Stay:
    """Return the time of the capture; all time, if its records tell none."""
    timed = edges.first != NEVER
    if not timed.any():
        return -NEVER, NEVER
    return int(edges.first[timed].min()), int(edges.last[timed].max()) + 1


def _is_spread(stays: Stays, span: Stay) -> bool:
    """Return whether somebody was on two known nodes at every moment of the span."""
    known = [some for node, some in stays.items() if node != _NOBODY_KNOWS]
    steps: dict[int, int] = defaultdict(int)
    for start, end in (stay for some in known for stay in _merge(some)):
        steps[start] += 1
        steps[end] -= 1
    times = sorted(steps)
    if times[:1] != [span[0]] or times[-1] != span[1]:
        return False
    return all(count >= _SEVERAL for count in accumulate(steps[time] for time in times[:-1]))


def _merge(stays: Sequence[Stay]) -> list[Stay]:
    """Return the stays, sorted by start, with those that touch joined."""
    merged: list[Stay] = []
    for start, end in stays:
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _have_met(some: Stays, others: Stays) -> bool:
    pairs = [(node, node) for node in some if node in others]
    pairs += [(_NOBODY_KNOWS, node) for node in others] * (_NOBODY_KNOWS in some)
    pairs += [(node, _NOBODY_KNOWS) for node in some] * (_NOBODY_KNOWS in others)
    return any(_overlap(some[one], others[other]) for one, other in pairs)


def _were_apart(some: Stays, others: Stays) -> bool:
    return any(
        _overlap(some[one], others[other])
        for one, other in product(some, others)
        if one != other and _NOBODY_KNOWS not in {one, other}
    )


def _overlap(some: Sequence[Stay], others: Sequence[Stay]) -> bool:
    return any(max(one[0], two[0]) < min(one[1], two[1]) for one, two in product(some, others))
