"""The logs of a stretch of time, slice by slice, so that memory does not grow with it."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from datasets.generator.conntrack_files import ConntrackFiles
from datasets.generator.options import START
from datasets.generator.records_conntrack import by_time, conntrack_records
from datasets.generator.records_vpc import by_minute, vpc_records
from datasets.generator.schedule import slice_seconds, steady_calls, timed_calls
from datasets.generator.talks import Talks, join_talks, meet, probes
from datasets.generator.vpc_files import VpcFiles, list_days
from datasets.generator.world import World

Purposes = dict[str, Talks]


class Traffic:
    """What one stretch of time left: connections by edge, and records by format."""

    def __init__(self, world: World) -> None:
        """Start with nothing."""
        self.connections = np.zeros(len(world.edges), np.int64)
        self.records: dict[str, int] = {}

    def count(self, talks: Purposes) -> None:
        """Add the talks."""
        edges = np.concatenate([one.edge for one in talks.values()])
        self.connections += np.bincount(edges[edges >= 0], minlength=len(self.connections))


def write_traffic(world: World, folder: Path, start: int, end: int) -> Traffic:
    """Return what was written below ``folder`` of the seconds from ``start`` up to ``end``."""
    traffic, options = Traffic(world), world.options
    with ExitStack() as stack:
        vpc = conntrack = None
        if "vpc" in options.formats:
            vpc = stack.enter_context(VpcFiles(world, folder / "vpc", options.codec))
        if "conntrack" in options.formats:
            conntrack = stack.enter_context(ConntrackFiles(world, folder / "conntrack"))
        for day, first, last in list_days(start, end):
            timed = _timed(world, day)
            step = slice_seconds(options)
            for begin in range(first, last, step):
                talks = _slice(world, timed, begin, min(begin + step, last))
                traffic.count(talks)
                if vpc is not None:
                    _add_vpc(world, vpc, talks, (day, begin, begin + step))
                if conntrack is not None:
                    parts = [
                        conntrack_records(world, some, name, begin) for name, some in talks.items()
                    ]
                    conntrack.add(by_time(parts), day)
            if vpc is not None:
                vpc.add_gaps(day, last)
    written = {"vpc": vpc, "conntrack": conntrack}
    traffic.records = {name: one.records for name, one in written.items() if one is not None}
    return traffic


def _timed(world: World, day: int) -> Purposes:
    """Return the talks of the day that are drawn by day."""
    _, first, last = next(list_days(START + day * 86_400, START + (day + 1) * 86_400))
    return {
        "timed": meet(world, timed_calls(world, day), "timed", day),
        "attack": meet(world, world.attacks.between(first, last), "attack", day),
    }


def _slice(world: World, timed: Purposes, start: int, end: int) -> Purposes:
    """Return the talks of the slice by purpose: each has draws of its own in what follows."""
    benign, attack = (
        some.where(np.flatnonzero((some.time >= start) & (some.time < end)))
        for some in timed.values()
    )
    steady = meet(world, steady_calls(world, start, end), "steady", start)
    return {
        "benign": join_talks([steady, benign]),
        "probe": probes(world, start, end),
        "attack": attack,
    }


def _add_vpc(world: World, files: VpcFiles, talks: Purposes, when: tuple[int, int, int]) -> None:
    day, begin, end = when
    parts = [vpc_records(world, some, name, begin) for name, some in talks.items() if len(some)]
    if parts:
        files.add(by_minute(world, parts, begin, _room(world, files, end)), day)


def _room(world: World, files: VpcFiles, end: int) -> int | None:
    """Return how many records may be written up to the second; None if any number."""
    options = world.options
    if options.records is None or end > options.split:
        return None if options.records is None else max(0, options.records - files.records)
    share = (end - START) / (options.split - START)
    return max(0, round(options.records * share) - files.records)
