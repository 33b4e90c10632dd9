"""Networks compared, whatever their families."""

from synth.policy.address import Network


def within(inner: Network, outer: Network) -> bool:
    """Return whether every address of the one is in the other."""
    return inner.version == outer.version and (
        int(outer.network_address) <= int(inner.network_address)
        and int(inner.broadcast_address) <= int(outer.broadcast_address)
    )


def overlap(one: Network, other: Network) -> bool:
    """Return whether the two share an address."""
    return within(one, other) or within(other, one)
