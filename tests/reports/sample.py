"""A small result of learning, built by hand: users → web → api → db, and one open question."""

from dataclasses import replace
from typing import Any

import numpy as np

from synth.edges.parquet import Terms
from synth.edges.schema import KEY, MEASURES, Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory, Node
from synth.learner.model import (
    Learned,
    Question,
    Role,
    RuleEvidence,
    Screen,
    Screening,
    Subject,
)
from synth.ledger import Example, Ledger
from synth.policy import (
    AddressPeer,
    Direction,
    IpBlock,
    Peer,
    PodPeer,
    Policy,
    PolicySet,
    PortSet,
    Protocol,
    Rule,
    Selector,
)
from synth.proof.replay import Denial, Replay, Verdict
from synth.proof.results import (
    InputFile,
    LearnResult,
    Loss,
    Need,
    Replaced,
    ReplayResult,
    Stage,
)

SECOND = 1_000_000
START = 1_790_000_000 * SECOND
IN, OUT = Direction.INGRESS, Direction.EGRESS


def pods(namespace: str, name: str) -> Endpoint:
    """Return the endpoint of a Deployment's pods."""
    return Endpoint(Kind.POD, namespace, f"Deployment/{name}", (("role", name),))


def role(namespace: str, name: str, *members: str) -> Role:
    """Return a role of one workload, picked by its label ``role``."""
    selector = Selector.equal({"role": name})
    return Role(namespace, name, (f"Deployment/{name}",), selector, pods=members)


def peer(name: str, namespace: str | None = None) -> Peer:
    """Return the pods of that role, of the own namespace unless one is named."""
    spaces = Selector.equal({"kubernetes.io/metadata.name": namespace}) if namespace else None
    return PodPeer(Selector.equal({"role": name}), spaces)


def rule(who: Peer, port: int) -> Rule:
    """Return the rule that admits the peer on the TCP port."""
    return Rule((who,), PortSet.port(Protocol.TCP, port))


ENDPOINTS = tuple(
    sorted(
        (
            pods("shop", "web"),
            pods("shop", "api"),
            pods("shop", "db"),
            pods("users", "client"),
            Endpoint(Kind.ADDRESS, address="203.0.113.10"),
        )
    )
)
AT = {endpoint.name: number for number, endpoint in enumerate(ENDPOINTS)}
ROWS = (
    ("users/client", "shop/web", 80, 1_200_000, 42),
    ("shop/web", "shop/api", 5000, 30_500, 41),
    ("shop/api", "shop/db", 3306, 238, 40),
    ("shop/api", "203.0.113.10", 443, 4, 1),
    ("users/client", "shop/db", 3306, 2, 0),
)
FILES = ("logs/node1.log", "logs/node2.log")


def edges() -> Edges:
    """Return one edge a row of ``ROWS``, seen on two days; the last one failed."""
    size = len(ROWS)
    columns: dict[str, Any] = {name: np.zeros(size, dtype) for name, dtype in KEY.items()}
    columns |= {name: np.zeros(size, dtype) for name, (dtype, _) in MEASURES.items()}
    columns["client"] = columns["client_seen"] = np.array([AT[row[0]] for row in ROWS], np.int32)
    columns["server"] = np.array([AT[row[1]] for row in ROWS], np.int32)
    columns["protocol"][:] = 6
    columns["port"] = np.array([row[2] for row in ROWS], np.uint16)
    columns["decided"][:] = True
    columns["records"] = np.array([row[3] for row in ROWS], np.int64)
    columns["opened_at_server"] = np.array([row[4] for row in ROWS], np.int64)
    columns["first"][:] = START
    columns["last"] = START + SECOND * np.array([90_000, 90_000, 90_000, 60, 1], np.int64)
    first = START // SECOND // 43_200
    base = first // 64 * 64
    return Edges(
        endpoints=ENDPOINTS,
        files=FILES,
        half_day_base=base,
        rungs=np.zeros((size, 9), np.int64),
        half_days=np.array([[0b101], [0b101], [0b101], [1], [1]], np.uint64)
        << np.uint64(first - base),
        asked=np.full(size, -1, np.int32),
        example=np.array([3, 7, (1 << 40) | 4, (1 << 40) | 482, 9], np.int64),
        **columns,
    )


