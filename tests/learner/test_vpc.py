"""What VPC flow logs show of a cluster, and that nothing is guessed of what they do not show."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from synth.edges.schema import Source
from synth.learner.model import Answer, Question
from synth.policy.model import Direction
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
    failing,
    port,
    study,
    unanswered,
)

MINUTE = 60_000_000
USERS, PAYMENT = "203.0.113.9", "203.0.113.80"


def seen(*contacts: Contact, source: Source = VPC) -> list[Contact]:
    """Return the contacts as these logs saw them."""
    return [replace(one, source=source) for one in contacts]


def one_each(**on: str) -> World:
    """Return one pod a workload, on the nodes named, which declare port 80; and DNS, elsewhere."""
    world = World(nodes=["n1", "n2", "n3", "n4"])
    for name, node in on.items():
        world.app(name.replace("_", "-"), on=(node,), ports=(port("TCP 80"),))
    world.app("kube-system/coredns", "k8s-app=kube-dns", match="k8s-app=kube-dns", on=("n4",))
    dns = (("UDP 53", 53), ("TCP 53", 53))
    return world.service("kube-system/kube-dns", "k8s-app=kube-dns", dns)


def refused(client: str, server: str, number: int) -> Contact:
    """Return a contact as interfaces log it: an opening, and the reset that came back."""
    told = failing(client, server, number)
    return replace(told, records=2, failed=1, from_client=1, from_server=1, heard_client=1)


def spots(lesson: Lesson, role: str, way: Direction) -> list[Question]:
    """Return the open questions about what the capture cannot show of the direction."""
    some = (one for one in lesson.learned.questions if one.kind == "blind-spot")
    return [one for one in some if one.answer is None and (f"shop/{role}", way) in one.concerns]


def reasons(lesson: Lesson, role: str, way: Direction) -> list[str]:
    """Return in a word each what the capture cannot show of the direction."""
    words = {
        "within a node": "same-node",
        "attributed": "snat",
        "node port": "node-port",
        "pkt-srcaddr": "interfaces",
    }
    texts = [one.text for one in spots(lesson, role, way)]
    return sorted(word for text in texts for part, word in words.items() if part in text)


# ------------------------------------------------------------------ pairs within a node


def test_a_pair_that_nothing_was_seen_of_waits_with_the_reason() -> None:
    """Its traffic never left the node: to say that there is no evidence would be half the truth."""
    world = one_each(web="n1", cache="n1", api="n2")
    lesson = study(world, *seen(Contact("web", "api")))
    assert reasons(lesson, "cache", INGRESS) == ["same-node"]
    (spot,) = spots(lesson, "cache", INGRESS)
    assert "shop/cache" in spot.text
    assert "shop/web" in spot.text
    assert "no policy is drafted" in spot.evidence
    assert ("shop/cache", INGRESS) not in lesson.learned.silent
    assert lesson.subject("cache", INGRESS) is None


@pytest.mark.parametrize("answer", [ACCEPT, REFUSE])
def test_whatever_is_said_of_what_was_never_seen_it_stays_open(answer: Answer) -> None:
    world = one_each(web="n1", cache="n1", api="n2")
    contacts = seen(Contact("web", "api"))
    keys = {one.key for one in spots(study(world, *contacts), "cache", INGRESS)}
    lesson = study(world, *contacts, answers=dict.fromkeys(keys, answer))
    assert spots(lesson, "cache", INGRESS) == []
    assert ("shop/cache", INGRESS) in lesson.learned.silent
    for policies in (lesson.learned.policies, lesson.learned.pending):
        assert "cache" not in {one.name for one in policies}


def test_an_answer_to_what_was_never_seen_says_nothing_of_what_is_seen_later() -> None:
    world = one_each(web="n1", cache="n1", api="n2")
    opened = Contact("cache", "api")
    before = study(world, *seen(opened))
    said = {one.key: ACCEPT for one in spots(before, "cache", INGRESS)}
    after = study(world, *seen(opened, Contact("api", "cache")), answers=said)
    assert reasons(after, "cache", INGRESS) == ["same-node"]
    assert not after.ready("cache", INGRESS)


def test_what_has_no_neighbour_is_silent_as_ever() -> None:
    lesson = study(one_each(web="n1", api="n2"), *seen(Contact("web", "api")))
    assert ("shop/web", INGRESS) in lesson.learned.silent
    assert spots(lesson, "web", INGRESS) == []


def test_a_tracker_leaves_nothing_of_a_silent_direction_unseen() -> None:
    world = one_each(web="n1", cache="n1", api="n2")
    tracked = seen(Contact("web", "api"), source=CONNTRACK)
    assert study(world, *tracked).questions("blind-spot") == []
    both = seen(Contact("web", "api"), source=VPC | CONNTRACK)
    assert study(world, *both).questions("blind-spot") == []


def test_a_tracker_elsewhere_leaves_a_silent_direction_unseen() -> None:
    """The role's own contacts were logged by interfaces alone, so no tracker was on its node."""
    world = one_each(web="n1", cache="n1", api="n2", other="n2")
    contacts = [*seen(Contact("cache", "api")), Contact("other", "api", source=CONNTRACK)]
    assert reasons(study(world, *contacts), "cache", INGRESS) == ["same-node"]


