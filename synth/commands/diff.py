"""``diff``: what changes between two sets of policies."""

from dataclasses import dataclass, field
from pathlib import Path

from synth.commands.capture import Logs, read_capture
from synth.commands.cautions import warnings_about
from synth.commands.cluster import named_blocks, tell_apart
from synth.commands.enforcement import check_name, review, settle
from synth.commands.host_pods import with_host_pods
from synth.dialects.kubernetes.read import Policies, parse_policies, read_policies
from synth.engines.local import Report
from synth.errors import Fault, InputError, UsageError
from synth.evaluator.connectivity import connect
from synth.evaluator.diff import Edit
from synth.evaluator.options import Options
from synth.evaluator.outside import spans_of_networks
from synth.evaluator.reach import Reach
from synth.evaluator.reach_diff import Member, diff_connections
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.model import Inventory, Ranges
from synth.inventory.present import list_present
from synth.inventory.read import read_cluster
from synth.policy.model import PolicySet
from synth.proof.canonical import diff_policies
from synth.proof.diff import DiffResult, Judged, compare_verdicts, count_verdicts


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """What ``synth diff`` is asked: two files or folders, and what to judge them on."""

    old: str
    new: str
    cluster: tuple[str, ...] = ()
    flows: tuple[str, ...] = ()
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    threads: int = 1
    cni: str | None = None
    """The network plugin; None: the cluster files tell."""
    choices: tuple[tuple[str, str], ...] = ()
    """Names and values of what the API leaves open."""


@dataclass(frozen=True, slots=True)
class _Sides:
    """The policies in force before and after, those of the cluster that stay included."""

    old: PolicySet
    new: PolicySet
    beside: tuple[str, ...]

    @property
    def blocks(self) -> frozenset[str]:
        """The CIDRs that either side names."""
        return named_blocks((*self.old, *self.new))


def diff(request: DiffRequest, progress: Report) -> DiffResult:
    """Return what changes: in YAML; with a cluster, in connections; with flows, in verdicts.

    Raises
    ------
    UsageError
        If there are flows but no cluster, or no profile is named ``cni``.
    InputError
        If a file cannot be used.

    """
    if request.flows and not request.cluster:
        raise UsageError(Fault("--cluster", "what the cluster holds, to judge --flows", "nothing"))
    check_name(request.cni)
    old, new = read_both(request.old, request.new)
    elsewhere = tuple(sorted({str(one) for side in (old, new) for one in side.elsewhere}))
    edits = diff_policies(old.policies, new.policies)
    if not request.cluster:
        # Without a cluster, nothing but the user can say which plugin is meant.
        named = review(Inventory(), new.policies, request.cni).unjudged() if request.cni else None
        return DiffResult(request.old, request.new, edits, elsewhere=elsewhere, enforcement=named)
    progress("reading the cluster", 0, 1)
    inventory = read_cluster(request.cluster, ranges=request.ranges, addresses=request.addresses)
    own = parse_policies(inventory.policies, "cluster")
    sides = _sides(old.policies, new.policies, own.policies)
    inventory = tell_apart(inventory, (*sides.old, *sides.new))
    enforcement, options = settle(review(inventory, sides.new, request.cni), request.choices)
    judged, warnings = _judge(request, sides, inventory, options, progress)
    return DiffResult(
        old=request.old,
        new=request.new,
        policies=edits,
        connections=compare_connections(sides, inventory, options),
        judged=judged,
        beside=sides.beside,
        elsewhere=tuple(sorted({*elsewhere, *map(str, own.elsewhere)})),
        enforcement=enforcement,
        warnings=warnings,
    )


def read_both(old: str, new: str) -> tuple[Policies, Policies]:
    """Return the policies of both; a folder without policies is a set without policies.

    Raises
    ------
    InputError
        If a file of either cannot be used, with the faults of both.

    """
    faults: list[Fault] = []
    found = [_read(path, faults) for path in (old, new)]
    if faults:
        raise InputError(*dict.fromkeys(faults))
    return found[0], found[1]


def _read(path: str, faults: list[Fault]) -> Policies:
    try:
        return read_policies([Path(path)])
    except InputError as error:
        faults += error.faults
        return Policies()


def _sides(old: PolicySet, new: PolicySet, own: PolicySet) -> _Sides:
    """Return what is in force: the cluster's policies of other names hold before and after."""
    named = {policy.key for policy in (*old, *new)}
    beside = [policy for policy in own if policy.key not in named]
    return _Sides(
        PolicySet.of((*beside, *old)), PolicySet.of((*beside, *new)), tuple(map(str, beside))
    )


def compare_connections(
    sides: _Sides, inventory: Inventory, options: Options
) -> tuple[Edit[Reach], ...]:
    """Return the connections that differ between the pods there are, and with outside."""
    present = list_present(inventory, sides.blocks)
    endpoints = sorted({one.endpoint for one in present})
    number = {endpoint: at for at, endpoint in enumerate(endpoints)}
    members = [
        Member(number[one.endpoint], one.endpoint.name, one.pod, one.families) for one in present
    ]
    old, new = (
        connect(policies, endpoints, inventory.namespace_labels, options=options)
        for policies in (sides.old, sides.new)
    )
    hidden = spans_of_networks((*inventory.ranges.pods, *inventory.ranges.services))
    return diff_connections(old, new, members, hidden)


def _judge(
    request: DiffRequest,
    sides: _Sides,
    inventory: Inventory,
    options: Options,
    progress: Report,
) -> tuple[Judged | None, tuple[str, ...]]:
    if not request.flows:
        return None, inventory.warnings
    logs = Logs(request.flows, request.source, request.fields, request.threads)
    capture = read_capture(logs, inventory, progress, sides.blocks)
    progress("judging", 0, 1)
    edges = capture.settled
    traffic = with_host_pods(Traffic.of(edges), inventory)
    old, new = (
        evaluate(policies, traffic, inventory.namespace_labels, options=options)
        for policies in (sides.old, sides.new)
    )
    judged = Judged(
        old=count_verdicts(edges, old),
        new=count_verdicts(edges, new),
        changes=compare_verdicts(edges, old, new),
        inputs=capture.inputs,
        skipped=capture.skipped,
    )
    return judged, (*capture.warnings, *warnings_about(edges, inventory))
