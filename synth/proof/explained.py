"""What ``explain`` found: for a flow, a record, a rule, or a denial log."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from synth.evaluator.explanation import Explanation
from synth.evaluator.sides import RuleRef
from synth.inventory.endpoint import Endpoint
from synth.ledger import Ledger
from synth.policy.model import Direction, Policy, PolicySet, Rule
from synth.proof.results import InputFile


@dataclass(frozen=True, slots=True)
class Variant:
    """Other pods of the same workloads, for which the answer is another.

    ``client`` and ``server`` say how they differ from those explained, empty where they do not.
    """

    client: str
    server: str
    verdict: str


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """Why a flow is allowed or denied; ``notes`` say what was taken for what."""

    explanation: Explanation
    notes: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who held an address about the time of a record: a pod, or a node.

    Times are microseconds since 1970 UTC; None is unbounded.
    """

    name: str
    workload: str
    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class Held:
    """One address of a record: what it is for, who it was, and who may have held it.

    ``certainty`` is ``exact``, ``ambiguous`` or ``unknown``.
    """

    part: str
    address: str
    endpoint: Endpoint
    certainty: str
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """A record, step by step.

    ``skipped`` is the outcome of a record that became no edge; the rest is empty then.
    ``says`` are the record's fields in words. ``own_rung`` is the evidence of its direction in the
    record and the cluster alone; without, ``rungs`` are what the whole capture settled it by.
    ``edge`` is the settled edge's evidence, ``screening`` and ``reason`` the screen's judgement.
    """

    file: str
    row: int
    format: str
    text: str
    skipped: str = ""
    says: tuple[tuple[str, str], ...] = ()
    held: tuple[Held, ...] = ()
    own_rung: int = 0
    rungs: tuple[int, ...] = ()
    edge: Mapping[str, object] = field(default_factory=dict)
    told: str = ""
    screening: str = ""
    reason: str = ""
    explanation: Explanation | None = None
    inputs: tuple[InputFile, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resting:
    """One edge that a rule admits, in words, and when it was seen."""

    client: str
    server: str
    protocol: str
    port: int
    records: int
    connections: int | None
    first_seen: str | None
    last_seen: str | None
    example: str
    screening: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A client, a server and a port between them."""

    client: str
    server: str
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """A rule, what it rests on, and what else it admits.

    ``edges`` are the accepted edges that it admits, most records first, ``edge_count`` how many
    there are; ``others`` the edges that it admits and the screen did not accept. ``unseen`` are
    the cells among known clients, servers and ports that it admits and nobody was ever seen to
    use, out of ``cells``; None where no traffic was given. ``addresses`` counts those that its
    blocks admit, ``addresses_seen`` those among them that were seen.
    """

    ref: RuleRef
    rule: Rule
    told: str
    subjects: tuple[str, ...]
    source: str
    declared: str = ""
    edges: tuple[Resting, ...] = ()
    edge_count: int = 0
    others: tuple[Resting, ...] = ()
    cells: int = 0
    unseen: tuple[Cell, ...] | None = None
    addresses: int = 0
    addresses_seen: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """The records of the edges that are told."""
        return sum(one.records for one in self.edges)


@dataclass(frozen=True, slots=True)
class DeniedContact:
    """One client, server, protocol and port of a denial log.

    ``reported`` counts the packets by the side that denied them, as far as the log tells:
    ``egress``, ``ingress`` or ``unknown``. ``verdict`` is that of the given policies; ``denied_by``
    maps each direction that they deny to the policies that isolate it. ``service`` is the Service
    that the client asked for, if the log tells of no pod. ``proposals`` name the policies that
    would let it through; ``unproposed`` says why there are none.
    """

    client: str
    server: str
    protocol: str
    port: int
    packets: int
    reported: Mapping[str, int]
    first: int | None
    last: int | None
    example: str
    verdict: str
    denied_by: Mapping[Direction, tuple[str, ...]]
    service: str = ""
    unproposed: str = ""
    proposals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedRule:
    """A missing rule: its policy, direction, words and evidence."""

    direction: Direction
    rule: Rule
    told: str
    packets: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy that would let denied packets through; policies add up, so it changes no other.

    ``outside`` is whether its rules are for clients outside the cluster.
    """

    policy: Policy
    yaml: str
    rules: tuple[ProposedRule, ...]
    outside: bool = False


@dataclass(frozen=True, slots=True)
class DenialAnswer:
    """A denial log: its contacts, most packets first, and the missing rules.

    ``packets`` is what was read as denied; with ``skipped`` it adds up to ``records``. ``scans``
    are clients for which nothing is proposed, with the number of ports they were denied. ``freed``
    are observed edges, in words, that the proposals would let through besides the denials.
    """

    contacts: tuple[DeniedContact, ...]
    proposals: tuple[Proposal, ...]
    scans: Mapping[str, int]
    packets: int
    skipped: Ledger
    inputs: tuple[InputFile, ...]
    policies: PolicySet
    freed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def records(self) -> int:
        """All lines read."""
        return self.packets + self.skipped.total
