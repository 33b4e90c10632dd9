"""The rules that denied rows miss: exact ones, as policies that only add to what is there."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from synth.commands.denied_rows import Rows
from synth.dialects.kubernetes.names import policy_name
from synth.evaluator.members import members
from synth.evaluator.verdicts import Verdicts
from synth.inventory.endpoint import Endpoint, Kind
from synth.inventory.model import Inventory
from synth.inventory.volatile import without_volatile
from synth.learner.learn import MANAGED
from synth.learner.model import Role, RuleEvidence
from synth.learner.peers import Peers, node_subnets
from synth.learner.roles import find_roles
from synth.learner.rules import Port, find_rules
from synth.learner.system import KUBELET_PORTS, link_local
from synth.learner.workloads import find_present, identity
from synth.policy.model import Direction, Peer, Policy, PolicySet, Rule
from synth.policy.ports import Protocol
from synth.reports.sentences import Names

_PROTOCOLS = {protocol.number: protocol for protocol in Protocol}
SUFFIXES = {False: "additions", True: "additions-outside"}
"""What follows the role in the policy's name; by whether it is for clients outside the cluster."""

Slot = tuple[str, bool]
"""A role, and whether the rules are for clients outside: those are for a person to judge apart."""


@dataclass(frozen=True, slots=True)
class Want:
    """A rule that one denied row misses: of which role, in which direction, for whom."""

    role: Role
    direction: Direction
    peers: tuple[Peer, ...]
    outside: bool

    @property
    def slot(self) -> Slot:
        """Where the rule goes."""
        return str(self.role), self.outside


@dataclass(slots=True)
class Missing:
    """What is missing: policies to add, and their rules; and why a row gets none."""

    additions: dict[Slot, Policy] = field(default_factory=dict)
    rules: dict[Slot, list[tuple[Direction, RuleEvidence]]] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    wanted: dict[int, tuple[Slot, ...]] = field(default_factory=dict)
    """Row → where its rules go."""


