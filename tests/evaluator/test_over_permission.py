"""Cells that rules admit and nobody used, counted again one by one."""

from itertools import product

import numpy as np

from synth.edges.schema import KEY, MEASURES, Edges
from synth.evaluator.connectivity import connect
from synth.evaluator.over_permission import measure_over_permission, observe, size_of
from synth.inventory.endpoint import Endpoint
from synth.policy import Direction, PodPeer, Policy, PolicySet, PortSet, Rule
from tests.evaluator.cluster import NAMESPACES, Flow, block, either, labelled, outside, pod, ports
from tests.evaluator.cluster import judge as judge_flows

WEB, API, DB, BANK = pod(app="web"), pod(app="api"), pod(app="db"), pod("bank", app="job")
PODS = (WEB, API, DB, BANK)
USER = outside("198.51.100.7")
NUMBERS = {"TCP": 6, "UDP": 17, "SCTP": 132, "ICMP": 1}
DECLARED = ((6, 80), (6, 3306), (17, 53))


def edges(*flows: Flow, failed: bool = False) -> Edges:
    """Return one edge a flow, of three records each."""
    ends = sorted({end for flow in flows for end in (flow.client, flow.server)})
    size = len(flows)
    columns = {name: np.zeros(size, dtype) for name, dtype in KEY.items()}
    columns |= {name: np.zeros(size, dtype) for name, (dtype, _) in MEASURES.items()}
    columns["client"] = np.array([ends.index(flow.client) for flow in flows], np.int32)
    columns["client_seen"] = columns["client"]
    columns["server"] = np.array([ends.index(flow.server) for flow in flows], np.int32)
    columns["protocol"] = np.array([NUMBERS[flow.protocol] for flow in flows], np.uint8)
    columns["port"] = np.array([flow.port for flow in flows], np.uint16)
    columns["decided"] = np.array([flow.decided for flow in flows], np.bool_)
    columns["records"][:] = 3
    columns["failed"][:] = 3 if failed else 2
    return Edges(
        endpoints=tuple(ends),
        files=("a.log",),
        half_day_base=0,
        rungs=np.zeros((size, 9), np.int64),
        half_days=np.zeros((size, 1), np.uint64),
        asked=np.full(size, -1, np.int32),
        example=np.arange(size, dtype=np.int64),
        **columns,
    )


def measured(
    policies: list[Policy], seen: Edges, pods: tuple[Endpoint, ...] = PODS
) -> tuple[int, int]:
    chosen = PolicySet.of(policies)
    found = measure_over_permission(connect(chosen, pods, NAMESPACES), chosen, seen, DECLARED)
    return found.admitted, found.never_seen


def recounted(
    policies: list[Policy], seen: set[tuple[str, str, str, int]], universe: list[tuple[str, int]]
) -> tuple[int, int]:
    """Return the same, cell by cell through the evaluator."""
    admitted = never = 0
    for client, server in product(PODS, PODS):
        flows = [Flow(client, server, port, protocol) for protocol, port in universe]
        found = judge_flows(policies, *flows)
        say = found.egress_isolated | found.ingress_isolated
        for flow, counts in zip(flows, (say & found.allowed).tolist(), strict=True):
            admitted += counts
            cell = client.name, server.name, flow.protocol, flow.port
            never += counts and cell not in seen
    return admitted, never


NOTHING = edges()
FROM_API = Rule((PodPeer(labelled(app="api")),), ports("TCP 3306", "TCP 8000-8009"))
TO_DB = Policy("shop", "db", labelled(app="db"), ingress=(FROM_API,))


def test_without_policies_rules_admit_nothing() -> None:
    assert measured([], edges(Flow(WEB, DB, 3306))) == (0, 0)


def test_ranges_count_each_port_and_all_ports_only_those_that_are_spoken_of() -> None:
    assert measured([TO_DB], NOTHING) == (11, 11)
    everyone = Policy("shop", "db", labelled(app="db"), ingress=(Rule(),))
    assert measured([everyone], NOTHING) == (4 * 3, 4 * 3)


def test_what_was_seen_is_no_over_permission() -> None:
    seen = edges(Flow(API, DB, 3306), Flow(API, DB, 8004), Flow(WEB, DB, 3306))
    assert measured([TO_DB], seen) == (11, 9)


