"""Denial logs and the rules that are missing, judged by the reference."""

import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
import yaml

from synth.commands.explain_denied import DeniedRequest, explain_denied
from synth.commands.explain_reading import Reading
from synth.commands.learn import LearnRequest, learn
from synth.policy.model import Direction
from synth.proof.explained import DenialAnswer, DeniedContact
from synth.reports import explain_denied as report
from synth.reports.text import to_text
from tests.judge import Cluster, Document, read_policies, read_records
from tests.made import connection, pod, service, write_cluster
from tests.reference import Endpoint, Flow, Reference

ROOT = Path(__file__).parent.parent.parent
SMALL = ROOT / "tests" / "golden" / "client-to-db"
SERVICES = [(protocol, port) for protocol in ("TCP", "UDP") for port in (53, 80, 5000, 3306)]
TIME = "2026-11-23T05:45:28.100000Z"


def silent(_step: str, _done: int, _total: int) -> None:
    """Do nothing."""


def drop(client: str, server: str, port: int, protocol: str = "TCP", sport: int = 51_000) -> str:
    """Return a dropped packet as Hubble writes it."""
    layer: dict[str, object] = {"source_port": sport, "destination_port": port}
    if protocol == "TCP":
        layer["flags"] = {"SYN": True}
    flow = {
        "time": TIME,
        "verdict": "DROPPED",
        "drop_reason_desc": "POLICY_DENIED",
        "IP": {"source": client, "destination": server},
        "l4": {protocol: layer},
    }
    return json.dumps({"flow": flow})


def agent(client: str, server: str, port: int, sport: int = 51_000, side: str = "egress") -> str:
    """Return a denied TCP packet as the AWS agent writes it."""
    told = f"Src IP: {client} Src Port: {sport} Dest IP: {server} Dest Port: {port}"
    message = f"Flow Info: {told} Proto TCP Verdict DENY Direction {side}"
    return json.dumps({"level": "info", "ts": TIME, "msg": message})


def ask(log: Path, lines: Iterable[str], reading: Reading) -> DenialAnswer:
    log.write_text("".join(f"{line}\n" for line in lines))
    return explain_denied(DeniedRequest((str(log),), reading), silent)


def proposed(answer: DenialAnswer) -> list[Document]:
    return [yaml.safe_load(one.yaml) for one in answer.proposals]


def contact(answer: DenialAnswer, client: str, server: str, port: int) -> DeniedContact:
    (found,) = [
        one
        for one in answer.contacts
        if (one.client, one.server, one.port) == (client, server, port)
    ]
    return found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Reading:
    """Return the bundled cluster under the policies that were learned for it."""
    out = tmp_path_factory.mktemp("client-to-db") / "learned"
    flows, cluster = (str(SMALL / name) for name in ("flows", "cluster"))
    learn(LearnRequest((flows,), (cluster,), out), silent)
    return Reading((), (cluster,), (str(out / "policies"),))


