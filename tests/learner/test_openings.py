"""Declared openings: what is admitted though it may never have been seen, counted apart."""

from dataclasses import replace

import pytest

from synth.inventory.model import Ranges
from synth.policy.model import AddressPeer
from tests.learner.worlds import ACCEPT, EGRESS, INGRESS, REFUSE, Contact, World, port, shop, study

USERS = Contact("203.0.113.9", "web", 80)
CALL = Contact("api", "web", 80)
EXCEPT = "0.0.0.0/0 except 10.1.0.0/16"
NODES = "192.168.1.0/24 or 192.168.2.0/24"
BY_NAME = "namespaces kubernetes.io/metadata.name"
DNS = f"cluster DNS: pods k8s-app=kube-dns of {BY_NAME}=kube-system on TCP 53, UDP 53"


def declared(world: World, *contacts: Contact) -> list[str]:
    return [one for one in study(world, *contacts).rules("web", INGRESS) if ": " in one]


def test_local_traffic_policy_opens_to_the_world_but_the_pods() -> None:
    world = shop().service("web", type="LoadBalancer", external_traffic_policy="Local")
    assert declared(world, USERS) == [f"users of Service shop/web: {EXCEPT} on TCP 80"]


def test_nodes_inside_the_world_are_not_repeated() -> None:
    world = shop().service("web", type="NodePort")
    assert declared(world, USERS) == [f"users of Service shop/web: {EXCEPT} on TCP 80"]


def test_source_ranges_bound_a_load_balancer_and_nodes_are_added() -> None:
    world = shop().service("web", type="LoadBalancer", source_ranges=("198.51.100.0/24",))
    assert declared(world, CALL) == [
        f"users of Service shop/web: {NODES} or 198.51.100.0/24 on TCP 80"
    ]


def test_source_ranges_mean_nothing_to_a_node_port() -> None:
    world = shop().service("web", type="NodePort", source_ranges=("198.51.100.0/24",))
    assert declared(world, CALL) == [f"users of Service shop/web: {EXCEPT} on TCP 80"]


def test_local_with_source_ranges_leaves_nodes_out() -> None:
    world = shop().service(
        "web",
        type="LoadBalancer",
        source_ranges=("198.51.100.0/24",),
        external_traffic_policy="Local",
    )
    assert declared(world, CALL) == ["users of Service shop/web: 198.51.100.0/24 on TCP 80"]


def test_dual_stack_opens_both_families() -> None:
    ranges = Ranges(("10.1.0.0/16", "fd00:1::/48"))
    world = shop(ranges=ranges).service("web", type="NodePort")
    assert declared(world, USERS) == [
        f"users of Service shop/web: {EXCEPT} or ::/0 except fd00:1::/48 on TCP 80"
    ]


def test_the_target_port_counts_and_not_the_node_port() -> None:
    world = World().app("web", ports=(port("TCP 8080 http"),), replicas=2)
    world.service("web", ports=(("TCP 80", "http"),), type="NodePort")
    assert declared(world, Contact("203.0.113.9", "web", 8080)) == [
        f"users of Service shop/web: {EXCEPT} on TCP 8080"
    ]


def test_users_rest_on_the_opening_and_yield_no_rule_of_their_own() -> None:
    lesson = study(shop().service("web", type="NodePort"), USERS, CALL)
    assert len(lesson.rules("web", INGRESS)) == 2
    subject = lesson.subject("web", INGRESS)
    assert subject is not None
    (opening,) = (one for one in subject.rules if one.declared)
    assert len(opening.edges) == 1
    assert opening.widened == (1 << 32) - (1 << 16)
    assert subject.cost == subject.optimum == 3


def test_users_seen_as_nodes_rest_on_the_opening() -> None:
    world = shop().service("web", type="LoadBalancer", source_ranges=("198.51.100.0/24",))
    contact = replace(USERS, client="198.51.100.7", seen="node n1")
    assert len(study(world, contact).rules("web", INGRESS)) == 1


def test_nothing_is_opened_where_nothing_is_isolated() -> None:
    lesson = study(shop().service("web", type="NodePort"), Contact("web", "api", 5000))
    assert lesson.subject("web", INGRESS) is None
    assert lesson.rules("db", EGRESS) == []


def test_two_services_of_one_port_open_it_once() -> None:
    world = shop().service("web", type="NodePort")
    world.service("web-lb", "app=web", type="LoadBalancer")
    assert declared(world, USERS) == [
        f"users of Service shop/web; users of Service shop/web-lb: {EXCEPT} on TCP 80"
    ]


def test_an_unknown_pod_range_is_a_warning() -> None:
    world = shop(ranges=Ranges()).service("web", type="NodePort")
    (warning,) = study(world, USERS).learned.warnings
    assert "--pod-cidr" in warning


