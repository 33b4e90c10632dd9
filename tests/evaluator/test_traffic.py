import numpy as np

from synth.edges.schema import Edges
from synth.evaluator.traffic import Traffic
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
