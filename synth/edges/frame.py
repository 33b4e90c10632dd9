"""Edges as a pandas table, for notebooks: what a person asks of an edge, one row each."""

from typing import TYPE_CHECKING

import numpy as np

from synth.edges.schema import NEVER, Edges
from synth.policy.ports import Protocol

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_PROTOCOLS = {protocol.number: protocol.value for protocol in Protocol}


def to_frame(edges: Edges) -> "pd.DataFrame":
    """Return one row an edge, in the order of the edges, with these columns.

    | column | dtype | meaning |
    |---|---|---|
    | client, server | str | who opened, who listened; of an undecided pair, its two ends |
    | protocol | str | ``TCP``, or the number of one that policies cannot name |
    | port | int | the server's; 0 where it is not known |
    | decided | bool | whether it is known who opened |
    | records | int | log records that folded into the edge |
    | connections | Int64 | at one canonical observer; missing where that cannot be known |
    | answered, failed, denied | int | records that show it |
    | first, last | datetime, UTC | missing if the records carry no time |
    """
    import pandas as pd  # noqa: PLC0415 - the commands do not need it

    names = np.array([endpoint.name for endpoint in edges.endpoints], object)
    protocols = [_PROTOCOLS.get(number, str(number)) for number in edges.protocol.tolist()]
    connections = pd.array(edges.connections, dtype="Int64")
    connections[edges.connections < 0] = pd.NA
    return pd.DataFrame(
        {
            "client": pd.Series(names[edges.client], dtype="str"),
            "server": pd.Series(names[edges.server], dtype="str"),
            "protocol": pd.Series(protocols, dtype="str"),
            "port": edges.port.astype(np.int64),
            "decided": edges.decided,
            "records": edges.records,
            "connections": connections,
            "answered": edges.answered,
            "failed": edges.failed,
            "denied": edges.denied,
            "first": pd.to_datetime(_times(edges.first), utc=True),
            "last": pd.to_datetime(_times(edges.last), utc=True),
        }
    )


def _times(micros: "NDArray[np.int64]") -> "NDArray[np.datetime64]":
    times = micros.astype("datetime64[us]")
    times[np.abs(micros) == NEVER] = np.datetime64("NaT", "us")
    return times
