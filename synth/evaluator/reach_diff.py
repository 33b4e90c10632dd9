"""Connections that policies add, remove or change: two connectivities of the same pods compared."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from synth.evaluator.connectivity import Connectivity
from synth.evaluator.diff import Edit, edit_of, ends_of, subject_of
from synth.evaluator.outside import END, family_of, join, without
from synth.evaluator.reach import End, Reach
from synth.evaluator.spans import IPV6_OFFSET, Span
from synth.policy.ports import PortSet

_Ports = tuple[PortSet, PortSet]
"""Before and after."""
_INSIDE = -1


@dataclass(frozen=True, slots=True)
class Member:
    """A pod, or pods of a template (``pod`` is empty): number of its endpoint, and families."""

    number: int
    name: str
    pod: str
    families: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Class:
    """What both connectivities take for one: pods, or addresses."""

    old: int
    new: int
    families: tuple[int, ...]
    pods: dict[str, set[str]] = field(default_factory=dict)
    """Name → the pods of that name."""
    spans: list[Span] = field(default_factory=list)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its pods; one empty name for addresses."""
        return tuple(sorted(self.pods)) or ("",)


def diff_connections(
    old: Connectivity,
    new: Connectivity,
    members: Sequence[Member],
    hidden: Sequence[Span] = (),
) -> tuple[Edit[Reach], ...]:
    """Return what may be opened only before, only after, or on other ports; sorted by names.

    Each reach has one destination; ``some``: it differs so between some of their pods only.

    Both connectivities must be of the same endpoints, which the members number. Addresses that
    are ``hidden`` are not listed.
    """
    classes = _pods(old, new, members) + _addresses(old, new)
    named: dict[str, list[_Class]] = {}
    for one in classes:
        for name in one.pods:
            named.setdefault(name, []).append(one)
    counts: dict[tuple[str, str, _Ports], Counter[int]] = {}
    for client, server, ports in _differing(old, new, classes):
        place = _abroad_at(classes, client, server)
        for source in classes[client].names:
            for destination in classes[server].names:
                if _connects(classes[client], classes[server], source, destination):
                    counts.setdefault((source, destination, ports), Counter())[place] += 1
    edits: list[Edit[Reach]] = []
    for (source, destination, ports), places in counts.items():
        if source and destination:
            whole = _count_pairs(named[source], named[destination], source, destination)
            ends = End(source), End(destination)
            edits.append(_edit(*ends, ports, some=places[_INSIDE] < whole))
        else:
            own = [one.families for one in named[source or destination]]
            found = [(classes[place], count) for place, count in sorted(places.items())]
            for addresses, some in _abroad(own, found, hidden):
                ends = (End(source), addresses) if source else (addresses, End(destination))
                edits.append(_edit(*ends, ports, some=some))
    return tuple(sorted(edits, key=_order))


def _pods(old: Connectivity, new: Connectivity, members: Sequence[Member]) -> list[_Class]:
    found: dict[tuple[int, int, tuple[int, ...]], _Class] = {}
    before, after = old.class_of.tolist(), new.class_of.tolist()
    for one in members:
        key = before[one.number], after[one.number], one.families
        own = found.setdefault(key, _Class(*key))
        own.pods.setdefault(one.name, set()).add(one.pod)
    return list(found.values())


def _addresses(old: Connectivity, new: Connectivity) -> list[_Class]:
    """Return the classes of all addresses, cut where either connectivity cuts."""
    sides = (old, new)
    cuts = {0, IPV6_OFFSET, END} | {one.span[0] for side in sides for one in side.outside}
    at = [0, 0]
    found: dict[tuple[int, int, tuple[int, ...]], _Class] = {}
    for low, high in pairwise(sorted(cuts)):
        numbers = []
        for which, side in enumerate(sides):
            if side.outside[at[which]].span[1] < low:
                at[which] += 1
            numbers.append(int(side.class_of[len(side.endpoints) + at[which]]))
        key = numbers[0], numbers[1], (family_of((low, high - 1)),)
        found.setdefault(key, _Class(*key)).spans.append((low, high - 1))
    return list(found.values())


def _differing(
    old: Connectivity, new: Connectivity, classes: Sequence[_Class]
) -> Iterator[tuple[int, int, _Ports]]:
    """Yield the pairs of classes, client first, that may open other ports than before."""
    number = {ports: at for at, ports in enumerate(new.sets)}
    same = np.array([number.get(ports, -1) for ports in old.sets], np.int64)
    before = np.array([one.old for one in classes], np.int64)
    after = np.array([one.new for one in classes], np.int64)
    for client, one in enumerate(classes):
        was, becomes = old.pairs[one.old, before], new.pairs[one.new, after]
        for server in np.flatnonzero(same[was] != becomes).tolist():
            other = classes[server]
            if (one.pods or other.pods) and set(one.families) & set(other.families):
                yield client, server, (old.sets[int(was[server])], new.sets[int(becomes[server])])


def _connects(client: _Class, server: _Class, source: str, destination: str) -> bool:
    """Return whether two different pods may be meant, wherever it is one workload."""
    if not source or source != destination:
        return True
    pods = client.pods.get(source, set()) | server.pods.get(destination, set())
    return "" in pods or len(pods) > 1


def _abroad_at(classes: Sequence[_Class], client: int, server: int) -> int:
    """Return which of the two is a class of addresses; ``_INSIDE`` if neither is."""
    if classes[client].pods and classes[server].pods:
        return _INSIDE
    return server if classes[client].pods else client


def _count_pairs(
    clients: Sequence[_Class], servers: Sequence[_Class], source: str, destination: str
) -> int:
    return sum(
        _connects(client, server, source, destination)
        for client in clients
        for server in servers
        if set(client.families) & set(server.families)
    )


def _abroad(
    families: Sequence[tuple[int, ...]],
    places: Sequence[tuple[_Class, int]],
    hidden: Sequence[Span],
) -> Iterator[tuple[End, bool]]:
    """Yield addresses, and whether the edit is between them and some classes of the name only.

    ``families`` are those of all classes of the name; so many share the edit with each place.
    """
    alike: dict[bool, list[Span]] = {}
    for place, count in places:
        whole = sum(bool(set(one) & set(place.families)) for one in families)
        alike.setdefault(count < whole, []).extend(place.spans)
    for some, spans in sorted(alike.items()):
        left = without(join(spans), hidden)
        if left:
            yield End(spans=left), some


def _edit(source: End, destination: End, ports: _Ports, *, some: bool) -> Edit[Reach]:
    old, new = (Reach(source, (destination,), one, some) if one else None for one in ports)
    return edit_of(old, new)


def _order(edit: Edit[Reach]) -> tuple[object, ...]:
    old, new = ends_of(edit)
    one = subject_of(edit)
    ports = str(old and old.ports), str(new and new.ports)
    return one.source.sort_key, one.destinations[0].sort_key, *ports