def screening() -> Screening:
    """Return: three accepted edges, one quarantined, one rejected."""
    return Screening(
        status=np.array([0, 0, 0, Screen.QUARANTINED, Screen.REJECTED], np.uint8),
        reason=np.array([0, 0, 0, 1, 2], np.int16),
        reasons=("answered on several days", "one single connection", "failed contacts only"),
        ruled=np.array([True, True, True, False, False]),
        asks=np.array([False, False, False, True, False]),
    )


QUESTION = Question(
    key="ae40adbea64c",
    kind="quarantined",
    text="shop/api → 203.0.113.10 TCP 443: one single connection",
    concerns=(("shop/api", OUT),),
    edge=3,
    records=4,
    evidence="4 records, first logs/node2.log:482",
)
CLIENT = role("users", "client", "client-0")
WEB = role("shop", "web", "web-0", "web-1")
API = role("shop", "api", "api-0", "api-1")
DB = role("shop", "db", "db-0")
FROM_USERS = rule(peer("client", "users"), 80)
FROM_WEB = rule(peer("web"), 5000)
FROM_API = rule(peer("api"), 3306)
TO_API = rule(peer("api"), 5000)
TO_DB = rule(peer("db"), 3306)
WORLD = Rule(
    (AddressPeer(IpBlock.parse("0.0.0.0/0", ["10.244.0.0/16"])),), PortSet.port(Protocol.TCP, 80)
)
FROM_NODES = Rule((AddressPeer(IpBlock.parse("10.0.1.0/24")),), PortSet.port(Protocol.TCP, 9100))
LABELS = (("app.kubernetes.io/managed-by", "synth"),)


def policy(
    of: Role, ingress: tuple[Rule, ...] | None = None, egress: tuple[Rule, ...] | None = None
) -> Policy:
    """Return the role's policy."""
    assert of.selector
    return Policy(of.namespace, of.name, of.selector, ingress, egress, LABELS)


def learned() -> Learned:
    """Return policies of web, api (its egress waits) and db."""
    exposed = RuleEvidence(WORLD, declared="exposed service shop/web", widened=4_294_901_760)
    nodes = RuleEvidence(FROM_NODES, widened=253)
    subjects = (
        Subject(API, OUT, (RuleEvidence(TO_DB, (2,)),), (QUESTION,), 3, 3),
        Subject(API, IN, (RuleEvidence(FROM_WEB, (1,)),), (), 3, 3),
        Subject(DB, IN, (RuleEvidence(FROM_API, (2,)), nodes), (), 6, 6),
        Subject(WEB, OUT, (RuleEvidence(TO_API, (1,)),), (), 3, 3),
        Subject(WEB, IN, (RuleEvidence(FROM_USERS, (0,)), exposed), (), 3, 3),
    )
    ready = (
        policy(WEB, ingress=(FROM_USERS, WORLD), egress=(TO_API,)),
        policy(API, ingress=(FROM_WEB,)),
        policy(DB, ingress=(FROM_API, FROM_NODES)),
    )
    return Learned(
        policies=PolicySet.of(ready),
        pending=PolicySet.of([policy(API, ingress=(FROM_WEB,), egress=(TO_DB,))]),
        roles=(API, DB, WEB, CLIENT),
        subjects=subjects,
        screening=screening(),
        questions=(QUESTION,),
        silent=(("shop/db", OUT), ("users/client", IN)),
        warnings=("the logs span less than a week",),
        policy_of={"shop/api": "api", "shop/db": "db", "shop/web": "web"},
    )


SKIPPED = Ledger.of("no-data", 3, Example("logs/node1.log", 17))
RECORDS = sum(row[3] for row in ROWS) + SKIPPED.total