def moved(world: World, name: str, *stays: tuple[str, int | None, int | None]) -> World:
    """Add pods of a workload at nodes, from minute to minute."""
    world.app(name, replicas=0, ports=(port("TCP 80"),))
    for node, *times in stays:
        start, end = (None if time is None else time * MINUTE for time in times)
        world.pod(name, node=node, start=start, end=end)
    return world


@pytest.mark.parametrize(
    ("stays", "found"),
    [
        ([("n1", None, None)], ["same-node"]),
        ([("n2", None, None)], []),
        ([("n1", None, 5), ("n2", 5, None)], []),
        ([("n2", None, -10), ("n1", -10, None)], ["same-node"]),  # it moved before the capture
        ([("n1", None, 30), ("n2", 30, None)], ["same-node"]),  # and after it
        ([("n1", None, 5), ("", 5, None)], ["same-node"]),  # nobody knows where to
        ([("", None, None)], ["same-node"]),
        ([("n1", None, -10)], []),  # it was gone by then
    ],
)
def test_only_where_pods_were_during_the_capture_counts(
    stays: Sequence[tuple[str, int | None, int | None]], found: list[str]
) -> None:
    world = moved(one_each(web="n1", api="n2"), "cache", *stays)
    contact = replace(Contact("api", "web"), source=VPC, span=(0, 10 * MINUTE))
    assert reasons(study(world, contact), "web", INGRESS) == found


def test_two_that_moved_together_were_always_together() -> None:
    """Each was on two nodes, but never on another node than the other."""
    world = one_each(api="n2")
    for name in ("web", "cache"):
        moved(world, name, ("n1", None, 5), ("n3", 5, None))
    contact = replace(Contact("api", "web"), source=VPC, span=(0, 10 * MINUTE))
    texts = [one.text for one in spots(study(world, contact), "web", INGRESS)]
    assert any("shop/cache" in text for text in texts)


def test_what_no_longer_exists_is_no_neighbour() -> None:
    world = one_each(web="n1", api="n2").app("old", on=("n1",), exists=False)
    assert reasons(study(world, *seen(Contact("api", "web"))), "web", INGRESS) == []


def test_a_replica_beside_the_only_server_is_not_missed() -> None:
    """Interfaces never see it, however long they listen."""
    world = World(nodes=["n1", "n2", "n3"]).dns()
    world.app("api", replicas=2, on=("n1", "n2"))
    world.app("db", on=("n2",), ports=(port("TCP 3306"),))
    contact = Contact("api", "db", 3306, members=(1, 1), days=(0, 1, 2))
    logged = study(world, *seen(contact)).screened()
    assert logged["shop/api", "shop/db", 3306][0] == "accepted"
    tracked = study(world, contact).screened()
    assert tracked["shop/api", "shop/db", 3306] == ("quarantined", "one of several replicas only")


