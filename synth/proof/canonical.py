"""Policies as text that only meaning changes: order and spelling of a file leave no trace."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import unified_diff

from synth.dialects.kubernetes.write import to_yaml
from synth.evaluator.diff import Added, Changed, Edit, Removed, diff, ends_of
from synth.policy.model import Policy, PolicySet, Rule

BOOKKEEPING = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
"""Annotations that kubectl writes for itself."""


def canonical(policy: Policy) -> Policy:
    """Return the policy with sorted rules, each once, and without kubectl's own annotations."""
    return replace(
        policy,
        ingress=_sorted(policy.ingress),
        egress=_sorted(policy.egress),
        annotations=tuple(one for one in policy.annotations if one[0] not in BOOKKEEPING),
    )


def diff_policies(old: PolicySet, new: PolicySet) -> tuple[Edit[Policy], ...]:
    """Return what became of the policies, in canonical form, in the order of their names.

    A policy that is gone and one that is new are one that was renamed if they are of one
    namespace, select the same pods and have the same rules.
    """
    before, after = ({one.key: canonical(one) for one in policies} for policies in (old, new))
    return _join_renamed(diff(before, after))


def is_renamed(edit: Edit[Policy]) -> bool:
    """Return whether the policy goes by another name and is otherwise what it was."""
    return isinstance(edit, Changed) and edit.old.key != edit.new.key


def patch(edit: Edit[Policy], context: int = 3) -> tuple[str, ...]:
    """Return the lines of a unified diff of the policy's canonical YAML."""
    old, new = ends_of(edit)
    before, after = (to_yaml(one).splitlines() if one else [] for one in (old, new))
    names = (f"old {old}" if old else "nothing", f"new {new}" if new else "nothing")
    return tuple(unified_diff(before, after, *names, n=context, lineterm=""))


def _sorted(rules: tuple[Rule, ...] | None) -> tuple[Rule, ...] | None:
    return rules and tuple(sorted(dict.fromkeys(rules), key=lambda rule: rule.sort_key))


def _join_renamed(edits: Sequence[Edit[Policy]]) -> tuple[Edit[Policy], ...]:
    added: dict[object, list[Added[Policy]]] = {}
    for edit in edits:
        if isinstance(edit, Added):
            added.setdefault(_content(edit.new), []).append(edit)
    joined: list[Edit[Policy]] = []
    taken: set[tuple[str, str]] = set()
    for edit in edits:
        alike = added.get(_content(edit.old)) if isinstance(edit, Removed) else None
        if isinstance(edit, Removed) and alike:
            other = alike.pop(0)
            taken.add(other.new.key)
            joined.append(Changed(edit.old, other.new))
        else:
            joined.append(edit)
    return tuple(edit for edit in joined if not (isinstance(edit, Added) and edit.new.key in taken))


def _content(policy: Policy) -> object:
    return policy.namespace, policy.pods, policy.ingress, policy.egress
