from synth.evaluator.members import members
from synth.policy import Operator, Selector
from tests.evaluator.cluster import either, labelled, node, outside, pod, where

ENDPOINTS = [
    pod(app="web"),
    pod("bank", app="web"),
    pod(app="api"),
    outside("198.51.100.7"),
    node("192.168.0.1"),
    either(pod(app="web"), pod(app="api")),
    pod(),
]


def test_members_are_pods_of_the_namespace_by_number() -> None:
    assert members(labelled(app="web"), "shop", ENDPOINTS).tolist() == [0]
    assert members(labelled(app="web"), "bank", ENDPOINTS).tolist() == [1]
    assert members(Selector(), "shop", ENDPOINTS).tolist() == [0, 2, 6]


def test_negative_terms_pick_pods_without_the_key() -> None:
    assert members(where("app", Operator.NOT_IN, "web"), "shop", ENDPOINTS).tolist() == [2, 6]


def test_nobody() -> None:
    assert members(Selector(), "nowhere", ENDPOINTS).tolist() == []
    assert members(Selector(), "shop", []).dtype == "int32"
