"""What the commands return: every report and output file is a reading of one of these."""

from dataclasses import dataclass, field

from synth.edges.schema import Edges
from synth.inventory.model import Inventory
from synth.learner.model import Learned
from synth.ledger import Ledger
from synth.policy.model import PolicySet
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


@dataclass(frozen=True, slots=True)
class LearnResult:
    """What ``synth learn`` found.

    ``ledger`` counts every record under one outcome: the screening words, and the reasons of the
    records that became no edge; its total is the number of records read. ``edges`` are settled
    and in the order that ``learned.screening`` numbers. ``existing`` are the policies found in
    the cluster; ``replay`` judges existing - replaced + new. ``elsewhere`` names policies of
    kinds that synth does not evaluate. ``overridden`` are existing policies that still admit
    what the new ones would not. ``stages`` are the states to apply in order.
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

    @property
    def blocked(self) -> int:
        """Accepted records that the policies would deny; anything but 0 stops learning."""
        return self.replay.blocked


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What ``synth replay`` found: the verdict of every record under the given policies."""

    replay: Replay
    inputs: tuple[InputFile, ...]
    policies: PolicySet
    elsewhere: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
