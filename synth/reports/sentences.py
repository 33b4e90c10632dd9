"""Policies in the words of people: roles by their names instead of their selectors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from synth.inventory.model import Inventory
from synth.learner.model import Learned, Role, RuleEvidence, Subject
from synth.learner.peers import node_subnets
from synth.policy.address import Network
from synth.policy.model import AddressPeer, Direction, Peer, PodPeer, Rule
from synth.policy.selector import Operator, Selector
from synth.reports.figures import number

NAMESPACE_NAME = "kubernetes.io/metadata.name"
VERBS = {Direction.INGRESS: "accepts", Direction.EGRESS: "opens"}


@dataclass(frozen=True, slots=True)
class Names:
    """Namespace and selector → the role of that name; and the subnets of nodes."""

    roles: Mapping[tuple[str, Selector], str]
    nodes: frozenset[Network] = frozenset()

    @classmethod
    def of(cls, roles: Iterable[Role], nodes: Iterable[Network] = ()) -> "Names":
        """Return the names of the roles that have a selector, and of these subnets of nodes."""
        named = {(one.namespace, one.selector): str(one) for one in roles if one.selector}
        return cls(named, frozenset(nodes))

    def peers(self, peer: Peer, namespace: str) -> tuple[str, ...]:
        """Return the roles that the peer names, or the peer as written."""
        if isinstance(peer, PodPeer):
            spaces = (namespace,) if peer.namespaces is None else _namespaces(peer.namespaces)
            names = [self.roles.get((space, peer.pods)) for space in spaces]
            found = tuple(name for name in names if name)
            if found and len(found) == len(names):
                return found
        if isinstance(peer, AddressPeer) and peer.block.cidr in self.nodes:
            return (f"nodes {peer}",)
        return (str(peer),)

    def rule(self, rule: Rule, namespace: str) -> str:
        """Return ``shop/api on TCP 3306``."""
        names = [name for peer in rule.peers for name in self.peers(peer, namespace)]
        return f"{_listed(names) or 'everyone'} on {rule.ports}"


def _namespaces(selector: Selector) -> tuple[str, ...]:
    """Return the namespaces that the selector picks by name alone; none if it does otherwise."""
    if len(selector.requirements) != 1:
        return ()
    (term,) = selector.requirements
    by_name = term.key == NAMESPACE_NAME and term.operator is Operator.IN
    return term.values if by_name else ()


def _listed(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def subject_sentences(subject: Subject, names: Names) -> tuple[str, ...]:
    """Return one sentence for each rule, ``accepts shop/api on TCP 3306``; or that it has none."""
    verb = VERBS[subject.direction]
    if not subject.rules:
        return (f"{verb} nothing",)
    return tuple(
        f"{verb} {names.rule(one.rule, subject.role.namespace)}{_note(one)}"
        for one in subject.rules
    )


def _note(evidence: RuleEvidence) -> str:
    """Return why the rule is there without evidence, or what it admits beyond its evidence."""
    if evidence.declared:
        return f" (declared: {evidence.declared})"
    if not evidence.widened:
        return ""
    blocks = any(isinstance(peer, AddressPeer) for peer in evidence.rule.peers)
    one, several = ("address", "addresses") if blocks else ("connection", "connections")
    noun = one if evidence.widened == 1 else several
    return f" (admits {number(evidence.widened)} {noun} never seen)"


def concern_words(concerns: Iterable[tuple[str, Direction]]) -> str:
    """Return ``Ingress of shop/db, Egress of shop/web``."""
    return ", ".join(f"{direction.value} of {role}" for role, direction in concerns)


def names_of(learned: Learned, inventory: Inventory | None = None) -> Names:
    """Return the names of all learned roles, and of the inventory's subnets of nodes."""
    return Names.of(learned.roles, node_subnets(inventory) if inventory else ())