@pytest.mark.parametrize("seed", range(12))
def test_the_rules_free_what_was_denied_and_nothing_else(
    seed: int, small: Reading, tmp_path: Path
) -> None:
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    cluster = Cluster(Path(small.cluster[0]))
    before_policies = read_policies(Path(small.policies[0]))
    before = Reference(before_policies, cluster.namespaces)
    pods = [one for one, *_ in cluster.held]
    outside: list[Endpoint] = ["203.0.113.9", "198.51.100.77"]
    ends: list[Endpoint] = [*pods, *outside]
    clients: list[Endpoint] = [*ends, "192.0.2.1"]
    scanner = chance.choice(pods)
    others = [one for one in pods if cluster.name(one) != cluster.name(scanner)]
    callers: list[Endpoint] = [*others, *outside]
    flows = [
        Flow(
            client,
            client,
            server,
            chance.choice(["TCP", "UDP"]),
            chance.choice([53, 80, 5000, 3306]),
        )
        for client, server in zip(
            chance.choices(callers, k=9), chance.choices(pods, k=9), strict=True
        )
        if client != server
    ]
    flows += [
        Flow(one, one, end, "TCP", 443)
        for one, end in zip(chance.choices(others, k=2), outside, strict=True)
    ]
    target = chance.choice(others)
    scans = [Flow(scanner, scanner, target, "TCP", port) for port in (80, 3306, *range(7000, 7012))]
    denied = [one for one in flows if not before.judge(one).allowed]
    assert denied
    lines = [drop(*_ends(one), one.port, one.protocol) for one in (*denied, *scans)]
    chance.shuffle(lines)
    answer = ask(tmp_path / "drops.json", lines, small)
    assert answer.packets + answer.skipped.total == len(lines)
    after = Reference([*before_policies, *proposed(answer)], cluster.namespaces)
    assert all(after.judge(one).allowed for one in denied)
    assert [after.judge(one).allowed for one in scans] == [
        before.judge(one).allowed for one in scans
    ]
    wanted = {_cell(cluster, one) for one in denied}
    seen = read_records(cluster, sorted((SMALL / "flows").iterdir()))
    every = [one.flow for one in seen]
    every += [
        Flow(client, client, server, protocol, port)
        for client in clients
        for server in ends
        for protocol in ("TCP", "UDP")
        for port in (53, 80, 443, 5000, 3306, 7000)
    ]
    freed = [one for one in every if after.judge(one).allowed and not before.judge(one).allowed]
    assert {_cell(cluster, one) for one in freed} <= wanted
    isolated = [(one.egress_isolated, one.ingress_isolated) for one in map(before.judge, every)]
    assert isolated == [
        (one.egress_isolated, one.ingress_isolated) for one in map(after.judge, every)
    ]
    assert cluster.name(scanner) in answer.scans
    assert answer.freed == ()


def _ends(flow: Flow) -> tuple[str, str]:
    ends = [one if isinstance(one, str) else one.address for one in (flow.client, flow.server)]
    return ends[0], ends[1]


def _cell(cluster: Cluster, flow: Flow) -> tuple[str, str, str, int]:
    def name(end: Endpoint) -> str:
        return end if isinstance(end, str) else cluster.name(end)

    return name(flow.client), name(flow.server), flow.protocol, flow.port


def test_both_sides_are_freed_together_with_their_evidence(small: Reading, tmp_path: Path) -> None:
    line = drop("10.244.1.11", "10.244.2.30", 3306)
    answer = ask(tmp_path / "drops.json", [line, line, "{", line], small)
    found = contact(answer, "shop/web", "shop/db", 3306)
    assert (found.packets, found.verdict, found.unproposed) == (3, "denied", "")
    assert found.denied_by == {
        Direction.INGRESS: ("shop/db",),
        Direction.EGRESS: ("shop/web",),
    }
    assert found.proposals == ("shop/db-additions", "shop/web-additions")
    assert answer.skipped.counts == {"malformed: unreadable line": 1}
    (rule,) = next(one for one in answer.proposals if one.policy.name == "db-additions").rules
    assert (rule.told, rule.packets) == ("shop/web on TCP 3306", 3)
    assert rule.examples == ("drops.json:1",)


def test_most_packets_come_first(small: Reading, tmp_path: Path) -> None:
    lines = [drop("10.244.1.10", "10.244.2.30", 3306)] + 3 * [
        drop("10.244.1.11", "10.244.2.30", 22)
    ]
    answer = ask(tmp_path / "drops.json", lines, small)
    assert [one.packets for one in answer.contacts] == [3, 1]


@pytest.mark.parametrize(
    ("to", "server", "verdict", "reason"),
    [
        (("10.244.2.21", 5000), "shop/api", "allowed", "came late"),
        (("10.244.2.99", 80), "10.244.2.99", "denied", "names exactly"),
        (("10.96.0.10", 81), "service shop/web", "denied", "behind the Service"),
        (("169.254.169.254", 80), "169.254.169.254", "denied", "metadata"),
        (("172.31.250.2", 10250), "node node2", "denied", "kubelet"),
    ],
)
def test_what_gets_no_rule_says_why(  # noqa: PLR0913, PLR0917 - the columns of the table
    to: tuple[str, int],
    server: str,
    verdict: str,
    reason: str,
    small: Reading,
    tmp_path: Path,
) -> None:
    answer = ask(tmp_path / "drops.json", [drop("10.244.1.11", *to)], small)
    found = contact(answer, "shop/web", server, to[1])
    assert found.verdict == verdict
    assert reason in found.unproposed
    assert answer.proposals == ()


