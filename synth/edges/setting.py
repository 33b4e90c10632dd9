"""What the records of a batch are held against: everything known of its spots."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.direction import Listener, Listeners
from synth.edges.connections import hash_addresses
from synth.edges.listening import Listening
from synth.edges.place import Places, Spots
from synth.edges.schema import sort_endpoints
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory


@dataclass(frozen=True, slots=True)
class Setting:
    """The spots of a batch, s and one for no place; columns are by spot.

    ``endpoints`` are sorted; ``rank`` is int32, the number among them, ``ranks`` the same by
    number of endpoint (-1 for none). ``pod`` is int32, equal for the same pod, -1 for what is no
    pod. ``hashes`` is uint64, of the addresses.
    """

    inventory: Inventory
    spots: Spots
    endpoints: tuple[Endpoint, ...]
    ranks: NDArray[np.int32]
    rank: NDArray[np.int32]
    pod: NDArray[np.int32]
    addresses: Sequence[bytes]
    hashes: NDArray[np.uint64]
    listening: Listening

    @classmethod
    def of(cls, places: Places, inventory: Inventory, declared: Collection[Listener]) -> "Setting":
        """Return the setting, after every column has been placed."""
        spots, found = places.spots, places.endpoints
        endpoints, ranks = _ranked(found)
        listeners = Listeners.of(found, declared)
        return cls(
            inventory=inventory,
            spots=spots,
            endpoints=endpoints,
            ranks=ranks,
            rank=ranks[spots.endpoint],
            pod=_pods(spots, found),
            addresses=places.addresses,
            hashes=np.append(hash_addresses(places.addresses), np.uint64(0))[spots.address],
            listening=Listening.of(listeners, spots.endpoint, len(found)),
        )


def _ranked(endpoints: Sequence[Endpoint]) -> tuple[tuple[Endpoint, ...], NDArray[np.int32]]:
    """Return the endpoints, sorted; and each one's number among them.

    The numbers are int32[len(endpoints) + 1]; the last, which -1 takes, is -1.
    """
    ordered = tuple(sort_endpoints(endpoints))
    place = {endpoint: at for at, endpoint in enumerate(ordered)}
    return ordered, np.array([*map(place.__getitem__, endpoints), -1], np.int32)


def _pods(spots: Spots, endpoints: Sequence[Endpoint]) -> NDArray[np.int32]:
    pods = np.array([*(one.kind is Kind.POD for one in endpoints), False], np.bool_)
    known = pods[spots.endpoint] & (spots.member != 0)
    _, number = np.unique(spots.member, return_inverse=True)
    return np.where(known, number, -1).astype(np.int32)
