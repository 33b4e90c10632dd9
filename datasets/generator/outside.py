"""Addresses: where pods, nodes and Services are, and who is outside."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from datasets.generator.options import Options
from datasets.generator.seeds import Ints

PODS, NODES, SERVICES = "10.0.0.0/14", "10.64.0.0/16", "172.20.0.0/16"
"""The VPC's subnets of pods and of nodes, and the range of Services: what a user would declare."""
_FIRST_POD, _FIRST_NODE, _FIRST_SERVICE = (
    10 << 24,
    (10 << 24) + (64 << 16) + 1,
    (172 << 24) + (20 << 16) + 10,
)
_TEST = (198 << 24) + (18 << 16)
_PROBERS, _BEACONS = (192 << 24) + (2 << 8) + 1, (203 << 24) + (113 << 8) + 1

USERS, STRANGERS, PROBERS, BEACON = "users", "strangers", "probers", "beacon"
POOLS, POOL_SIZE = 100, 40
"""CDN names, and the addresses behind each."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Addresses outside that one name or one sort of client stands for, as IPv4 numbers."""

    name: str
    first: int
    size: int

    @property
    def key(self) -> str:
        """``outside/name``."""
        return f"outside/{self.name}"


def make_pools(options: Options) -> list[Pool]:
    """Return everybody outside, the same ones whatever the other knobs; some may stay silent."""
    cdn = min(POOLS, max(1, options.workloads // 20))
    partners = max(1, options.workloads // 20)
    return [
        Pool(USERS, _TEST, 5_000),
        Pool(STRANGERS, _TEST + (32 << 8), 20_000),
        Pool(PROBERS, _PROBERS, 50),
        Pool(BEACON, _BEACONS, 1),
        *(Pool(f"cdn{one}.example", _TEST + (256 + one << 8), POOL_SIZE) for one in range(cdn)),
        *(
            Pool(f"partner{one}.example", _TEST + (256 + POOLS << 8) + 4 * one + 1, 1)
            for one in range(partners)
        ),
    ]


def text_of(number: int) -> str:
    """Return the IPv4 address as text."""
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass(frozen=True, slots=True)
class AddressBook:
    """All addresses by code: pods, then nodes, then the outside, then Services."""

    numbers: Ints
    nodes_at: int
    outside_at: int
    services_at: int
    pool_at: Ints
    """int64[pools]: the code of the first address of each pool."""

    @classmethod
    def of(cls, pods: int, nodes: int, pools: list[Pool], services: int) -> "AddressBook":
        """Return the book for so many of each."""
        parts = [
            _FIRST_POD + 16 + np.arange(pods),
            _FIRST_NODE + 16 + np.arange(nodes),
            *(one.first + np.arange(one.size) for one in pools),
            _FIRST_SERVICE + np.arange(services),
        ]
        starts = np.cumsum([0, *(len(part) for part in parts)])
        pool_at = starts[2 : 2 + len(pools)]
        return cls(np.concatenate(parts), pods, pods + nodes, int(starts[-2]), pool_at)

    def text(self, code: int) -> str:
        """Return the address of the code."""
        return text_of(int(self.numbers[code]))

    def texts(self) -> Iterator[str]:
        """Yield every address, by code."""
        return map(text_of, self.numbers.tolist())
