"""``learn``: from logs and a cluster to policies, proof and questions, written whole."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from synth.commands.capture import Capture, Logs, read_capture
from synth.commands.cautions import warn_of_short_capture, warn_of_unused, warnings_about
from synth.commands.cluster import Cluster, named_blocks, open_cluster
from synth.commands.enforcement import check_name, review
from synth.commands.need import find_need
from synth.commands.replacement import find_replaced, is_ours
from synth.dialects.decisions import read_answers
from synth.dialects.kubernetes.names import policy_name
from synth.engines.local import Report
from synth.errors import Fault, InputError, SynthError
from synth.evaluator.members import members
from synth.evaluator.traffic import Traffic
from synth.evaluator.verdicts import evaluate
from synth.inventory.endpoint import Kind
from synth.inventory.model import Inventory, Ranges
from synth.learner.learn import Choices
from synth.learner.learn import learn as learn_edges
from synth.learner.model import Answer, Learned
from synth.outputs.folder import write_learned
from synth.policy.model import PolicySet
from synth.proof.certificates import check_selectors
from synth.proof.matrix import replay_edges, screening_ledger
from synth.proof.replay import Replay
from synth.proof.results import LearnResult, Stage


@dataclass(frozen=True, slots=True)
class LearnRequest:
    """What ``synth learn`` is asked."""

    flows: tuple[str, ...]
    cluster: tuple[str, ...]
    out: Path
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    assume: Answer | None = None
    external: str = "exact"
    include_system: bool = False
    threads: int = 1
    cni: str | None = None
    """The network plugin; None: the cluster files tell."""


def learn(request: LearnRequest, progress: Report) -> LearnResult:
    """Return what was learned, after writing it to ``request.out``.

    If an accepted record would be denied, nothing is written; ``blocked`` counts them.

    Raises
    ------
    InputError
        If a file cannot be used, or nothing at all can be learned.
    UsageError
        If the target folder holds what synth did not write, or no profile is named ``cni``.

    """
    check_name(request.cni)
    answers = read_answers(request.accept, Answer)
    progress("reading the cluster", 0, 1)
    cluster = open_cluster(request.cluster, request.ranges, addresses=request.addresses)
    logs = Logs(request.flows, request.source, request.fields, request.threads)
    named = named_blocks(cluster.policies)
    capture = read_capture(logs, cluster.inventory, progress, named)
    progress("learning", 0, 1)
    choices = Choices(answers, request.assume, request.include_system, _namer(cluster.policies))
    learned = learn_edges(capture.settled, cluster.inventory, choices)
    _refuse_nothing(learned, capture, cluster.inventory)
    progress("proving", 0, 1)
    policies = learned.policies.replaced_by(learned.pending)
    result = replace(
        _prove(learned, capture, cluster, choices),
        # Judged as most plugins do: what this one does otherwise is in the shortfalls.
        enforcement=review(cluster.inventory, policies, request.cni).unjudged(),
    )
    if not result.blocked:
        write_learned(result, request.out)
    return result


def _namer(existing: PolicySet) -> Callable[[str, str], str]:
    """Return what names a policy: the role's name, unless somebody else's policy has it."""

    def name(namespace: str, wanted: str) -> str:
        taken = {
            policy.name
            for policy in existing
            if policy.namespace == namespace and not is_ours(policy)
        }
        return policy_name(wanted, taken)

    return name


def _prove(learned: Learned, capture: Capture, cluster: Cluster, choices: Choices) -> LearnResult:
    faults = check_selectors(learned.roles, cluster.inventory)
    if faults:
        raise SynthError(*faults)
    traffic = Traffic.of(capture.settled)

    def replayed(policies: PolicySet) -> Replay:
        verdicts = evaluate(policies, traffic, cluster.inventory.namespace_labels)
        return replay_edges(capture.settled, learned.screening, verdicts, capture.skipped)

    stages = tuple(
        Stage(title, policies, replayed(cluster.policies.replaced_by(policies)))
        for title, policies in _stages(learned.policies)
    )
    return LearnResult(
        learned=learned,
        edges=capture.settled,
        folded=capture.folded,
        skipped=capture.skipped,
        inventory=cluster.inventory,
        ledger=screening_ledger(capture.settled, learned.screening, capture.skipped),
        replay=stages[-1].replay,
        inputs=capture.inputs,
        existing=cluster.policies,
        elsewhere=cluster.elsewhere,
        overridden=_overridden(learned, cluster),
        stages=stages,
        warnings=(
            *capture.warnings,
            *warnings_about(capture.settled, cluster.inventory),
            *warn_of_short_capture(capture.settled),
            *warn_of_unused(choices.answers, learned.questions),
            *learned.warnings,
        ),
        terms=capture.terms,
        replaces=find_replaced(cluster.policies, learned, cluster.inventory),
        need=find_need(learned, capture.settled, cluster.inventory),
    )


def _stages(policies: PolicySet) -> tuple[tuple[str, PolicySet], ...]:
    """Return the states to apply in order: ingress first, then all."""
    ingress = PolicySet.of(
        replace(policy, egress=None) for policy in policies if policy.ingress is not None
    )
    return ("ingress only", ingress), ("ingress and egress", policies)


def _overridden(learned: Learned, cluster: Cluster) -> tuple[str, ...]:
    """Return the policies that stay and also admit to a learned subject: policies only add up."""
    replaced = {policy.key for policy in learned.policies}
    found = set()
    for policy in cluster.policies:
        if policy.key in replaced:
            continue
        picked = members(policy.pods, policy.namespace, cluster.inventory.endpoints)
        subjects = {cluster.inventory.endpoints[number] for number in picked}
        for subject in learned.subjects:
            own = (subject.role.namespace, subject.role.workloads[0])
            if (
                subject.ready
                and policy.rules(subject.direction)
                and any((one.namespace, one.workload) == own for one in subjects)
            ):
                found.add(f"{policy} still admits its own {subject.direction} for {subject.role}")
    return tuple(sorted(found))


def _refuse_nothing(learned: Learned, capture: Capture, inventory: Inventory) -> None:
    """Raise if there is nothing to propose and nothing to ask, naming the likeliest cause."""
    if learned.subjects or learned.questions:
        return
    edges = capture.settled
    pods = np.array([one.kind is Kind.POD for one in edges.endpoints], np.bool_)
    known = int(edges.records[pods[edges.client] | pods[edges.server]].sum()) if len(edges) else 0
    place = ", ".join(file.path for file in capture.inputs)
    total = known + capture.skipped.total if not len(edges) else int(edges.records.sum())
    if not known:
        got = f"0 of {total:,} records with an address of one of {len(inventory.pods):,} pods"
        remedy = "Are the cluster files of the same cluster, and of the time of the capture?"
    else:
        got = f"{known:,} records with a pod, none of which the screen accepted"
        remedy = "Run `synth describe` on the logs: answers may be missing from them."
    raise InputError(Fault(place, "traffic to learn from", got, remedy))
