"""Why one row is allowed or not: who isolates each side, who admits, and what came closest."""

import numpy as np

from synth.evaluator.admission import Queries
from synth.evaluator.admits import admissions, isolators
from synth.evaluator.compile import DEFAULT, Compiled, Namespaces, Options, compile_policies
from synth.evaluator.explanation import Doubt, Exemption, Explanation, Miss, Reason, Term
from synth.evaluator.ports import PROTOCOLS
from synth.evaluator.rows import ask, expand
from synth.evaluator.sides import Side
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import judge
from synth.inventory.endpoint import Kind
from synth.policy.model import Direction, PolicySet, Rule


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
    verdicts = judge(compiled, traffic_row)
    allowed = {
        Direction.EGRESS: bool(verdicts.egress_allowed[0]),
        Direction.INGRESS: bool(verdicts.ingress_allowed[0]),
    }
    egress, ingress = (
        _reason(compiled, policies, traffic_row, direction, allowed=allowed[direction])
        for direction in (Direction.EGRESS, Direction.INGRESS)
    )
    undetermined = bool(verdicts.undetermined[0])
    return Explanation(
        client=traffic_row.endpoints[traffic_row.client[0]],
        server=traffic_row.endpoints[traffic_row.server[0]],
        protocol=int(traffic_row.protocol[0]),
        port=int(traffic_row.port[0]),
        verdict="undetermined" if undetermined else "allowed" if verdicts.allowed[0] else "denied",
        egress=egress,
        ingress=ingress,
        doubts=_doubts(traffic_row) if undetermined else (),
    )


def _reason(
    compiled: Compiled,
    policies: PolicySet,
    traffic: Traffic,
    direction: Direction,
    *,
    allowed: bool,
) -> Reason:
    subject, peer = traffic.client[0], traffic.server[0]
    if direction is Direction.INGRESS:
        subject, peer = peer, traffic.client_seen[0]
    found = admissions(compiled, traffic, direction)
    admitted = tuple(sorted(found.refs[rule] for rule in found.rule))
    isolated = isolators(compiled, traffic, direction)[0]
    exemption = _exemption(compiled, traffic, direction, isolated=bool(isolated))
    asked = exemption is None and not admitted
    return Reason(
        direction=direction,
        subject=traffic.endpoints[subject],
        peer=traffic.endpoints[peer],
        allowed=allowed,
        exemption=exemption,
        isolated_by=isolated,
        admitted_by=admitted,
        closest=_closest(compiled, policies, traffic, direction) if asked else (),
    )


def _exemption(
    compiled: Compiled, traffic: Traffic, direction: Direction, *, isolated: bool
) -> Exemption | None:
    if not isolated:
        subject = traffic.client if direction is Direction.EGRESS else traffic.server
        kinds = {compiled.concrete[one].kind for one in compiled.choices[subject[0]]}
        return Exemption.NOT_ISOLATED if Kind.POD in kinds else Exemption.NO_POD
    if traffic.same_pod[0]:
        return Exemption.SAME_POD
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    exempt = ask(compiled, rows, direction).exempt
    return Exemption.OWN_NODE if len(rows) and exempt.all() else None


def _closest(
    compiled: Compiled, policies: PolicySet, traffic: Traffic, direction: Direction
) -> tuple[Miss, ...]:
    """Return the rules that fail on the fewest terms, of whichever candidate."""
    rows = expand(compiled, traffic, np.flatnonzero(traffic.decided))
    queries = ask(compiled, rows, direction).queries
    side = compiled.sides[direction]
    written = {policy.key: policy.rules(direction) or () for policy in policies}
    misses: dict[Miss, int] = {}
    for row in np.flatnonzero(queries.group >= 0):
        for number in side.rules[int(queries.group[row])].tolist():
            ref = side.refs[number]
            rule = written[ref.namespace, ref.policy][ref.index]
            met = _met(compiled, side, number, queries, row)
            met[Term.PROTOCOL] = _speaks_of(rule, int(traffic.protocol[0]))
            failed = next(term for term in Term if not met[term])
            misses[Miss(ref, failed, rule)] = sum(met.values())
    nearest = max(misses.values(), default=0)
    best = [miss for miss, terms in misses.items() if terms == nearest]
    return tuple(sorted(best, key=lambda miss: (miss.ref, miss.failed)))


def _met(
    compiled: Compiled, side: Side, rule: int, queries: Queries, row: np.intp
) -> dict[Term, bool]:
    peer, port = side.peers[rule : rule + 1], side.ports[rule : rule + 1]
    return {
        Term.PEER: bool(compiled.sure.peers.at(peer, queries.peer[row, None])[0]),
        Term.PORT: bool(compiled.sure.ports.at(port, queries.port[row, None])[0]),
    }


def _speaks_of(rule: Rule, protocol: int) -> bool:
    return any(term.protocol.number == protocol for term in rule.ports.terms)


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
