"""Blocks of addresses, as ``ipBlock`` means them: one family, host bits masked, holes cut out."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = bytes(10) + b"\xff\xff"


def parse_address(text: str) -> Address:
    """Return the address; an IPv4-mapped IPv6 address as its IPv4 address.

    >>> parse_address("::ffff:10.0.0.1")
    IPv4Address('10.0.0.1')

    Raises
    ------
    ValueError
        If the text is not an address in strict notation (a zone id is not one).

    """
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            message = f"{text!r} carries a zone id"
            raise ValueError(message)
        return address.ipv4_mapped or address
    return address


def parse_network(text: str) -> Network:
    """Return the network with host bits masked; an IPv4-mapped one as IPv4.

    Raises
    ------
    ValueError
        If the text is not a CIDR in strict notation.

    """
    network = ip_network(text, strict=False)
    mapped = isinstance(network, IPv6Network) and network.network_address.ipv4_mapped
    if mapped and network.prefixlen >= 96:  # noqa: PLR2004 - ::ffff:0:0/96 holds the IPv4 space
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


def pack_address(address: Address) -> bytes:
    """Return the address as 16 bytes; an IPv4 address as its IPv4-mapped IPv6 address."""
    return address.packed if address.version == 6 else _MAPPED + address.packed  # noqa: PLR2004


def unpack_address(data: bytes) -> Address:
    """Return the address that ``pack_address`` packed."""
    if data.startswith(_MAPPED):
        return IPv4Address(data[len(_MAPPED) :])
    return IPv6Address(data)


@dataclass(frozen=True, slots=True)
class IpBlock:
    """The addresses of ``cidr`` that are in none of ``excepts``.

    Equal blocks are equal values: excepts are merged and sorted. Families never mix:
    ``0.0.0.0/0`` holds no IPv6 address.
    """

    cidr: Network
    excepts: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        """Merge and sort the excepts.

        Raises
        ------
        ValueError
            If an except is not a strict subset of the CIDR.

        """
        for hole in self.excepts:
            if not _inside(hole, self.cidr) or hole == self.cidr:
                message = f"except {hole} is not strictly inside {self.cidr}"
                raise ValueError(message)
        excepts = _collapsed(self.excepts, self.cidr)
        if excepts == (self.cidr,):  # nothing is left, which the API can only say by halves
            excepts = tuple(self.cidr.subnets())
        object.__setattr__(self, "excepts", excepts)

    @classmethod
    def parse(cls, cidr: str, excepts: Iterable[str] = ()) -> "IpBlock":
        """Return the block that the texts mean."""
        return cls(parse_network(cidr), tuple(parse_network(hole) for hole in excepts))

    @property
    def sort_key(self) -> tuple[int, int, int, tuple[tuple[int, int], ...]]:
        """What orders blocks: family, address, prefix length, excepts."""
        holes = tuple((int(hole.network_address), hole.prefixlen) for hole in self.excepts)
        return self.cidr.version, int(self.cidr.network_address), self.cidr.prefixlen, holes

    @property
    def size(self) -> int:
        """The number of addresses in the block."""
        return self.cidr.num_addresses - sum(hole.num_addresses for hole in self.excepts)

    def contains(self, address: Address) -> bool:
        """Return whether the address is in the block."""
        return address in self.cidr and not any(address in hole for hole in self.excepts)

    def __str__(self) -> str:
        """Return ``10.0.0.0/8 except 10.1.0.0/16``."""
        holes = ", ".join(map(str, self.excepts))
        return f"{self.cidr} except {holes}" if holes else str(self.cidr)


def _inside(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network):
        return inner.subnet_of(outer)
    return False


def _collapsed(holes: Iterable[Network], cidr: Network) -> tuple[Network, ...]:
    if cidr.version == 4:  # noqa: PLR2004 - the family
        return tuple(collapse_addresses(hole for hole in holes if isinstance(hole, IPv4Network)))
    return tuple(collapse_addresses(hole for hole in holes if isinstance(hole, IPv6Network)))
