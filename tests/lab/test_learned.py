"""What was learned from the three-tier example, enforced: all of its steps work, nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from datasets.recorder import network
from datasets.recorder.clients import find_target
from datasets.recorder.cluster import Pod
from datasets.recorder.contact import Client, Target, make_contact
from datasets.recorder.lab import Lab
from datasets.recorder.network import build_network
from datasets.recorder.processes import Processes
from datasets.recorder.reading import read_topology
from datasets.recorder.recording import missing_for_recording
from datasets.recorder.topology import Call, Topology
from datasets.recorder.traffic import Traffic
from tests.conformance.case import Case
from tests.conformance.judged import judged
from tests.lab import translate
from tests.lab.able import check_able
from tests.lab.wall import build_wall, hold, load
from tests.running import ROOT, THREE_TIER, learn

pytestmark = [pytest.mark.lab, pytest.mark.slow]

PREFIX: Final = "synthlearnt"
TOPOLOGY: Final = read_topology(ROOT / "datasets/recorder/three-tier.yaml")
ANSWERS: Final = ROOT / "datasets/three-tier/answers.yaml"
TO_DATABASE: Final = (Call("shop/db", "mysql", 3306, None), Call("shop/db", "tcp", 3306, None))


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the learned policies as one text: web's single visit to db was answered with no."""
    out = tmp_path_factory.mktemp("learned") / "out"
    tree = learn(out, [THREE_TIER.flows], THREE_TIER.cluster, "--accept", ANSWERS)
    policies = {
        path: text.decode()
        for path, text in tree.items()
        if path.startswith("policies/") and not path.endswith("kustomization.yaml")
    }
    assert {"policies/shop/web.yaml", "policies/shop/api.yaml", "policies/shop/db.yaml"} <= set(
        policies
    )
    return "---\n".join(policies.values())


def as_case(topology: Topology, policies: str) -> Case:
    """Return the example's cluster with its policies, each workload's pods in order."""
    pods, taken = {}, dict.fromkeys((one.name for one in topology.nodes), 10)
    for workload in topology.workloads:
        for number, name in enumerate(workload.nodes):
            taken[name] += 1
            pods[f"{workload.name}-{number}"] = {
                "in": workload.namespace,
                "labels": dict(workload.labels),
                "ip": list(topology.node(name).pod_addresses(taken[name])),
                "node": name,
            }
    servers = [server for one in topology.workloads for server in one.servers]
    servers += [server for one in topology.outsiders for server in one.servers]
    served = {f"{way} {server.port}" for server in servers for way in server.protocols}
    told = {
        "namespaces": {one.namespace: {} for one in topology.workloads},
        "nodes": {one.name: one.addresses[0] for one in topology.nodes},
        "outside": {one.name: one.addresses[0] for one in topology.outsiders},
        "pods": pods,
        "probes": sorted(served),
        "policies": policies,
        "itself": True,
        "default": "unknown",
    }
    return Case("three-tier", told)


def test_learned_policies_do_what_the_evaluator_says(learned: str, tmp_path: Path) -> None:
    check_able()
    case = as_case(TOPOLOGY, learned)
    expected = [
        (probe, word)
        for probe, word in judged(case, tmp_path)
        if probe.server.name not in case.nodes
    ]
    with build_wall(PREFIX, case, TOPOLOGY) as wall:
        assert set(wall.try_all([probe for probe, _ in expected])) == {"allowed"}
        wall.enforce(list(yaml.safe_load_all(learned)))
        found = wall.try_all([probe for probe, _ in expected])
    wrong = [
        f"{one} > {probe}, {word} by the evaluator"
        for (probe, word), one in zip(expected, found, strict=True)
        if one != word
    ]
    assert not wrong
    for verdict in ("allowed", "denied"):
        assert sum(one == verdict for one in found) > 0.1 * len(found)
    assert not network.list_namespaces(PREFIX)


