"""Which network plugin a cluster runs, as far as its dump tells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from synth.cni.claims import Claim, Feature, Value, numbers_of, version_of
from synth.cni.marks import MARKS, Marks
from synth.cni.profile import Profile
from synth.cni.profiles import BY_NAME
from synth.cni.switches import read_switches
from synth.inventory.model import Container, Inventory

UNKNOWN = "unknown"
"""The name that stands for: no plugin is known, whatever the cluster files show."""
NAMED = "--cni"
"""What a plugin is known by that the user named."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The plugin in use; ``profile`` is None if it is not known.

    ``by`` is what it was recognised by, ``version`` is empty if nothing tells it, ``switches``
    are what the cluster's own settings claim. ``others`` are the names of further plugins found;
    without a profile, those that nobody can choose between.
    """

    profile: Profile | None = None
    version: str = ""
    by: str = ""
    switches: tuple[Claim, ...] = ()
    others: tuple[str, ...] = ()

    def claim(self, feature: Feature) -> Claim:
        """Return what is known of the feature: by the cluster's settings, else by the profile."""
        for one in self.switches:
            if one.feature is feature:
                return one
        return self.profile.claim(feature, self.version) if self.profile else Claim(feature)

    @property
    def title(self) -> str:
        """Name and version for people; ``unknown`` without a profile."""
        return f"{self.profile.title} {self.version}".rstrip() if self.profile else UNKNOWN


def recognise(inventory: Inventory) -> Recognised:
    """Return the plugin whose DaemonSet the dump holds, else the one that annotates its nodes.

    Of several, the one that enforces policies counts (Canal: flannel's network, Calico's
    policies); if several do, none is chosen.
    """
    found = _by_daemons(inventory) or _by_annotations(inventory)
    names = tuple(one.profile.name for one in found if one.profile)
    if {"calico", "flannel"} == set(names):
        calico = next(one for one in found if one.profile is BY_NAME["calico"])
        return replace(calico, profile=BY_NAME["canal"])
    enforcing = [one for one in found if one.claim(Feature.ENFORCES).value is not Value.NO]
    # One that may be switched off gives way to one that is on.
    sure = [one for one in enforcing if one.claim(Feature.ENFORCES).value is Value.YES]
    left = sure or enforcing or found
    if len(left) != 1:
        return Recognised(others=names)
    chosen = left[0]
    rest = tuple(name for name in names if chosen.profile and name != chosen.profile.name)
    return replace(chosen, others=rest)


def known_as(name: str, inventory: Inventory) -> Recognised:
    """Return the plugin of this name, with the version and settings that the dump tells of it.

    ``UNKNOWN`` is none at all.

    Raises
    ------
    KeyError
        If there is no profile of the name.

    """
    if name == UNKNOWN:
        return Recognised(by=NAMED)
    profile = BY_NAME[name]
    seen = "calico" if name == "canal" else name
    found = _by_daemons(inventory) or _by_annotations(inventory)
    others = tuple(one.profile.name for one in found if one.profile and one.profile.name != seen)
    for one in found:
        if one.profile and one.profile.name == seen:
            return replace(one, profile=profile, by=NAMED, others=others)
    return Recognised(profile, "", NAMED, read_switches(name, (), inventory), others)


def _by_daemons(inventory: Inventory) -> list[Recognised]:
    found = []
    for marks in MARKS:
        pairs = [
            (daemon.name, container)
            for daemon in inventory.daemons
            for container in daemon.containers
            if marks.runs(daemon.name, container.image)
        ]
        if pairs:
            names = sorted({name for name, _ in pairs})
            containers = [container for _, container in pairs]
            found.append(
                Recognised(
                    BY_NAME[marks.name],
                    _version(marks, containers),
                    f"DaemonSet {', '.join(names)}",
                    read_switches(marks.name, containers, inventory),
                )
            )
    return found


def _by_annotations(inventory: Inventory) -> list[Recognised]:
    found = []
    for marks in MARKS:
        keys = sorted(
            {key for node in inventory.nodes for key in node.annotations if marks.annotates(key)}
        )
        if keys:
            found.append(
                Recognised(
                    BY_NAME[marks.name],
                    by=f"node annotation {keys[0]}",
                    switches=read_switches(marks.name, (), inventory),
                )
            )
    return found


def _version(marks: Marks, containers: Iterable[Container]) -> str:
    """Return the lowest version among the plugin's own images: during an upgrade, both run."""
    own: Sequence[str] = [version_of(one.image) for one in containers if marks.runs("", one.image)]
    return min((version for version in own if version), key=numbers_of, default="")
