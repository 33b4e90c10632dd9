import numpy as np
import pytest

from synth.edges.schema import Edges, Source
from synth.evaluator.traffic import HIDDEN, SERVER, Traffic
from tests.evaluator.cluster import Flow, pod, traffic


def test_edges_put_the_question() -> None:
    asked = Traffic.of(Edges.empty())
    assert len(asked) == 0
    assert asked.port.dtype == np.int32
    assert asked.endpoints == ()


def test_rows_are_taken_over_the_same_endpoints() -> None:
    web, api = pod(app="web"), pod(app="api")
    whole = traffic(Flow(web, api, 80), Flow(api, web, 443, same_node=True), Flow(web, api, 22))
    some = whole.take(np.array([2, 1]))
    assert some.endpoints == whole.endpoints
    assert some.port.tolist() == [22, 443]
    assert some.same_node.tolist() == [False, True]
    assert len(whole.take(slice(0, 1))) == 1


def _seen(**columns: object) -> int:
    """Return what was asked for, of one edge with these columns."""
    given = {"sources": Source.CONNTRACK, "asked": 7, "opened_at_client": 1} | columns
    empty = Edges.empty()
    wide = {
        name: np.zeros((1, *values.shape[1:]), values.dtype)
        for name, values in empty.columns.items()
    }
    wide |= {name: np.array([value], wide[name].dtype) for name, value in given.items()}
    edges = Edges(endpoints=(), files=(), half_day_base=0, **wide)
    asked = Traffic.of(edges).asked
    assert asked is not None
    return int(asked[0])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({}, 7),
        ({"asked": -1}, SERVER),
        # Some of several connections may have asked for something else.
        ({"greatest_connection": 1}, HIDDEN),
        ({"greatest_connection": 1, "asked": -1}, SERVER),
        # Only conntrack on the client's node tells that nothing was translated.
        ({"asked": -1, "sources": Source.VPC}, HIDDEN),
        ({"asked": -1, "sources": Source.VPC | Source.CONNTRACK}, HIDDEN),
        ({"asked": -1, "opened_at_client": 0, "opened_at_server": 1}, HIDDEN),
        ({"asked": -1, "opened_at_client": 1, "opened_at_server": 2}, HIDDEN),
        ({"asked": -1, "opened_unplaced": 1}, HIDDEN),
        ({"asked": -1, "opened_at_client": 0, "same_node": True}, SERVER),
    ],
)
def test_what_an_edge_tells_of_the_service_asked_for(
    columns: dict[str, object], expected: int
) -> None:
    assert _seen(**columns) == expected
