"""Who is judged: the learner, the oracle that bounds it, and the baselines it must beat."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.judge.baselines.greedy import propose_greedy
from benchmarks.judge.baselines.label_copy import propose_label_copy
from benchmarks.judge.baselines.label_intersection import propose_label_intersection
from benchmarks.judge.baselines.namespace import propose_namespace
from benchmarks.judge.baselines.owner import propose_owner
from benchmarks.judge.baselines.timers import propose_10m, propose_24h, propose_30d
from benchmarks.judge.case import Prepared
from benchmarks.judge.learners import propose_oracle, propose_ready, propose_synth
from benchmarks.judge.proposal import Proposal

ORACLE = "oracle"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way from logs to policies; ``told`` says in a line what it does."""

    name: str
    told: str
    propose: Callable[[Prepared], Proposal]


CONTESTANTS: Mapping[str, Contestant] = {
    one.name: one
    for one in (
        Contestant("synth", "the learner; every question refused", propose_synth),
        Contestant("synth-ready", "the learner; what is ready without an answer", propose_ready),
        Contestant(ORACLE, "the learner, given true roles, labels and answers", propose_oracle),
        Contestant("greedy", "the learner's edges, rules by greedy cover", propose_greedy),
        Contestant("owner", "one policy per owner, every answered contact", propose_owner),
        Contestant("label-copy", "selectors copy all labels", propose_label_copy),
        Contestant(
            "label-intersection", "peers merged by shared labels", propose_label_intersection
        ),
        Contestant("namespace", "whole namespaces, every port", propose_namespace),
        Contestant("timer-10m", "owner, until ten minutes bring nothing new", propose_10m),
        Contestant("timer-24h", "owner, the last 24 hours", propose_24h),
        Contestant("timer-30d", "owner, the last 30 days", propose_30d),
    )
}
