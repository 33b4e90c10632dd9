"""The screen: each step, and what would happen if it stood elsewhere or not at all."""

from dataclasses import replace

import pytest

from synth.flows import Rung
from synth.learner.screen import STEPS, screen
from tests.learner.worlds import (
    ACCEPT,
    CONNTRACK,
    EGRESS,
    INGRESS,
    REFUSE,
    VPC,
    Contact,
    World,
    edges_of,
    failing,
    port,
    shop,
    study,
    unanswered,
)

ANSWERED = Contact("api", "db", 3306)
"""Something else in the capture."""
LONG = (0, 1, 2, 3)


def judged(world: World, contact: Contact, *others: Contact) -> tuple[str, str]:
    """Return the screening word and the reason of the contact."""
    inventory = world.build()
    edges = edges_of(inventory, (contact, *others))
    screening = screen(edges, inventory)
    alone = edges_of(inventory, (contact,))
    client, server = (alone.endpoints[int(end[0])] for end in (alone.client, alone.server))
    (row,) = (
        row
        for row in range(len(edges))
        if edges.endpoints[edges.client[row]] == client
        and edges.endpoints[edges.server[row]] == server
        and edges.port[row] == contact.port
        and edges.protocol[row] == alone.protocol[0]
        and edges.same_node[row] == contact.same_node
    )
    words = ("accepted", "quarantined", "rejected", "unresolved", "retired")
    return words[screening.status[row]], screening.reason_of(row)


def with_gone() -> World:
    return shop().app("old", replicas=1, exists=False)


