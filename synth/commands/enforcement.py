"""What the cluster's network plugin makes of policies, for every command that speaks of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from synth.cni.claims import Feature, Value
from synth.cni.enforcement import Chosen, Enforcement
from synth.cni.profiles import PROFILES
from synth.cni.recognise import UNKNOWN, Recognised, known_as, recognise
from synth.cni.review import review as review_rules
from synth.errors import Fault, UsageError
from synth.evaluator.options import BY_NAME, DEFAULT, Options
from synth.inventory.model import Inventory
from synth.policy.model import PolicySet

_ANSWERS: Final[Mapping[str, tuple[Feature, Mapping[Value, str]]]] = {
    "ip-block-pods": (Feature.IP_BLOCK_PODS, {Value.YES: "yes", Value.NO: "no"}),
    "ip-block-nodes": (Feature.IP_BLOCK_NODES, {Value.YES: "yes", Value.NO: "no"}),
    "hairpin": (Feature.HAIRPIN, {Value.YES: "allow", Value.NO: "police"}),
    "from-own-node": (Feature.FROM_OWN_NODE, {Value.YES: "allow", Value.NO: "police"}),
    "to-own-node": (Feature.TO_OWN_NODE, {Value.YES: "allow", Value.NO: "police"}),
    "host-network": (Feature.HOST_NETWORK, {Value.YES: "pod", Value.NO: "node"}),
}
"""Choice → the feature that settles it, and by which answer.

"dnat" is not among them: the one plugin known to judge before the translation, the AWS VPC CNI,
adds the addresses of Services to its rules, so that what is admitted is the same wherever a
Service's port is the container's. Where it is not, the review says so.
"""


def check_name(name: str | None) -> None:
    """Check what ``--cni`` was given.

    Raises
    ------
    UsageError
        If no profile has the name.

    """
    names = [*(one.name for one in PROFILES), UNKNOWN]
    if name is not None and name not in names:
        raise UsageError(Fault("--cni", f"one of {', '.join(names)}", repr(name)))


def find_plugin(inventory: Inventory, name: str | None = None) -> Recognised:
    """Return the plugin of this name, else the one that the cluster files show.

    Raises
    ------
    UsageError
        If no profile has the name.

    """
    check_name(name)
    return recognise(inventory) if name is None else known_as(name, inventory)


def review(inventory: Inventory, policies: PolicySet, name: str | None = None) -> Enforcement:
    """Return what the cluster would not do as the policies say.

    Parameters
    ----------
    inventory
        The cluster.
    policies
        All that the command speaks of.
    name
        What ``--cni`` was given; None: the plugin is recognised from the inventory.

    Raises
    ------
    UsageError
        If no profile has the name.

    """
    found = find_plugin(inventory, name)
    shortfalls, unsure = review_rules(found, policies, inventory)
    return Enforcement(found, shortfalls, unsure, tuple(_chosen(found)))


def settle(
    enforcement: Enforcement, choices: Iterable[tuple[str, str]] = ()
) -> tuple[Enforcement, Options]:
    """Return the options to judge by: the plugin's, over which ``choices`` of the user come.

    The enforcement that comes back names only the choices that are the plugin's.
    """
    own = dict(choices)
    kept = tuple(one for one in enforcement.chosen if one.choice not in own)
    options = DEFAULT.with_all((one.choice, one.value) for one in kept).with_all(own.items())
    return replace(enforcement, chosen=kept), options


def _chosen(found: Recognised) -> Iterator[Chosen]:
    """Yield the choices that the plugin settles otherwise than most do."""
    if found.claim(Feature.ENFORCES).value is Value.NO:
        return
    for choice, (feature, values) in _ANSWERS.items():
        claim = found.claim(feature)
        value = values.get(claim.value)
        if value is not None and value != BY_NAME[choice].default:
            yield Chosen(choice, value, claim)
