"""Rules and peers of one subject."""

import pytest

from synth.inventory.model import Ranges
from tests.learner.worlds import EGRESS, INGRESS, Contact, Lesson, World, shop, study

DNS = (
    "cluster DNS: pods k8s-app=kube-dns of namespaces kubernetes.io/metadata.name=kube-system"
    " on TCP 53, UDP 53"
)


def widened(lesson: Lesson, role: str) -> int:
    subject = lesson.subject(role, INGRESS)
    assert subject is not None
    return sum(one.widened for one in subject.rules if not one.declared)


def test_three_tiers() -> None:
    lesson = study(
        shop().app("users/client"),
        Contact("users/client", "web", 80),
        Contact("web", "api", 5000),
        Contact("api", "db", 3306),
    )
    client = "pods app=client of namespaces kubernetes.io/metadata.name=users on TCP 80"
    assert lesson.rules("web", INGRESS) == [client]
    assert lesson.rules("api", INGRESS) == ["pods app=web on TCP 5000"]
    assert lesson.rules("db", INGRESS) == ["pods app=api on TCP 3306"]
    assert lesson.rules("web", EGRESS) == ["pods app=api on TCP 5000", DNS]
    assert lesson.rules("api", EGRESS) == ["pods app=db on TCP 3306", DNS]
    assert lesson.subject("db", EGRESS) is None


def test_one_port_of_two_protocols_is_two_terms() -> None:
    contacts = [Contact("web", "db", 53, protocol=one) for one in ("TCP", "UDP", "SCTP")]
    (rule,) = study(shop(), *contacts).rules("db", INGRESS)
    assert rule == "pods app=web on SCTP 53, TCP 53, UDP 53"


def test_neighbouring_ports_of_the_same_peers_are_one_range() -> None:
    lesson = study(shop(), *(Contact("web", "db", number) for number in range(8000, 8010)))
    assert lesson.rules("db", INGRESS) == ["pods app=web on TCP 8000-8009"]
    subject = lesson.subject("db", INGRESS)
    assert subject is not None
    assert (subject.cost, subject.optimum) == (3, 3)


def test_neighbouring_ports_of_other_peers_stay_apart() -> None:
    contacts = Contact("web", "db", 80), Contact("web", "db", 81), Contact("api", "db", 80)
    lesson = study(shop(), *contacts)
    assert lesson.rules("db", INGRESS) == ["pods app=api on TCP 80", "pods app=web on TCP 80-81"]
    subject = lesson.subject("db", INGRESS)
    assert subject is not None
    assert (subject.cost, subject.optimum) == (6, 6)


def test_neighbouring_ports_of_two_protocols_stay_apart() -> None:
    contacts = Contact("web", "db", 80), Contact("web", "db", 81, protocol="UDP")
    assert study(shop(), *contacts).rules("db", INGRESS) == ["pods app=web on TCP 80, UDP 81"]


@pytest.mark.parametrize(("address", "block"), [("203.0.113.9", "/32"), ("2001:db8::9", "/128")])
def test_outside_addresses_are_exact(address: str, block: str) -> None:
    lesson = study(shop(), Contact("api", address, 443))
    assert lesson.rules("api", EGRESS)[0] == f"{address}{block} on TCP 443"
    subject = lesson.subject("api", EGRESS)
    assert subject is not None
    assert [one.widened for one in subject.rules if not one.declared] == [0]


def test_nodes_are_subnets_and_the_widening_is_counted() -> None:
    lesson = study(shop(), Contact("node n1", "web", 9000))
    assert lesson.rules("web", INGRESS) == ["192.168.1.0/24 on TCP 9000"]
    assert widened(lesson, "web") == 255


def test_declared_node_ranges_are_used_and_nested_ones_stated_once() -> None:
    ranges = Ranges(("10.1.0.0/16",), (), ("192.168.0.0/16", "192.168.1.0/24"))
    lesson = study(shop(ranges=ranges), Contact("node n1", "web", 9), Contact("node n2", "web", 9))
    assert lesson.rules("web", INGRESS) == ["192.168.0.0/16 on TCP 9"]
    assert widened(lesson, "web") == 65534


def test_an_address_inside_a_node_subnet_adds_nothing() -> None:
    names = (("192.168.1.0/24", "machines"),)
    contacts = Contact("web", "node n1", 9000), Contact("web", "192.168.1.77", 9000)
    lesson = study(shop(names=names), *contacts)
    assert lesson.rules("web", EGRESS)[0] == "192.168.1.0/24 on TCP 9000"
    assert len(lesson.rules("web", EGRESS)) == 2
    assert not lesson.judge().denied.any()


def test_the_peer_is_what_each_side_sees() -> None:
    lesson = study(shop(), Contact("web", "api", 5000, seen="node n2"))
    assert lesson.rules("api", INGRESS) == ["192.168.2.0/24 on TCP 5000"]
    assert lesson.rules("web", EGRESS)[0] == "pods app=api on TCP 5000"


def test_a_workload_may_be_its_own_peer() -> None:
    lesson = study(shop(), Contact("db", "db", 4567))
    assert lesson.rules("db", INGRESS) == ["pods app=db on TCP 4567"]
    assert lesson.rules("db", EGRESS)[0] == "pods app=db on TCP 4567"


def test_every_rule_names_the_edges_it_rests_on() -> None:
    lesson = study(
        shop(), Contact("web", "db", 80), Contact("api", "db", 80), Contact("web", "api")
    )
    for subject in lesson.learned.subjects:
        assert all(one.edges for one in subject.rules if not one.declared)


def test_a_peer_without_a_selector_is_a_question_for_the_other_side() -> None:
    world = World().app("db").app("one", "app=same").app("two", "app=same")
    lesson = study(world, Contact("one", "db", 3306))
    assert "shop/one → shop/db TCP 3306: no selector names exactly this peer" in lesson.questions()
    assert not lesson.ready("db", INGRESS)
