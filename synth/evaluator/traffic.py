"""The question put to the evaluator: who opened what to whom, one row an edge."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges, Source
from synth.inventory.endpoint import Endpoint

SERVER = -1
"""``asked`` of a row whose clients asked for the server's own address."""
HIDDEN = -2
"""``asked`` of a row of which nobody knows what its clients asked for."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traffic of n rows; endpoint columns hold numbers into ``endpoints``.

    | column | meaning |
    |---|---|
    | client, server | int32: who opened, who listened |
    | client_seen | int32: the peer that the server's enforcement sees |
    | protocol | uint8: IANA number |
    | port | int32: the server's port; 0 where the protocol has none |
    | same_node, same_pod | bool: both ends on one node; one pod talking to itself |
    | decided | bool; False: client and server are merely the two ends |
    | asked | int32: whose address all clients asked for; ``SERVER``: the server's; ``HIDDEN``: |
    | | nobody knows. None: the server's, in all rows |

    A NODE among the endpoints may name ``candidates``: the host-network pods that were on it.
    """

    endpoints: tuple[Endpoint, ...]
    client: NDArray[np.int32]
    client_seen: NDArray[np.int32]
    server: NDArray[np.int32]
    protocol: NDArray[np.uint8]
    port: NDArray[np.int32]
    same_node: NDArray[np.bool_]
    same_pod: NDArray[np.bool_]
    decided: NDArray[np.bool_]
    asked: NDArray[np.int32] | None = None

    @classmethod
    def of(cls, edges: Edges) -> Self:
        """Return the question that the edges put."""
        return cls(
            endpoints=edges.endpoints,
            client=edges.client,
            client_seen=edges.client_seen,
            server=edges.server,
            protocol=edges.protocol,
            port=edges.port.astype(np.int32),
            same_node=edges.same_node,
            same_pod=edges.same_pod,
            decided=edges.decided,
            asked=_asked(edges),
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.client)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        found = {one.name: getattr(self, one.name) for one in fields(self)[1:]}
        return {name: values for name, values in found.items() if values is not None}

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_] | slice) -> Self:
        """Return the traffic of these rows, over the same endpoints."""
        taken: dict[str, Any] = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, **taken)


def _asked(edges: Edges) -> NDArray[np.int32]:
    """Return int32[n]: what the clients asked for, as far as the edges tell.

    Addresses are translated on the client's node, so conntrack there shows it and nothing else
    does; and an edge keeps the smallest of what several connections asked for.
    """
    at_client = (edges.opened_at_client > 0) & (edges.opened_unplaced == 0)
    whole = edges.same_node | (at_client & (edges.opened_at_client >= edges.opened_at_server))
    shown = (edges.sources == Source.CONNTRACK) & whole
    known = np.where(edges.asked < 0, shown, edges.single_connection)
    return np.where(known, edges.asked, np.int32(HIDDEN)).astype(np.int32)
