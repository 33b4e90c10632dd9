import pytest

from synth.ledger import Ledger
from synth.proof.replay import Verdict
from synth.reports.counts import ledger_table, matrix_table
from synth.reports.figures import counted, instant, protocol_name, seen, share, span
from synth.reports.learn import to_json
from synth.reports.paths import relative_names, shared_folder
from synth.reports.replay import to_json as replay_json
from tests.reports import sample


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_ledger_adds_up() -> None:
    result = sample.result()
    *rows, total = ledger_table(result.ledger, sample.RECORDS).rows
    assert sum(number(row[1]) for row in rows) == number(total[1]) == sample.RECORDS


def test_ledger_that_does_not_add_up_says_so() -> None:
    rows = ledger_table(Ledger.of("accepted", 3), 5).rows
    assert ("NOT COUNTED", "2", "40.0 %", "") in rows


def test_screening_words_come_first_in_their_order() -> None:
    ledger = Ledger({"a-reason": 1, "retired": 1, "accepted": 1})
    assert [row[0] for row in ledger_table(ledger, 3).rows] == [
        "accepted",
        "retired",
        "a-reason",
        "records read",
    ]


def test_matrix_adds_up_both_ways() -> None:
    *rows, total = matrix_table(sample.replayed()).rows
    for column in range(1, 5):
        assert sum(number(row[column] or "0") for row in rows) == number(total[column])
    assert number(total[-1]) == sample.RECORDS


def test_replay_keys_add_up() -> None:
    values = replay_json(sample.replay_result())
    skipped = values["skipped"]
    assert isinstance(skipped, dict)
    parts = [values[verdict.value] for verdict in Verdict]
    assert values["records"] == sum(map(int, map(str, parts))) + sum(skipped.values())


def test_learning_promises_its_keys() -> None:
    wanted = "synth schema records ledger roles policies pending questions matrix warnings"
    replayed = "allowed denied undetermined skipped denials"
    assert set(to_json(sample.result())) >= {*wanted.split(), *replayed.split()}


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 3, "33.3 %"),
        (1, 10**6, "<0.1 %"),
        (10**6 - 1, 10**6, ">99.9 %"),
        (0, 5, "0.0 %"),
        (5, 5, "100.0 %"),
        (0, 0, ""),
    ],
)
def test_shares(part: int, whole: int, text: str) -> None:
    assert share(part, whole) == text


def test_figures() -> None:
    assert counted(1, "file") == "1 file"
    assert counted(1_234, "file") == "1,234 files"
    assert protocol_name(132) == "SCTP"
    assert protocol_name(47) == "protocol 47"
    assert instant(-1) == "1969-12-31T23:59:59.999999Z"
    assert span(0, 999_999).endswith("(less than a second)")


def test_times_of_edges() -> None:
    edges = sample.edges()
    assert seen(edges) == (sample.START, sample.START + 90_000 * sample.SECOND)
    assert seen(edges.take(edges.port == 0)) is None


def test_paths_below_the_shared_folder() -> None:
    assert shared_folder(["a/b/c", "a/bb/c"]) == "a/"
    assert shared_folder(["x"]) == ""
    assert shared_folder([]) == ""
    assert relative_names(["s3://b/x/1", "s3://b/x/2"]) == {"s3://b/x/1": "1", "s3://b/x/2": "2"}
