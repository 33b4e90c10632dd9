"""Policies compared as text, where order and spelling leave no trace."""

from hypothesis import given
from hypothesis import strategies as st

from synth.dialects.kubernetes import parse_policies
from synth.evaluator.diff import Added, Changed, Removed, invert
from synth.policy import Policy, PolicySet, Rule
from synth.proof.canonical import BOOKKEEPING, canonical, diff_policies, is_renamed, patch
from tests.evaluator.cluster import labelled, ports
from tests.worlds import world

ONE, TWO = Rule((), ports("TCP 80")), Rule((), ports("TCP 81"))
DB = Policy("shop", "db", labelled(app="db"), ingress=(ONE, TWO))


def named(policy: Policy, name: str, namespace: str = "shop") -> Policy:
    return Policy(namespace, name, policy.pods, policy.ingress, policy.egress)


def test_rules_are_sorted_and_stand_once() -> None:
    shuffled = Policy("shop", "db", labelled(app="db"), ingress=(TWO, ONE, TWO))
    assert canonical(shuffled) == canonical(DB)
    assert diff_policies(PolicySet.of([shuffled]), PolicySet.of([DB])) == ()


def test_isolation_is_no_spelling() -> None:
    shut = Policy("shop", "db", labelled(app="db"), ingress=())
    more = Policy("shop", "db", labelled(app="db"), ingress=(), egress=())
    assert canonical(shut) == shut
    (edit,) = diff_policies(PolicySet.of([shut]), PolicySet.of([more]))
    assert patch(edit)[-1] == "+  - Egress"


def test_kubectls_own_annotations_do_not_count_and_others_do() -> None:
    noted = Policy(
        "shop", "db", DB.pods, DB.ingress, annotations=tuple((one, "{}") for one in BOOKKEEPING)
    )
    told = Policy("shop", "db", DB.pods, DB.ingress, annotations=(("owner", "me"),))
    assert diff_policies(PolicySet.of([noted]), PolicySet.of([DB])) == ()
    assert diff_policies(PolicySet.of([told]), PolicySet.of([DB])) == (Changed(told, DB),)


def test_a_policy_of_another_name_and_the_same_content_is_renamed() -> None:
    old, new = PolicySet.of([DB]), PolicySet.of([named(DB, "data")])
    (edit,) = diff_policies(old, new)
    assert is_renamed(edit)
    assert [line for line in patch(edit) if line[0] in "+-"] == [
        "--- old shop/db",
        "+++ new shop/data",
        "-  name: db",
        "+  name: data",
    ]


def test_names_are_taken_once() -> None:
    old = PolicySet.of([named(DB, "a"), named(DB, "b"), named(DB, "c")])
    new = PolicySet.of([named(DB, "c"), named(DB, "d")])
    assert diff_policies(old, new) == (
        Changed(named(DB, "a"), named(DB, "d")),
        Removed(named(DB, "b")),
    )


def test_another_namespace_is_another_policy() -> None:
    old, new = PolicySet.of([DB]), PolicySet.of([named(DB, "db", "bank")])
    assert {type(edit) for edit in diff_policies(old, new)} == {Added, Removed}


def test_a_patch_of_a_new_policy_is_all_of_it() -> None:
    lines = patch(Added(DB))
    assert lines[:2] == ("--- nothing", "+++ new shop/db")
    assert all(line.startswith("+") for line in lines[3:])


@given(st.integers(0, 500))
def test_worlds_differ_there_and_back(seed: int) -> None:
    documents = world(seed, edges=0).policies
    old = parse_policies(documents, "old").policies
    new = parse_policies(documents[1:][::-1], "new").policies
    assert diff_policies(old, old) == ()
    edits = diff_policies(old, new)
    assert len(edits) == 1
    assert invert(edits) == diff_policies(new, old)
    assert patch(edits[0]) != ()
