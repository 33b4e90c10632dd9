"""What becomes of the policies that earlier runs left in the cluster, in plain sentences."""

from collections.abc import Iterable, Iterator

from synth.commands.narrower import Pods, lost_rules
from synth.inventory.model import Inventory
from synth.learner.learn import MANAGED
from synth.learner.model import Learned
from synth.policy.model import Direction, Policy, PolicySet
from synth.proof.results import Loss, Replaced


def is_ours(policy: Policy) -> bool:
    """Return whether an earlier run of synth made the policy."""
    return set(MANAGED) <= set(policy.labels)


def find_replaced(
    existing: PolicySet, learned: Learned, inventory: Inventory
) -> tuple[Replaced, ...]:
    """Return what the new policies take from those of earlier runs, and which of these stay."""
    new = {policy.key: policy for policy in learned.policies}
    pods = Pods.of(inventory)
    found: list[Replaced] = []
    for old in filter(is_ours, existing):
        if old.key in new:
            found += _losses(old, new[old.key], learned, pods)
        else:
            found.append(_stays(old, learned))
    return tuple(sorted(found, key=_order))


def _order(one: Replaced) -> tuple[str, ...]:
    return one.policy, one.loss, str(one.direction), one.told


def _stays(old: Policy, learned: Learned) -> Replaced:
    keys = _open_questions(old, learned, Direction)
    why = "what would replace it waits for an answer" if keys else "delete it if it is obsolete"
    told = f"{old}, applied by an earlier run, is not in the new set and stays in force: {why}"
    return Replaced(str(old), Loss.NONE, None, told, keys)


def _losses(old: Policy, new: Policy, learned: Learned, pods: Pods) -> Iterator[Replaced]:
    yield from _lost_pods(old, new, pods)
    for direction in Direction:
        before, after = old.rules(direction), new.rules(direction)
        if before is None:
            continue
        if after is None:
            yield _lost_isolation(old, direction, learned)
            continue
        for told in dict.fromkeys(lost_rules(before, after, old.namespace, pods)):
            verb = "admitted" if direction is Direction.INGRESS else "let its pods open"
            text = f"{old} as applied {verb} {told}; the new one does not"
            yield Replaced(str(old), Loss.RULE, direction, text)


def _lost_pods(old: Policy, new: Policy, pods: Pods) -> Iterator[Replaced]:
    left = pods.of_policy(old) - pods.of_policy(new)
    if old.pods == new.pods or not left:
        return
    names = ", ".join(pods.names(left))
    told = (
        f"{old} as applied is about pods {old.pods}; the new one is about pods {new.pods},"
        f" and no longer about {names}"
    )
    yield Replaced(str(old), Loss.PODS, None, told)


def _lost_isolation(old: Policy, direction: Direction, learned: Learned) -> Replaced:
    keys = _open_questions(old, learned, [direction])
    if keys:
        questions = "an open question" if len(keys) == 1 else f"{len(keys)} open questions"
        why = f"because of {questions} ({', '.join(keys)}): answer before you apply"
    elif _is_left_open(old, direction, learned):
        why = "because of the answer that leaves it open"
    else:
        why = "because the capture shows no evidence for it"
    told = f"{old} as applied isolates {direction}; the new one would lift that, {why}"
    return Replaced(str(old), Loss.ISOLATION, direction, told, keys)


def _is_left_open(policy: Policy, direction: Direction, learned: Learned) -> bool:
    roles = _roles(policy, learned)
    return any(
        one.left_open
        for one in learned.subjects
        if one.direction is direction and str(one.role) in roles
    )


def _roles(policy: Policy, learned: Learned) -> frozenset[str]:
    """Return the role that the policy's name is for; none if it is for none any longer."""
    named = learned.policy_of.items()
    return frozenset(role for role, name in named if (role.partition("/")[0], name) == policy.key)


def _open_questions(
    policy: Policy, learned: Learned, directions: Iterable[Direction]
) -> tuple[str, ...]:
    """Return the keys of the open questions that concern these directions of its role."""
    concerns = {(role, way) for role in _roles(policy, learned) for way in directions}
    waiting = (one for one in learned.questions if one.answer is None)
    return tuple(sorted({one.key for one in waiting if concerns.intersection(one.concerns)}))
