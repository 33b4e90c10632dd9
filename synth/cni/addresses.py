"""What the cluster holds inside an ipBlock: pods and nodes, by name."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self

from synth.inventory.model import Inventory
from synth.policy.address import Address, IpBlock, Network, parse_address, parse_network

MOST_NAMES = 3


@dataclass(frozen=True)
class Holders:
    """Addresses in order, each with the name of who holds it, and the ranges they are from."""

    kind: str
    addresses: Sequence[tuple[int, int]]
    """Family and number, sorted."""
    names: Sequence[str]
    ranges: tuple[Network, ...] = ()
    known: dict[IpBlock, str] = field(default_factory=dict)
    """The answers given so far, as many rules name the same block."""

    @classmethod
    def of(cls, kind: str, held: Iterable[tuple[str, str]], ranges: Iterable[str]) -> Self:
        """Return the holders of these addresses, given as address and name."""
        found = sorted({(_order(parse_address(text)), name) for text, name in held})
        addresses, names = [one for one, _ in found], [name for _, name in found]
        return cls(kind, addresses, names, tuple(map(parse_network, ranges)))

    def inside(self, block: IpBlock) -> str:
        """Return in words who is in the block; empty if nobody is, nor may be by their ranges."""
        if block not in self.known:
            self.known[block] = self._words(block)
        return self.known[block]

    def _words(self, block: IpBlock) -> str:
        rows = set(self._rows(block.cidr)).difference(*map(self._rows, block.excepts))
        names = sorted({self.names[row] for row in rows})
        if names:
            return f"the {self.kind} in {block} ({listed(names)})"
        return f"the {self.kind} in {block}" if self._may_hold(block) else ""

    def _rows(self, network: Network) -> range:
        first = bisect_left(self.addresses, _order(network.network_address))
        return range(first, bisect_right(self.addresses, _order(network.broadcast_address)))

    def _may_hold(self, block: IpBlock) -> bool:
        return any(
            overlap(one, block.cidr) and not any(within(one, hole) for hole in block.excepts)
            for one in self.ranges
        )


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds the addresses of a cluster."""

    pods: Holders
    nodes: Holders

    @classmethod
    def of(cls, inventory: Inventory) -> Self:
        """Return the pods and nodes that exist."""
        pods = [
            (text, f"{pod.namespace}/{pod.workload.partition('/')[2]}")
            for pod in inventory.pods
            if pod.end is None and not pod.host_network
            for text in pod.addresses
        ]
        nodes = [
            (text, node.name)
            for node in inventory.nodes
            if node.end is None
            for text in node.addresses
        ]
        ranges = inventory.ranges
        return cls(Holders.of("pods", pods, ranges.pods), Holders.of("nodes", nodes, ranges.nodes))

    @property
    def versions(self) -> tuple[int, ...]:
        """The families that pods have addresses of; empty if no pod's address is known."""
        return tuple(sorted({version for version, _ in self.pods.addresses}))


def listed(names: Iterable[str]) -> str:
    """Return the first names and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - MOST_NAMES:,} more" if len(found) > MOST_NAMES else ""
    return f"{', '.join(found[:MOST_NAMES])}{more}"


def overlap(a: Network, b: Network) -> bool:
    """Return whether the networks share an address."""
    return a.version == b.version and a.overlaps(b)


def within(inner: Network, outer: Network) -> bool:
    """Return whether the second network holds all of the first."""
    return overlap(inner, outer) and inner.prefixlen >= outer.prefixlen


def _order(address: Address) -> tuple[int, int]:
    return address.version, int(address)
