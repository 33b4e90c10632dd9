"""The seeded bugs fit the code as it is, so that whoever changes a line notices at once."""

from collections import Counter

import pytest

from tests.seeded_bugs.seed import ROOT, Bug, read_bugs

BUGS = read_bugs()
FEWEST = 45


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_changes_one_line_of_a_module_that_still_compiles(bug: Bug) -> None:
    right, wrong = (ROOT / bug.file).read_text().splitlines(), bug.source().splitlines()
    assert len(right) == len(wrong)
    assert sum(one != other for one, other in zip(right, wrong, strict=True)) == 1
    compile("\n".join(wrong), bug.file, "exec")  # a bug in the bug would be noticed by every test


def test_a_line_that_is_gone_is_reported() -> None:
    gone = Bug("a bug", BUGS[0].file, "no such line", "another")
    with pytest.raises(ValueError, match="a bug: 0 times in"):
        gone.source()


def test_there_are_enough_bugs_each_of_a_name_of_its_own() -> None:
    assert len(BUGS) >= FEWEST
    assert max(Counter(bug.name for bug in BUGS).values()) == 1
