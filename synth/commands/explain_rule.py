"""``explain --rule``: what a rule rests on, and what else it admits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from synth.commands.capture import Capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import Cluster
from synth.commands.explain_reading import Reading, open_world, read_flows
from synth.commands.unseen import count_addresses, find_cells, subject_names
from synth.engines.local import Report
from synth.errors import Fault, InputError, UsageError
from synth.evaluator.admits import admissions
from synth.evaluator.compile import compile_policies
from synth.evaluator.sides import RuleRef
from synth.evaluator.traffic import Traffic
from synth.inventory.endpoint import Kind
from synth.inventory.model import Inventory
from synth.learner.learn import Choices
from synth.learner.learn import learn as learn_edges
from synth.learner.model import Screen, Screening
from synth.learner.peers import node_subnets
from synth.learner.roles import find_roles
from synth.outputs.traffic import Telling
from synth.policy.model import Policy, PolicySet, Rule
from synth.proof.explained import Resting, RuleAnswer
from synth.reports.sentences import Names

EVIDENCE = "evidence.json"
EDGES = "edges.parquet"


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """A rule by its place, and the traffic to hold it against: logs, or a learned folder."""

    rule: RuleRef
    reading: Reading
    learned: Path | None = None


def explain_rule(request: RuleRequest, progress: Report) -> RuleAnswer:
    """Return what the rule rests on, and what else it admits.

    Raises
    ------
    InputError
        If a file cannot be used.
    UsageError
        If there is no such rule, or no traffic to hold it against.

    """
    reading, learned = _with_learned(request.reading, request.learned), request.learned
    if not reading.flows:
        remedy = "Give the logs, or with --learned the folder that `synth learn` wrote."
        raise UsageError(Fault("--rule", "FLOWS, or --learned DIR", "neither", remedy))
    cluster = open_world(reading, progress)
    policy, rule = find_rule(request.rule, cluster.policies)
    capture = read_flows(reading, cluster, progress)
    progress("judging", 0, 1)
    answer = answer_rule(request.rule, policy, rule, cluster, capture)
    if learned is None or request.reading.flows:
        return answer
    return _with_evidence(answer, learned)


def _with_learned(reading: Reading, learned: Path | None) -> Reading:
    """Return the reading, with what the learned folder holds where nothing else is given."""
    if learned is None:
        return reading
    return replace(
        reading,
        flows=reading.flows or (str(learned / EDGES),),
        policies=reading.policies or (str(learned / "policies"),),
    )


def find_rule(ref: RuleRef, policies: PolicySet) -> tuple[Policy, Rule]:
    """Return the policy and its rule.

    Raises
    ------
    UsageError
        If there is none.

    """
    named = [one for one in policies if one.key == (ref.namespace, ref.policy)]
    if not named:
        got = f"{ref.namespace}/{ref.policy}, which is none of {len(policies):,} policies"
        raise UsageError(Fault("--rule", "a policy, as namespace/name", got))
    rules = named[0].rules(ref.direction)
    if rules is None or ref.index >= len(rules):
        way = ref.direction.lower()
        has = f"{named[0]} does not isolate {way}" if rules is None else f"{len(rules)} rules"
        raise UsageError(Fault("--rule", f"an {way} rule of {named[0]}, from 0", f"{ref}: {has}"))
    return named[0], rules[ref.index]


def answer_rule(
    ref: RuleRef, policy: Policy, rule: Rule, cluster: Cluster, capture: Capture
) -> RuleAnswer:
    """Return what the rule rests on in the capture, and what else it admits."""
    inventory, edges = cluster.inventory, capture.settled
    screening = learn_edges(edges, inventory, Choices()).screening
    rows = _rows(ref, policy, inventory, Traffic.of(edges))
    admitted = find_cells(policy, ref, inventory, edges, screening)
    telling = Telling.of(edges)
    resting = [_resting(telling, row, screening) for row in rows if screening.ruled[row]]
    others = [_resting(telling, row, screening) for row in rows if not screening.ruled[row]]
    peers = edges.client_seen if ref.direction == "Ingress" else edges.server
    seen = {
        edges.endpoints[peers[row]].address
        for row in rows
        if edges.endpoints[peers[row]].kind is not Kind.POD
    }
    names = Names.of(find_roles(inventory, inventory.endpoints), node_subnets(inventory))
    return RuleAnswer(
        ref=ref,
        rule=rule,
        told=names.rule(rule, ref.namespace),
        subjects=subject_names(policy, inventory),
        source="the logs",
        edges=_ordered(resting),
        edge_count=len(resting),
        others=_ordered(others),
        cells=len(admitted.cells),
        unseen=admitted.unseen,
        addresses=count_addresses(rule),
        addresses_seen=len(seen),
        warnings=(*capture.warnings, *warnings_about(edges, inventory)),
    )


def _rows(ref: RuleRef, policy: Policy, inventory: Inventory, traffic: Traffic) -> Sequence[int]:
    """Return the rows that the rule admits."""
    compiled = compile_policies(
        PolicySet.of([policy]), traffic.endpoints, inventory.namespace_labels
    )
    found = admissions(compiled, traffic, ref.direction)
    rows: list[int] = np.unique(found.row[found.rule == found.refs.index(ref)]).tolist()
    return rows


def _resting(telling: Telling, row: int, screening: Screening) -> Resting:
    told: dict[str, Any] = telling.evidence(row)
    told.pop("one_day")
    return Resting(**told, screening=Screen(int(screening.status[row])).word)


def _ordered(edges: Sequence[Resting]) -> tuple[Resting, ...]:
    return tuple(sorted(edges, key=lambda one: (-one.records, one.client, one.server, one.port)))


def _with_evidence(answer: RuleAnswer, learned: Path) -> RuleAnswer:
    """Return the answer with what the learned folder says that the rule rests on."""
    path = learned / EVIDENCE
    ref = answer.ref
    try:
        policies = json.loads(path.read_text(encoding="utf-8"))["policies"]
        found = [
            one
            for policy in policies
            if (policy["namespace"], policy["policy"]) == (ref.namespace, ref.policy)
            for way in policy["directions"]
            if way["direction"] == ref.direction.value
            for one in way["rules"]
            if one["rule"] == str(answer.rule)
        ]
        return _told(answer, found[0]) if found else answer
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        expected = "the evidence that `synth learn` wrote"
        raise InputError(Fault(str(path), expected, f"{type(error).__name__}")) from error


def _told(answer: RuleAnswer, rule: Mapping[str, Any]) -> RuleAnswer:
    names = [one.name for one in fields(Resting) if one.name != "screening"]
    edges = [
        Resting(**{name: edge[name] for name in names}, screening=Screen.ACCEPTED.word)
        for edge in rule["edges"]
    ]
    known = {_contact(one) for one in edges}
    others = [one for one in (*answer.edges, *answer.others) if _contact(one) not in known]
    return replace(
        answer,
        source=EVIDENCE,
        declared=str(rule["declared"]),
        edges=_ordered(edges),
        edge_count=int(rule["edge_count"]),
        others=_ordered(others),
    )


def _contact(one: Resting) -> tuple[str, str, str, int]:
    return one.client, one.server, one.protocol, one.port