def denial(records: int = 2, screening: str = "rejected") -> Denial:
    """Return the denied contact of the last row."""
    return Denial(
        "users/client",
        "shop/db",
        "TCP",
        3306,
        records,
        "logs/node1.log:9",
        "ingress",
        screening,
    )


def replayed() -> Replay:
    """Return the replay of all rows: only the failed contact is denied."""
    return Replay(
        {
            Verdict.ALLOWED: {"accepted": 1_230_738, "quarantined": 4, "rejected": 0},
            Verdict.DENIED: {"accepted": 0, "quarantined": 0, "rejected": 2},
            Verdict.UNDETERMINED: {"accepted": 0, "quarantined": 0, "rejected": 0},
        },
        (denial(),),
        SKIPPED,
    )


REPLACED = (
    Replaced(
        "shop/api",
        Loss.ISOLATION,
        OUT,
        "shop/api as applied isolates Egress; the new one would lift that, because of an open"
        " question (ae40adbea64c): answer before you apply",
        ("ae40adbea64c",),
    ),
    Replaced(
        "shop/db",
        Loss.RULE,
        IN,
        "shop/db as applied admitted pods role=backup on TCP 3306; the new one does not",
    ),
)


def result(**changes: Any) -> LearnResult:  # noqa: ANN401 - fields of LearnResult
    """Return the whole result, with these fields changed."""
    found = learned()
    accepted = Ledger.of("accepted", 1_230_738, Example("logs/node1.log", 3))
    others = Ledger.of("quarantined", 4, Example("logs/node2.log", 482))
    others += Ledger.of("rejected", 2, Example("logs/node1.log", 9))
    whole = LearnResult(
        learned=found,
        edges=edges(),
        inventory=Inventory(nodes=(Node("n1", ("10.0.1.7",)),)),
        ledger=accepted + others + SKIPPED,
        replay=replayed(),
        inputs=(
            InputFile(FILES[0], "conntrack-text", 1_200_005, "ab" * 32),
            InputFile(FILES[1], "conntrack-text", RECORDS - 1_200_005, "cd" * 32),
        ),
        folded=edges(),
        skipped=SKIPPED,
        elsewhere=("CiliumNetworkPolicy shop/old",),
        overridden=("shop/allow-all still admits its own Ingress for shop/db",),
        stages=(Stage("ingress only", found.policies, replayed()),),
        warnings=("every known pod started after the capture ended",),
        terms=Terms(("0.0.0.0/0", "::/0"), ("pod-template-hash",)),
        replaces=REPLACED,
        need=Need(18, ()),
    )
    return replace(whole, **changes)


def blocked() -> LearnResult:
    """Return a result in which the policies would deny accepted records."""
    matrix = {Verdict.ALLOWED: {"accepted": 10}, Verdict.DENIED: {"accepted": 5}}
    return result(replay=Replay(matrix, (denial(5, "accepted"),)))


def hostile() -> LearnResult:
    """Return a result whose every text tries to be more than text."""
    evil = "x<script>alert(1)</script>\x1b[31m|`@all\u202e"
    named = replace(DB, name=evil)
    bad = replace(QUESTION, text=evil, evidence=evil, concerns=((str(named), IN),))
    before = learned()
    subjects = (replace(before.subjects[2], role=named, questions=(bad,)),)
    changed = replace(before, roles=(named,), subjects=subjects, questions=(bad,), warnings=(evil,))
    inputs = (InputFile(f"logs/{evil}", evil, RECORDS, "ab" * 32),)
    replaces = (Replaced(evil, Loss.NONE, None, evil),)
    return result(
        learned=changed, inputs=inputs, elsewhere=(evil,), overridden=(evil,), replaces=replaces
    )


def replay_result() -> ReplayResult:
    """Return the replay of the same records under the same policies."""
    found = result()
    return ReplayResult(
        found.replay, found.inputs, found.learned.policies, ("CiliumNetworkPolicy shop/old",)
    )
