"""Policies in the words of people: roles by their names instead of their selectors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from synth.learner.model import Learned, Role, Subject
from synth.policy.model import Direction, Peer, PodPeer, Rule
from synth.policy.selector import Operator, Selector

NAMESPACE_NAME = "kubernetes.io/metadata.name"
VERBS = {Direction.INGRESS: "accepts", Direction.EGRESS: "opens"}


@dataclass(frozen=True, slots=True)
class Names:
    """Namespace and selector → the role of that name."""

    roles: Mapping[tuple[str, Selector], str]

    @classmethod
    def of(cls, roles: Iterable[Role]) -> "Names":
        """Return the names of the roles that have a selector."""
        return cls({(one.namespace, one.selector): str(one) for one in roles if one.selector})

    def peers(self, peer: Peer, namespace: str) -> tuple[str, ...]:
        """Return the roles that the peer names, or the peer as written."""
        if isinstance(peer, PodPeer):
            spaces = (namespace,) if peer.namespaces is None else _namespaces(peer.namespaces)
            names = [self.roles.get((space, peer.pods)) for space in spaces]
            found = tuple(name for name in names if name)
            if found and len(found) == len(names):
                return found
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
        f"{verb} {names.rule(one.rule, subject.role.namespace)}{_because(one.declared)}"
        for one in subject.rules
    )


def _because(declared: str) -> str:
    return f" (declared: {declared})" if declared else ""


def concern_words(concerns: Iterable[tuple[str, Direction]]) -> str:
    """Return ``Ingress of shop/db, Egress of shop/web``."""
    return ", ".join(f"{direction.value} of {role}" for role, direction in concerns)


def names_of(learned: Learned) -> Names:
    """Return the names of all learned roles."""
    return Names.of(learned.roles)
