"""``explain --denied``: what a denial log holds, and the rules that are missing."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synth.commands.cautions import warnings_about
from synth.commands.cluster import Cluster
from synth.commands.denied_rows import Denied, Rows, read_denied, spread
from synth.commands.explain_reading import Reading, open_world, read_flows
from synth.commands.missing_rules import Missing, Workbench
from synth.commands.scans import find_scans
from synth.dialects.kubernetes.write import to_yaml
from synth.edges.schema import NEVER, Edges
from synth.engines.local import Report
from synth.evaluator.admits import isolators
from synth.evaluator.compile import compile_policies
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import Verdicts, evaluate
from synth.learner.questions import contact_text
from synth.learner.workloads import identity
from synth.policy.model import Direction, PolicySet
from synth.proof.explained import DenialAnswer, DeniedContact, Proposal, ProposedRule
from synth.reports.figures import protocol_name
from synth.reports.paths import relative_names

EXAMPLES_KEPT = 3
MOST_FREED = 100
"""Of more observed edges that proposals would free, so many are told."""


@dataclass(frozen=True, slots=True)
class DeniedRequest:
    """Denial logs; the flows of ``reading``, if any, are what else was observed."""

    logs: tuple[str, ...]
    reading: Reading


def explain_denied(request: DeniedRequest, progress: Report) -> DenialAnswer:
    """Return the verdict on each denied contact, and the rules that are missing.

    Raises
    ------
    InputError
        If a file cannot be used.

    """
    cluster = open_world(request.reading, progress)
    denied = read_denied(request.logs, cluster.inventory, progress)
    observed = Edges.empty()
    if request.reading.flows:
        observed = read_flows(request.reading, cluster, progress).settled
    progress("judging", 0, 1)
    return answer_denied(denied, cluster, observed)


def answer_denied(denied: Denied, cluster: Cluster, observed: Edges) -> DenialAnswer:
    """Return the answer; ``observed`` are settled edges that proposals should leave as they are."""
    inventory, policies = cluster.inventory, cluster.policies
    rows = spread(denied.edges, inventory)
    verdicts = evaluate(policies, rows.traffic, inventory.namespace_labels)
    scans = find_scans(rows, inventory)
    bench = Workbench(inventory, policies, scans)
    missing = bench.find(rows, verdicts)
    telling = _Telling(denied.edges, rows, verdicts, relative_names(denied.edges.files))
    return DenialAnswer(
        contacts=tuple(_contacts(telling, cluster, missing)),
        proposals=tuple(_proposals(telling, missing, bench)),
        scans={
            rows.ends(row)[0].name: scans[identity(rows.ends(row)[0])]
            for row in range(len(rows))
            if identity(rows.ends(row)[0]) in scans
        },
        packets=int(denied.edges.records.sum()),
        skipped=denied.skipped,
        inputs=denied.inputs,
        policies=policies,
        freed=tuple(_freed(rows, missing, cluster, observed)),
        warnings=warnings_about(denied.edges, inventory) if len(denied.edges) else (),
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    """Rows, the edges that they stand for, and the verdicts on them."""

    edges: Edges
    rows: Rows
    verdicts: Verdicts
    names: Mapping[str, str]

    def verdict(self, row: int) -> str:
        if self.verdicts.undetermined[row]:
            return "undetermined"
        return "allowed" if self.verdicts.allowed[row] else "denied"

    def packets(self, rows: Sequence[int]) -> int:
        edges = {self.rows.edge[row] for row in rows}
        return int(self.edges.records[sorted(edges)].sum())

    def example(self, row: int) -> str:
        file, line = self.edges.example_of(self.rows.edge[row])
        return f"{self.names[file]}:{line}"


def _contacts(telling: _Telling, cluster: Cluster, missing: Missing) -> Iterator[DeniedContact]:
    """Yield the rows by who, whom and what, most packets first."""
    rows = telling.rows
    groups: dict[tuple[str, str, str, int, str, str], list[int]] = defaultdict(list)
    for row in range(len(rows)):
        client, server = rows.ends(row)
        protocol = protocol_name(int(rows.traffic.protocol[row]))
        port = int(rows.traffic.port[row])
        own = rows.service[row], telling.verdict(row)
        groups[client.name, server.name, protocol, port, *own].append(row)
    compiled = compile_policies(
        cluster.policies, rows.traffic.endpoints, cluster.inventory.namespace_labels
    )
    isolated = {way: isolators(compiled, rows.traffic, way) for way in Direction}
    found = [
        _contact(telling, key, some, isolated, missing) for key, some in sorted(groups.items())
    ]
    yield from sorted(found, key=lambda one: -one.packets)


def _contact(
    telling: _Telling,
    key: tuple[str, str, str, int, str, str],
    rows: Sequence[int],
    isolated: Mapping[Direction, Sequence[tuple[tuple[str, str], ...]]],
    missing: Missing,
) -> DeniedContact:
    edges, verdicts = telling.edges, telling.verdicts
    client, server, protocol, port, service, verdict = key
    own = sorted({telling.rows.edge[row] for row in rows if telling.rows.leads[row]})
    of = sorted({telling.rows.edge[row] for row in rows})
    timed = [row for row in of if edges.first[row] != NEVER]
    allowed = {
        Direction.EGRESS: verdicts.egress_allowed,
        Direction.INGRESS: verdicts.ingress_allowed,
    }
    refused = sorted({missing.refused[row] for row in rows if row in missing.refused})
    slots = {slot for row in rows for slot in missing.wanted.get(row, ())}
    return DeniedContact(
        client=client,
        server=server,
        protocol=protocol,
        port=port,
        packets=int(edges.records[own].sum()),
        reported={
            "egress": int(edges.opened_at_client[own].sum()),
            "ingress": int(edges.opened_at_server[own].sum()),
            "unknown": int(edges.opened_unplaced[own].sum()),
        },
        first=min((int(edges.first[row]) for row in timed), default=None),
        last=max((int(edges.last[row]) for row in timed), default=None),
        example=telling.example(rows[0]),
        verdict=verdict,
        denied_by={
            way: tuple(sorted({"/".join(name) for row in rows for name in isolated[way][row]}))
            for way in Direction
            if verdict == "denied" and not all(allowed[way][row] for row in rows)
        },
        service=service,
        unproposed="; ".join(refused) or _UNPROPOSED.get(verdict, ""),
        proposals=tuple(sorted(str(missing.additions[slot]) for slot in slots)),
    )


_UNPROPOSED = {
    "allowed": "these policies let it through: others denied it, or it came late",
    "undetermined": "who opened it, or who held the address, cannot be told",
}


def _proposals(telling: _Telling, missing: Missing, bench: Workbench) -> Iterator[Proposal]:
    for slot, policy in missing.additions.items():
        rules = tuple(
            ProposedRule(
                direction=way,
                rule=one.rule,
                told=bench.told(one.rule, policy.namespace),
                packets=telling.packets(one.edges),
                examples=tuple(sorted({telling.example(row) for row in one.edges}))[:EXAMPLES_KEPT],
            )
            for way, one in missing.rules[slot]
        )
        yield Proposal(policy, to_yaml(policy), rules, outside=slot[1])


def _freed(rows: Rows, missing: Missing, cluster: Cluster, observed: Edges) -> Iterator[str]:
    """Yield what the additions let through besides what they are for."""
    if not missing.additions:
        return
    more = PolicySet.of([*cluster.policies, *missing.additions.values()])
    told = _changed(cluster, more, rows.traffic)
    for row in np.flatnonzero(told).tolist():
        if row not in missing.wanted:
            client, server = rows.ends(row)
            port = f"{protocol_name(int(rows.traffic.protocol[row]))} {rows.traffic.port[row]}"
            yield f"{client.name} → {server.name} {port} (denied in the log)"
    if len(observed):
        changed = _changed(cluster, more, Traffic.of(observed))
        wanted = {_key(rows.traffic, row) for row in missing.wanted}
        traffic = Traffic.of(observed)
        for row in np.flatnonzero(changed).tolist()[:MOST_FREED]:
            if _key(traffic, row) not in wanted:
                yield f"{contact_text(observed, row)} (in the flows)"


def _changed(cluster: Cluster, more: PolicySet, traffic: Traffic) -> NDArray[np.bool_]:
    """Return bool[n]: what the policies do not let through, and more of them do."""
    labels = cluster.inventory.namespace_labels
    before, after = (evaluate(one, traffic, labels) for one in (cluster.policies, more))
    return np.asarray(after.allowed & ~before.allowed)


def _key(traffic: Traffic, row: int) -> tuple[str, str, int, int]:
    ends = traffic.endpoints
    return (
        ends[traffic.client[row]].name,
        ends[traffic.server[row]].name,
        int(traffic.protocol[row]),
        int(traffic.port[row]),
    )