def test_a_replica_elsewhere_that_was_not_heard_is_missed() -> None:
    world = World(nodes=["n1", "n2", "n3"]).dns()
    world.app("api", replicas=3, on=("n1", "n2", "n3"))
    world.app("db", on=("n2",), ports=(port("TCP 3306"),))
    contact = Contact("api", "db", 3306, members=(1, 1), days=(0, 1, 2))
    logged = study(world, *seen(contact)).screened()
    assert logged["shop/api", "shop/db", 3306] == ("quarantined", "one of several replicas only")


# ------------------------------------------------------------------ traffic that leaves the VPC


def test_what_a_node_opened_outside_may_be_of_any_pod_on_it() -> None:
    """Pods that only call outside show as nodes: they must not be silent."""
    world = one_each(web="n1", report="n2", api="n3").app("report-too", on=("n2",))
    lesson = study(world, *seen(Contact("web", "api"), Contact("node n2", PAYMENT, 443)))
    assert "snat" in reasons(lesson, "report", EGRESS)
    assert "snat" in reasons(lesson, "report-too", EGRESS)
    (spot,) = [one for one in spots(lesson, "report", EGRESS) if "attributed" in one.text]
    assert f"{PAYMENT} TCP 443" in spot.evidence
    assert "flows.log:" in spot.evidence
    assert spot.records == 4
    assert ("shop/api", EGRESS) in lesson.learned.silent  # nothing left its node


def test_a_learned_egress_names_what_its_nodes_opened_outside() -> None:
    world = one_each(web="n1", api="n2")
    outside = [Contact("node n1", f"203.0.113.{at}", 443) for at in range(1, 6)]
    other = Contact("node n2", "203.0.113.99", 443)
    lesson = study(world, *seen(Contact("web", "api"), *outside, other))
    (spot,) = [one for one in spots(lesson, "web", EGRESS) if "attributed" in one.text]
    assert "203.0.113.1 TCP 443" in spot.evidence
    assert "and 2 more" in spot.evidence
    assert "203.0.113.99" not in spot.evidence
    assert spot.records == 20
    without = study(world, *seen(Contact("web", "api")))
    (spot,) = [one for one in spots(without, "web", EGRESS) if "attributed" in one.text]
    assert (spot.evidence, spot.records) == ("", 0)


@pytest.mark.parametrize("contact", [failing, unanswered, refused])
def test_what_a_node_opened_in_vain_is_nobodys_need(contact: Callable[..., Contact]) -> None:
    world = one_each(web="n1", report="n2", api="n3")
    lesson = study(world, *seen(Contact("web", "api"), contact("node n2", PAYMENT, 443)))
    assert ("shop/report", EGRESS) in lesson.learned.silent


def test_the_questions_keep_their_keys_whatever_the_nodes_opened() -> None:
    world = one_each(web="n1", api="n2")
    few = study(world, *seen(Contact("web", "api")))
    more = study(world, *seen(Contact("web", "api"), Contact("node n1", PAYMENT, 443)))
    keys = [{one.key for one in spots(lesson, "web", EGRESS)} for lesson in (few, more)]
    assert keys[0] == keys[1]


# ------------------------------------------------------------------ exposed Services


def exposed(policy: str, *, node_port: int | None = 30080) -> World:
    """Return web on node 1, exposed by a node port, and api on node 2."""
    world = one_each(web="n1", api="n2")
    world.service("web", type="NodePort", external_traffic_policy=policy)
    service = world.services[-1]
    ports = tuple(replace(one, node_port=node_port) for one in service.ports)
    world.services[-1] = replace(service, ports=ports)
    return world


def test_users_of_a_node_port_show_at_the_node_and_the_pods_ingress_waits() -> None:
    lesson = study(exposed("Local"), *seen(Contact(USERS, "node n1", 30080), Contact("web", "api")))
    assert lesson.screened()[USERS, "node n1", 30080][0] == "accepted"
    assert reasons(lesson, "web", INGRESS) == ["node-port"]
    (spot,) = spots(lesson, "web", INGRESS)
    assert "shop/web" in spot.text
    assert "30080" in spot.text
    assert spot.records == 4
    assert lesson.subject("web", INGRESS) is None