def test_dns_is_open_wherever_egress_is_isolated() -> None:
    lesson = study(shop(), Contact("web", "api", 5000), Contact("api", "db", 3306))
    for role in ("web", "api"):
        assert lesson.rules(role, EGRESS)[-1] == DNS


def test_dns_edges_rest_on_the_opening() -> None:
    lookups = [Contact("web", "kube-system/coredns", 53, protocol=one) for one in ("UDP", "TCP")]
    lesson = study(shop(), Contact("web", "api", 5000), *lookups)
    assert len(lesson.rules("web", EGRESS)) == 2
    subject = lesson.subject("web", EGRESS)
    assert subject is not None
    assert [len(one.edges) for one in subject.rules if one.declared] == [2]


def test_the_metrics_of_dns_are_no_part_of_the_opening() -> None:
    lesson = study(shop(), Contact("web", "kube-system/coredns", 9153))
    assert len(lesson.rules("web", EGRESS)) == 2


def test_dns_elsewhere_is_open_at_its_target_port_for_both_protocols() -> None:
    world = World().app("web").app("api").app("openshift-dns/dns", "dns=default")
    world.service("openshift-dns/dns-default", "dns=default", (("UDP 53", 5353),))
    rules = study(world, Contact("web", "api")).rules("web", EGRESS)
    assert rules == [
        "pods app=api on TCP 80",
        f"cluster DNS: pods dns=default of {BY_NAME}=openshift-dns on TCP 5353, UDP 5353",
    ]


def test_the_cache_on_the_node_is_open_too() -> None:
    world = shop().app("kube-system/node-local-dns", kind="DaemonSet", host_network=True)
    contacts = Contact("web", "api", 5000), Contact("web", "169.254.20.10", 53, protocol="UDP")
    rules = study(world, *contacts).rules("web", EGRESS)
    assert rules[-1] == f"NodeLocal DNSCache: 169.254.20.10/32 or {NODES} on TCP 53, UDP 53"
    assert len(rules) == 3


def test_no_dns_service_is_a_question_where_egress_is_isolated() -> None:
    world = World().app("web").app("api")
    lesson = study(world, Contact("web", "api"))
    (text,) = lesson.questions("blind-spot")
    assert text.startswith("no DNS Service")
    assert not lesson.ready("web", EGRESS)
    assert lesson.ready("api", INGRESS)
    assert study(world, Contact("node n1", "api")).questions() == []
    assert study(shop(), Contact("web", "api")).questions() == []


def test_isolating_without_dns_can_be_insisted_on() -> None:
    world = World().app("web").app("api")
    contact = Contact("web", "api")
    key = study(world, contact).key("no DNS Service")
    assert study(world, contact, answers={key: ACCEPT}).ready("web", EGRESS)
    assert not study(world, contact, assume=REFUSE).ready("web", EGRESS)


@pytest.mark.parametrize("name", ["kube-system", "openshift-dns"])
def test_dns_is_a_service_of_the_clusters_own_namespaces(name: str) -> None:
    assert opened_for(f"{name}/kube-dns") == ["cluster DNS"]


@pytest.mark.parametrize("name", ["kube-public", "ingress-nginx", "openshift-other", "shop"])
def test_dns_is_no_service_of_another_namespace(name: str) -> None:
    assert opened_for(f"{name}/kube-dns") == []


def opened_for(service: str) -> list[str]:
    """Return the openings of egress where this is the only DNS Service."""
    world = World().app("web").app("api").app(service)
    world.service(service, ports=(("UDP 53", 53),))
    subject = study(world, Contact("web", "api")).subject("web", EGRESS)
    assert subject is not None
    return [one.declared for one in subject.rules if one.declared]


@pytest.mark.parametrize(
    ("name", "address"), [("node-local-dns", "169.254.20.10"), ("nodelocaldns", "169.254.25.10")]
)
def test_the_cache_on_the_node_has_the_address_of_who_installed_it(name: str, address: str) -> None:
    world = shop().app(f"kube-system/{name}", kind="DaemonSet", host_network=True)
    asked = Contact("web", address, 53, protocol="UDP", connections=1)
    lesson = study(world, Contact("web", "api", 5000), asked)
    assert lesson.questions() == []
    assert lesson.rules("web", EGRESS)[-1].startswith(f"NodeLocal DNSCache: {address}/32 or ")
    other = {"169.254.20.10", "169.254.25.10"} - {address}
    assert study(world, replace(asked, server=other.pop())).questions("quarantined")


