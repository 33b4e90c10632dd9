"""Workloads: the top-level owners of everything in the dump, known as objects or by their pods."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from synth.inventory.lifetimes import Life
from synth.inventory.model import Labels, Workload
from synth.inventory.nodes import SeenConfigMap
from synth.inventory.owners import Key, Owners
from synth.inventory.pods import Owner, PodSpec, SeenPod, Words
from synth.inventory.references import find_references
from synth.inventory.sightings import Dump, Sighting
from synth.inventory.volatile import without_volatile
from synth.inventory.workloads import SeenWorkload

_MADE_OF_LABELS: Final = ("ReplicaSet", "ReplicationController")
"""What carries its owner's template and selector, with a hash label added."""


@dataclass(slots=True)
class _Draft:
    """What is known of one workload so far."""

    seen: SeenWorkload | None = None
    exists: bool = False
    derived: bool = False
    lives: list[Life] = field(default_factory=list)
    specs: list[PodSpec] = field(default_factory=list)


def list_workloads(
    dump: Dump, lives: list[Life], services: Collection[tuple[str, str]]
) -> tuple[list[Workload], list[str]]:
    """Return the workloads by namespace, kind and name; and the workload key of each life."""
    latest = {
        (one.namespace, one.kind, one.name): (one, seen) for one, seen in dump.latest(SeenWorkload)
    }
    owners = Owners.of({key: seen for key, (_, seen) in latest.items()})
    drafts: dict[Key, _Draft] = {}
    for key in sorted(latest):
        _add_object(drafts, key, latest[key], owners, dump)
    keys = [_add_life(drafts, life, owners, dump) for life in lives]
    maps = {(one.namespace, one.name): dict(seen.data) for one, seen in dump.present(SeenConfigMap)}
    workloads = [_workload(key, drafts[key], maps, services) for key in sorted(drafts)]
    return workloads, keys


def _add_object(
    drafts: dict[Key, _Draft],
    key: Key,
    latest: tuple[Sighting, SeenWorkload],
    owners: Owners,
    dump: Dump,
) -> None:
    """Add a workload; one that another owns tells about its owner where that is not known."""
    namespace, kind, name = key
    sighting, seen = latest
    top = owners.top(namespace, Owner(kind, name), seen.labels, by_cron=seen.by_cron)
    above = (namespace, top.kind, top.name)
    draft = drafts.setdefault(above, _Draft())
    draft.specs.append(seen.spec)
    if above == key:
        draft.seen, draft.exists, draft.derived = seen, dump.exists(sighting), False
    elif above not in owners.known:
        draft.seen, draft.derived = seen, True
        draft.exists |= dump.exists(sighting)


def _add_life(drafts: dict[Key, _Draft], life: Life, owners: Owners, dump: Dump) -> str:
    sighting, pod = life.seen[-1]
    top = owners.top_of_pod(sighting.namespace, sighting.name, pod)
    key = (sighting.namespace, top.kind, top.name)
    draft = drafts.setdefault(key, _Draft())
    draft.lives.append(life)
    if key not in owners.known:
        # A finished run of an owner that the dump does not hold: the next run is still to come.
        draft.exists |= life.end is None or (top.kind != "Pod" and dump.exists(sighting))
    return f"{top.kind}/{top.name}"


def _workload(
    key: Key,
    draft: _Draft,
    maps: Mapping[tuple[str, str], Mapping[str, str]],
    services: Collection[tuple[str, str]],
) -> Workload:
    namespace, kind, name = key
    pods = [life.last for life in draft.lives]
    specs = [draft.seen.spec] if draft.seen else [pod.spec for pod in pods]
    words = _unique_words([*specs, *draft.specs, *(pod.spec for pod in pods)], namespace, maps)
    return Workload(
        namespace=namespace,
        kind=kind,
        name=name,
        match_labels=_match_labels(key, draft),
        template_labels=_template_labels(kind, draft, pods),
        ports=tuple(sorted({port for spec in specs for port in spec.ports})),
        host_network=any(spec.host_network for spec in specs),
        exists=draft.exists,
        references=tuple(sorted(find_references(namespace, words, services))),
    )


def _match_labels(key: Key, draft: _Draft) -> Labels:
    if draft.seen is None:
        return ()
    if not draft.derived:
        return draft.seen.match_labels
    return without_volatile(draft.seen.match_labels) if key[1] != "CronJob" else ()


def _template_labels(kind: str, draft: _Draft, pods: list[SeenPod]) -> Labels | None:
    """Return the template's labels; a pod without an owner is its own template."""
    if draft.seen is not None:
        return without_volatile(draft.seen.labels) if draft.derived else draft.seen.labels
    return pods[-1].labels if kind == "Pod" and pods else None


def _unique_words(
    specs: Iterable[PodSpec],
    namespace: str,
    maps: Mapping[tuple[str, str], Mapping[str, str]],
) -> Words:
    """Return the words of all, each once, with the ConfigMaps that set environment variables."""
    words: dict[tuple[str, bool], None] = {}
    for words_of, config_maps in dict.fromkeys((one.words, one.config_maps) for one in specs):
        words.update(dict.fromkeys(words_of))
        for name, key in config_maps:
            data = maps.get((namespace, name), {})
            texts = data.values() if not key else [data[key]] if key in data else []
            words.update(dict.fromkeys((text, True) for text in texts))
    return tuple(words)
