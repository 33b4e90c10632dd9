"""``coverage``: how well policies cover the traffic there is."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from synth.cni.enforcement import Enforcement
from synth.commands.capture import Capture, Logs, read_capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import Cluster, named_blocks, open_cluster
from synth.commands.enforcement import check_name, review, settle
from synth.commands.host_pods import with_host_pods
from synth.edges.schema import Edges
from synth.engines.local import Report
from synth.evaluator.compile import Compiled, compile_policies
from synth.evaluator.connectivity import connect
from synth.evaluator.coverage import Figures, find_states
from synth.evaluator.options import Options
from synth.evaluator.over_permission import OverPermission, measure_over_permission
from synth.evaluator.traffic import Traffic
from synth.evaluator.usage import breadth, isolating_policies, rule_uses, rules_of, subjects
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.listeners import listeners
from synth.inventory.model import Inventory, Ranges
from synth.inventory.present import exists, list_present
from synth.inventory.volatile import without_volatile
from synth.policy.model import Direction, PolicySet
from synth.proof.coverage import CoverageResult, count_isolated, find_gaps


@dataclass(frozen=True, slots=True)
class CoverageRequest:
    """What ``synth coverage`` is asked; without ``policies``, those of the cluster files count."""

    flows: tuple[str, ...]
    cluster: tuple[str, ...]
    policies: tuple[str, ...] = ()
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    threads: int = 1
    cni: str | None = None
    """The network plugin; None: the cluster files tell."""
    choices: tuple[tuple[str, str], ...] = ()
    """Names and values of what the API leaves open."""


def coverage(request: CoverageRequest, progress: Report) -> CoverageResult:
    """Return how well the policies cover the traffic.

    Raises
    ------
    InputError
        If a file cannot be used.
    UsageError
        If no profile is named ``cni``.

    """
    check_name(request.cni)
    progress("reading the cluster", 0, 1)
    cluster = open_cluster(
        request.cluster, request.ranges, request.policies or None, addresses=request.addresses
    )
    logs = Logs(request.flows, request.source, request.fields, request.threads)
    capture = read_capture(logs, cluster.inventory, progress, named_blocks(cluster.policies))
    progress("judging", 0, 1)
    enforcement = review(cluster.inventory, cluster.policies, request.cni)
    return judge_coverage(cluster, capture, *settle(enforcement, request.choices))


def judge_coverage(
    cluster: Cluster, capture: Capture, enforcement: Enforcement, options: Options
) -> CoverageResult:
    """Return how well the cluster's policies, judged by the options, cover the captured traffic."""
    inventory, policies, edges = cluster.inventory, cluster.policies, capture.settled
    pods = count_pods(inventory)
    traffic = with_host_pods(Traffic.of(edges), inventory)
    compiled = compile_policies(
        policies, (*traffic.endpoints, *pods), inventory.namespace_labels, options
    )
    states = find_states(compiled, traffic)
    volume = edges.bytes_out + edges.bytes_back
    return CoverageResult(
        figures={scope: Figures.of(own, edges.records, volume) for scope, own in states.items()},
        pods=count_isolated(compiled, len(traffic.endpoints), list(pods.values())),
        rules=rule_uses(policies, compiled, traffic, edges.records),
        over_permission=_over_permission(inventory, policies, edges, options),
        gaps=find_gaps(edges, states),
        inputs=capture.inputs,
        policies=policies,
        skipped=capture.skipped,
        elsewhere=cluster.elsewhere,
        enforcement=enforcement,
        warnings=(
            *_warn_of_policies(policies, compiled, traffic, len(pods)),
            *_warn_of_breadth(policies),
            *capture.warnings,
            *warnings_about(edges, inventory),
        ),
    )


def count_pods(inventory: Inventory) -> Mapping[Endpoint, int]:
    """Return the pods that exist, alike in all that selectors see, and how many each stands for."""
    found = Counter(
        Endpoint(
            Kind.POD,
            pod.namespace,
            pod.workload,
            without_volatile(pod.labels, frozenset(inventory.mentioned)),
        )
        for pod in inventory.pods
        if exists(pod, inventory) and not pod.host_network
    )
    return {one: found[one] for one in sorted(found)}


def _over_permission(
    inventory: Inventory, policies: PolicySet, edges: Edges, options: Options
) -> OverPermission:
    present = list_present(inventory, inventory.separators)
    pods = tuple(dict.fromkeys(one.endpoint for one in present))
    declared = ((protocol, port) for _, _, protocol, port in listeners(inventory))
    return measure_over_permission(
        connect(policies, pods, inventory.namespace_labels, options=options),
        policies,
        edges,
        declared,
        inventory.ranges.pods,
    )


def _warn_of_policies(
    policies: PolicySet, compiled: Compiled, traffic: Traffic, pods: int
) -> Iterable[str]:
    """Yield the policies that select no pod, or isolate pods of which no traffic was seen."""
    if not len(policies):
        yield "no NetworkPolicy: nothing is isolated, so nothing is covered"
        return
    first = len(traffic.endpoints)
    theirs = np.arange(first, first + pods)
    for policy in policies:
        directions = [one for one in Direction if policy.rules(one) is not None]
        if not any(policy.key in isolating_policies(compiled, theirs, one) for one in directions):
            yield f"{policy} selects no pod that exists"
            continue
        silent = [
            one
            for one in directions
            if policy.key not in isolating_policies(compiled, subjects(traffic, one), one)
        ]
        if silent:
            words = " and ".join(one.lower() for one in silent)
            yield f"{policy} isolates pods whose {words} traffic was never seen"


def _warn_of_breadth(policies: PolicySet) -> Iterable[str]:
    for policy in policies:
        for ref, rule in rules_of(policy):
            words = breadth(rule)
            if words:
                yield f"{ref} is broad: it admits {' and '.join(words)}"
