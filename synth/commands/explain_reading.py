"""What every question of ``explain`` reads: logs, a cluster, and policies."""

from dataclasses import dataclass, field

from synth.commands.capture import Capture, Logs, read_capture
from synth.commands.cluster import Cluster, named_blocks, open_cluster
from synth.engines.local import Report
from synth.inventory.model import Ranges


@dataclass(frozen=True, slots=True)
class Reading:
    """Where to read from, and how; without ``policies``, those of the cluster files hold."""

    flows: tuple[str, ...]
    cluster: tuple[str, ...]
    policies: tuple[str, ...] = ()
    source: str | None = None
    fields: tuple[str, ...] = ()
    ranges: Ranges = field(default_factory=Ranges)
    addresses: tuple[str, ...] = ()
    threads: int = 1


def open_world(reading: Reading, progress: Report) -> Cluster:
    """Return the cluster with the policies that judge.

    Raises
    ------
    InputError
        If a file cannot be used.

    """
    progress("reading the cluster", 0, 1)
    return open_cluster(
        reading.cluster, reading.ranges, reading.policies or None, addresses=reading.addresses
    )


def read_flows(reading: Reading, cluster: Cluster, progress: Report) -> Capture:
    """Return the capture of the flows.

    Raises
    ------
    InputError
        If a file cannot be used, or there is no record at all.

    """
    logs = Logs(reading.flows, reading.source, reading.fields, reading.threads)
    return read_capture(logs, cluster.inventory, progress, named_blocks(cluster.policies))