# --- on the real chain: nginx, the API, MariaDB ------------------------------------------------


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Yield the example's cluster with its real servers; nobody calls anybody yet."""
    check_able()
    check_able(missing_for_recording())
    folder, processes = tmp_path_factory.mktemp("live"), Processes()
    with hold(PREFIX), build_network(PREFIX, TOPOLOGY) as built:
        try:
            lab = Lab(TOPOLOGY, built, folder, processes)
            lab.start()
            start_job(lab, "shop/report")
            yield lab
        finally:
            processes.stop_all()
    assert not network.list_namespaces(PREFIX)


def start_job(lab: Lab, key: str) -> None:
    workload = lab.topology.workload(key)
    job = lab.cluster.add_job(workload)
    lab.run_pod(lab.add_pod(workload, lab.topology.nodes[0], job.owner))


def as_pod(pod: Pod) -> translate.Pod:
    ports = tuple(
        (one.name, way, one.port) for one in pod.workload.servers for way in one.protocols
    )
    return translate.Pod(
        name=pod.name,
        namespace=pod.workload.namespace,
        labels=pod.labels,
        addresses=pod.addresses,
        ports=ports,
        node=pod.node.name,
    )


def enforce(lab: Lab, policies: list[Any]) -> None:
    cluster = translate.Cluster.of([as_pod(pod) for pod in lab.cluster.present()], {})
    rules = {
        node.name: translate.translate(policies, cluster, node.name) for node in TOPOLOGY.nodes
    }
    load(lab.network, rules)


def take_every_step(lab: Lab) -> dict[str, set[str]]:
    """Return step → how it ended, of everything that the application does.

    A user's visit is answered only if nginx, the API and the database all did their part.
    """
    found: dict[str, set[str]] = {}
    for outsider in TOPOLOGY.outsiders:
        for call in outsider.calls:
            exposure = TOPOLOGY.workload(call.to).exposure
            assert exposure
            for node in TOPOLOGY.nodes:
                target = Target(node.addresses[0], exposure.node_port)
                client = Client.of_outsider(lab.network, outsider)
                contact = make_contact(lab.truth, client, call, target)
                found.setdefault(f"{outsider.name} > {call.to}", set()).add(contact.outcome)
    for pod in lab.cluster.present():
        key = pod.workload.key
        for call in pod.workload.calls:
            if call.every is not None:
                outcome = Traffic(lab).call(pod, call).outcome
                found.setdefault(f"{key} > {call.to}", set()).add(outcome)
        if pod.workload.probed:
            target = Target(pod.addresses[0], pod.workload.servers[0].port, "healthz")
            client, call = Client.of_node(lab.network, pod.node.name), Call(key, "http", 0, None)
            outcome = make_contact(lab.truth, client, call, target).outcome
            found.setdefault(f"kubelet > {key}", set()).add(outcome)
    return found


def visit_database(lab: Lab, source: str) -> set[tuple[str, str]]:
    """Return how the workload's visits to db end: by its Service, and by its pod's address."""
    (database,) = lab.cluster.present("shop/db")
    return {
        (call.kind, make_contact(lab.truth, Client.of_pod(lab.network, pod), call, target).outcome)
        for pod in lab.cluster.present(source)
        for call in TO_DATABASE
        for target in (Target(*find_target(TOPOLOGY, call)), Target(database.addresses[0], 3306))
    }


def test_the_application_works_and_web_no_longer_reaches_the_database(
    live: Lab, learned: str
) -> None:
    before = take_every_step(live)
    assert {"alice > shop/web", "shop/api > payment.example.com", "kubelet > shop/web"} <= set(
        before
    )
    assert set().union(*before.values()) == {"answered"}, before
    answered = {("mysql", "answered"), ("tcp", "answered")}
    # MariaDB's client does not tell a refusal from silence.
    refused = {("mysql", "unanswered"), ("tcp", "refused")}
    assert visit_database(live, "shop/web") == answered
    assert visit_database(live, "ops/toolbox") == answered
    enforce(live, list(yaml.safe_load_all(learned)))
    assert take_every_step(live) == before
    assert visit_database(live, "shop/web") == refused
    assert visit_database(live, "ops/toolbox") == refused
    assert visit_database(live, "shop/api") == answered
