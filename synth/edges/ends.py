"""Which end of each record opened, and which listened, as far as the record and cluster tell."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.direction import looks_ephemeral, may_be_late_answer, orient
from synth.edges.connections import hash_connections
from synth.edges.record import Record
from synth.edges.setting import Setting

Ports = NDArray[np.uint16]
Numbers = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Ends:
    """The two ends of every record, by what they did: opened (or first end), listened.

    ``client`` and ``server`` are int64[n], numbers of spots. ``swap`` is bool[n]: the record's
    src is ``server``. ``rung`` is uint8[n], 0 where it is not known who opened. ``connection``
    is uint64[n]: a hash of the two addresses and ports, the same from either end.
    """

    client: Numbers
    server: Numbers
    client_port: Ports
    port: Ports
    swap: NDArray[np.bool_]
    rung: NDArray[np.uint8]
    connection: NDArray[np.uint64]


def find_ends(record: Record, pair: tuple[Numbers, Numbers], setting: Setting) -> Ends:
    """Return the ends; ``pair`` are the spots of src and dst.

    The port of a client is 0, which its system gave it. Of an undecided pair that is a port that
    looks ephemeral and is not declared, beside one of which this is not so.
    """
    src_port, dst_port = record["src_port"], record["dst_port"]
    protocol = record["protocol"]
    src_listens = setting.listening.holds(pair[0], protocol, src_port)
    dst_listens = setting.listening.holds(pair[1], protocol, dst_port)
    late = may_be_late_answer(protocol, record["outcome"], record["bidirectional"])
    found = orient(record["initiator"], record["rung"], late, src_listens, dst_listens)
    rows = np.flatnonzero(found.rung == 0)
    swap = found.swap
    swap[rows] = _is_backwards(pair, (src_port, dst_port), rows, setting)
    client, server = swapped(*pair, swap)
    client_port, port = swapped(src_port, dst_port, swap)
    near_listens, far_listens = swapped(src_listens[rows], dst_listens[rows], swap[rows])
    near = looks_ephemeral(client_port[rows]) & ~near_listens
    far = looks_ephemeral(port[rows]) & ~far_listens
    kept = np.where(near & ~far, 0, client_port[rows])
    client_port = np.zeros(len(swap), np.uint16)
    client_port[rows] = kept
    port[rows[far & ~near]] = 0
    connection = hash_connections(setting.hashes, pair, (src_port, dst_port))
    return Ends(client, server, client_port, port, swap, found.rung, connection)


def swapped(
    one: NDArray[Any], other: NDArray[Any], swap: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the two, integers or bools, changed over where told; without a branch for each."""
    differs = one ^ other
    differs *= swap
    return one ^ differs, other ^ differs


def _is_backwards(
    pair: tuple[Numbers, Numbers],
    ports: tuple[Ports, Ports],
    rows: Numbers,
    setting: Setting,
) -> NDArray[np.bool_]:
    """Return bool[n]: whether src of these rows comes after dst.

    They are in order of endpoint, then port, then address.
    """
    first, second = (setting.rank[spot[rows]] for spot in pair)
    src_port, dst_port = (port[rows] for port in ports)
    same = np.asarray(first == second)
    backwards: NDArray[np.bool_] = (first > second) | (same & (src_port > dst_port))
    alike = np.flatnonzero(same & (src_port == dst_port))
    src, dst = (setting.spots.address[spot[rows[alike]]].tolist() for spot in pair)
    backwards[alike] = [
        setting.addresses[one] > setting.addresses[other]
        for one, other in zip(src, dst, strict=True)
    ]
    return backwards
