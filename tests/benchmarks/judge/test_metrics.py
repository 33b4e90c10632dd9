"""Each metric on an example small enough to work out by hand."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judge.grid import count_open, legitimate_ports
from benchmarks.judge.metrics import METRICS
from benchmarks.judge.metrics.contamination import list_learned, share_of
from benchmarks.judge.metrics.false_blocks import Rates, find_blocked, rate
from benchmarks.judge.metrics.identity import ALWAYS, MICROS, Holders
from benchmarks.judge.metrics.metric import Better, Metric
from benchmarks.judge.metrics.minimality import count_grouped, measure_rules
from benchmarks.judge.metrics.misread import count_untrue
from benchmarks.judge.metrics.over_permission import count_outside, exceed, with_dns
from benchmarks.judge.metrics.reach import reduce_surface, spread
from benchmarks.judge.metrics.reruns import jaccard
from benchmarks.judge.metrics.role_quality import pair_roles
from benchmarks.judge.metrics.selectors import count_inexact
from benchmarks.judge.metrics.soundness import count_blocked, count_disputed
from benchmarks.judge.proposal import Selection
from benchmarks.judge.verdicts import check_blocks
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.inventory.model import Inventory, Namespace, Pod, Ranges
from synth.policy.address import IpBlock, parse_network
from synth.policy.model import AddressPeer, PodPeer, Policy, PolicySet, Rule
from synth.policy.ports import PortRange, PortSet, Protocol
from synth.policy.selector import Selector
from tests.benchmarks.judge.sample import (
    API,
    DB,
    OUTSIDE,
    PODS,
    WEB,
    admit,
    edges,
    grid,
    names,
    pod,
    policies,
    true_edge,
)


def test_names_of_metrics_are_unique_and_every_one_has_a_unit() -> None:
    assert len({one.name for one in METRICS}) == len(METRICS)
    assert all(one.unit for one in METRICS)


@pytest.mark.parametrize(
    ("better", "value", "met"),
    [
        (Better.LOWER, 0.5, True),
        (Better.LOWER, 0.6, False),
        (Better.HIGHER, 0.5, True),
        (Better.HIGHER, 0.4, False),
    ],
)
def test_a_target_is_met_on_its_own_side(better: Better, value: float, *, met: bool) -> None:
    assert Metric("m", "u", better, 0.5, lambda *_: None).meets(value) is met


def said(some: PolicySet, *rows: tuple[int, int, int, int]) -> Verdicts:
    return evaluate(some, Traffic.of(edges(*rows)), {})


def test_blocked_counts_records_of_accepted_edges_only() -> None:
    rows = (WEB, API, 5000, 7), (WEB, DB, 3306, 5), (API, DB, 3307, 3)
    accepted = np.array([True, True, False])
    assert count_blocked(edges(*rows), accepted, said(policies(), *rows)) == 5


def test_two_evaluators_agree_unless_one_of_them_is_wrong() -> None:
    rows = (WEB, API, 5000, 1), (WEB, DB, 3306, 1), (OUTSIDE, API, 5000, 1)
    inventory = Inventory(
        namespaces=(Namespace("shop"),),
        pods=tuple(
            Pod("shop", one.workload, one.workload, one.workload, addresses=(f"10.0.0.{at}",))
            for at, one in enumerate(PODS, 1)
        ),
    )
    right = said(policies(), *rows)
    assert right.allowed.tolist() == [True, False, False]
    assert count_disputed(policies(), edges(*rows), right, inventory) == 0
    wrong = said(policies(admit("api", 5000, "web")), *rows)
    assert count_disputed(policies(), edges(*rows), wrong, inventory) == 1


def test_false_blocks_by_record_edge_and_workload() -> None:
    one, two = ("a", "b", "TCP", 1), ("outside/users", "c", "TCP", 2)
    found = rate([one, one, two], np.array([6, 2, 2]), np.array([False, True, False]))
    # 2 of 10 records; one of two edges; a and b of the workloads a, b and c.
    assert found == Rates(records=0.2, edges=0.5, workloads=2 / 3)


def test_what_is_let_through_only_perhaps_is_blocked() -> None:
    perhaps = replace(Verdicts.empty(1), undetermined=np.array([True]))
    assert find_blocked(perhaps).tolist() == [True]


def test_nothing_held_out_blocks_nothing() -> None:
    assert rate([], np.zeros(0, np.int64), np.zeros(0, np.bool_)) == Rates(0, 0, 0)


def test_over_permission_counts_cells_beyond_the_truth() -> None:
    assert exceed(grid(policies()), policies()) == 0
    wide = policies(admit("api", 5000, "web", "db"), admit("db", 3306, "api"))
    # db → api is one cell beyond the two legitimate ones.
    assert exceed(grid(wide), wide) == 0.5


def test_over_permission_counts_the_ports_that_rules_name() -> None:
    ports = PortSet.of(PortRange(Protocol.TCP, 5000, 5002))
    wide = admit("api", 5000, "web")
    rules = (Rule(wide.ingress[0].peers, ports),) if wide.ingress else ()
    some = policies(type(wide)("shop", "api", wide.pods, ingress=rules), admit("db", 3306, "api"))
    assert exceed(grid(some), some) == 1.0


def test_what_is_not_isolated_is_no_rule_but_is_surface() -> None:
    some = policies(admit("api", 5000, "web"))
    assert exceed(grid(some), some) == 0
    opened, pods, ports = count_open(grid(some, (2, 1, 3)))
    # To api: from each of 3 web to each of 2. To db, which nothing isolates: from all 6 pods.
    assert opened.sum() == 6 + 6
    # Of 6 pods by 3 ports: one on each of 2 api, one on db.
    assert reduce_surface(opened, pods, ports) == pytest.approx(1 - 12 / 18)


def test_blast_by_hops() -> None:
    opened, pods, _ = count_open(grid(policies(), (2, 1, 3)))
    # web (3) → api (2) → db (1): from web 2 pods, then 3; from api 1; from db 0.
    assert spread(opened, pods, 1) == pytest.approx((3 * 2 + 2 * 1) / 36)
    assert spread(opened, pods, 2) == pytest.approx((3 * 3 + 2 * 1) / 36)
    assert spread(opened, pods, None) == spread(opened, pods, 2)


def test_blast_through_a_cycle_comes_back() -> None:
    opened = np.array([[0, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1], [0, 0, 0, 0]])
    pods = np.ones(4, np.int64)
    assert spread(opened, pods, 1) == pytest.approx(4 / 16)
    assert spread(opened, pods, None) == pytest.approx(3 * 4 / 16)


def test_dns_over_tcp_is_legitimate_where_udp_is() -> None:
    truth = names(true_edge("shop/web", "shop/db", 53, protocol="UDP"))
    found = legitimate_ports(truth, [(one.namespace, one.workload) for one in PODS])
    both = PortSet.port(Protocol.UDP, 53) | PortSet.port(Protocol.TCP, 53)
    assert list(found.values()) == [both]
    pair = ("a", "b"), ("a", "c")
    assert with_dns({pair: PortSet.port(Protocol.UDP, 53)}) == {pair: both}
    assert with_dns({pair: PortSet.port(Protocol.TCP, 80)}) == {
        pair: PortSet.port(Protocol.TCP, 80)
    }


def test_outside_addresses_that_are_truly_called() -> None:
    assert count_outside(names()) == 0
    assert count_outside(names(true_edge("shop/web", "outside/users", 443))) == 10


def test_a_selector_that_picks_another_workload_is_inexact() -> None:
    pods = (pod("web", tier="front"), pod("shop-window", tier="front"), pod("db"))
    workloads = {(one.namespace, one.workload): one.name for one in pods}
    exact = Selection("shop", Selector.equal({"app": "web"}), frozenset({"shop/web"}))
    wide = Selection("shop", Selector.equal({"tier": "front"}), frozenset({"shop/web"}))
    elsewhere = Selection("other", Selector.equal({"tier": "front"}), frozenset())
    assert count_inexact([exact, wide, elsewhere], pods, workloads) == 1


def test_size_against_the_smallest_and_against_grouping() -> None:
    a, b = (PodPeer(Selector.equal({"app": one})) for one in "ab")
    one, two = (PortSet.port(Protocol.TCP, port) for port in (1, 2))
    # Two rules of 3 each, where one of 4 does.
    assert measure_rules([Rule((a,), one), Rule((b,), one)]) == (6, 4)
    assert measure_rules([Rule((a, b), one | two)]) == (4, 4)
    assert count_grouped([Rule((a,), one), Rule((a, b), two)]) == (2, 2, 2)
    assert count_grouped([Rule((a,), one), Rule((b,), one)]) == (2, 1, 2)


def test_roles_are_compared_where_both_are_known() -> None:
    found = pair_roles({"a": "x", "b": "x", "c": "y"}, {"a": "r", "b": "s", "d": "t"})
    assert found == (["r", "s"], ["x", "x"])


def test_contamination_is_counted_by_edge_not_by_row() -> None:
    one, two = ("a", "b", "TCP", 1), ("a", "c", "TCP", 1)
    learned = list_learned([one, one, two, None], np.array([False, True, False, True]))
    assert learned == {one}
    assert share_of({one, two}, learned) == 0.5
    assert share_of(set(), learned) is None


def test_what_nobody_opened_is_invented() -> None:
    rows = (WEB, API, 5000, 7), (API, WEB, 5000, 5), (DB, API, 5000, 3), (OUTSIDE, API, 1, 2)
    truth = names(
        true_edge("shop/web", "shop/api", 5000),
        true_edge("shop/db", "shop/api", 5000, attack="movement"),
    ).judge(edges(*rows))
    assert truth.legitimate.tolist() == [True, False, False, False]
    assert truth.attack == ("", "", "movement", "")
    assert count_untrue(edges(*rows), np.ones(4, np.bool_), truth) == 5
    assert count_untrue(edges(*rows), np.zeros(4, np.bool_), truth) == 0


def test_an_end_is_judged_only_where_one_pod_held_the_address_throughout() -> None:
    address = bytes(16)
    holders = Holders(
        {address: np.array([0, 105]) * MICROS},
        {address: np.array([100 * MICROS, ALWAYS])},
        {address: ["old", "new"]},
    )
    start = np.array([5, 90, 90, 101, 105, 99]) * MICROS
    end = np.array([99, 100, 110, 102, 999, 99]) * MICROS
    assert holders.of_all(address, start, end) == ["old", "", "", "", "new", "old"]


def test_an_end_is_judged_by_nobody_where_two_pods_hold_the_address() -> None:
    address = bytes(16)
    holders = Holders(
        {address: np.array([0, 50]) * MICROS},
        {address: np.array([100 * MICROS, ALWAYS])},
        {address: ["old", "new"]},
    )
    start, end = np.array([10, 60, 110]) * MICROS, np.array([20, 70, 120]) * MICROS
    assert holders.of_all(address, start, end) == ["old", "", "new"]


def test_a_block_that_cuts_the_pod_range_cannot_be_judged() -> None:
    inventory = Inventory(ranges=Ranges(pods=("10.0.0.0/14",)), separators=("10.0.0.0/14",))
    for text, refused in (("10.0.0.0/14", False), ("10.1.0.0/16", True), ("192.0.2.1/32", False)):
        rule = Rule((AddressPeer(IpBlock(parse_network(text))),))
        some = policies(Policy("shop", "p", ingress=(rule,)))
        with pytest.raises(ValueError, match="pod ranges") if refused else nullcontext():
            check_blocks(some, inventory)


def test_rules_of_two_days_share_what_they_admit() -> None:
    more = policies(admit("api", 5000, "web", "db"), admit("db", 3306, "api"))
    assert jaccard(policies(), policies()) == 1
    assert jaccard(policies(), more) == pytest.approx(2 / 3)
    assert jaccard(PolicySet(), PolicySet()) == 1
    assert jaccard(PolicySet(), more) == 0