def test_what_failed_was_not_seen() -> None:
    assert measured([TO_DB], edges(Flow(API, DB, 3306), failed=True)) == (11, 11)


def test_an_undecided_pair_shows_nothing_and_a_candidate_counts_as_seen() -> None:
    assert measured([TO_DB], edges(Flow(API, DB, 3306, decided=False))) == (11, 11)
    assert measured([TO_DB], edges(Flow(either(API, USER), DB, 3306))) == (11, 10)


def test_observed_ports_and_protocols() -> None:
    found = observe(edges(Flow(API, DB, 1), Flow(API, DB, 2, "UDP"), Flow(API, DB, 0, "ICMP")))
    (ports_seen,) = found.values()
    assert ports_seen == ports("TCP 1", "UDP 2")
    assert observe(edges(Flow(USER, DB))) == {}
    assert size_of(PortSet.every()) == 3 * 65535


def test_a_denied_side_admits_nothing() -> None:
    shut = Policy("shop", "web", labelled(app="web"), egress=())
    everyone = Policy("shop", "db", labelled(app="db"), ingress=(Rule(),))
    assert measured([shut, everyone], NOTHING) == (9, 9)


def test_workloads_of_several_classes_are_one_role() -> None:
    more = Endpoint(DB.kind, DB.namespace, DB.workload, (*DB.labels, ("tier", "back")))
    tier = Policy("shop", "t", labelled(tier="back"), ingress=(Rule((), ports("TCP 80")),))
    assert measured([tier], NOTHING, (*PODS, more)) == (4, 4)


def test_cells_are_those_that_the_evaluator_admits_one_by_one() -> None:
    rules = [
        Rule((PodPeer(labelled(app="api")),), ports("TCP 3306")),
        Rule((PodPeer(labelled(), labelled(team="b")),), ports("UDP", "TCP 79-81")),
        Rule((block("0.0.0.0/0"),)),
        Rule(),
        Rule((PodPeer(labelled(), labelled()),), ports("SCTP 9")),
    ]
    seen_flows = [Flow(API, DB, 3306), Flow(BANK, DB, 53, "UDP"), Flow(WEB, API, 80)]
    seen = {(one.client.name, one.server.name, one.protocol, one.port) for one in seen_flows}
    nonzero = 0
    for one, other, third in product(rules, rules, (None, (), tuple(rules[:2]))):
        policies = [
            Policy("shop", "db", labelled(app="db"), ingress=(one,)),
            Policy("shop", "api", labelled(app="api"), ingress=(other,), egress=(one,)),
            *([] if third is None else [Policy("shop", "web", labelled(app="web"), egress=third)]),
        ]
        named = {
            (term.protocol.value, port)
            for policy in policies
            for rule in (*(policy.ingress or ()), *(policy.egress or ()))
            for term in rule.ports.ranges
            if not term.every
            for port in range(term.first, term.last + 1)
        }
        universe = named | {("TCP", 80), ("TCP", 3306), ("UDP", 53)}
        expected = recounted(policies, seen, sorted(universe))
        assert measured(policies, edges(*seen_flows)) == expected
        nonzero += expected[0] > expected[1] > 0
    assert nonzero > 30


def test_addresses_outside_by_family() -> None:
    policies = PolicySet.of(
        [
            Policy(
                "shop",
                "web",
                labelled(app="web"),
                ingress=(Rule((block("203.0.113.0/24", "203.0.113.0/28"), block("10.0.0.0/8"))),),
                egress=(Rule((block("2001:db8::/120"),), ports("TCP 443")),),
            ),
            Policy("shop", "nobody", labelled(app="none"), ingress=(Rule((block("0.0.0.0/0"),)),)),
        ]
    )
    connectivity = connect(policies, PODS, NAMESPACES)
    found = measure_over_permission(connectivity, policies, NOTHING, (), ["10.0.0.0/9"])
    assert found.addresses[Direction.INGRESS] == {4: 240 + (1 << 23), 6: 0}
    assert found.addresses[Direction.EGRESS] == {4: 0, 6: 256}


def test_no_pods_have_no_cells() -> None:
    assert measured([TO_DB], edges(Flow(API, DB, 3306)), ()) == (0, 0)
