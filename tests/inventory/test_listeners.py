"""Declared listeners, exposed ports and declared references."""

from pathlib import Path

from synth.inventory.listeners import (
    declared_references,
    exposed_ports,
    listeners,
    service_listeners,
)
from tests.inventory.objects import listed, owned_by, pod, read, service, workload

TCP, UDP = 6, 17


def test_container_ports_and_service_targets_listen(tmp_path: Path) -> None:
    ports = [
        {"containerPort": 8080, "name": "http"},
        {"containerPort": 53, "protocol": "UDP", "name": "dns"},
    ]
    targets = (
        {"name": "a", "port": 80, "targetPort": "http"},
        {"name": "b", "port": 81, "targetPort": 9000},
        {"name": "c", "port": 53, "protocol": "UDP"},
        {"name": "d", "port": 82, "targetPort": "nobody"},
        {"name": "e", "port": 83, "targetPort": "dns"},
    )
    web = workload("Deployment", "web", ports=ports)
    inventory = read(tmp_path, dump=listed(web, service("web", *targets)))
    assert listeners(inventory) == {
        ("shop", "Deployment/web", TCP, 8080),
        ("shop", "Deployment/web", TCP, 9000),
        ("shop", "Deployment/web", UDP, 53),
    }
    assert [one for _, one in service_listeners(inventory)] == [
        ("shop", "Deployment/web", TCP, 8080),
        ("shop", "Deployment/web", TCP, 9000),
        ("shop", "Deployment/web", UDP, 53),
    ]


def test_a_name_means_what_each_pod_means_by_it(tmp_path: Path) -> None:
    def one(name: str, number: int) -> dict[str, object]:
        port = {"containerPort": number, "name": "http"}
        return pod(
            name,
            labels={"app": "web"},
            meta=owned_by("StatefulSet", "web"),
            spec={"containers": [{"ports": [port]}]},
        )

    dump = listed(
        one("web-0", 80), one("web-1", 81), service("web", {"port": 1, "targetPort": "http"})
    )
    found = service_listeners(read(tmp_path, dump=dump))
    assert [port for _, (_, _, _, port) in found] == [80, 81]


def test_services_select_within_their_namespace_and_by_every_label(tmp_path: Path) -> None:
    web = workload("Deployment", "web")
    elsewhere = service("web", {"port": 80})
    elsewhere["metadata"]["namespace"] = "other"
    picky = service("api", {"port": 81}, selector={"app": "web", "tier": "x"})
    none = service("db", {"port": 82}, selector=None)
    assert listeners(read(tmp_path, dump=listed(web, elsewhere, picky, none))) == frozenset()


def test_exposed_ports_are_those_of_exposed_services(tmp_path: Path) -> None:
    dump = listed(
        workload("Deployment", "web"),
        workload("Deployment", "api"),
        service("web", {"port": 80, "targetPort": 8080}, type="LoadBalancer"),
        service("api", {"port": 80}),
    )
    found = exposed_ports(read(tmp_path, dump=dump))
    assert {key: [(one.name, *rest) for one, *rest in some] for key, some in found.items()} == {
        ("shop", "Deployment/web"): [("web", TCP, 8080)]
    }


def test_references_lead_to_the_targets_of_the_services_named(tmp_path: Path) -> None:
    env = [{"name": "API", "value": "http://api/x"}, {"name": "DB", "value": "db.shop:3306"}]
    dump = listed(
        workload("Deployment", "web", env=env),
        workload("Deployment", "api"),
        service("api", {"port": 80, "targetPort": 5000}),
        service("db", {"port": 3306}),
    )
    assert declared_references(read(tmp_path, dump=dump)) == {
        ("shop", "Deployment/web", "shop", "Deployment/api", TCP, 5000)
    }