class Workbench:
    """Finds what rows miss, under policies that isolate what they isolate."""

    def __init__(self, inventory: Inventory, policies: PolicySet, scans: Mapping[str, int]) -> None:
        """Take the roles of the inventory."""
        self.policies = policies
        self.scans = scans
        self.roles = find_roles(inventory, inventory.endpoints)
        self.peers = Peers.of(inventory, self.roles)
        self.names = Names.of(self.roles, node_subnets(inventory))
        self.pods = _pods(inventory)

    def find(self, rows: Rows, verdicts: Verdicts) -> Missing:
        """Return what is missing for the rows that are denied."""
        missing = Missing()
        cells: dict[tuple[Slot, Direction], dict[tuple[Peer, Port], set[int]]] = {}
        roles: dict[Slot, Role] = {}
        for row in np.flatnonzero(verdicts.denied).tolist():
            wants = self._wants(rows, verdicts, row)
            if isinstance(wants, str):
                missing.refused[row] = wants
                continue
            port = (_PROTOCOLS[int(rows.traffic.protocol[row])], int(rows.traffic.port[row]))
            missing.wanted[row] = tuple(sorted({want.slot for want in wants}))
            for want in wants:
                roles[want.slot] = want.role
                own = cells.setdefault((want.slot, want.direction), defaultdict(set))
                for peer in want.peers:
                    own[peer, port].add(row)
        for slot in sorted(roles):
            own_cells = {way: cells.get((slot, way), {}) for way in Direction}
            self._add(missing, slot, roles[slot], own_cells)
        return missing

    def _add(
        self,
        missing: Missing,
        slot: Slot,
        role: Role,
        cells: Mapping[Direction, Mapping[tuple[Peer, Port], set[int]]],
    ) -> None:
        rules: dict[Direction, tuple[Rule, ...]] = {}
        missing.rules[slot] = []
        for way, own in cells.items():
            found = find_rules({cell: frozenset(some) for cell, some in own.items()}).rules
            missing.rules[slot] += [(way, one) for one in found]
            rules[way] = tuple(one.rule for one in found)
        taken = {one.name for one in self.policies if one.namespace == role.namespace}
        taken |= {one.name for one in missing.additions.values() if one.namespace == role.namespace}
        if role.selector is not None:
            missing.additions[slot] = Policy(
                namespace=role.namespace,
                name=policy_name(f"{role.name}-{SUFFIXES[slot[1]]}", taken),
                pods=role.selector,
                ingress=rules.get(Direction.INGRESS) or None,
                egress=rules.get(Direction.EGRESS) or None,
                labels=MANAGED,
            )

    def _wants(self, rows: Rows, verdicts: Verdicts, row: int) -> list[Want] | str:
        """Return the rules that the row misses, or why it gets none."""
        client, server = rows.ends(row)
        refusal = self._refusal(client, server, int(rows.traffic.port[row]))
        if refusal:
            return refusal
        denied = {
            Direction.EGRESS: (verdicts.egress_allowed, client, server),
            Direction.INGRESS: (verdicts.ingress_allowed, server, client),
        }
        wants = [
            self._want(direction, subject, peer)
            for direction, (allowed, subject, peer) in denied.items()
            if not allowed[row]
        ]
        refusals = [one for one in wants if isinstance(one, str)]
        return "; ".join(refusals) or [one for one in wants if isinstance(one, Want)]

    def _refusal(self, client: Endpoint, server: Endpoint, port: int) -> str:
        if identity(client) in self.scans:
            return f"its client scans: {self.scans[identity(client)]} different ports were denied"
        if server.kind is Kind.SERVICE:
            return "no pod is known behind the Service and port"
        if not port:
            return "port 0, which no policy can name"
        if server.kind is Kind.ADDRESS and link_local(server.address):
            return "a metadata service: let nobody reach it by a log's word"
        if server.kind is Kind.NODE and port in KUBELET_PORTS:
            return "a kubelet: let nobody reach it by a log's word"
        return ""

    def _want(self, direction: Direction, subject: Endpoint, peer: Endpoint) -> Want | str:
        role = self.peers.role_of.get((subject.namespace, subject.workload))
        if subject.kind is not Kind.POD or role is None:
            return f"who {subject.name} is cannot be told, or its workload no longer exists"
        if role.selector is None:
            return f"no selector picks exactly the pods of {role}"
        if not self._isolated(role, direction):
            return f"not all pods of {role} are isolated ({direction.lower()}): one more would be"
        if peer.kind is Kind.ADDRESS and "/" in peer.address:
            return f"{peer.name} stands for many addresses"
        peers = self.peers.name(peer, role.namespace)
        if peer.kind is Kind.AMBIGUOUS or not peers:
            return f"no selector or address names exactly {peer.name}"
        outside = direction is Direction.INGRESS and peer.kind is Kind.ADDRESS
        return Want(role, direction, peers, outside)

    def _isolated(self, role: Role, direction: Direction) -> bool:
        """Return whether every pod of the role, there or to come, is isolated already."""
        pods = [one for key in role.workloads for one in self.pods.get((role.namespace, key), ())]
        picked: set[int] = set()
        for policy in self.policies:
            if policy.namespace == role.namespace and policy.rules(direction) is not None:
                picked.update(members(policy.pods, policy.namespace, pods).tolist())
        return len(picked) == len(pods)

    def told(self, rule: Rule, namespace: str) -> str:
        """Return the rule in words, as a policy of the namespace means it."""
        return self.names.rule(rule, namespace)


def _pods(inventory: Inventory) -> Mapping[tuple[str, str], Sequence[Endpoint]]:
    """Return the pods of each workload that exists, those that its template would make too."""
    present = find_present(inventory)
    found: dict[tuple[str, str], set[Endpoint]] = defaultdict(set)
    for one in _bare(inventory):
        if (one.namespace, one.workload) in present:
            found[one.namespace, one.workload].add(one)
    return {key: sorted(some) for key, some in found.items()}


def _bare(inventory: Inventory) -> Iterator[Endpoint]:
    for one in inventory.workloads:
        if one.exists and one.template_labels is not None:
            labels = without_volatile(one.template_labels, inventory.mentioned)
            yield Endpoint(Kind.POD, one.namespace, one.key, labels)
    for pod in inventory.pods:
        if pod.end is None and not pod.host_network:
            labels = without_volatile(pod.labels, inventory.mentioned)
            yield Endpoint(Kind.POD, pod.namespace, pod.workload, labels)
