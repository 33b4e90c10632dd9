"""Warnings with numbers, about what a capture or an answer does not do."""

import json
from pathlib import Path

import numpy as np
import pytest

from synth.commands.cautions import warn_of_short_capture, warn_of_unused, warnings_about
from synth.learner.model import Question
from tests.learner.worlds import DAY, Contact, World, edges_of
from tests.made import connection, pod, write_cluster
from tests.running import run_here

WORLD = World().app("web").app("api").build()


def about(*contacts: Contact) -> tuple[str, ...]:
    return warnings_about(edges_of(WORLD, contacts), WORLD)


def test_records_without_time_are_counted() -> None:
    timeless = Contact("web", "api", 80, days=(), records=7)

    assert about(Contact("web", "api", 81)) == ()
    (found,) = about(timeless, Contact("web", "api", 81))
    assert found.startswith("7 records carry no time (conntrack -L): an address that changed hands")
    assert about(Contact("web", "api", 80, days=(), records=1))[0].startswith("1 record carries no")


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ((0,), "less than two days, 1970-01-01 00:00:00"),
        ((3, 4), "(1 day)"),
        ((3, 5), ""),
        ((), "no record carries a time"),
    ],
)
def test_a_short_capture_is_no_evidence_of_what_runs_nightly(
    days: tuple[int, ...], told: str
) -> None:
    found = warn_of_short_capture(edges_of(WORLD, [Contact("web", "api", days=days)]))

    assert len(found) == bool(told)
    assert not found or (told in found[0] and "rests on one-day evidence" in found[0])


def test_two_days_count_from_the_first_record_to_the_last() -> None:
    edges = edges_of(WORLD, [Contact("web", "api"), Contact("api", "web", days=(1,))])
    np.testing.assert_array_equal(sorted(edges.first), [0, DAY])

    assert "(1 day)" in warn_of_short_capture(edges)[0]


def test_answers_without_a_question_are_named() -> None:
    asked = [Question("aaa", "quarantined", "?", ())]

    assert warn_of_unused({"aaa": 1}, asked) == ()
    assert warn_of_unused({"bbb": 1, "aaa": 1}, asked) == (
        "1 answer matches no question of this run and changed nothing: bbb",
    )
    assert "25 answers match no" in warn_of_unused({f"k{at:02}": 1 for at in range(25)}, asked)[0]
    assert "k19 and 5 more" in warn_of_unused({f"k{at:02}": 1 for at in range(25)}, asked)[0]


def test_the_command_says_them(tmp_path: Path) -> None:
    web, db = (
        pod("shop/web", {"app": "web"}, "10.1.1.10"),
        pod("shop/db", {"app": "db"}, "10.1.2.20"),
    )
    cluster = write_cluster(tmp_path / "cluster", web, db)
    flows, answers = tmp_path / "flows.log", tmp_path / "answers.yaml"
    flows.write_text("".join(connection(at, "10.1.1.10", "10.1.2.20", 3306) for at in range(4)))
    answers.write_text("- key: ffffffffffff\n  answer: accept\n")
    flags = ("--cluster", cluster, "--out", tmp_path / "out", "--accept", answers)

    ended = run_here("learn", flows, *flags, "--format", "json")

    assert ended.code == 0
    told = " ".join(json.loads(ended.out)["warnings"])
    assert "1 answer matches no question of this run and changed nothing: ffffffffffff" in told
    assert "the capture spans less than two days" in told