# One case a step at least: world, contact, the word and a part of the reason.
CASES = {
    "failed": (shop(), failing("web", "db", 22), "rejected", "failed contacts only"),
    "refused by a filter": (
        shop(),
        unanswered("web", "db", 22, denied=3),
        "rejected",
        "failed contacts only",
    ),
    "failed, once answered": (shop(), Contact("web", "api", 5000, failed=9), "accepted", ""),
    "failed to nobody": (shop(), failing("web", "unheld 10.1.9.9", 80), "rejected", "failed"),
    "nobody there": (
        shop(),
        unanswered("web", "unheld 10.1.9.9", 80, protocol="UDP"),
        "rejected",
        "nobody is known",
    ),
    "somebody was there": (shop(), Contact("web", "unheld 10.1.9.9"), "unresolved", "no known pod"),
    "Service without pods": (
        shop(),
        unanswered("web", "service kube-dns", 53, protocol="UDP"),
        "rejected",
        "no pod to send it to",
    ),
    "Service that answered": (
        shop(),
        Contact("web", "service kube-dns", 53),
        "unresolved",
        "which pod",
    ),
    "never answered, seen by interfaces": (
        shop(),
        unanswered("web", "db", 3306, source=VPC),
        "rejected",
        "never answered",
    ),
    "never answered, tracked": (
        shop(),
        unanswered("web", "db", 3306),
        "unresolved",
        "does not show whether anyone answered",
    ),
    "never answered, tracked and seen by interfaces": (
        shop(),
        unanswered("web", "db", 3306, source=VPC | CONNTRACK),
        "unresolved",
        "does not show whether anyone answered",
    ),
    "one-way UDP, seen by interfaces": (
        shop(),
        unanswered("web", "db", 514, protocol="UDP", source=VPC),
        "quarantined",
        "one-way UDP",
    ),
    "data, so answered": (
        shop(),
        unanswered("web", "db", 3306, source=VPC, packets_out=4, bytes_out=401),
        "accepted",
        "all that could",
    ),
    "headers only": (
        shop(),
        unanswered("web", "db", 3306, source=VPC, packets_out=4, bytes_out=400),
        "rejected",
        "never answered",
    ),
    "data, and failed": (
        shop(),
        failing("web", "db", 3306, source=VPC, packets_out=4, bytes_out=4000),
        "rejected",
        "failed contacts only",
    ),
    "data of UDP": (
        shop(),
        unanswered("web", "db", 514, protocol="UDP", packets_out=4, bytes_out=4000),
        "quarantined",
        "one-way UDP",
    ),
    "only the presumed server was heard": (
        shop(),
        Contact("db", "web", 80, heard_server=4, rung=Rung.DECLARED),
        "unresolved",
        "only one end was heard",
    ),
    "only the presumed server was heard, guessed": (
        shop(),
        Contact("db", "web", 80, heard_server=4, rung=Rung.REGISTERED),
        "unresolved",
        "only one end was heard",
    ),
    "only the presumed server was heard, but the record told": (
        shop(),
        Contact("db", "web", 80, heard_server=4, rung=Rung.REPORTED),
        "accepted",
        "",
    ),
    "both were heard": (
        shop(),
        Contact("db", "web", 80, heard_server=4, heard_client=1, rung=Rung.DECLARED),
        "accepted",
        "",
    ),
    "the presumed server was heard, and an answer": (
        shop(),
        Contact("db", "web", 80, heard_server=3, rung=Rung.DECLARED),
        "accepted",
        "",
    ),
    "a mesh's tunnel": (shop(), Contact("web", "api", 15008), "quarantined", "a mesh's tunnel"),
    "a mesh's tunnel, declared": (
        shop().app("mesh", ports=(port("TCP 15008"),)),
        Contact("web", "mesh", 15008),
        "quarantined",
        "a mesh's tunnel",
    ),
    "undecided": (
        shop(),
        Contact("api", "web", 9000, decided=False, client_port=9001),
        "unresolved",
        "who opened it",
    ),
    "undecided, heard both ways": (
        shop(),
        unanswered(
            "api", "web", 9000, decided=False, client_port=9001, from_client=3, from_server=2
        ),
        "unresolved",
        "who opened it",
    ),
    "undecided, heard one way": (
        shop(),
        unanswered("api", "web", 9000, decided=False, client_port=9001, from_client=3),
        "unresolved",
        "who opened it",
    ),
    "undecided and outside": (
        shop(),
        Contact("node n1", "203.0.113.9", 9000, decided=False),
        "accepted",
        "no pod at either end",
    ),
    "ambiguous": (shop(), Contact("web|api", "db", 22), "unresolved", "changed hands"),
    "ambiguous, unanswered": (
        shop(),
        unanswered("web|api", "db", 22, source=VPC),
        "rejected",
        "never",
    ),
    "port 0": (shop(), Contact("web", "db", 0), "unresolved", "port 0"),
    "retired client": (with_gone(), Contact("old", "db", 3306), "retired", "no longer exists"),
    "retired server": (with_gone(), Contact("web", "old", 80), "retired", "no longer exists"),
    "retired, sweeping": (
        with_gone(),
        Contact("old", "db", 3306, connections=1),
        "retired",
        "no longer",
    ),
    "retired, port 0": (with_gone(), Contact("old", "db", 0), "retired", "no longer exists"),
    "retired, undecided": (
        with_gone(),
        Contact("db", "old", 9000, decided=False, client_port=9001),
        "retired",
        "no longer exists",
    ),
    "no pod, unanswered": (
        shop(),
        unanswered("node n1", "203.0.113.9", 443, source=VPC),
        "rejected",
        "never answered",
    ),
    "no pod": (shop(), Contact("node n1", "203.0.113.9", 443), "accepted", "no pod at either end"),
    "no pod, kubelet": (shop(), Contact("node n1", "node n2", 10250), "accepted", "no pod"),
    "same pod": (shop(), Contact("web", "web", 9999, same_pod=True), "accepted", "to itself"),
    "own node": (
        shop(),
        Contact("node n1", "web", 8081, same_node=True, connections=1),
        "accepted",
        "own node",
    ),
    "other node": (shop(), Contact("node n2", "web", 8081), "accepted", "all that could"),
    "one-way UDP, declared": (
        shop().app("syslog", ports=(port("UDP 514"),)),
        unanswered("web", "syslog", 514, protocol="UDP"),
        "accepted",
        "",
    ),
    "one-way UDP, undeclared": (
        shop(),
        unanswered("web", "db", 514, protocol="UDP"),
        "quarantined",
        "one-way UDP",
    ),
    "guessed": (
        shop(),
        Contact("web", "db", 443, rung=Rung.REGISTERED),
        "unresolved",
        "registered port",
    ),
    "guessed, by a better rung": (
        shop(),
        Contact("web", "api", 5000, rung=Rung.EPHEMERAL),
        "accepted",
        "",
    ),
    "metadata": (shop(), Contact("web", "169.254.169.254"), "quarantined", "metadata"),
    "pod identity": (shop(), Contact("web", "169.254.170.23"), "quarantined", "metadata"),
    "kubelet": (shop(), Contact("web", "node n1", 10250), "quarantined", "kubelet"),
    "node, other port": (shop(), Contact("web", "node n1", 9100), "accepted", "all that could"),
    "a pod's port 10250": (shop(), Contact("web", "api", 10250), "accepted", "all that could"),
    "DNS": (
        shop(),
        Contact("web", "kube-system/coredns", 53, protocol="UDP", connections=1, members=(1, 1)),
        "accepted",
        "cluster DNS",
    ),
    "DNS, its metrics": (
        shop(),
        Contact("web", "kube-system/coredns", 9153, connections=1, members=(1, 1)),
        "quarantined",
        "single connection",
    ),
    "NodeLocal DNS": (
        shop().app("kube-system/node-local-dns", kind="DaemonSet", host_network=True),
        Contact("web", "169.254.20.10", 53, protocol="UDP", connections=1),
        "accepted",
        "cluster DNS",
    ),
    "link-local without NodeLocal": (
        shop(),
        Contact("web", "169.254.20.10", 53, protocol="UDP"),
        "quarantined",
        "metadata",
    ),
    "named in the configuration": (
        shop()
        .service("ledger", "app=ledger", (("TCP 80", 8080),))
        .app("ledger")
        .app("job", references=("shop/ledger",), replicas=3),
        Contact("job", "ledger", 8080, connections=1, members=(1, 1)),
        "accepted",
        "configuration names it",
    ),
    "exposed": (
        shop().service("web", type="NodePort"),
        Contact("203.0.113.9", "web", 80, connections=1),
        "accepted",
        "users of an exposed",
    ),
    "outside on another port": (
        shop().service("web", type="NodePort"),
        Contact("203.0.113.9", "web", 9000),
        "quarantined",
        "no Service exposes",
    ),
    "outside on a ClusterIP Service": (
        shop().service("web"),
        Contact("203.0.113.9", "web", 80),
        "quarantined",
        "no Service exposes",
    ),
    "private": (shop(), Contact("api", "10.9.0.5", 5432), "quarantined", "nobody has named"),
    "private, named": (
        shop(names=(("10.9.0.0/24", "orders database"),)),
        Contact("api", "10.9.0.5", 5432),
        "accepted",
        "",
    ),
    "private, another named": (
        shop(names=(("10.9.0.0/24", "orders database"),)),
        Contact("api", "10.9.1.5", 5432),
        "quarantined",
        "nobody has named",
    ),
    "public": (shop(), Contact("api", "203.0.113.9", 443), "accepted", "all that could"),
    "collapsed": (shop(), Contact("api", "203.0.0.0/16", 443), "quarantined", "kept exactly"),
    "single connection": (
        shop(),
        Contact("web", "db", 9999, connections=1),
        "quarantined",
        "single connection",
    ),
    "single connection, declared": (
        shop(),
        Contact("web", "db", 3306, connections=1, members=(1, 1)),
        "quarantined",
        "single connection",
    ),
    "one replica of two": (
        shop(),
        Contact("web", "db", 9999, members=(1, 1)),
        "quarantined",
        "one of several replicas",
    ),
    "one replica of two, declared": (
        shop(),
        Contact("web", "db", 3306, members=(1, 1)),
        "accepted",
        "declared port",
    ),
    "the only replica": (
        shop().app("lone"),
        Contact("lone", "db", 9999, members=(1, 1)),
        "accepted",
        "all that could",
    ),
    "the only replica, rolled out": (
        shop().app("lone", replicas=0).pod("lone", start=0, end=50).pod("lone", start=40),
        Contact("lone", "db", 9999, members=(1, 1)),
        "accepted",
        "all that could",
    ),
    "runs of a CronJob": (
        shop()
        .app("nightly", kind="CronJob", replicas=0)
        .pod("nightly", start=0, end=10)
        .pod("nightly", start=20, end=30),
        Contact("nightly", "db", 9999, members=(1, 1)),
        "accepted",
        "all that could",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_contact_in_a_short_window(name: str) -> None:
    world, contact, word, reason = CASES[name]
    found = judged(world, contact, ANSWERED)
    assert found[0] == word
    assert reason in found[1]


LONG_CASES = {
    "every day": (Contact("web", "db", 9999, days=LONG), "accepted", "all that could"),
    "two days": (Contact("web", "db", 9999, days=(0, 3)), "accepted", "all that could"),
    "one day": (Contact("web", "db", 9999, days=(1,)), "quarantined", "one day only"),
    "one day, declared": (Contact("web", "db", 3306, days=(1,)), "quarantined", "one day only"),
    "declared, one replica": (
        Contact("web", "db", 3306, days=LONG, members=(1, 1)),
        "quarantined",
        "one of several replicas",
    ),
    "one connection, declared, one day": (
        Contact("web", "db", 3306, days=(1,), connections=1),
        "quarantined",
        "one single connection",
    ),
    "one connection for days": (
        Contact("web", "db", 3306, days=LONG, connections=1),
        "accepted",
        "all that could",
    ),
}


@pytest.mark.parametrize("name", LONG_CASES)
def test_a_contact_in_a_long_window(name: str) -> None:
    contact, word, reason = LONG_CASES[name]
    found = judged(shop(), contact, Contact("api", "db", 3306, days=LONG))
    assert found[0] == word
    assert reason in found[1]


def test_every_step_decides_some_case() -> None:
    decided = {judged(world, contact, ANSWERED)[1] for world, contact, *_ in CASES.values()}
    long = {
        judged(shop(), contact, Contact("api", "db", 3306, days=LONG))[1]
        for contact, *_ in LONG_CASES.values()
    }
    sweeping = judged(shop(), Contact("web", "db", 23), *sweep("web"))[1]
    in_vain = judged(shop(), unanswered("web", "db", 23), *sweep("web"))[1]
    told = decided | {sweeping, in_vain} | long
    assert {text for *_, text in STEPS} == told


def sweep(client: str) -> list[Contact]:
    return [failing(client, "db", number) for number in range(7000, 7020)]


def test_a_sweepers_success_waits_and_its_failures_do_not() -> None:
    lesson = study(shop(), Contact("web", "db", 23), *sweep("web"), ANSWERED)
    assert lesson.screened()["shop/web", "shop/db", 23][0] == "quarantined"
    assert lesson.questions("quarantined") == [
        "shop/web → shop/db TCP 23: the client also failed to reach many other ports"
    ]


def test_a_scraper_with_as_many_successes_is_no_sweeper() -> None:
    scraped = [Contact("web", "db", number) for number in range(8000, 8015)]
    assert judged(shop(), scraped[0], *scraped[1:], *sweep("web"), ANSWERED)[0] == "accepted"


def test_a_failed_contact_counts_once_for_a_sweep_however_many_edges_it_has() -> None:
    failures = [
        failing("web", "db", number, same_node=same)
        for number in range(7000, 7006)
        for same in (False, True)
    ]
    assert judged(shop(), Contact("web", "db", 9999), *failures, ANSWERED)[0] == "accepted"


def test_a_scan_from_outside_keeps_no_user_of_an_exposed_service_waiting() -> None:
    world = shop().service("web", type="LoadBalancer")
    scan = [failing("203.0.113.9", "web", number) for number in range(7000, 7020)]
    assert judged(world, Contact("203.0.113.9", "web", 80), *scan)[0] == "accepted"


def test_failed_attempts_and_scans_make_no_question() -> None:
    lesson = study(shop(), ANSWERED, *sweep("web"), *sweep("203.0.113.9"), failing("web", "api", 1))
    assert lesson.questions() == []
    assert lesson.ready("db", INGRESS)


def test_what_a_sweeper_got_no_answer_to_is_no_question() -> None:
    found = judged(shop(), unanswered("web", "db", 23), *sweep("web"))
    assert found == ("rejected", "never answered, like many other contacts of its client")
    assert judged(shop(), unanswered("web", "db", 23), *sweep("api"))[0] == "unresolved"


def test_a_sweep_by_udp_is_a_sweep() -> None:
    """Nothing answers UDP to a closed port where a filter drops the error."""
    silent = [unanswered("web", "db", number, protocol="UDP") for number in range(7000, 7010)]
    lesson = study(shop(), ANSWERED, *silent)
    assert lesson.questions() == []
    assert lesson.ready("db", INGRESS)
    few = study(shop(), ANSWERED, *silent[1:])
    assert len(few.questions("quarantined")) == 9


def test_one_way_udp_to_declared_ports_is_no_sweep() -> None:
    ports = tuple(port(f"UDP {number}") for number in range(7000, 7010))
    world = shop().app("sink", ports=ports)
    silent = [unanswered("web", "sink", one.number, protocol="UDP") for one in ports]
    assert {judged(world, *turned)[0] for turned in (silent, silent[::-1])} == {"accepted"}


def test_one_answer_elsewhere_rejects_nothing_that_a_tracker_left_open() -> None:
    """Whether answers show is a matter of each edge's own logs, not of the whole capture."""
    tracked = unanswered("web", "db", 3306)
    assert judged(shop(), tracked) == judged(shop(), tracked, ANSWERED, replace(ANSWERED, port=9))
    seen = replace(tracked, source=VPC)
    assert judged(shop(), seen) == judged(shop(), seen, ANSWERED) == ("rejected", "never answered")


def test_ambiguous_beside_a_pods_own_traffic_stays_a_question() -> None:
    """Traffic that needs no rule yields none, so it settles nothing that would need one."""
    lesson = study(shop(), Contact("web|api", "web", 9), *own_traffic("web", "api"))
    assert len(lesson.questions("unresolved")) == 1


def own_traffic(name: str, other: str) -> tuple[Contact, ...]:
    return Contact(name, name, 9, same_pod=True), Contact(other, name, 9)


def test_a_capture_without_any_answer_asks() -> None:
    lesson = study(shop(), unanswered("web", "api", 5000), unanswered("api", "db", 3306))
    assert {word for word, _ in lesson.screened().values()} == {"unresolved"}
    assert len(lesson.questions("unresolved")) == 2
    assert len(lesson.learned.policies) == 0


def test_a_contact_that_falls_into_several_edges_is_judged_as_one() -> None:
    """Same node or not, masqueraded or not: each edge alone has one replica, or one connection."""
    near = Contact("web", "db", 9999, members=(1, 1), connections=1, same_node=True)
    far = Contact("web", "db", 9999, members=(2, 2), connections=1)
    lesson = study(shop(), near, replace_connection(far), ANSWERED)
    assert lesson.screened()["shop/web", "shop/db", 9999][0] == "accepted"
    assert lesson.questions() == []


def replace_connection(contact: Contact) -> Contact:
    """Return the contact as another single connection than number 1."""
    return replace(contact, connections=7)


def test_classes_of_one_workload_are_judged_as_one() -> None:
    world = shop().app("blue", replicas=0)
    world.pod("blue", "app=blue,version=1").pod("blue", "app=blue,version=2")
    days = [Contact(f"blue#{at}", "db", 9999, days=(at * 3,), members=(at, at)) for at in (0, 1)]
    every = [Contact("api", "db", 3306, days=LONG)]
    assert study(world, *days, *every).questions() == []


def test_ambiguous_between_accepted_contacts_is_no_question() -> None:
    lesson = study(
        shop(),
        Contact("web|api", "db", 3306),
        Contact("web", "db", 3306),
        Contact("api", "db", 3306),
    )
    assert lesson.screened()["shop/api or shop/web", "shop/db", 3306][0] == "unresolved"
    assert lesson.questions() == []
    assert lesson.judge().denied.sum() == 0


def test_ambiguous_with_a_candidate_that_is_not_accepted_is_one_question() -> None:
    lesson = study(shop(), Contact("web|api", "db", 3306), Contact("web", "db", 3306))
    assert len(lesson.questions("unresolved")) == 1
    assert not lesson.ready("db", INGRESS)


def test_ambiguous_beside_a_workload_that_is_gone_is_no_question() -> None:
    lesson = study(with_gone(), Contact("old|web", "db", 3306), Contact("web", "db", 3306))
    assert lesson.questions() == []


def test_accepting_an_ambiguous_contact_admits_every_candidate() -> None:
    contacts = Contact("web|api", "db", 3306), Contact("web", "db", 3306)
    lesson = study(shop(), *contacts, assume=ACCEPT)
    assert lesson.rules("db", INGRESS) == ["pods app=api or pods app=web on TCP 3306"]
    assert lesson.ready("db", INGRESS)
    assert lesson.ready("api", EGRESS)
    assert not lesson.judge().denied.any()


def test_an_answer_settles_the_ambiguous_contact_that_waited_for_it() -> None:
    contacts = (
        Contact("web|api", "db", 22),
        Contact("web", "db", 22),
        Contact("api", "db", 22, connections=1),
    )
    key = study(shop(), *contacts).key("shop/api → shop/db")
    assert study(shop(), *contacts, answers={key: ACCEPT}).questions() == []


@pytest.mark.parametrize(
    "contact",
    [
        Contact("web", "db", 0),
        Contact("api", "web", 9000, decided=False, client_port=9001),
        Contact("web", "unheld 10.1.9.9", 80),
        Contact("web", "service kube-dns", 53),
    ],
    ids=["port 0", "undecided", "unheld", "service"],
)
def test_what_no_rule_can_say_may_be_refused_but_not_accepted(contact: Contact) -> None:
    others = Contact("web", "api", 5000), Contact("api", "web", 80)
    accepted = study(shop(), contact, *others, assume=ACCEPT)
    assert len(accepted.questions()) == 1
    assert not accepted.ready("web", EGRESS)
    assert not (accepted.judge().denied & accepted.learned.screening.ruled).any()
    refused = study(shop(), contact, *others, assume=REFUSE)
    assert refused.questions() == []
    assert refused.ready("web", EGRESS)


def test_own_node_traffic_isolates_nobody() -> None:
    lesson = study(shop(), Contact("node n1", "web", 80, same_node=True))
    assert lesson.subject("web", INGRESS) is None
    assert ("shop/web", INGRESS) in lesson.learned.silent


def test_a_pod_seen_as_the_own_node_needs_an_egress_rule_only() -> None:
    contact = Contact("web", "api", 5000, seen="node n1", same_node=True)
    lesson = study(shop(), contact, Contact("web", "db", 3306))
    assert lesson.subject("api", INGRESS) is None
    assert "pods app=api on TCP 5000" in lesson.rules("web", EGRESS)
    assert not lesson.judge().denied.any()


def test_a_workload_that_the_cluster_files_do_not_know_is_retired() -> None:
    known = shop().app("guest").build()
    edges = edges_of(known, [Contact("guest", "db", 3306), ANSWERED])
    screening = screen(edges, shop().build())
    assert "its workload no longer exists" in map(screening.reason_of, range(2))


def test_screening_ignores_the_order_of_contacts() -> None:
    every = [contact for world, contact, *_ in CASES.values() if world == shop()]
    contacts = list({(one.client, one.server, one.port): one for one in every}.values())
    one, other = study(shop(), *contacts), study(shop(), *reversed(contacts))
    assert one.screened() == other.screened()
    assert one.learned.policies == other.learned.policies
