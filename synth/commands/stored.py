"""Stored edges, told apart anew: by the CIDRs and label keys that count in this run."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from synth.edges.merge import merge
from synth.edges.parquet import GIVE_LOGS, Terms, read_edges, read_terms
from synth.edges.schema import Edges, sort_endpoints
from synth.errors import Fault, InputError
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.inventory.volatile import VOLATILE, without_volatile
from synth.learner.networks import overlap, within
from synth.ledger import Ledger
from synth.policy.address import Network, parse_address, parse_network


@dataclass(frozen=True, slots=True)
class Stored:
    """The edges and the ledger of a file, and what its endpoints are told apart by now."""

    path: Path
    edges: Edges
    skipped: Ledger
    terms: Terms


def read_stored(
    paths: Sequence[Path], inventory: Inventory, named: Collection[str]
) -> tuple[Stored, ...]:
    """Return the edges of each file, as if its logs were read with this inventory.

    ``named`` are the CIDRs of the loaded policies. Where a file cannot say whether its pods were
    inside one of the other separators of the inventory, that one is left out of its terms.

    Raises
    ------
    InputError
        If a file cannot be read, or cannot say whether its pods were inside a CIDR of ``named``,
        or carried a label of ``inventory.mentioned``.

    """
    read = [_read_one(path, inventory) for path in paths]
    blocks = [fault for one in read for fault in _blind_blocks(*one, inventory, named)]
    faults = [*blocks, *(fault for one, _ in read for fault in _blind_labels(one, inventory))]
    if faults:
        raise InputError(*faults)
    return tuple(one for one, _ in read)


def _read_one(path: Path, inventory: Inventory) -> tuple[Stored, frozenset[str]]:
    """Return the file's edges, told apart anew, and the separators that it knows nothing of."""
    edges, skipped = read_edges(path)
    terms = read_terms(path)
    placing = Placing(inventory.separators, frozenset(terms.separators))
    moved = [_move(one, placing, inventory.mentioned) for one in edges.endpoints]
    unknown = frozenset(placing.unknown)
    known = Terms(
        tuple(one for one in inventory.separators if one not in unknown), inventory.mentioned
    )
    return Stored(path, _with_endpoints(edges, moved), skipped, known), unknown


@dataclass(frozen=True, slots=True)
class Placing:
    """Tells of a pod's address whether new blocks hold it, by the blocks that it was found in."""

    separators: Sequence[str]
    stored: frozenset[str]
    unknown: set[str] = field(default_factory=set)
    known: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)

    def around(self, found: tuple[str, ...]) -> tuple[str, ...]:
        """Return the new separators that hold the address, widest first."""
        if found not in self.known:
            held = [one for one in self.separators if self._holds(one, found)]
            self.known[found] = tuple(sorted(held, key=lambda one: _network(one).prefixlen))
        return self.known[found]

    def _holds(self, cidr: str, found: Collection[str]) -> bool:
        if cidr in self.stored:
            return cidr in found
        inner = max(map(_network, found), key=lambda one: one.prefixlen, default=None)
        network = _network(cidr)
        if inner is not None and within(inner, network):
            return True
        missed = (_network(one) for one in self.stored if one not in found)
        apart = inner is not None and not overlap(inner, network)
        if not apart and not any(within(network, one) for one in missed):
            self.unknown.add(cidr)
        return False


def _move(endpoint: Endpoint, placing: Placing, mentioned: Collection[str]) -> Endpoint:
    if endpoint.candidates:
        some = (_move(one, placing, mentioned) for one in endpoint.candidates)
        return replace(endpoint, candidates=tuple(sort_endpoints(some)))
    if endpoint.kind is not Kind.POD:
        return endpoint
    labels = without_volatile(endpoint.labels, mentioned)
    return replace(endpoint, labels=labels, blocks=placing.around(endpoint.blocks))


def _with_endpoints(edges: Edges, moved: Sequence[Endpoint]) -> Edges:
    """Return the edges with other endpoints in the same places; edges that became equal merge."""
    if tuple(moved) == edges.endpoints:
        return edges
    return merge([replace(edges, endpoints=tuple(moved))])


def _blind_blocks(
    stored: Stored, unknown: Iterable[str], inventory: Inventory, named: Collection[str]
) -> Iterable[Fault]:
    for cidr in sorted(unknown):
        if cidr in named and _may_hold_pods(_network(cidr), inventory):
            yield _blind(stored.path, f"whether its pods were inside {cidr}")


def _blind_labels(stored: Stored, inventory: Inventory) -> Iterable[Fault]:
    kept = read_terms(stored.path).mentioned
    pods = any(one.kind is Kind.POD for end in stored.edges.endpoints for one in _ends(end))
    for key in inventory.mentioned if pods else ():
        if key in VOLATILE and key not in kept:
            yield _blind(stored.path, f"the label {key} of its pods")


def _ends(endpoint: Endpoint) -> tuple[Endpoint, ...]:
    return endpoint.candidates or (endpoint,)


def _blind(path: Path, what: str) -> Fault:
    expected = f"edges that tell {what}, which a policy names"
    return Fault(str(path), expected, "edges stored without that", GIVE_LOGS)


def _may_hold_pods(network: Network, inventory: Inventory) -> bool:
    """Return whether the network shares addresses with a pod range, or holds one of a pod's."""
    return any(overlap(network, _network(one)) for one in inventory.ranges.pods) or any(
        parse_address(text) in network
        for pod in inventory.pods
        if not pod.host_network
        for text in pod.addresses
    )


@lru_cache(maxsize=4096)
def _network(cidr: str) -> Network:
    return parse_network(cidr)
