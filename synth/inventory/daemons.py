"""What runs on every node, and the ConfigMaps that say how the network treats policies."""

from collections.abc import Iterator
from typing import Final

from synth.inventory.model import Container, Daemon, Labels
from synth.inventory.nodes import SeenConfigMap
from synth.inventory.pods import DAEMON_SET, SeenPod
from synth.inventory.sightings import Dump
from synth.inventory.workloads import SeenWorkload

SWITCHES: Final = ("amazon-vpc-cni", "cilium-config")
"""The ConfigMaps of network plugins that can change what becomes of a NetworkPolicy."""


def list_daemons(dump: Dump) -> tuple[Daemon, ...]:
    """Return the DaemonSets that exist, by namespace and name.

    One that the dump lacks is known by its live pods. Where template and pods differ, as during a
    rollout, the containers of all of them count.
    """
    found: dict[tuple[str, str], set[Container]] = {}
    for key, containers in (*_of_templates(dump), *_of_pods(dump)):
        found.setdefault(key, set()).update(containers)
    return tuple(Daemon(*key, tuple(sorted(found[key]))) for key in sorted(found))


def list_switches(dump: Dump) -> tuple[tuple[str, Labels], ...]:
    """Return name and data of the ConfigMaps of ``SWITCHES``, wherever they are."""
    return tuple(
        (sighting.name, tuple(sorted(seen.data)))
        for sighting, seen in dump.present(SeenConfigMap)
        if sighting.name in SWITCHES
    )


def _of_templates(dump: Dump) -> Iterator[tuple[tuple[str, str], tuple[Container, ...]]]:
    for sighting, seen in dump.latest(SeenWorkload):
        if sighting.kind == DAEMON_SET and dump.exists(sighting):
            yield (sighting.namespace, sighting.name), seen.containers


def _of_pods(dump: Dump) -> Iterator[tuple[tuple[str, str], tuple[Container, ...]]]:
    for sighting, seen in dump.latest(SeenPod):
        if seen.containers and seen.owner and dump.exists(sighting):
            yield (sighting.namespace, seen.owner.name), seen.containers
