"""``replay``: the verdict of every record under given policies."""

from dataclasses import dataclass, field

import numpy as np

from synth.commands.capture import Logs, read_capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import Cluster, named_blocks, open_cluster
from synth.commands.enforcement import check_name, review, settle
from synth.commands.host_pods import with_host_pods
from synth.dialects.decisions import read_unwanted
from synth.edges.schema import Edges
from synth.engines.local import Report
from synth.evaluator.options import BY_NAME, Choice, Options
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.model import Ranges
from synth.learner.model import Screen
from synth.learner.screen import screen, set_aside
from synth.policy.model import PolicySet
from synth.proof.choices import Comparison, compare
from synth.proof.matrix import replay_edges
from synth.proof.results import ReplayResult
from synth.reports.figures import protocol_name


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """What ``synth replay`` is asked; ``quarantine`` names traffic that is known to be unwanted.

    ``choices`` are names and values of what the API leaves open, ``compare`` names of choices.
    """

    flows: tuple[str, ...]
    cluster: tuple[str, ...]
    policies: tuple[str, ...]
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    quarantine: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    compare: tuple[str, ...] = ()
    threads: int = 1
    cni: str | None = None
    """The network plugin; None: the cluster files tell."""


def replay(request: ReplayRequest, progress: Report) -> ReplayResult:
    """Return the verdict of every record, crossed with what the screen says of it.

    Raises
    ------
    InputError
        If a file cannot be used.
    UsageError
        If no profile is named ``cni``.

    """
    check_name(request.cni)
    unwanted = read_unwanted(request.quarantine)
    progress("reading the cluster", 0, 1)
    cluster = open_cluster(
        request.cluster, request.ranges, request.policies, addresses=request.addresses
    )
    logs = Logs(request.flows, request.source, request.fields, request.threads)
    named = named_blocks(cluster.policies)
    capture = read_capture(logs, cluster.inventory, progress, named)
    progress("judging", 0, 1)
    enforcement = review(cluster.inventory, cluster.policies, request.cni)
    enforcement, options = settle(enforcement, request.choices)
    traffic = with_host_pods(Traffic.of(capture.settled), cluster.inventory)
    labels = cluster.inventory.namespace_labels
    verdicts = evaluate(cluster.policies, traffic, labels, options=options)
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
        options=options,
        enforcement=enforcement,
        choices=tuple(
            _compare(BY_NAME[name], options, cluster, capture.settled, traffic)
            for name in request.compare
        ),
        warnings=(
            *_warn_of_no_policy(request, cluster.policies),
            *capture.warnings,
            *warnings_about(capture.settled, cluster.inventory),
        ),
    )


def _compare(
    choice: Choice, options: Options, cluster: Cluster, edges: Edges, traffic: Traffic
) -> Comparison:
    labels = cluster.inventory.namespace_labels
    verdicts = {
        value: evaluate(
            cluster.policies, traffic, labels, options=options.choosing(choice.name, value)
        )
        for value in choice.values
    }
    return compare(choice, options.value(choice.name), edges, verdicts)


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
