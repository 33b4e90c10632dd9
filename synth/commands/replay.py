"""``replay``: the verdict of every record under given policies."""

from dataclasses import dataclass, field

import numpy as np

from synth.commands.capture import Logs, read_capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import named_blocks, open_cluster
from synth.dialects.decisions import read_unwanted
from synth.edges.schema import Edges
from synth.engines.local import Report
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.model import Ranges
from synth.learner.model import Screen
from synth.learner.screen import screen, set_aside
from synth.policy.model import PolicySet
from synth.proof.matrix import replay_edges
from synth.proof.results import ReplayResult
from synth.reports.figures import protocol_name


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What ``synth replay`` is asked; ``quarantine`` names traffic that is known to be unwanted."""

    flows: tuple[str, ...]
    cluster: tuple[str, ...]
    policies: tuple[str, ...]
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    quarantine: tuple[str, ...] = ()
    threads: int = 1


def replay(request: ReplayRequest, progress: Report) -> ReplayResult:
    """Return the verdict of every record, crossed with what the screen says of it.

    Raises
    ------
    InputError
        If a file cannot be used.

    """
    unwanted = read_unwanted(request.quarantine)
    progress("reading the cluster", 0, 1)
    cluster = open_cluster(
        request.cluster, request.ranges, request.policies, addresses=request.addresses
    )
    logs = Logs(request.flows, request.source, request.fields, request.threads)
    named = named_blocks(cluster.policies)
    capture = read_capture(logs, cluster.inventory, progress, named)
    progress("judging", 0, 1)
    traffic = Traffic.of(capture.settled)
    verdicts = evaluate(cluster.policies, traffic, cluster.inventory.namespace_labels)
    screening = screen(capture.settled, cluster.inventory)
    rows = [
        row
        for row in np.flatnonzero(~screening.is_(Screen.REJECTED)).tolist()
        if _contact(capture.settled, row) in unwanted
    ]
    screening = set_aside(screening, rows, "known to be unwanted")
    return ReplayResult(
        replay=replay_edges(capture.settled, screening, verdicts, capture.skipped),
        inputs=capture.inputs,
        policies=cluster.policies,
        elsewhere=cluster.elsewhere,
        warnings=(
            *_warn_of_no_policy(request, cluster.policies),
            *capture.warnings,
            *warnings_about(capture.settled, cluster.inventory),
        ),
    )


def _warn_of_no_policy(request: ReplayRequest, policies: PolicySet) -> tuple[str, ...]:
    if len(policies):
        return ()
    places = ", ".join(request.policies)
    return (f"no NetworkPolicy in {places}: nothing is isolated, so everything is allowed",)


def _contact(edges: Edges, row: int) -> tuple[str, str, str, int]:
    """Return the edge as the quarantine file names it."""
    return (
        edges.endpoints[edges.client[row]].name,
        edges.endpoints[edges.server[row]].name,
        protocol_name(int(edges.protocol[row])),
        int(edges.port[row]),
    )
