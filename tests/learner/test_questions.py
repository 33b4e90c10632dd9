"""Questions: whom they keep waiting, how they are answered, and that their keys stay."""

from dataclasses import replace

import pytest

from synth.edges.schema import Source
from synth.learner.model import Question
from tests.learner.worlds import (
    ACCEPT,
    CONNTRACK,
    EGRESS,
    INGRESS,
    INTERFACES,
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


def vpc(*contacts: Contact, source: Source = VPC) -> list[Contact]:
    """Return the contacts as these logs saw them."""
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
    assert "web" in {one.name for one in lesson.learned.pending}
    assert lesson.questions("blind-spot")


def test_refusing_a_blind_spot_leaves_the_direction_open() -> None:
    key = study(spread(), *vpc(*USUAL)).key("what shop/web opens")
    lesson = study(spread(), *vpc(*USUAL), answers={key: REFUSE})
    subject = lesson.subject("web", EGRESS)
    assert subject is not None
    assert subject.left_open
    assert not subject.ready
    assert ("shop/web", EGRESS) in lesson.learned.silent
    for policies in (lesson.learned.policies, lesson.learned.pending):
        assert all(one.egress is None for one in policies if one.name == "web")
    assert not any("what shop/web opens" in one for one in lesson.questions())


def test_accepting_a_blind_spot_isolates_all_the_same() -> None:
    key = study(spread(), *vpc(*USUAL)).key("what shop/web opens")
    lesson = study(spread(), *vpc(*USUAL), answers={key: ACCEPT})
    subject = lesson.subject("web", EGRESS)
    assert subject is not None
    assert not subject.left_open
    assert lesson.ready("web", EGRESS)
    assert ("shop/web", EGRESS) not in lesson.learned.silent


def test_refusing_one_of_two_blind_spots_leaves_open_whatever_the_other_says() -> None:
    world = World().app("web").app("api", on=("n2",))
    contacts = vpc(Contact("web", "api"))
    blind = [one.key for one in study(world, *contacts).learned.questions]
    assert len(blind) == 2  # no DNS, and traffic that leaves the VPC
    for refused in blind:
        answers = dict.fromkeys(blind, ACCEPT) | {refused: REFUSE}
        lesson = study(world, *contacts, answers=answers)
        assert not lesson.ready("web", EGRESS)
        assert ("shop/web", EGRESS) in lesson.learned.silent


def test_refusing_a_contact_leaves_nothing_open() -> None:
    lesson = study(shop(), ODD, *USUAL, assume=REFUSE)
    assert not any(one.left_open for one in lesson.learned.subjects)


def test_a_tracker_waives_the_blind_spots_of_what_it_saw_alone() -> None:
    """One tracked connection says nothing of the nodes of all other pods."""
    lesson = study(spread(), *vpc(USUAL[0]), *vpc(USUAL[1], source=VPC | CONNTRACK))
    assert lesson.ready("api", EGRESS)
    assert not lesson.ready("web", EGRESS)
    (blind,) = lesson.questions("blind-spot")
    assert "shop/web" in blind


def test_a_tracker_waives_nothing_of_a_direction_that_it_saw_in_part() -> None:
    part = vpc(Contact("web", "db", 3306), source=VPC | CONNTRACK)
    assert not study(spread(), *vpc(USUAL[0]), *part).ready("web", EGRESS)
    every = vpc(USUAL[0], source=VPC | CONNTRACK)
    assert study(spread(), *every, *part).ready("web", EGRESS)


def test_logs_of_interfaces_make_nobody_ready() -> None:
    """Behind an interface stand all pods of its node, so no end of any record is certain."""
    tracked = Contact("web", "api", 5000)
    hidden = Contact("node n1", "203.0.113.9", 443, source=VPC | INTERFACES)
    lesson = study(spread(), tracked, hidden)
    assert lesson.questions("blind-spot")
    assert all("pkt-srcaddr" in one for one in lesson.questions("blind-spot"))
    assert {one.role.name for one in lesson.learned.subjects} == {"web", "api"}
    assert not lesson.ready("web", EGRESS)
    assert not lesson.ready("api", INGRESS)


@pytest.mark.parametrize("daemon", ["web", "other"])
def test_a_daemon_set_and_who_shares_a_node_with_it_ask(daemon: str) -> None:
    """A Service can keep traffic on its node, so that it never crosses what VPC logs see."""
    world = World().dns()
    for name in ("web", "other"):
        kind = "DaemonSet" if name == daemon else "Deployment"
        world.app(name, kind=kind, replicas=2, on=("n1", "n2"))
    world.app("far", on=("n3",))
    lesson = study(world, *vpc(Contact("far", "web", 80)))
    (text,) = {one for one in lesson.questions() if one.startswith("shop/web was always")}
    assert "shop/other" in text
    assert "shop/far" not in text
    assert not lesson.ready("web", INGRESS)


def test_spread_workloads_are_not_always_together() -> None:
    world = World(nodes=["n1", "n2", "n3"]).dns().app("web", replicas=2).app("other", replicas=2)
    world.app("far", on=("n3",))
    lesson = study(world, *vpc(Contact("far", "web", 80)))
    assert not [one for one in lesson.questions() if one.startswith("shop/web was always")]
    assert lesson.ready("web", INGRESS)


def test_pairs_that_were_always_on_one_node_ask() -> None:
    world = shop().app("one", on=("n1",), replicas=2).app("other", on=("n1",))
    lesson = study(world, *vpc(*USUAL, Contact("web", "one", 80)))
    (text,) = {one for one in lesson.questions("blind-spot") if one.startswith("shop/one was")}
    assert text.startswith("shop/one was always, or may have been, on one node with ")
    assert "shop/other" in text
    assert not lesson.ready("one", INGRESS)


def test_questions_stand_in_one_order() -> None:
    contacts = [Contact("web", "db", number, connections=1) for number in (7, 8, 9)]
    one, other = study(shop(), *contacts), study(shop(), *reversed(contacts))
    assert one.learned.questions == other.learned.questions
