"""What the commands return: every report and output file is a reading of one of these."""

from dataclasses import dataclass, field
from enum import StrEnum

from synth.cni.enforcement import Enforcement
from synth.edges.parquet import Terms
from synth.edges.schema import Edges
from synth.evaluator.options import DEFAULT, Options
from synth.inventory.model import Inventory
from synth.learner.model import Learned
from synth.ledger import Ledger
from synth.policy.model import Direction, PolicySet
from synth.proof.choices import Comparison
from synth.proof.irredundance import Redundancy
from synth.proof.replay import Replay


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read: path as given, format, number of records, SHA-256 of its bytes."""

    path: str
    format: str
    records: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A state of the cluster on the way: the policies applied so far, and its replay.

    ``title`` says what is applied at this stage (ingress first, then egress).
    """

    title: str
    policies: PolicySet
    replay: Replay


class Loss(StrEnum):
    """What happens to a policy that an earlier run of synth left in the cluster."""

    ISOLATION = "isolation"
    """A direction that it isolates would be open again."""
    PODS = "pods"
    """Pods that it is about would not be any longer."""
    RULE = "rule"
    """What a rule of it admits would be denied."""
    NONE = "stays"
    """Nothing replaces it."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What applying the new policies takes from an applied one (or that it stays), in words.

    ``policy`` is ``namespace/name``; ``direction`` is None where both are meant; ``questions``
    are the keys of the open ones that the loss is due to.
    """

    policy: str
    loss: Loss
    direction: Direction | None
    told: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """Whether every learned part of the ready policies is needed.

    ``terms`` is their size (1 a rule, 1 a peer term, 1 a port term); ``redundant`` are the parts
    that could go without denying an accepted record, None if they are too many to be tried.
    """

    terms: int = 0
    redundant: tuple[Redundancy, ...] | None = None


@dataclass(frozen=True, slots=True)
class LearnResult:
    """What ``synth learn`` found.

    ``ledger`` counts every record under one outcome: the screening words, and the reasons of the
    records that became no edge; its total is the number of records read. ``edges`` are settled
    and in the order that ``learned.screening`` numbers. ``existing`` are the policies found in
    the cluster; ``replay`` judges existing - replaced + new. ``elsewhere`` names policies of
    kinds that synth does not evaluate. ``overridden`` are existing policies that still admit
    what the new ones would not. ``stages`` are the states to apply in order. ``replaces`` says
    what becomes of the policies of earlier runs.
    """

    learned: Learned
    edges: Edges
    inventory: Inventory
    ledger: Ledger
    replay: Replay
    inputs: tuple[InputFile, ...]
    folded: Edges = field(default_factory=Edges.empty)
    """The edges before settling, which merge with other days'."""
    skipped: Ledger = field(default_factory=Ledger)
    """The records that became no edge."""
    existing: PolicySet = field(default_factory=PolicySet)
    elsewhere: tuple[str, ...] = ()
    overridden: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    warnings: tuple[str, ...] = ()
    terms: Terms = field(default_factory=Terms)
    """What the endpoints of ``folded`` are told apart by."""
    replaces: tuple[Replaced, ...] = ()
    need: Need = field(default_factory=Need)
    enforcement: Enforcement = field(default_factory=Enforcement)
    """What the cluster's network plugin makes of the policies, ready and pending."""

    @property
    def blocked(self) -> int:
        """Accepted records that the policies would deny; anything but 0 stops learning."""
        return self.replay.blocked


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What ``synth replay`` found: the verdict of every record under the given policies.

    ``options`` say how it was decided what the API leaves open, ``choices`` what depends on those
    of them that were compared.
    """

    replay: Replay
    inputs: tuple[InputFile, ...]
    policies: PolicySet
    elsewhere: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    options: Options = DEFAULT
    choices: tuple[Comparison, ...] = ()
    enforcement: Enforcement = field(default_factory=Enforcement)
    """What the cluster's network plugin makes of the policies."""
