"""The matrix and the ledger: every record stands in one place."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.learner.model import Screen
from synth.ledger import Ledger
from synth.policy import Direction, PolicySet
from synth.proof.matrix import replay_edges, screening_ledger
from synth.proof.replay import Verdict
from tests.learner.worlds import REFUSE, Contact, failing, shop, study
from tests.proof.worlds import random_lesson

SKIPPED = Ledger.of("malformed: no address", 7)
WORDS = {screen.word for screen in Screen}


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
def test_every_record_is_counted_once(seed: int) -> None:
    lesson = random_lesson(seed)
    edges, screening = lesson.edges, lesson.learned.screening
    replay = replay_edges(edges, screening, lesson.judge(), SKIPPED)
    records = int(edges.records.sum())
    assert sum(sum(row.values()) for row in replay.matrix.values()) == records
    assert replay.records == records + 7
    ledger = screening_ledger(edges, screening, SKIPPED)
    assert ledger.total == records + 7
    assert set(ledger.counts) <= {*WORDS, *SKIPPED.counts}
    for word in WORDS:
        counted = sum(replay.count(verdict, word) for verdict in Verdict)
        assert counted == ledger.counts.get(word, 0)
    assert sum(one.records for one in replay.denials) == replay.count(Verdict.DENIED)
    assert replay.blocked == 0


def test_denials_name_what_is_denied_and_where() -> None:
    contacts = (
        Contact("web", "api", 5000, records=3),
        failing("db", "api", 22, records=5),
        Contact("api", "db", 9999, connections=1, members=(1, 1), records=9),
        Contact("api", "db", 3306),
    )
    lesson = study(shop(), *contacts, assume=REFUSE)
    edges, screening = lesson.edges, lesson.learned.screening
    replay = replay_edges(edges, screening, lesson.judge(), Ledger())
    told = [
        (one.source, one.destination, one.protocol, one.port, one.records, one.screening)
        for one in replay.denials
    ]
    assert told == [
        ("shop/api", "shop/db", "TCP", 9999, 9, "quarantined"),
        ("shop/db", "shop/api", "TCP", 22, 5, "rejected"),
    ]
    assert [one.reason for one in replay.denials] == ["egress and ingress", "ingress"]
    assert replay.denials[0].example.startswith("flows.log:")


@pytest.mark.parametrize("direction", list(Direction))
def test_an_accepted_record_that_would_be_denied_is_counted(direction: Direction) -> None:
    lesson = study(shop(), Contact("web", "api", 5000, records=3))
    shut = [
        replace(one, ingress=()) if direction is Direction.INGRESS else replace(one, egress=())
        for one in lesson.learned.policies
    ]
    policies = PolicySet.of(shut)
    verdicts = lesson.judge(policies)
    replay = replay_edges(lesson.edges, lesson.learned.screening, verdicts, SKIPPED)
    assert replay.blocked == 3
    assert replay.count(Verdict.DENIED, "accepted") == 3


def test_nothing_read_is_nothing_counted() -> None:
    lesson = study(shop())
    replay = replay_edges(lesson.edges, lesson.learned.screening, lesson.judge(), Ledger())
    assert (replay.records, replay.blocked, replay.denials) == (0, 0, ())
