"""Policies: their names, labels and directions; what is ready, what is pending, what is silent."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from synth.dialects.kubernetes.names import policy_name
from synth.edges.schema import Edges
from synth.learner.learn import Choices, learn
from synth.policy.model import Policy, PolicySet
from tests.learner.worlds import EGRESS, INGRESS, Contact, World, shop, study

USUAL = Contact("web", "api", 5000), Contact("api", "db", 3306)
ODD = Contact("web", "db", 9999, connections=1, members=(1, 1))


def the(policies: PolicySet, name: str) -> Policy:
    (found,) = (one for one in policies if one.name == name)
    return found


def test_a_policy_isolates_what_there_is_evidence_for_and_no_more() -> None:
    lesson = study(shop(), *USUAL)
    web, api, db = (the(lesson.learned.policies, name) for name in ("web", "api", "db"))
    assert (web.ingress is None, web.egress is None) == (True, False)
    assert (api.ingress is None, api.egress is None) == (False, False)
    assert (db.ingress is None, db.egress is None) == (False, True)
    assert lesson.learned.silent == (("shop/db", EGRESS), ("shop/web", INGRESS))


def test_every_policy_is_labelled_and_selects_by_a_positive_term() -> None:
    for policy in study(shop(), *USUAL, ODD).learned.policies:
        assert policy.labels == (("app.kubernetes.io/managed-by", "synth"),)
        assert policy.pods.positive
        assert policy.annotations == ()


def test_what_waits_stands_in_pending_as_if_refused() -> None:
    lesson = study(shop(), *USUAL, ODD, Contact("web", "web", 80))
    pending = the(lesson.learned.pending, "web")
    assert pending.ingress is not None
    assert pending.egress is not None
    assert "9999" not in str(pending.egress)
    ready = the(lesson.learned.policies, "web")
    assert ready.egress is None
    assert ready.ingress == pending.ingress
    assert {one.name for one in lesson.learned.pending} == {"web", "db"}


def test_names_come_from_whoever_knows_which_are_free() -> None:
    def name(_: str, wanted: str) -> str:
        return policy_name(wanted, {"web"})

    lesson = study(shop(), *USUAL, name=name)
    assert {one.name for one in lesson.learned.policies} == {"web-2", "api", "db"}
    assert lesson.learned.policy_of["shop/web"] == "web-2"


def test_two_roles_never_share_a_name() -> None:
    def name(_: str, wanted: str) -> str:
        return policy_name(wanted, {"web"})

    world = shop().app("web-2")
    lesson = study(world, *USUAL, Contact("web-2", "api", 5000), name=name)
    names = [one.name for one in lesson.learned.policies]
    assert len(names) == 4
    assert len(set(names)) == 4


def test_names_do_not_depend_on_what_else_was_seen() -> None:
    few, many = study(shop(), USUAL[0]), study(shop(), *USUAL, ODD)
    assert few.learned.policy_of == many.learned.policy_of


def test_nothing_seen_is_nothing_learned() -> None:
    learned = learn(Edges.empty(), shop().build(), Choices())
    assert (len(learned.policies), len(learned.pending), learned.questions) == (0, 0, ())
    assert len(learned.silent) == 6


def test_an_empty_cluster() -> None:
    lesson = study(World(), Contact("203.0.113.9", "198.51.100.1", 443))
    assert lesson.learned.roles == ()


@given(st.permutations([*USUAL, ODD, Contact("web", "web", 80), Contact("db", "node n1", 9)]))
def test_the_order_of_contacts_does_not_matter(contacts: list[Contact]) -> None:
    one, other = study(shop(), *contacts), study(shop(), *sorted(contacts, key=str))
    assert one.learned.policies == other.learned.policies
    assert one.learned.pending == other.learned.pending
    assert one.learned.questions == other.learned.questions
    assert one.ready("api", INGRESS)


def test_the_hash_seed_does_not_matter() -> None:
    script = (
        "from tests.learner.worlds import *\n"
        "lesson = study(shop().service('web', type='NodePort'), Contact('web', 'api', 5000),"
        " Contact('api|web', 'db', 22), Contact('api', 'db', 3306), Contact('203.0.113.9', 'web'),"
        " Contact('web', '203.0.113.9', 443), Contact('web', 'db', 9, connections=1))\n"
        "print(lesson.learned.policies, lesson.learned.pending, lesson.learned.questions)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
