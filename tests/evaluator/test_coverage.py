"""The state of each side of every edge, and its sums; and a scalar recount on random worlds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.evaluator.compile import compile_policies
from synth.evaluator.coverage import Figure, Figures, Scope, State, find_states
from synth.evaluator.options import Options
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Endpoint, Kind
from synth.policy import Direction, PodPeer, Policy, PolicySet, Rule
from tests import reference
from tests.evaluator.cluster import (
    NAMESPACES,
    Flow,
    block,
    either,
    labelled,
    node,
    outside,
    pod,
    ports,
    traffic,
)
from tests.property.test_two_evaluators import Question

WEB, API, DB = pod(app="web"), pod(app="api"), pod(app="db")
BANK = pod("bank", app="db")
USER = outside("198.51.100.7")
NODE = node("192.0.2.1")
FROM_API = Policy(
    "shop",
    "db",
    labelled(app="db"),
    ingress=(Rule((PodPeer(labelled(app="api")),), ports("TCP 3306")),),
)
WEB_OUT = Policy("shop", "web", labelled(app="web"), egress=(Rule((PodPeer(labelled(app="db")),)),))
SHUT = Policy("shop", "shut", ingress=(), egress=())
INGRESS, EGRESS, BOTH = Scope.INGRESS, Scope.EGRESS, Scope.BOTH


def states(
    policies: Iterable[Policy], *flows: Flow, options: Options | None = None
) -> list[tuple[str, str, str]]:
    """Return the names of the states of ingress, egress and both."""
    asked = traffic(*flows)
    compiled = compile_policies(
        PolicySet.of(policies), asked.endpoints, NAMESPACES, options or Options()
    )
    found = find_states(compiled, asked)
    return [
        tuple(State(found[scope][row]).name for scope in (INGRESS, EGRESS, BOTH))  # type: ignore[misc]
        for row in range(len(flows))
    ]


@pytest.mark.parametrize(
    ("policies", "flow", "expected"),
    [
        ([], Flow(WEB, DB), ("UNCOVERED", "UNCOVERED", "UNCOVERED")),
        ([FROM_API], Flow(API, DB, 3306), ("COVERED", "UNCOVERED", "UNCOVERED")),
        ([FROM_API], Flow(API, DB, 3307), ("DENIED", "UNCOVERED", "DENIED")),
        ([WEB_OUT, FROM_API], Flow(WEB, DB, 3306), ("DENIED", "COVERED", "DENIED")),
        ([WEB_OUT, FROM_API], Flow(WEB, API), ("UNCOVERED", "DENIED", "DENIED")),
        ([WEB_OUT], Flow(WEB, USER), ("ABSENT", "DENIED", "ABSENT")),
        ([FROM_API], Flow(USER, DB), ("DENIED", "ABSENT", "ABSENT")),
        ([SHUT], Flow(USER, NODE), ("ABSENT", "ABSENT", "ABSENT")),
        ([SHUT], Flow(WEB, WEB, same_pod=True), ("ITSELF", "ITSELF", "ITSELF")),
        ([], Flow(WEB, WEB, same_pod=True), ("ITSELF", "ITSELF", "ITSELF")),
        ([SHUT], Flow(NODE, DB, same_node=True), ("OWN_NODE", "ABSENT", "ABSENT")),
        ([], Flow(NODE, DB, same_node=True), ("OWN_NODE", "ABSENT", "ABSENT")),
        ([SHUT], Flow(NODE, DB), ("DENIED", "ABSENT", "ABSENT")),
        ([SHUT], Flow(WEB, DB, 0, "ICMP"), ("NO_SEMANTICS",) * 3),
        ([], Flow(WEB, DB, 0, "ICMP"), ("NO_SEMANTICS",) * 3),
        ([], Flow(USER, DB, 0, "ICMP"), ("NO_SEMANTICS", "ABSENT", "ABSENT")),
    ],
)
def test_states(policies: list[Policy], flow: Flow, expected: tuple[str, ...]) -> None:
    assert states(policies, flow) == [expected]


def test_a_masqueraded_pod_is_judged_as_its_node_where_it_arrives() -> None:
    from_node = Policy("shop", "n", labelled(app="db"), ingress=(Rule((block("192.0.2.0/24"),)),))
    assert states([from_node], Flow(WEB, DB, seen=NODE))[0][0] == "COVERED"
    hairpin = Flow(WEB, DB, seen=NODE, same_node=True)
    assert states([from_node], hairpin) == [("OWN_NODE", "UNCOVERED", "OWN_NODE")]


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (either(API, API), "COVERED"),
        (either(WEB, USER), "DENIED"),
        (either(API, WEB), "UNDETERMINED"),
    ],
)
def test_candidates_must_agree(client: Endpoint, expected: str) -> None:
    assert states([FROM_API], Flow(client, DB, 3306))[0][0] == expected


def test_one_candidate_that_is_a_pod_counts_but_is_never_covered() -> None:
    admits_all = Policy("shop", "in", ingress=(Rule(),))
    flow = Flow(WEB, either(DB, USER))
    assert states([admits_all], flow)[0][0] == "UNDETERMINED"


def test_partly_isolated_candidates_are_not_covered_though_allowed() -> None:
    flow = Flow(API, either(DB, BANK), 3306)
    assert states([FROM_API], flow) == [("UNDETERMINED", "UNCOVERED", "UNCOVERED")]


def test_a_prefix_partly_in_a_block_is_undetermined() -> None:
    half = Policy("shop", "b", labelled(app="db"), ingress=(Rule((block("198.51.100.0/25"),)),))
    assert states([half], Flow(outside("198.51.100.0/24"), DB))[0][0] == "UNDETERMINED"


@pytest.mark.parametrize(
    ("policies", "flow", "expected"),
    [
        ([], Flow(WEB, DB, decided=False), ("UNCOVERED",) * 3),
        ([FROM_API], Flow(WEB, DB, decided=False), ("UNDETERMINED", "UNCOVERED", "UNDETERMINED")),
        ([], Flow(WEB, USER, decided=False), ("UNDETERMINED", "UNDETERMINED", "ABSENT")),
        ([], Flow(USER, NODE, decided=False), ("ABSENT",) * 3),
        ([SHUT], Flow(WEB, DB, 0, "ICMP", decided=False), ("NO_SEMANTICS",) * 3),
        ([SHUT], Flow(WEB, WEB, same_pod=True, decided=False), ("ITSELF",) * 3),
    ],
)
def test_undecided_pairs_are_never_covered(
    policies: list[Policy], flow: Flow, expected: tuple[str, ...]
) -> None:
    assert states(policies, flow) == [expected]


def test_more_endpoints_than_those_of_the_traffic_change_nothing() -> None:
    asked = traffic(Flow(either(API, WEB), DB, 3306), Flow(API, DB, 3306))
    more = (*asked.endpoints, BANK, pod(app="new"))
    compiled = compile_policies(PolicySet.of([FROM_API]), more, NAMESPACES)
    assert find_states(compiled, asked)[INGRESS].tolist() == [State.UNDETERMINED, State.COVERED]


def test_no_traffic_has_no_figures() -> None:
    nothing = traffic(Flow(WEB, DB)).take(slice(0))
    compiled = compile_policies(PolicySet.of([SHUT]), nothing.endpoints, {})
    found = find_states(compiled, nothing)
    none = np.zeros(0, np.int64)
    assert [Figures.of(found[scope], none, none).records for scope in Scope] == [Figure()] * 3


@given(
    st.lists(
        st.tuples(st.sampled_from(State), st.integers(1, 10**12), st.integers(0, 10**12)),
        max_size=40,
    )
)
def test_sums_add_up(rows: list[tuple[State, int, int]]) -> None:
    found = Figures.of(
        np.array([row[0] for row in rows], np.uint8),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
    )
    for figure in (found.records, found.edges, found.bytes):
        assert figure.covered + figure.uncovered + figure.denied == figure.total
        assert 0 <= figure.undetermined <= figure.uncovered
    absent = sum(row[1] for row in rows if row[0] is State.ABSENT)
    whole = sum(row[1] for row in rows)
    assert found.records.total + sum(found.apart.values()) + absent == whole
    assert found.measured <= found.records.total


# -- the scalar recount


def scalar(question: Question, flow: reference.Flow, scope: Scope) -> str:
    """Return what one side of one flow is, from the reference alone."""
    if scope is BOTH:
        sides = [scalar(question, flow, one) for one in (INGRESS, EGRESS)]
        for word in ("absent", "apart", "denied", "uncovered"):
            if word in sides:
                return word
        return "covered"
    subject = flow.server if scope is INGRESS else flow.client
    if not is_pod(subject):
        return "absent"
    if is_exempt(question, flow, scope):
        return "apart"
    judged = question.judge.judge(flow)
    if not getattr(judged, f"{scope}_isolated"):
        return "uncovered"
    return "covered" if getattr(judged, f"{scope}_rules") else "denied"


def is_pod(end: reference.Endpoint) -> bool:
    if isinstance(end, str) or end.host_network:
        return False
    return end.phase not in reference.FINISHED


def is_exempt(question: Question, flow: reference.Flow, scope: Scope) -> bool:
    """Return whether policies have no say: a pod to itself, a node and its pods."""
    client, server, options = flow.client, flow.server, question.options
    if isinstance(client, reference.Pod) and isinstance(server, reference.Pod):
        itself = (client.namespace, client.name) == (server.namespace, server.name)
        if itself and is_pod(client) and (flow.asked is None or options.hairpin == "allow"):
            return True
    if scope is INGRESS:
        return flow.same_node and options.from_own_node == "allow"
    return flow.to_node and options.to_own_node == "allow"


WORDS = {
    State.ABSENT: "absent",
    State.ITSELF: "apart",
    State.OWN_NODE: "apart",
    State.COVERED: "covered",
    State.UNCOVERED: "uncovered",
    State.UNDETERMINED: "undetermined",
    State.DENIED: "denied",
}


def vectorised(question: Question, asked: Traffic, scope: Scope) -> list[str]:
    compiled = compile_policies(
        question.policies, asked.endpoints, question.namespaces, question.options
    )
    return [WORDS[State(one)] for one in find_states(compiled, asked)[scope]]


def test_every_record_of_random_worlds_is_what_the_reference_says() -> None:
    seen: Counter[str] = Counter()
    for seed in range(120):
        question = Question.of(seed, edges=120)
        flows = question.world.flows
        asked = question.traffic(flows)
        for scope in Scope:
            found = vectorised(question, asked, scope)
            wanted = [scalar(question, flow, scope) for flow in flows]
            differing = [one for one in zip(flows, found, wanted, strict=True) if one[1] != one[2]]
            assert not differing[:1], (seed, scope)
            seen.update(wanted)
    assert min(seen[word] for word in ("absent", "apart", "covered", "uncovered", "denied")) > 300


def test_ambiguous_records_are_what_all_candidates_agree_on() -> None:
    seen: Counter[str] = Counter()
    for seed in range(40):
        question = Question.of(seed, edges=90)
        flows = [one for one in question.world.flows if not (one.same_node or one.to_node)]
        triples = list(zip(flows[::3], flows[1::3], flows[2::3], strict=False))
        triples = [one for one in triples if one[0].asked is None and apart(one)]
        asked = ambiguous(question.traffic([one for some in triples for one in some]))
        for scope in Scope:
            found = vectorised(question, asked, scope)
            for word, (first, second, third) in zip(found, triples, strict=True):
                wanted = {
                    scalar(question, replace(first, client=c, client_seen=c, server=s), scope)
                    for c, s in product((first.client, second.client), (first.server, third.server))
                }
                assert word == (wanted.pop() if len(wanted) == 1 else "undetermined"), (seed, first)
                seen[word] += 1
    assert min(seen[word] for word in ("covered", "denied", "undetermined")) > 30


def apart(flows: Sequence[reference.Flow]) -> bool:
    """Return whether no client among them is a server."""
    names = [
        {one if isinstance(one, str) else (one.namespace, one.name) for one in ends}
        for ends in ([flow.client for flow in flows], [flow.server for flow in flows])
    ]
    return not names[0] & names[1]


def ambiguous(asked: Traffic) -> Traffic:
    """Return a row for each three: clients of the first two, servers of the first and the third."""
    known, rows = asked.endpoints, len(asked) // 3
    client, server = asked.client.reshape(rows, 3), asked.server.reshape(rows, 3)
    pairs = [*client[:, [0, 1]].tolist(), *server[:, [0, 2]].tolist()]
    ends = tuple(
        Endpoint(Kind.AMBIGUOUS, address="10.0.0.1", candidates=(known[one], known[other]))
        for one, other in pairs
    )
    clients = np.arange(len(known), len(known) + rows, dtype=np.int32)
    return replace(
        asked.take(slice(None, None, 3)),
        endpoints=known + ends,
        client=clients,
        client_seen=clients,
        server=clients + np.int32(rows),
    )


def test_states_agree_with_verdicts() -> None:
    for seed in range(300, 340):
        question = Question.of(seed, edges=150)
        asked = question.traffic(question.world.flows)
        verdicts = evaluate(question.policies, asked, question.namespaces, options=question.options)
        denied = np.array(
            [
                [word == "denied" for word in vectorised(question, asked, scope)]
                for scope in (INGRESS, EGRESS)
            ]
        )
        assert (denied.any(axis=0) == verdicts.denied).all()


def test_directions_are_of_the_policy() -> None:
    assert {one.lower() for one in Direction} == {INGRESS, EGRESS}
