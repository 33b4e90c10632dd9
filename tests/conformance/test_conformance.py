"""The truth tables, judged by the evaluator through the real readers and by the reference."""

from collections import Counter
from pathlib import Path

import pytest

from synth.evaluator.options import BY_NAME
from tests.conformance.case import Case, cases
from tests.conformance.judged import judged
from tests.conformance.lines import LINES, TESTS

TAGS = (
    *("pod-selector", "namespace-selector", "match-expressions", "ip-block", "except", "ports"),
    *("named-port", "end-port", "sctp", "policy-types", "default-deny"),
    *("ingress", "egress", "empty-rules", "host-network", "own-node", "same-pod", "services"),
    *("phases", "dual-stack", "ipv4-mapped", "choices"),
)
LEAST_CASES = 2
ROOT = Path(__file__).parents[2]
each_case = pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)


@each_case
def test_the_evaluator_says_what_the_table_says(case: Case, tmp_path: Path) -> None:
    wrong = [
        f"{probe}, not {word}" for probe, word in judged(case, tmp_path) if word != probe.verdict
    ]
    assert not wrong


@each_case
def test_the_reference_says_what_the_table_says(case: Case) -> None:
    probes = [probe for probe in case.probes() if probe.verdict != "undetermined"]
    assert not [str(probe) for probe in probes if case.judge(probe) != probe.verdict]


@each_case
def test_every_exception_is_met(case: Case) -> None:
    """An exception that no probe fits, or that changes nothing, is a slip of the table's author."""
    exceptions = case.told.get("exceptions", [])
    whole = [probe.verdict for probe in case.probes()]
    for left_out in exceptions:
        kept = [one for one in exceptions if one != left_out]
        without = Case(case.name, {**case.told, "exceptions": kept})
        assert [probe.verdict for probe in without.probes()] != whole, left_out


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_is_covered(tag: str) -> None:
    assert sum(tag in case.tags for case in cases()) >= LEAST_CASES


def test_no_tag_and_no_line_is_unknown() -> None:
    assert {tag for case in cases() for tag in case.tags} <= set(TAGS)
    assert {line for case in cases() for line in case.lines} | set(TESTS) == set(LINES)


@pytest.mark.parametrize("line", TESTS)
def test_lines_that_no_table_shows_name_their_tests(line: str) -> None:
    for file, name in TESTS[line]:
        assert f"def {name}(" in (ROOT / file).read_text(), name


def test_every_value_of_every_choice_is_in_some_table() -> None:
    seen = Counter(
        (name, case.choices.get(name, choice.default))
        for case in cases()
        for name, choice in BY_NAME.items()
    )
    values = {(name, value) for name, choice in BY_NAME.items() for value in choice.values}
    assert values <= set(seen)


def test_tables_are_more_than_defaults() -> None:
    """Both verdicts occur in almost every table, so that neither answer passes by luck."""
    verdicts = [{probe.verdict for probe in case.probes()} for case in cases()]
    assert sum(len(found) > 1 for found in verdicts) >= 0.9 * len(verdicts)
