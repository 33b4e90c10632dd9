"""Questions: whom they keep waiting, how they are answered, and that their keys stay."""

from dataclasses import replace

import pytest

from synth.learner.model import Question
from tests.learner.worlds import (
    ACCEPT,
    CONNTRACK,
    EGRESS,
    INGRESS,
    REFUSE,
    VPC,
    Contact,
    Lesson,
    World,
    shop,
    study,
)

ODD = Contact("web", "db", 9999, connections=1, members=(1, 1))
USUAL = Contact("web", "api", 5000), Contact("api", "db", 3306)


def the(lesson: Lesson, kind: str) -> Question:
    (found,) = (one for one in lesson.learned.questions if one.kind == kind)
    return found


def test_a_question_concerns_the_clients_egress_and_the_servers_ingress() -> None:
    question = the(study(shop(), ODD, *USUAL), "quarantined")
    assert question.concerns == (("shop/db", INGRESS), ("shop/web", EGRESS))
    assert question.text.startswith("shop/web → shop/db TCP 9999: one single connection")
    assert question.evidence == "4 records, first flows.log:3"


def test_an_undecided_pair_concerns_both_directions_of_both() -> None:
    contact = Contact("api", "web", 9000, decided=False, client_port=9001)
    question = the(study(shop(), contact), "unresolved")
    assert set(question.concerns) == {
        (role, way) for role in ("shop/api", "shop/web") for way in (INGRESS, EGRESS)
    }
    assert not question.acceptable


def test_an_ambiguous_end_concerns_every_candidate() -> None:
    question = the(study(shop(), Contact("web|api", "db", 22), *USUAL), "unresolved")
    waiting = {("shop/web", EGRESS), ("shop/api", EGRESS), ("shop/db", INGRESS)}
    assert set(question.concerns) == waiting


def test_what_waits_is_not_ready_and_what_does_not_is() -> None:
    lesson = study(shop(), ODD, *USUAL)
    ready = {(role, way) for role in ("web", "api", "db") for way in (INGRESS, EGRESS)}
    ready = {one for one in ready if lesson.ready(*one)}
    assert ready == {("api", INGRESS), ("api", EGRESS)}


def test_nobody_is_asked_about_system_namespaces_alone() -> None:
    lesson = study(shop(), Contact("kube-system/coredns", "node n1", 10250), *USUAL)
    assert lesson.questions() == []


def test_accepting_adds_exactly_the_one_cell() -> None:
    before = study(shop(), ODD, *USUAL)
    after = study(shop(), ODD, *USUAL, answers={before.key("9999"): ACCEPT})
    added = set(after.rules("db", INGRESS)) - set(before.rules("db", INGRESS))
    assert added == {"pods app=web on TCP 9999"}
    assert after.ready("db", INGRESS)
    assert after.ready("web", EGRESS)
    assert after.judge().allowed.all()


def test_refusing_leaves_it_denied() -> None:
    before = study(shop(), ODD, *USUAL)
    after = study(shop(), ODD, *USUAL, answers={before.key("9999"): REFUSE})
    assert after.rules("db", INGRESS) == before.rules("db", INGRESS)
    assert after.ready("db", INGRESS)
    verdicts = after.judge()
    assert verdicts.denied.sum() == 1
    assert not (verdicts.denied & (after.learned.screening.status == 0)).any()


@pytest.mark.parametrize("answer", [ACCEPT, REFUSE])
def test_assuming_an_answer_makes_everything_ready(answer: str) -> None:
    lesson = study(shop(), ODD, *USUAL, assume=answer)
    assert lesson.questions() == []
    assert len(lesson.learned.pending) == 0


def test_an_answer_of_ones_own_beats_the_assumed_one() -> None:
    key = study(shop(), ODD, *USUAL).key("9999")
    lesson = study(shop(), ODD, *USUAL, answers={key: REFUSE}, assume=ACCEPT)
    assert "pods app=web on TCP 9999" not in lesson.rules("db", INGRESS)


def test_keys_are_the_same_in_other_captures_and_other_classes() -> None:
    def world(*versions: str) -> World:
        found = shop().app("blue", "app=blue,version=1", replicas=0)
        for version in versions:
            found.pod("blue", f"app=blue,version={version}")
        return found

    odd = [Contact(f"blue#{at}", "db", 9, connections=1) for at in (0, 1)]
    one = study(world("1"), odd[0])
    both = study(world("1", "2"), *odd, *USUAL, Contact("api", "web", 80))
    assert one.key("shop/blue → shop/db TCP 9") == both.key("shop/blue → shop/db TCP 9")
    assert one.key("TCP 9") != study(world("1"), Contact("blue", "db", 8, connections=1)).key("TCP")


def test_a_known_key_stays_what_it_is() -> None:
    """A changed key makes every answer that somebody has filed worthless."""
    assert study(shop(), ODD).key("9999") == "332135fdd0e6"


def vpc(*contacts: Contact, source: int = VPC) -> list[Contact]:

    return [replace(one, source=source) for one in contacts]


def spread() -> World:
    """Return web and api, never on one node alone."""
    return shop().app("far", on=("n2",))


def test_vpc_logs_alone_make_no_egress_ready() -> None:
    lesson = study(spread(), *vpc(*USUAL))
    assert not lesson.ready("web", EGRESS)
    assert not lesson.ready("api", EGRESS)
    assert lesson.ready("api", INGRESS)
    assert "cannot be attributed" in " ".join(lesson.questions("blind-spot"))


def test_insisting_makes_the_egress_ready() -> None:
    lesson = study(spread(), *vpc(*USUAL), assume=ACCEPT)
    assert lesson.ready("web", EGRESS)


def test_refusing_everything_is_not_insisting() -> None:
    lesson = study(spread(), *vpc(*USUAL), assume=REFUSE)
    assert not lesson.ready("web", EGRESS)
    keys = [one.key for one in lesson.learned.questions if "of shop/web" in one.text]
    keys += [one.key for one in lesson.learned.questions if "what shop/web opens" in one.text]
    assert study(spread(), *vpc(*USUAL), answers=dict.fromkeys(keys, REFUSE)).ready("web", EGRESS)


def test_a_capture_that_also_tracks_connections_has_no_blind_spot() -> None:
    lesson = study(spread(), *vpc(USUAL[0]), *vpc(USUAL[1], source=VPC | CONNTRACK))
    assert lesson.questions("blind-spot") == []


def test_pairs_that_were_always_on_one_node_ask() -> None:
    world = shop().app("one", on=("n1",), replicas=2).app("other", on=("n1",))
    lesson = study(world, *vpc(*USUAL, Contact("web", "one", 80)))
    together = [one for one in lesson.questions("blind-spot") if "always on one node" in one]
    assert len(together) == 1
    assert together[0].startswith("shop/one was always on one node with ")
    assert "shop/other" in together[0]
    assert not lesson.ready("one", INGRESS)


def test_questions_stand_in_one_order() -> None:
    contacts = [Contact("web", "db", number, connections=1) for number in (7, 8, 9)]
    one, other = study(shop(), *contacts), study(shop(), *reversed(contacts))
    assert one.learned.questions == other.learned.questions