@pytest.mark.parametrize("contact", [failing, unanswered, refused])
def test_knocking_at_a_node_port_in_vain_shows_no_users(contact: Callable[..., Contact]) -> None:
    lesson = study(exposed("Local"), *seen(contact(USERS, "node n1", 30080), Contact("web", "api")))
    assert ("shop/web", INGRESS) in lesson.learned.silent


def test_another_port_of_a_node_shows_no_users() -> None:
    contacts = seen(Contact(USERS, "node n1", 22), Contact("web", "api"))
    assert ("shop/web", INGRESS) in study(exposed("Local"), *contacts).learned.silent


@pytest.mark.parametrize("source", [VPC, CONNTRACK])
@pytest.mark.parametrize("policy", ["Local", "Cluster"])
def test_users_are_admitted_once_anything_else_isolates(policy: str, source: Source) -> None:
    """The declared opening admits them in either kind of logs, by the same rules."""
    world = exposed(policy)
    node = Contact(USERS, "node n1", 30080, source=VPC)
    behind = Contact(USERS, "web", 80, seen=USERS if policy == "Local" else "node n2")
    users = node if source is VPC else behind
    lesson = study(world, *seen(Contact("api", "web"), source=source), users)
    rules = lesson.rules("web", INGRESS)
    assert rules[0] == "pods app=api on TCP 80"
    assert len(rules) == 2
    assert rules[1].startswith("users of Service shop/web: 0.0.0.0/0 except 10.1.0.0/16")
    assert lesson.ready("web", INGRESS)
    assert lesson.judge().allowed.all()


def test_a_masqueraded_user_is_a_node_and_needs_no_rule_of_its_own() -> None:
    world = exposed("Cluster")
    lesson = study(world, *seen(Contact("node n2", "web", 80)))
    (rule,) = lesson.rules("web", INGRESS)
    assert rule.startswith("users of Service shop/web: ")
    tracked = study(world, Contact(USERS, "web", 80, seen="node n2"))
    assert tracked.rules("web", INGRESS) == [rule]
    assert lesson.ready("web", INGRESS)


# ------------------------------------------------------------------ addresses that change hands


def test_an_address_that_changed_hands_is_asked_about_once_and_teaches_nothing() -> None:
    world = one_each(web="n1", api="n2", thief="n2", db="n3")
    near = Contact("api|thief", "db", 80)
    lesson = study(world, *seen(Contact("web", "api"), Contact("api", "db"), near))
    assert lesson.rules("db", INGRESS) == ["pods app=api on TCP 80"]
    (text,) = lesson.questions("unresolved")
    assert "changed hands" in text
    assert not lesson.ready("db", INGRESS)
    assert lesson.subject("thief", EGRESS) is None


# ------------------------------------------------------------------ two kinds of logs agree


def test_what_both_kinds_of_logs_certify_is_the_same() -> None:
    """A direction is ready in VPC logs with the rules that a tracker teaches, or not ready."""
    world = exposed("Local").app("report", on=("n2",)).app("far", on=("n3",))
    across = [Contact("web", "api"), Contact("far", "web"), Contact("far", "api", 443)]
    hidden = [Contact(USERS, "web", 80), Contact("report", "api", 80)]
    outside = Contact("report", PAYMENT, 443)
    tracked = study(world, *across, *hidden, outside)
    at_nodes = [Contact(USERS, "node n1", 30080), Contact("node n2", PAYMENT, 443)]
    logged = study(world, *seen(*across, *at_nodes))
    for role in ("web", "api", "report", "far"):
        for way in (INGRESS, EGRESS):
            if logged.ready(role, way):
                assert logged.rules(role, way) == tracked.rules(role, way)
            elif tracked.ready(role, way):
                assert reasons(logged, role, way), (role, way)
    assert logged.ready("web", INGRESS)
