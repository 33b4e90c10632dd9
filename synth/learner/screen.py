"""The screen: which edges become rules, which are questions, and which are neither."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from synth.edges.schema import Edges
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.learner.facts import Facts, Flags
from synth.learner.model import Answer, Screen, Screening
from synth.learner.workloads import Key, find_present, identity, is_gone

Step = tuple[Callable[[Facts], Flags], Screen, str]
SHORT_WINDOW_DAYS = 2
MESH_TUNNEL = 15008
"""HBONE, of ambient meshes."""

STEPS: tuple[Step, ...] = (
    (lambda f: f.failed, Screen.REJECTED, "failed contacts only"),
    (
        lambda f: ~f.answered & f.either(Kind.UNHELD),
        Screen.REJECTED,
        "never answered: nobody is known to have held the address",
    ),
    (
        lambda f: ~f.answered & f.is_kind(f.edges.server, Kind.SERVICE),
        Screen.REJECTED,
        "never answered: the Service had no pod to send it to",
    ),
    (
        lambda f: ~f.answered & ~f.udp & f.edges.decided & f.seen_by_interfaces_only,
        Screen.REJECTED,
        "never answered",
    ),
    (
        lambda f: ~f.answered & f.edges.decided & f.sweeper,
        Screen.REJECTED,
        "never answered, like many other contacts of its client",
    ),
    (lambda f: f.outside, Screen.ACCEPTED, "no pod at either end: no policy speaks of it"),
    (lambda f: f.retired, Screen.RETIRED, "its workload no longer exists"),
    (lambda f: ~f.edges.decided, Screen.UNRESOLVED, "who opened it cannot be told"),
    (
        lambda f: f.one_sided,
        Screen.UNRESOLVED,
        "only one end was heard, and it may have sent on its own",
    ),
    (
        lambda f: ~f.answered & ~f.udp,
        Screen.UNRESOLVED,
        "the capture does not show whether anyone answered",
    ),
    (
        lambda f: f.either(Kind.AMBIGUOUS),
        Screen.UNRESOLVED,
        "the address changed hands about that time",
    ),
    (
        lambda f: f.either(Kind.UNHELD),
        Screen.UNRESOLVED,
        "an address of the pod range that no known pod held",
    ),
    (
        lambda f: f.is_kind(f.edges.server, Kind.SERVICE),
        Screen.UNRESOLVED,
        "which pod of the Service answered cannot be told",
    ),
    (lambda f: f.edges.port == 0, Screen.UNRESOLVED, "port 0, which no policy can name"),
    (lambda f: f.edges.same_pod, Screen.ACCEPTED, "a pod to itself"),
    (lambda f: f.by_own_node, Screen.ACCEPTED, "from the pod's own node: always admitted"),
    (
        lambda f: ~f.answered & ~f.declared_listener,
        Screen.QUARANTINED,
        "one-way UDP to a port that nobody declares",
    ),
    (
        lambda f: f.guessed,
        Screen.UNRESOLVED,
        "only a registered port tells who opened it",
    ),
    (lambda f: f.dns, Screen.ACCEPTED, "cluster DNS"),
    (lambda f: f.sensitive, Screen.QUARANTINED, "a metadata service or a kubelet"),
    (
        lambda f: f.edges.port == MESH_TUNNEL,
        Screen.QUARANTINED,
        "a mesh's tunnel, which hides the real port",
    ),
    (lambda f: f.declared_reference, Screen.ACCEPTED, "the client's configuration names it"),
    (
        lambda f: f.external_client & f.exposed,
        Screen.ACCEPTED,
        "users of an exposed Service",
    ),
    (
        lambda f: f.sweeper,
        Screen.QUARANTINED,
        "the client also failed to reach many other ports",
    ),
    (
        lambda f: f.external_client,
        Screen.QUARANTINED,
        "a client outside, on a port that no Service exposes",
    ),
    (
        lambda f: f.private_server,
        Screen.QUARANTINED,
        "a private address that nobody has named",
    ),
    (
        lambda f: f.collapsed,
        Screen.QUARANTINED,
        "one of more outside addresses than are kept exactly",
    ),
    (
        lambda f: f.single_connection & ~f.seen_on_two_days,
        Screen.QUARANTINED,
        "one single connection",
    ),
    (
        lambda f: (f.days >= SHORT_WINDOW_DAYS) & ~f.seen_on_two_days,
        Screen.QUARANTINED,
        "seen on one day only",
    ),
    (lambda f: f.several_replicas, Screen.ACCEPTED, "answered, by all that could be asked for"),
    (
        lambda f: f.declared_listener & (f.days < SHORT_WINDOW_DAYS),
        Screen.ACCEPTED,
        "answered on a declared port",
    ),
    (
        lambda f: np.ones(len(f.edges), np.bool_),
        Screen.QUARANTINED,
        "one of several replicas only",
    ),
)
"""The first step whose test holds decides."""

_NEEDS_NO_RULE = frozenset(
    {
        "a pod to itself",
        "from the pod's own node: always admitted",
        "no pod at either end: no policy speaks of it",
    }
)


def screen(edges: Edges, inventory: Inventory) -> Screening:
    """Return the status of every edge, before anybody has answered a question."""
    facts = Facts(edges, inventory)
    status = np.zeros(len(edges), np.uint8)
    reason = np.full(len(edges), -1, np.int16)
    for number, (test, word, _) in enumerate(STEPS):
        fresh = (reason < 0) & test(facts)
        status[fresh] = word
        reason[fresh] = number
    reasons = tuple(text for *_, text in STEPS)
    free = np.array([text in _NEEDS_NO_RULE for text in reasons], np.bool_)
    waits = (status == Screen.QUARANTINED) | (status == Screen.UNRESOLVED)
    ruled = (status == Screen.ACCEPTED) & ~free[reason]
    return without_settled(Screening(status, reason, reasons, ruled, waits), edges, inventory)


def without_settled(screening: Screening, edges: Edges, inventory: Inventory) -> Screening:
    """Return the screening without questions of ambiguous edges that need no answer.

    They are those that every candidate would make an accepted edge, or one of a workload that no
    longer exists; and one at least an accepted one.
    """
    settled = _settled_candidates(edges, screening, find_present(inventory))
    return replace(screening, asks=screening.asks & ~settled)


def answer(screening: Screening, rows: Mapping[Answer, Collection[int]]) -> Screening:
    """Return the screening with the answers of a person applied to these rows."""
    status, reason = screening.status.copy(), screening.reason.copy()
    ruled, asks = screening.ruled.copy(), screening.asks.copy()
    accepted = np.array(sorted(rows.get(Answer.ACCEPT, ())), np.int64)
    refused = np.array(sorted(rows.get(Answer.REFUSE, ())), np.int64)
    status[accepted] = Screen.ACCEPTED
    ruled[accepted] = True
    asks[accepted] = asks[refused] = False
    reason[accepted] = len(screening.reasons)
    reason[refused] = len(screening.reasons) + 1
    reasons = (*screening.reasons, "accepted by a person", "refused by a person")
    return replace(screening, status=status, reason=reason, reasons=reasons, ruled=ruled, asks=asks)


def retire_old_labels(screening: Screening, old: Flags) -> Screening:
    """Return the screening with accepted edges retired whose pods carried labels of the past.

    ``old`` is bool[n]. Such edges still call for rules, as their workloads exist; but the pods
    that opened or answered them are gone, so no selector need pick those.
    """
    rows = screening.is_(Screen.ACCEPTED) & screening.ruled & old
    status = np.where(rows, np.uint8(Screen.RETIRED), screening.status)
    reason = np.where(rows, np.int16(len(screening.reasons)), screening.reason)
    reasons = (*screening.reasons, "labels that its workload no longer has; learned all the same")
    return replace(screening, status=status, reason=reason, reasons=reasons)


def set_aside(screening: Screening, rows: Sequence[int], reason: str) -> Screening:
    """Return the screening with these rows quarantined for the reason, and no question of them."""
    at = np.array(rows, np.int64)
    status, numbers = screening.status.copy(), screening.reason.copy()
    ruled, asks = screening.ruled.copy(), screening.asks.copy()
    status[at], numbers[at] = Screen.QUARANTINED, len(screening.reasons)
    ruled[at] = asks[at] = False
    return Screening(status, numbers, (*screening.reasons, reason), ruled, asks)


def _settled_candidates(edges: Edges, screening: Screening, present: frozenset[Key]) -> Flags:
    settled = np.zeros(len(edges), np.bool_)
    ends = [_candidates(one, present) for one in edges.endpoints]
    ambiguous = np.array([one.kind is Kind.AMBIGUOUS for one in edges.endpoints], np.bool_)
    waits = screening.asks & edges.decided & (ambiguous[edges.client] | ambiguous[edges.server])
    accepted = _contacts(edges, screening, ends) if waits.any() else frozenset()
    for row in np.flatnonzero(waits):
        service = int(edges.protocol[row]), int(edges.port[row])
        pairs = [(a, b) for a in ends[edges.client[row]] for b in ends[edges.server[row]]]
        settled[row] = bool(pairs) and all((*pair, *service) in accepted for pair in pairs)
    return settled


def _candidates(endpoint: Endpoint, present: frozenset[Key]) -> tuple[str, ...]:
    """Return who the endpoint may be, as far as it still exists."""
    some = endpoint.candidates or (endpoint,)
    return tuple(identity(one) for one in some if not is_gone(one, present))


def _contacts(
    edges: Edges, screening: Screening, ends: Sequence[tuple[str, ...]]
) -> frozenset[tuple[str, str, int, int]]:
    """Return the accepted contacts; one of an ambiguous end counts for each who it may be."""
    return frozenset(
        (client, server, int(edges.protocol[row]), int(edges.port[row]))
        for row in np.flatnonzero(screening.is_(Screen.ACCEPTED) & screening.ruled)
        for client in ends[edges.client[row]]
        for server in ends[edges.server[row]]
    )
