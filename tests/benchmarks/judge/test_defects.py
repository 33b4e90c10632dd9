"""The judge notices: a learner made worse on purpose moves the metric that should move."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.judge.case import Prepared
from benchmarks.judge.contestants import CONTESTANTS
from benchmarks.judge.metrics import METRICS
from benchmarks.judge.metrics.identity import measure_joins
from benchmarks.judge.proposal import Proposal
from synth.commands import capture
from synth.commands import learn as command
from synth.edges import place
from synth.edges.schema import Edges
from synth.edges.settle import settle
from synth.inventory.locate import Span
from synth.inventory.model import Placement
from synth.inventory.search import Search
from synth.learner import roles, screen, subjects
from synth.learner.model import Screen
from synth.learner.rules import Cells, Ruled, find_rules
from synth.learner.selectors import Crowd, LabelMap, exact_selector
from synth.policy.selector import Operator, Requirement, Selector

METRIC = {one.name: one.measure for one in METRICS}


def figure(name: str, small: Prepared, proposal: Proposal, oracle: Proposal) -> float:
    value = METRIC[name](small, proposal, oracle)
    assert value is not None
    return value


def learned(small: Prepared) -> Proposal:
    return CONTESTANTS["synth"].propose(small)


def test_without_a_defect_nothing_is_noticed(
    small: Prepared, synth: Proposal, oracle: Proposal
) -> None:
    quiet = ("replay blocked", "replay disputed", "inexact selectors", "fast-scan learned")
    assert [figure(one, small, synth, oracle) for one in quiet] == [0, 0, 0, 0]
    assert figure("invented", small, synth, oracle) == 0
    joins = measure_joins(small)
    assert joins.wrong == 0
    assert joins.right > 0.98 * joins.total


def test_a_wider_selector(
    small: Prepared, synth: Proposal, oracle: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def widen(members: Sequence[LabelMap], outsiders: Crowd, own: LabelMap) -> Selector | None:
        exact = exact_selector(members, outsiders, own)
        if exact is None:
            return None
        key = next(one.key for one in exact.requirements if one.operator.needs_key)
        return Selector.of([Requirement(key, Operator.EXISTS)])

    monkeypatch.setattr(roles, "exact_selector", widen)
    monkeypatch.setattr(command, "check_selectors", lambda *_: ())
    worse = learned(small)
    assert figure("inexact selectors", small, worse, oracle) > 0
    over = "over-permission"
    assert figure(over, small, worse, oracle) > figure(over, small, synth, oracle) + 0.1


def test_a_missing_edge(
    small: Prepared, synth: Proposal, oracle: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(cells: Cells) -> Ruled:
        lost = min(cells, key=str) if len(cells) > 1 else None
        return find_rules({cell: rows for cell, rows in cells.items() if cell != lost})

    monkeypatch.setattr(subjects, "find_rules", forget)
    worse = learned(small)
    assert figure("replay blocked", small, worse, oracle) > 0
    for name in ("excess false blocks", "excess by edge", "excess by workload"):
        assert figure(name, small, worse, oracle) > figure(name, small, synth, oracle)


def test_a_learned_scan(
    small: Prepared, synth: Proposal, oracle: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = {Screen.REJECTED, Screen.QUARANTINED}
    steps = tuple(
        (test, Screen.ACCEPTED if word in trusting else word, why)
        for test, word, why in screen.STEPS
    )
    monkeypatch.setattr(screen, "STEPS", steps)
    worse = learned(small)
    assert figure("fast-scan learned", small, synth, oracle) == 0
    assert figure("fast-scan learned", small, worse, oracle) > 0.5
    assert figure("movement learned", small, worse, oracle) == 1
    assert figure("beacon reviewed", small, synth, oracle) == 1
    assert figure("beacon reviewed", small, worse, oracle) == 0


def test_time_blind_identity(
    small: Prepared, oracle: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def latest(
        search: Search, owner: NDArray[np.int64], _: Span
    ) -> tuple[Placement, NDArray[np.bool_]]:
        always = np.iinfo(np.int64).max // 2
        whole = np.full(len(owner), -always), np.full(len(owner), always)
        first, last = search.find(owner, *whole)
        held = np.where(first > last, -1, last).astype(np.int32)
        return Placement(held, held), np.ones(len(owner), np.bool_)

    monkeypatch.setattr(place, "locate_throughout", latest)
    joins = measure_joins(small)
    assert joins.wrong > 0.01 * joins.total
    assert figure("invented", small, learned(small), oracle) > 0


def test_a_reversed_direction(
    small: Prepared, synth: Proposal, oracle: Proposal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turn(folded: Edges) -> Edges:
        edges = settle(folded)
        seen = np.where(edges.client_seen == edges.client, edges.server, edges.client_seen)
        return replace(edges, client=edges.server, server=edges.client, client_seen=seen)

    monkeypatch.setattr(capture, "settle", turn)
    worse = learned(small)
    assert figure("invented", small, worse, oracle) > 0.5
    for name in ("over-permission", "excess false blocks"):
        assert figure(name, small, worse, oracle) > figure(name, small, synth, oracle) + 0.1
