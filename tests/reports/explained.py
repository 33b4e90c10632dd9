"""Answers of ``explain``, built by hand: a record, a rule and a denial log."""

from dataclasses import replace

from synth.evaluator.explanation import Explanation
from synth.evaluator.sides import RuleRef
from synth.inventory.endpoint import Endpoint, Kind
from synth.ledger import Ledger
from synth.policy import Policy, PolicySet
from synth.proof.explained import (
    Cell,
    DenialAnswer,
    DeniedContact,
    Held,
    Holder,
    Proposal,
    ProposedRule,
    RecordAnswer,
    Resting,
    RuleAnswer,
)
from synth.proof.results import InputFile
from tests.reports import sample

EITHER = Endpoint(
    Kind.AMBIGUOUS,
    address="10.1.1.9",
    candidates=(sample.pods("shop", "api"), sample.pods("shop", "web")),
)
LINE = "[1790000000.000000] [NEW] ipv4 2 tcp 6 120 SYN_SENT src=10.1.1.9 dst=10.1.2.1"


def record(explanation: Explanation) -> RecordAnswer:
    """Return a record of an address that changed hands."""
    return RecordAnswer(
        file="logs/node1.log",
        row=7,
        format="conntrack-text",
        text=LINE,
        says=(("time", "2026-09-21T14:13:20Z"), ("protocol", "TCP"), ("outcome", "answered")),
        held=(
            Held(
                "sender",
                "10.1.1.9",
                EITHER,
                "ambiguous",
                (
                    Holder("shop/web-0", "Deployment/web", None, sample.START),
                    Holder("shop/api-0", "Deployment/api", sample.START, None),
                ),
            ),
            Held("receiver", "10.1.2.1", sample.pods("shop", "db"), "exact"),
        ),
        rungs=(4, 7),
        edge={
            "records": 1_238,
            "connections": None,
            "first_seen": "2026-09-21T14:13:20Z",
            "last_seen": "2026-09-21T15:13:20Z",
            "example": "node1.log:7",
        },
        told="shop/api or shop/web → shop/db TCP 3306",
        screening="unresolved",
        reason="the address changed hands about that time",
        explanation=explanation,
        warnings=("the cluster files do not cover the whole capture",),
    )


def skipped() -> RecordAnswer:
    """Return a record that became no edge."""
    return RecordAnswer("logs/node1.log", 8, "conntrack-text", "junk", "malformed: bad address")


def rule() -> RuleAnswer:
    """Return a rule that admits more than was seen."""
    edge = Resting(
        *("shop/api", "shop/db", "TCP", 3306, 1_238, 40),
        *("2026-09-21T14:13:20Z", "2026-09-21T15:13:20Z", "node2.log:4", "accepted"),
    )
    return RuleAnswer(
        ref=RuleRef("shop", "db", sample.IN, 0),
        rule=sample.FROM_API,
        told="shop/api on TCP 3306",
        subjects=("shop/db",),
        source="the logs",
        edges=(edge, replace(edge, client="shop/job", records=2)),
        edge_count=2,
        others=(replace(edge, client="shop/web", screening="quarantined"),),
        cells=3,
        unseen=(Cell("shop/api", "shop/db", "TCP", 3307),),
        addresses=256,
        addresses_seen=1,
    )


def denied() -> DenialAnswer:
    """Return a denial log with one missing rule, one scan, and one denial that is none."""
    contact = DeniedContact(
        client="shop/web",
        server="shop/db",
        protocol="TCP",
        port=3306,
        packets=1_230,
        reported={"egress": 0, "ingress": 1_230, "unknown": 0},
        first=sample.START,
        last=sample.START + 60 * sample.SECOND,
        example="drops.json:1",
        verdict="denied",
        denied_by={sample.IN: ("shop/db",)},
        proposals=("shop/db-additions",),
    )
    policy = Policy("shop", "db-additions", ingress=(sample.rule(sample.peer("web"), 3306),))
    told = ProposedRule(sample.IN, policy.ingress[0], "shop/web on TCP 3306", 1_230, ("a:1",))  # type: ignore[index]
    return DenialAnswer(
        contacts=(
            contact,
            replace(contact, client="203.0.113.9", port=22, packets=20, proposals=()),
            replace(
                contact,
                client="shop/api",
                packets=2,
                verdict="allowed",
                denied_by={},
                unproposed="these policies let it through",
                proposals=(),
            ),
        ),
        proposals=(Proposal(policy, "kind: NetworkPolicy\nspec: {}\n", (told,), outside=True),),
        scans={"203.0.113.9": 20},
        packets=1_252,
        skipped=Ledger.of("not-a-denial", 8),
        inputs=(InputFile("drops.json", "hubble", 1_260, "ab" * 32),),
        policies=PolicySet.of([policy]),
        freed=("shop/web → shop/db TCP 3306 (in the flows)",),
    )
