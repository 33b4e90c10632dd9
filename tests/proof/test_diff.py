"""Verdicts of two sets of policies on the same records, compared and counted."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.verdicts import Verdicts
from synth.ledger import Ledger
from synth.proof.diff import DiffResult, Judged, compare_verdicts, count_verdicts
from synth.proof.matrix import replay_edges
from synth.proof.replay import Verdict
from tests.reports import sample

EDGES = sample.edges()
ROWS = len(EDGES)
WORDS = tuple(Verdict)
Words = st.lists(st.sampled_from(WORDS), min_size=ROWS, max_size=ROWS)


def verdicts(words: list[Verdict]) -> Verdicts:
    found = Verdicts.empty(ROWS)
    for row, word in enumerate(words):
        found.egress_allowed[row] = True
        found.ingress_allowed[row] = word is Verdict.ALLOWED
        found.undetermined[row] = word is Verdict.UNDETERMINED
    return found


@given(Words, Words)
def test_changes_are_the_difference_of_two_replays(old: list[Verdict], new: list[Verdict]) -> None:
    before, after = verdicts(old), verdicts(new)
    changes = compare_verdicts(EDGES, before, after)
    screening = sample.screening()
    counts = [count_verdicts(EDGES, one) for one in (before, after)]
    replays = [replay_edges(EDGES, screening, one, Ledger()) for one in (before, after)]
    for word in WORDS:
        assert [count[word] for count in counts] == [one.count(word) for one in replays]
        gained = sum(one.records for one in changes if one.new is word)
        lost = sum(one.records for one in changes if one.old is word)
        assert gained - lost == counts[1][word] - counts[0][word]
    differing = np.array(old) != np.array(new)
    assert sum(one.records for one in changes) == int(EDGES.records[differing].sum())
    assert all(one.old is not one.new for one in changes)
    assert [one.records for one in changes] == sorted((c.records for c in changes), reverse=True)


@given(Words, Words)
def test_the_way_back_turns_each_change_around(old: list[Verdict], new: list[Verdict]) -> None:
    there = compare_verdicts(EDGES, verdicts(old), verdicts(new))
    back = compare_verdicts(EDGES, verdicts(new), verdicts(old))
    assert {(one.source, one.port, one.old, one.new) for one in there} == {
        (one.source, one.port, one.new, one.old) for one in back
    }


def test_blocked_are_those_that_were_allowed() -> None:
    old = [Verdict.ALLOWED, Verdict.UNDETERMINED, Verdict.ALLOWED, Verdict.DENIED, Verdict.ALLOWED]
    new = [Verdict.DENIED, Verdict.DENIED, Verdict.UNDETERMINED, Verdict.ALLOWED, Verdict.ALLOWED]
    changes = compare_verdicts(EDGES, verdicts(old), verdicts(new))
    assert Judged({}, {}, changes, ()).blocked == int(EDGES.records[0])
    assert len(changes) == 4


def test_edges_of_one_name_are_added_up_and_show_the_first_record() -> None:
    twice = EDGES.take(np.array([2, 0, 0]))
    allowed = Verdicts.empty(3)
    for mask in (allowed.egress_allowed, allowed.ingress_allowed):
        mask[:] = True
    changes = compare_verdicts(twice, allowed, Verdicts.empty(3))
    assert [one.records for one in changes] == [2 * int(EDGES.records[0]), int(EDGES.records[2])]
    assert changes[0].example == "logs/node1.log:3"
    assert (changes[0].protocol, changes[0].port) == ("TCP", 80)


def test_a_verdict_that_changes_is_a_difference_though_no_connection_of_today_is() -> None:
    old, new = ([word] * ROWS for word in (Verdict.ALLOWED, Verdict.DENIED))
    changes = compare_verdicts(EDGES, verdicts(old), verdicts(new))
    assert DiffResult("a", "b", (), (), Judged({}, {}, changes, ())).differs
    assert not DiffResult("a", "b", (), (), Judged({}, {}, (), ())).differs
    assert not DiffResult("a", "b", ()).differs