def test_nodes_among_pods_stand_for_themselves_alone() -> None:
    """A pod's address in the /24 around a node would be admitted with the node."""
    contact = Contact("node n1", "web", 80)
    assert study(shop(), contact).rules("web", INGRESS) == ["192.168.1.0/24 on TCP 80"]
    near = shop().app("near", replicas=0)
    near.pod("near", addresses=("192.168.1.77",))
    assert study(near, contact).rules("web", INGRESS) == ["192.168.1.1/32 on TCP 80"]
    host = shop().app("host", replicas=0, host_network=True)
    host.pod("host", addresses=("192.168.1.1",))
    assert study(host, contact).rules("web", INGRESS) == ["192.168.1.0/24 on TCP 80"]


def test_where_nodes_stand_for_themselves_each_of_them_does() -> None:
    """What runs on one node's network today may run on another's tomorrow."""
    near = shop().app("near", replicas=0)
    near.pod("near", addresses=("192.168.1.77",)).pod("near", addresses=("192.168.2.77",))
    lesson = study(near, Contact("node n1", "web", 80))
    both = "192.168.1.1/32 or 192.168.2.1/32"
    assert lesson.rules("web", INGRESS) == [f"{both} on TCP 80"]
    subject = lesson.subject("web", INGRESS)
    assert subject is not None
    assert [one.widened for one in subject.rules] == [1]


def test_declared_node_ranges_are_taken_as_they_are() -> None:
    world = shop(ranges=Ranges(("10.1.0.0/16",), (), ("192.168.0.0/16",)))
    world.app("near", replicas=0).pod("near", addresses=("192.168.1.77",))
    rules = study(world, Contact("node n1", "web", 80)).rules("web", INGRESS)
    assert rules == ["192.168.0.0/16 on TCP 80"]


def hooked() -> World:
    world = shop(admission=["shop/hook"]).app("hook", ports=(port("TCP 8443"),), replicas=2)
    return world.service("hook", ports=(("TCP 443", 8443),))


def test_what_the_api_server_calls_is_a_peer_and_no_subject() -> None:
    lesson = study(hooked(), Contact("web", "hook", 8443))
    assert lesson.questions() == []
    assert lesson.subject("hook", INGRESS) is None
    assert "shop/hook" not in lesson.learned.policy_of
    assert lesson.rules("web", EGRESS)[0] == "pods app=hook on TCP 8443"
    assert lesson.ready("web", EGRESS)


@pytest.mark.parametrize(
    "name", ["kube-system", "kube-flannel", "openshift-ingress", "calico-system"]
)
def test_the_clusters_own_namespaces_are_peers_and_no_subjects(name: str) -> None:
    world = shop().app(f"{name}/router")
    contact = Contact(f"{name}/router", "web")
    lesson = study(world, contact)
    assert lesson.subject(f"{name}/router", EGRESS) is None
    assert lesson.rules("web", INGRESS) == [f"pods app=router of {BY_NAME}={name} on TCP 80"]
    told = study(world, contact, include_system=True)
    assert told.subject(f"{name}/router", EGRESS) is not None


def test_a_namespace_that_only_sounds_like_the_clusters_own_is_a_subject() -> None:
    lesson = study(shop().app("kubernetes/web"), Contact("kubernetes/web", "web"))
    assert lesson.subject("kubernetes/web", EGRESS) is not None


def test_what_the_api_server_calls_is_a_question_where_it_is_a_subject() -> None:
    lesson = study(hooked(), Contact("web", "hook", 8443), include_system=True)
    (text,) = lesson.questions("control-plane")
    assert text.startswith("the API server calls shop/hook through Service shop/hook")
    assert not lesson.ready("hook", INGRESS)
    assert lesson.ready("web", EGRESS)


def test_letting_the_api_server_in_is_an_opening() -> None:
    lesson = study(hooked(), Contact("web", "hook", 8443), assume=ACCEPT, include_system=True)
    assert lesson.ready("hook", INGRESS)
    assert sorted(lesson.rules("hook", INGRESS)) == [
        f"API server calls Service shop/hook: {EXCEPT} on TCP 8443",
        "pods app=web on TCP 8443",
    ]


def test_the_api_server_is_not_shut_out_by_refusing_all() -> None:
    contact = Contact("web", "hook", 8443)
    lesson = study(hooked(), contact, assume=REFUSE, include_system=True)
    assert not lesson.ready("hook", INGRESS)
    key = lesson.key("API server")
    insisted = study(hooked(), contact, answers={key: REFUSE}, include_system=True)
    assert insisted.ready("hook", INGRESS)
    assert insisted.rules("hook", INGRESS) == ["pods app=web on TCP 8443"]


@pytest.mark.parametrize("policy", ["Local", "Cluster"])
def test_no_opening_names_a_pod_address(policy: str) -> None:
    world = shop().service("web", type="LoadBalancer", external_traffic_policy=policy)
    subject = study(world, USERS).subject("web", INGRESS)
    assert subject is not None
    pods = [peer for one in subject.rules for peer in one.rule.peers]
    assert all(isinstance(peer, AddressPeer) for peer in pods)
