"""Hashes of connections, which tell whether all records of an edge belong to one."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray


def hash_connections(
    hashes: NDArray[np.uint64],
    pair: tuple[NDArray[np.intp], NDArray[np.intp]],
    ports: tuple[NDArray[np.uint16], NDArray[np.uint16]],
) -> NDArray[np.uint64]:
    """Return uint64[n]: a hash of the two addresses and ports, the same from either end.

    ``hashes`` are those of addresses by spot, ``pair`` the spots of src and dst, ``ports`` their
    ports.
    """
    # The sum takes either order; mixing first keeps it from mistaking whose port is whose.
    whole = hashes.take(pair[0])
    whole ^= _hash_ports().take(ports[0])
    other = hashes.take(pair[1])
    other ^= _hash_ports().take(ports[1])
    whole += other
    return whole


def hash_addresses(addresses: Sequence[bytes]) -> NDArray[np.uint64]:
    """Return uint64[n]: hashes of the addresses."""
    halves = np.frombuffer(b"".join(addresses), ">u8").reshape(-1, 2).astype(np.uint64)
    return _mixed(halves[:, 0] ^ _mixed(halves[:, 1]))


@cache
def _hash_ports() -> NDArray[np.uint64]:
    return _mixed(_mixed(np.arange(1 << 16, dtype=np.uint64)))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the values scattered over 64 bits (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
