"""Sets of CIDRs that tell quickly which of them hold an address."""

from collections.abc import Iterable
from dataclasses import dataclass

from synth.policy.address import parse_network, unpack_address


@dataclass(frozen=True, slots=True)
class Blocks:
    """Distinct CIDRs; families never mix: ``::/0`` holds no IPv4 address."""

    tables: tuple[tuple[int, int, dict[int, str]], ...]
    """Family, width of the host part, and network number → CIDR text."""

    @classmethod
    def of(cls, cidrs: Iterable[str]) -> "Blocks":
        """Return the blocks of these CIDRs.

        Raises
        ------
        ValueError
            If a text is not a CIDR.

        """
        tables: dict[tuple[int, int], dict[int, str]] = {}
        for network in sorted({str(parse_network(cidr)) for cidr in cidrs}):
            parsed = parse_network(network)
            width = parsed.max_prefixlen - parsed.prefixlen
            number = int(parsed.network_address) >> width
            tables.setdefault((parsed.version, width), {})[number] = network
        ordered = sorted(tables.items(), key=lambda item: (item[0][0], -item[0][1]))
        return cls(tuple((*key, table) for key, table in ordered))

    def around(self, packed: bytes) -> tuple[str, ...]:
        """Return the CIDRs that hold the address, widest first."""
        address = unpack_address(packed)
        number, version = int(address), address.version
        return tuple(
            table[number >> width]
            for family, width, table in self.tables
            if family == version and number >> width in table
        )

    def hold(self, packed: bytes) -> bool:
        """Return whether any of the CIDRs holds the address."""
        return bool(self.around(packed))
