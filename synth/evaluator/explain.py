"""Why one row is allowed or not: who isolates each side, who admits, and what came closest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from synth.evaluator.admits import admissions, isolators
from synth.evaluator.compile import Compiled, Namespaces, compile_policies
from synth.evaluator.explanation import Doubt, Exemption, Explanation, Miss, Reason
from synth.evaluator.failures import Contact, Setting, peer_failure, port_failures
from synth.evaluator.options import DEFAULT, Options
from synth.evaluator.ports import PROTOCOLS
from synth.evaluator.rows import ask, expand
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import judge
from synth.inventory.endpoint import Kind
from synth.policy.model import Direction, PolicySet


@dataclass(frozen=True, slots=True)
class _Case:
    """One row, and the policies that judge it."""

    policies: PolicySet
    traffic: Traffic
    namespaces: Namespaces
    options: Options
    compiled: Compiled


def explain(
    policies: PolicySet,
    traffic_row: Traffic,
    namespaces: Namespaces,
    *,
    options: Options = DEFAULT,
) -> Explanation:
    """Return why the one row of the traffic is allowed, denied or undetermined.

    Raises
    ------
    ValueError
        If the traffic has not exactly one row.

    """
    if len(traffic_row) != 1:
        raise ValueError(f"one row can be explained at a time, not {len(traffic_row)}")
    compiled = compile_policies(policies, traffic_row.endpoints, namespaces, options)
    case = _Case(policies, traffic_row, namespaces, options, compiled)
    verdicts = judge(compiled, traffic_row)
    undetermined = bool(verdicts.undetermined[0])
    return Explanation(
        client=traffic_row.endpoints[traffic_row.client[0]],
        server=traffic_row.endpoints[traffic_row.server[0]],
        protocol=int(traffic_row.protocol[0]),
        port=int(traffic_row.port[0]),
        verdict="undetermined" if undetermined else "allowed" if verdicts.allowed[0] else "denied",
        egress=_reason(case, Direction.EGRESS, allowed=bool(verdicts.egress_allowed[0])),
        ingress=_reason(case, Direction.INGRESS, allowed=bool(verdicts.ingress_allowed[0])),
        doubts=_doubts(traffic_row) if undetermined else (),
    )


def _reason(case: _Case, direction: Direction, *, allowed: bool) -> Reason:
    traffic = case.traffic
    subject, peer = traffic.client[0], traffic.server[0]
    if direction is Direction.INGRESS:
        subject, peer = peer, traffic.client_seen[0]
    found = admissions(case.compiled, traffic, direction)
    admitted = tuple(sorted(found.refs[rule] for rule in found.rule))
    isolated = isolators(case.compiled, traffic, direction)[0]
    exemption = _exemption(case, direction, isolated=bool(isolated))
    asked = exemption is None and not admitted
    return Reason(
        direction=direction,
        subject=traffic.endpoints[subject],
        peer=traffic.endpoints[peer],
        allowed=allowed,
        exemption=exemption,
        isolated_by=isolated,
        admitted_by=admitted,
        closest=_closest(case, direction) if asked else (),
    )


def _exemption(case: _Case, direction: Direction, *, isolated: bool) -> Exemption | None:
    compiled, traffic = case.compiled, case.traffic
    if not isolated:
        subject = traffic.client if direction is Direction.EGRESS else traffic.server
        kinds = {compiled.concrete[one].kind for one in compiled.choices[subject[0]]}
        return Exemption.NOT_ISOLATED if Kind.POD in kinds else Exemption.NO_POD
    if traffic.same_pod[0]:
        return Exemption.SAME_POD
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    exempt = ask(compiled, rows, direction).exempt
    return Exemption.OWN_NODE if len(rows) and exempt.all() else None


def _closest(case: _Case, direction: Direction) -> tuple[Miss, ...]:
    """Return the rules that fail on the fewest terms, of whichever candidate."""
    misses = set(_misses(case, direction))
    nearest = min((len(miss.failures) for miss in misses), default=0)
    best = [miss for miss in misses if len(miss.failures) == nearest]
    return tuple(sorted(best, key=lambda miss: (miss.ref, miss.failures)))


def _misses(case: _Case, direction: Direction) -> Iterator[Miss]:
    """Yield every rule of the isolating policies, once for each candidate it does not admit."""
    compiled, traffic = case.compiled, case.traffic
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    queries = ask(compiled, rows, direction).queries
    side, peers = compiled.sides[direction], compiled.sure.peers
    seen = rows.server if direction is Direction.EGRESS else rows.seen
    written = {policy.key: policy.rules(direction) or () for policy in case.policies}
    for row in np.flatnonzero(queries.group >= 0):
        ends = compiled.concrete[seen[row]], compiled.concrete[rows.server[row]]
        contact = Contact(*ends, int(traffic.protocol[0]), int(traffic.port[0]))
        for number in side.rules[int(queries.group[row])].tolist():
            ref = side.refs[number]
            rule = written[ref.namespace, ref.policy][ref.index]
            setting = Setting(ref.namespace, case.namespaces, case.options)
            among = peers.at(side.peers[number : number + 1], queries.peer[row, None])[0]
            failed = () if among else (peer_failure(rule, contact, setting),)
            yield Miss(ref, (*failed, *port_failures(rule, contact)), rule)


def _doubts(traffic: Traffic) -> tuple[Doubt, ...]:
    if not traffic.decided[0]:
        return (Doubt.DIRECTION,)
    ends = (traffic.client[0], traffic.client_seen[0], traffic.server[0])
    doubts = []
    if traffic.protocol[0] not in {protocol.number for protocol in PROTOCOLS}:
        doubts.append(Doubt.PROTOCOL)
    if any(traffic.endpoints[end].kind is Kind.AMBIGUOUS for end in ends):
        doubts.append(Doubt.AMBIGUOUS)
    return tuple(doubts or [Doubt.ADDRESS])
