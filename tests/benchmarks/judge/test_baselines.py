from benchmarks.judge.baselines.greedy import Cells, cover_greedily, size_of
from benchmarks.judge.baselines.label_intersection import merge_peers
from benchmarks.judge.baselines.timers import DAY, SECOND, look_back, until_stable
from benchmarks.judge.baselines.write import group_by_ports
from synth.policy.model import PodPeer, Rule
from synth.policy.ports import PortRange, PortSet, Protocol
from synth.policy.selector import Selector
from tests.benchmarks.judge.sample import API, DB, WEB, edges, pod

A, B, C = (PodPeer(Selector.equal({"app": one})) for one in "abc")
ONE, TWO = (PortRange(Protocol.TCP, port, port) for port in (1, 3))


def test_greedy_rules_admit_exactly_the_cells() -> None:
    cells: Cells = {A: frozenset({ONE, TWO}), B: frozenset({ONE, TWO}), C: frozenset({ONE})}
    rules = cover_greedily(cells)
    admitted = {(peer, term) for one in rules for peer in one.peers for term in one.ports.terms}
    assert admitted == {(peer, term) for peer, terms in cells.items() for term in terms}
    assert size_of(rules) == sum(2 + len(one.peers) + len(one.ports.terms) - 1 for one in rules)


def test_peers_that_share_labels_become_one_whoever_else_carries_them() -> None:
    one, two, three = pod("a", part="shop"), pod("b", part="shop"), pod("c")
    merged = merge_peers([one, two, three])
    assert merged == {
        Selector.equal({"part": "shop"}): frozenset({one, two}),
        Selector.equal({"app": "c"}): frozenset({three}),
    }


def test_the_longest_of_equally_shared_combinations_is_taken() -> None:
    one, two = pod("a", part="shop", tier="front"), pod("b", part="shop", tier="front")
    assert list(merge_peers([one, two])) == [Selector.equal({"part": "shop", "tier": "front"})]


def test_learning_ends_when_ten_minutes_bring_nothing_new() -> None:
    minute = 60 * SECOND
    assert until_stable([5 * minute, 14 * minute, 25 * minute], 0) == 24 * minute
    assert until_stable([], 7) == 7 + 10 * minute


def test_a_look_back_leaves_out_what_was_last_seen_before() -> None:
    some = edges((WEB, API, 1, 1), (WEB, DB, 1, 1), last=[DAY, 3 * DAY])
    assert look_back(some, 1).tolist() == [False, True]
    assert look_back(some, 2).tolist() == [True, True]


def test_one_rule_for_each_set_of_ports() -> None:
    one, two = PortSet.of(ONE), PortSet.of(ONE, TWO)
    assert set(group_by_ports({A: one, B: one, C: two})) == {Rule((A, B), one), Rule((C,), two)}