def test_clients_outside_stand_apart(small: Reading, tmp_path: Path) -> None:
    lines = [drop("203.0.113.9", "10.244.2.30", 3306), drop("10.244.1.11", "10.244.2.30", 3306)]
    answer = ask(tmp_path / "drops.json", lines, small)
    apart = {one.policy.name: one.outside for one in answer.proposals}
    assert apart == {
        "db-additions": False,
        "db-additions-outside": True,
        "web-additions": False,
    }


def test_a_late_reply_is_not_taken_for_an_opening(small: Reading, tmp_path: Path) -> None:
    late = agent("10.244.2.21", "10.244.1.11", 41_234, sport=5000, side="ingress")
    answer = ask(tmp_path / "agent.log", [late], small)
    found = contact(answer, "shop/web", "shop/api", 5000)
    assert (found.verdict, found.proposals) == ("allowed", ())


def test_a_service_stands_for_the_pods_behind_it(small: Reading, tmp_path: Path) -> None:
    answer = ask(tmp_path / "agent.log", [agent("10.244.1.10", "10.96.0.30", 3306)], small)
    found = contact(answer, "users/client", "shop/db", 3306)
    assert (found.service, found.packets) == ("shop/db", 1)
    assert found.reported == {"egress": 1, "ingress": 0, "unknown": 0}
    assert {one.policy.name for one in answer.proposals} == {"db-additions", "client-additions"}


def test_many_servers_on_their_declared_ports_are_no_scan(tmp_path: Path) -> None:
    pods = [pod("mon/scraper", {"app": "scraper"}, "10.1.1.1")]
    pods += [
        pod(f"shop/s{at}", {"app": f"s{at}"}, f"10.1.2.{at}", "n2", [9000 + at])
        for at in range(1, 15)
    ]
    reading = write(tmp_path, pods, deny("shop", "{}"))
    lines = [drop("10.1.1.1", f"10.1.2.{at}", 9000 + at) for at in range(1, 15)]
    answer = ask(tmp_path / "drops.json", lines, reading)
    assert answer.scans == {}
    assert len(answer.proposals) == 14
    swept = [drop("10.1.1.1", "10.1.2.1", port) for port in range(1, 15)]
    answer = ask(tmp_path / "drops.json", swept, reading)
    assert (answer.scans, answer.proposals) == ({"mon/scraper": 14}, ())


def deny(namespace: str, pods: str) -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        f"metadata: {{name: deny, namespace: {namespace}}}\n"
        f"spec: {{podSelector: {pods}, policyTypes: [Ingress]}}\n"
    )


def write(tmp_path: Path, objects: Sequence[Document], policies: str) -> Reading:
    cluster = write_cluster(tmp_path / "cluster", *objects)
    path = tmp_path / "policies.yaml"
    path.write_text(policies)
    return Reading((), (str(cluster),), (str(path),))


def test_no_rule_isolates_pods_that_are_not_isolated(tmp_path: Path) -> None:
    """The rule as a policy of its own would cut the other pods of the workload off."""
    one = pod("shop/db", {"app": "db", "track": "stable"}, "10.1.2.1", "n2", [3306])
    two = pod("shop/db", {"app": "db", "track": "canary"}, "10.1.2.2", "n2", [3306])
    two["metadata"] |= {"name": "db-1", "uid": "uid-shop-db-1"}
    web = pod("shop/web", {"app": "web"}, "10.1.1.1")
    reading = write(tmp_path, [one, two, web], deny("shop", "{matchLabels: {track: stable}}"))
    answer = ask(tmp_path / "drops.json", [drop("10.1.1.1", "10.1.2.1", 3306)], reading)
    found = contact(answer, "shop/web", "shop/db", 3306)
    assert found.verdict == "denied"
    assert "not all pods of shop/db are isolated" in found.unproposed
    assert answer.proposals == ()


