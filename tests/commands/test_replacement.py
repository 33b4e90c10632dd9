"""What learning again takes from the policies that an earlier run left in the cluster."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth.commands.narrower import Pods, lost_rules
from synth.commands.replacement import find_replaced
from synth.learner.learn import MANAGED
from synth.policy import (
    AddressPeer,
    Direction,
    IpBlock,
    NamedPort,
    Operator,
    Peer,
    PodPeer,
    Policy,
    PolicySet,
    PortRange,
    PortSet,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from synth.proof.results import Loss, Replaced
from tests.learner.worlds import ACCEPT, Contact, Lesson, World, study
from tests.made import connection, pod, write_cluster
from tests.running import run_here

Rules = tuple[Rule, ...] | None
SQL = PortSet.port(Protocol.TCP, 3306)
WEB, API, DB = (
    Selector.equal({"app": "web"}),
    Selector.equal({"app": "api"}),
    Selector.equal({"app": "db"}),
)


def tcp(first: int, last: int = 0) -> PortSet:
    return PortSet((PortRange(Protocol.TCP, first, last or first),))


def block(cidr: str, *excepts: str) -> AddressPeer:
    return AddressPeer(IpBlock.parse(cidr, excepts))


def app(*names: str, namespace: str | None = None) -> PodPeer:
    spaces = namespace and Selector.equal({"kubernetes.io/metadata.name": namespace})
    return PodPeer(Selector.of([Requirement("app", Operator.IN, names)]), spaces or None)


def pods() -> Pods:
    world = World().app("web").app("api").app("db").app("bank/web").app("gone", exists=False)
    return Pods.of(replace(world.build(), pods=world.build().pods[:-1]))


LOST: list[tuple[list[Rule], list[Rule], list[str]]] = [
    ([Rule((app("web"),), SQL)], [Rule((app("web"),), SQL)], []),
    ([Rule((app("web"),), SQL)], [], ["pods app=web on TCP 3306"]),
    ([Rule((app("web"),), SQL)], [Rule((app("web", "api"),), SQL)], []),
    ([Rule((app("web", "api"),), SQL)], [Rule((app("api"),), SQL), Rule((app("web"),), SQL)], []),
    (
        [Rule((app("web", "api"),), SQL)],
        [Rule((app("api"),), SQL)],
        ["pods app in (api,web) on TCP 3306"],
    ),
    (
        [Rule((app("web"),), tcp(80, 90))],
        [Rule((app("web"),), tcp(80, 85))],
        ["pods app=web on TCP 86-90"],
    ),
    ([Rule((app("web"),), SQL)], [Rule((), tcp(1, 65535))], []),
    ([Rule((), SQL)], [Rule((app("web"),), SQL)], ["everyone on TCP 3306"]),
    (
        [Rule((app("web"),), SQL)],
        [Rule((app("web", namespace="bank"),), SQL)],
        ["pods app=web on TCP 3306"],
    ),
    ([Rule((app("web"),), SQL)], [Rule((app("web", namespace="shop"),), SQL)], []),
    ([Rule((app("gone"),), SQL)], [Rule((app("web"),), SQL)], ["pods app=gone on TCP 3306"]),
    ([Rule((block("10.0.0.0/24"),), SQL)], [Rule((block("10.0.0.0/16"),), SQL)], []),
    (
        [Rule((block("10.0.0.0/24"),), SQL)],
        [Rule((block("10.0.0.0/25"),), SQL), Rule((block("10.0.0.128/25"),), SQL)],
        [],
    ),
    (
        [Rule((block("10.0.0.0/24"),), SQL)],
        [Rule((block("10.0.0.0/25"),), SQL)],
        ["10.0.0.0/24 on TCP 3306"],
    ),
    (
        [Rule((block("10.0.0.0/24"),), SQL)],
        [Rule((block("10.0.0.0/16", "10.0.0.7/32"),), SQL)],
        ["10.0.0.0/24 on TCP 3306"],
    ),
    (
        [Rule((block("10.0.0.0/24", "10.0.0.0/25"),), SQL)],
        [Rule((block("10.0.0.0/16", "10.0.0.7/32"),), SQL)],
        [],
    ),
    (
        [Rule((block("fd00::/64"),), SQL)],
        [Rule((block("0.0.0.0/0"),), SQL)],
        ["fd00::/64 on TCP 3306"],
    ),
    (
        [Rule((app("web"), block("192.0.2.1/32")), PortSet.of(NamedPort(Protocol.TCP, "sql")))],
        [Rule((app("web"),), SQL)],
        ["192.0.2.1/32 on TCP sql", "pods app=web on TCP sql"],
    ),
]


@pytest.mark.parametrize(("before", "after", "told"), LOST)
def test_lost_rules(before: list[Rule], after: list[Rule], told: list[str]) -> None:
    assert sorted(map(str, lost_rules(before, after, "shop", pods()))) == told


def shop(*more: Contact, **flags: Any) -> Lesson:  # noqa: ANN401 - as of study
    world = World().dns().app("web").app("api").app("db")
    world.app("backup", kind="CronJob", replicas=0)
    return study(world, Contact("web", "api", 5000), Contact("api", "db", 3306), *more, **flags)


def ours(name: str, own: Selector, ingress: Rules = None, egress: Rules = None) -> Policy:
    return Policy("shop", name, own, ingress, egress, MANAGED)


def replaced(lesson: Lesson, *existing: Policy) -> tuple[Replaced, ...]:
    return find_replaced(PolicySet.of(existing), lesson.learned, lesson.inventory)


def admits(*peers: Peer) -> tuple[Rule, ...]:
    return tuple(Rule((peer,), SQL) for peer in peers)


def test_learning_the_same_again_takes_nothing() -> None:
    lesson = shop()

    assert replaced(lesson, *lesson.learned.policies) == ()


def test_a_rule_that_is_no_longer_admitted_is_named() -> None:
    (found,) = replaced(shop(), ours("db", DB, ingress=admits(app("api"), app("backup"))))

    assert (found.policy, found.loss, found.direction) == ("shop/db", Loss.RULE, Direction.INGRESS)
    assert found.told == (
        "shop/db as applied admitted pods app=backup on TCP 3306; the new one does not"
    )


def test_what_pods_may_open_no_longer_is_named() -> None:
    rules = (*admits(app("db")), Rule((block("192.0.2.1/32"),), tcp(443)))

    (found,) = replaced(shop(), ours("api", API, egress=rules))

    assert found.told == (
        "shop/api as applied let its pods open 192.0.2.1/32 on TCP 443; the new one does not"
    )


def test_isolation_lost_to_an_open_question_is_said() -> None:
    lesson = shop(Contact("api", "203.0.113.9", 443, connections=1, members=(1, 1), records=1))
    applied = ours("api", API, ingress=(Rule((app("web"),), tcp(5000)),), egress=admits(app("db")))

    (found,) = replaced(lesson, applied)

    assert (found.loss, found.direction) == (Loss.ISOLATION, Direction.EGRESS)
    assert found.questions == (lesson.key("203.0.113.9"),)
    assert found.told == (
        "shop/api as applied isolates Egress; the new one would lift that, because of an open"
        f" question ({found.questions[0]}): answer before you apply"
    )


def test_isolation_without_evidence_any_longer_is_said() -> None:
    (found,) = replaced(shop(), ours("db", DB, ingress=admits(app("api")), egress=()))

    assert found.told.endswith("because the capture shows no evidence for it")
    assert found.questions == ()


def test_pods_that_it_is_no_longer_about_are_named() -> None:
    both = Selector.of([Requirement("app", Operator.IN, ("db", "web"))])

    (found,) = replaced(shop(), ours("db", both, ingress=admits(app("api"))))

    assert found.loss is Loss.PODS
    assert found.told.endswith("no longer about shop/web")


def test_what_nothing_replaces_stays() -> None:
    (found,) = replaced(shop(), ours("cache", Selector.equal({"app": "cache"}), ingress=()))

    assert (found.policy, found.loss, found.direction) == ("shop/cache", Loss.NONE, None)
    assert "stays in force: delete it if it is obsolete" in found.told


def test_what_waits_as_a_whole_stays() -> None:
    odd = Contact("db", "203.0.113.9", 443, connections=1, members=(1, 1), records=1)
    lesson = study(World().app("db"), odd)

    (found,) = replaced(lesson, ours("db", DB, egress=()))

    assert "what would replace it waits for an answer" in found.told
    assert found.questions == (lesson.key("203.0.113.9"),)


def test_policies_of_others_are_none_of_our_business() -> None:
    applied = replace(ours("db", DB, ingress=admits(app("backup"))), labels=())

    assert replaced(shop(assume=ACCEPT), applied) == ()


def test_the_command_says_it(tmp_path: Path) -> None:
    web, db = (
        pod("shop/web", {"app": "web"}, "10.1.1.10"),
        pod("shop/db", {"app": "db"}, "10.1.2.20"),
    )
    applied = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"namespace": "shop", "name": "db", "labels": dict(MANAGED)},
        "spec": {
            "podSelector": {"matchLabels": {"app": "db"}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app": one}}}],
                    "ports": [{"port": 3306}],
                }
                for one in ("web", "backup")
            ],
        },
    }
    cluster = write_cluster(tmp_path / "cluster", web, db, applied)
    flows = tmp_path / "flows.log"
    flows.write_text("".join(connection(at, "10.1.1.10", "10.1.2.20", 3306) for at in range(4)))
    out = ("--cluster", cluster, "--out", tmp_path / "out")

    found = json.loads(run_here("learn", flows, *out, "--format", "json").out)
    page = run_here("learn", flows, *out)

    (one,) = found["replaces"]
    assert one["policy"] == "shop/db"
    assert one["loses"] == "rule"
    assert one["direction"] == "Ingress"
    assert one["told"] in found["warnings"]
    assert one["told"] in page.err
    assert "Policies that synth applied before" in page.out
