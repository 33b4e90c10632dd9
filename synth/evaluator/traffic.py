"""The question put to the evaluator: who opened what to whom, one row an edge."""

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint


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
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.client)

    @property
    def columns(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)[1:]}

    def take(self, rows: NDArray[np.integer[Any]] | NDArray[np.bool_] | slice) -> Self:
        """Return the traffic of these rows, over the same endpoints."""
        taken: dict[str, Any] = {name: values[rows] for name, values in self.columns.items()}
        return replace(self, **taken)