def test_pods_that_no_selector_tells_apart_get_no_rule(tmp_path: Path) -> None:
    twins = [pod(f"shop/{name}", {"app": "x"}, f"10.1.2.{at}") for at, name in enumerate("ab", 1)]
    web = pod("shop/web", {"app": "web"}, "10.1.1.1")
    reading = write(tmp_path, [*twins, web], deny("shop", "{}"))
    answer = ask(tmp_path / "drops.json", [drop("10.1.1.1", "10.1.2.1", 3306)], reading)
    assert "no selector picks exactly" in answer.contacts[0].unproposed
    answer = ask(tmp_path / "drops.json", [drop("10.1.2.1", "10.1.1.1", 80)], reading)
    assert "exactly shop/a" in answer.contacts[0].unproposed


def test_names_that_are_taken_are_not_used_again(tmp_path: Path) -> None:
    objects = [
        pod("shop/web", {"app": "web"}, "10.1.1.1"),
        pod("shop/db", {"app": "db"}, "10.1.2.1"),
    ]
    other = deny("shop", "{matchLabels: {app: db}}").replace("deny", "db-additions")
    reading = write(tmp_path, objects, other)
    answer = ask(tmp_path / "drops.json", [drop("10.1.1.1", "10.1.2.1", 3306)], reading)
    (one,) = answer.proposals
    assert one.policy.name not in ("db-additions", "deny")


def test_an_address_that_changed_hands_gets_no_rule(tmp_path: Path) -> None:
    first = pod("shop/old", {"app": "old"}, "10.1.1.1")
    first["status"] |= {
        "phase": "Succeeded",
        "containerStatuses": [
            {"state": {"terminated": {"finishedAt": "2026-11-23T05:45:28Z"}}, "name": "old"}
        ],
    }
    second = pod("shop/new", {"app": "new"}, "10.1.1.1")
    second["status"]["startTime"] = "2026-11-23T05:45:28Z"
    db = pod("shop/db", {"app": "db"}, "10.1.2.1")
    reading = write(tmp_path, [first, second, db], deny("shop", "{}"))
    answer = ask(tmp_path / "drops.json", [drop("10.1.1.1", "10.1.2.1", 3306)], reading)
    (found,) = answer.contacts
    assert found.client == "shop/new or shop/old"
    assert answer.proposals == ()
    assert found.unproposed


def test_observed_traffic_that_rules_would_free_is_told(tmp_path: Path) -> None:
    objects = [
        pod("shop/web", {"app": "web"}, "10.1.1.1"),
        pod("shop/db", {"app": "db"}, "10.1.2.1", "n2", [3306]),
        service("shop/db", {"app": "db"}, 3306),
    ]
    reading = write(tmp_path, objects, deny("shop", "{matchLabels: {app: db}}"))
    log = tmp_path / "n2.events.txt"
    log.write_text(connection(1, "10.1.1.1", "10.1.2.1", 3306))
    watched = Reading((str(log),), reading.cluster, reading.policies)
    answer = ask(tmp_path / "drops.json", [drop("10.1.1.1", "10.1.2.1", 3306)], watched)
    assert answer.proposals
    assert answer.freed == ()  # it is what the rule is for


def test_pages_fit_and_values_are_json(small: Reading, tmp_path: Path) -> None:
    lines = [
        drop("10.244.1.11", "10.244.2.30", 3306),
        drop("203.0.113.9", "10.244.2.30", 3306),
        drop("10.244.1.11", "169.254.169.254", 80),
        *(drop("10.244.1.10", "10.244.2.30", port) for port in range(1, 40)),
        "junk",
    ]
    answer = ask(tmp_path / "drops.json", lines, small)
    text = to_text(report.to_page(answer))
    assert all(len(line) <= 80 for line in text.splitlines() if str(tmp_path) not in line)
    assert "users/client: it scans, 39 different ports were denied" in text
    values = json.loads(json.dumps(report.to_json(answer)))
    assert values["denied"] + sum(values["skipped"].values()) == values["records"] == len(lines)
    assert sum(one["packets"] for one in values["contacts"]) == values["denied"]
    shown = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    assert yaml.safe_load(values["proposals"][0]["yaml"])["kind"] == "NetworkPolicy"
    assert "kind: NetworkPolicy" in shown
