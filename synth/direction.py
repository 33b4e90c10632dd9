"""Who opened the connection: the rungs of the ladder that one record and the cluster can climb.

| rung | evidence | decided |
|---|---|---|
| 1 to 3 | flags, a tracker's tuple, a stated direction | by the record, here |
| 5 | a declared listener on exactly one side | here |
| 4 | the same endpoint and port proven a server elsewhere | once, after merging |
| 6 to 8 | fan-in, the ephemeral range, a registered port | once, after merging |

A lower port number is never evidence.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.flows import Initiator, Outcome, Rung
from synth.inventory.endpoint import Endpoint
from synth.policy.ports import Protocol

FIRST_EPHEMERAL, LAST_EPHEMERAL = 32768, 60999
"""Linux' default ``net.ipv4.ip_local_port_range``."""

Listener = tuple[str, str, int, int]
"""Namespace, workload key, IANA protocol number, port."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """The declared listeners among some endpoints, as sorted codes of endpoint, protocol, port."""

    codes: NDArray[np.int64]

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], declared: Collection[Listener]) -> "Listeners":
        """Return the listeners of these endpoints; endpoint numbers are positions."""
        by_workload: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for namespace, workload, protocol, port in declared:
            by_workload.setdefault((namespace, workload), []).append((protocol, port))
        codes = [
            encode(number, protocol, port)
            for number, endpoint in enumerate(endpoints)
            for protocol, port in by_workload.get((endpoint.namespace, endpoint.workload), ())
        ]
        return cls(np.unique(np.array(codes, np.int64)))

    def holds(
        self,
        endpoint: NDArray[np.integer[Any]],
        protocol: NDArray[np.integer[Any]],
        port: NDArray[np.integer[Any]],
    ) -> NDArray[np.bool_]:
        """Return bool[n]: whether the endpoint declares to listen on the port."""
        found = np.zeros(len(endpoint), np.bool_)
        rows = np.flatnonzero(self._ports[port])
        if len(rows):
            wanted = encode(endpoint[rows].astype(np.int64), protocol[rows], port[rows])
            at = np.searchsorted(self.codes, wanted).clip(max=len(self.codes) - 1)
            found[rows] = self.codes[at] == wanted
        return found

    @property
    def _ports(self) -> NDArray[np.bool_]:
        """bool[65536]: ports that anybody declares, of any protocol. Few records name one."""
        declared = np.zeros(1 << 16, np.bool_)
        declared[self.codes & 0xFFFF] = True
        return declared


def encode(endpoint: Any, protocol: Any, port: Any) -> Any:  # noqa: ANN401 - int or array alike
    """Return one integer, or int64[n], for endpoint number, protocol and port."""
    if isinstance(endpoint, np.ndarray):
        return endpoint << 24 | protocol.astype(np.int64) << 16 | port.astype(np.int64)
    return endpoint << 24 | protocol << 16 | port


@dataclass(frozen=True, slots=True)
class Orientation:
    """Who is the server of each of n records, and how that is known.

    ``swap`` is bool[n]: the record's src is the server. ``rung`` is uint8[n]; 0: undecided, and
    ``swap`` means nothing.
    """

    swap: NDArray[np.bool_]
    rung: NDArray[np.uint8]


def orient(
    initiator: NDArray[np.uint8],
    rung: NDArray[np.uint8],
    late_answer: NDArray[np.bool_],
    src_listens: NDArray[np.bool_],
    dst_listens: NDArray[np.bool_],
) -> Orientation:
    """Return the orientation that the records and the declared listeners tell.

    Parameters
    ----------
    initiator, rung
        ``Initiator`` and ``Rung`` as the reader found them.
    late_answer
        Records of a tracker whose tuple may be a late answer taken for an opening.
    src_listens, dst_listens
        Whether the record's src and dst declare to listen on their port.

    """
    declared = src_listens != dst_listens
    reversed_answer = late_answer & src_listens & ~dst_listens
    open_question = (initiator == Initiator.UNKNOWN) | reversed_answer
    by_listener = open_question & declared
    swap = np.where(by_listener, src_listens, initiator == Initiator.DST)
    best = np.where(open_question, np.where(declared, Rung.DECLARED, Rung.NONE), rung)
    return Orientation(swap.astype(np.bool_), best.astype(np.uint8))


def may_be_late_answer(
    protocol: NDArray[np.uint8], outcome: NDArray[np.uint8], bidirectional: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return bool[n]: tracked UDP that nobody answered, whose tuple may start with the reply."""
    udp = protocol == Protocol.UDP.number
    return np.asarray(udp & bidirectional & (outcome == Outcome.UNKNOWN))


def looks_ephemeral(port: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
    """Return bool[n]: whether a client of default settings could have been given the port."""
    return np.asarray((port >= FIRST_EPHEMERAL) & (port <= LAST_EPHEMERAL))
