"""The dump of a cluster: snapshots, and the watch of the pods between them, which agree."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from datasets.generator.cluster_objects import ClusterObjects, Object
from datasets.generator.options import START
from datasets.generator.workloads import CRON_JOB
from datasets.generator.world import World


def write_cluster(world: World, folder: Path, now: int) -> None:
    """Write what is known of the cluster at the time, and nothing that comes later.

    | file | holds |
    |---|---|
    | `before.json` | a list of every object at the first second of the capture |
    | `after.json` | the same of now |
    | `watch.json` | what happened to pods in between: ADDED, DELETED, MODIFIED (a run's end) |

    A brief dump holds no first list, and of events only DELETED ones; it tells the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    objects = ClusterObjects(world)
    if not world.options.brief:
        _write_list(folder / "before.json", _everything(world, objects, START))
    _write_list(folder / "after.json", _everything(world, objects, now))
    with (folder / "watch.json").open("w", encoding="utf-8") as file:
        for event in _events(world, objects, now):
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


def _write_list(path: Path, objects: Iterable[Object]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write('{"apiVersion":"v1","kind":"List","items":[\n')
        for number, thing in enumerate(objects):
            file.write((",\n" if number else "") + json.dumps(thing, separators=(",", ":")))
        file.write("\n]}\n")


def _everything(world: World, objects: ClusterObjects, now: int) -> Iterator[Object]:
    yield from objects.standing(now)
    pods = world.pods
    cron = np.array([one.kind == CRON_JOB for one in world.workloads])[pods.workload]
    alive = (pods.start <= now) & (now < pods.end)
    # The last finished run of a CronJob is kept.
    done = cron & (pods.end <= now)
    last = done & ~np.append(done[1:] & (pods.slot[1:] == pods.slot[:-1]), False)
    for pod in np.flatnonzero(alive | last).tolist():
        yield objects.pod(pod, now)


def _events(world: World, objects: ClusterObjects, now: int) -> Iterator[Object]:
    """Yield the events by time: a pod appears when it starts, and goes when it has ended.

    The pod of a CronJob's last run stays.
    """
    pods = world.pods
    cron = np.array([one.kind == CRON_JOB for one in world.workloads])[pods.workload]
    last = cron & (pods.end <= now)
    last &= ~np.append(last[1:] & (pods.slot[1:] == pods.slot[:-1]), False)
    added = np.flatnonzero((pods.start > START) & (pods.start <= now))
    finished = np.flatnonzero(last & (pods.end > START))
    gone = np.flatnonzero((pods.end > START) & (pods.end <= now) & ~last)
    if world.options.brief:
        added = finished = added[:0]
    events = [(int(pods.start[pod]), "ADDED", pod) for pod in added.tolist()]
    events += [(int(pods.end[pod]), "MODIFIED", pod) for pod in finished.tolist()]
    events += [(int(pods.end[pod]), "DELETED", pod) for pod in gone.tolist()]
    for time, kind, pod in sorted(events):
        yield {"type": kind, "object": objects.pod(pod, time)}
