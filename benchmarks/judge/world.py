"""A cluster and its logs on disk, and what the real readers make of them, each read once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.judge.names import Legitimacy, Names
from synth.commands.capture import Capture, Logs, read_capture
from synth.commands.cluster import Cluster, open_cluster
from synth.inventory.model import Ranges

RANGES = Ranges(pods=("10.0.0.0/14",), services=("172.20.0.0/16",), nodes=("10.64.0.0/16",))
"""What a user of the made-up clusters declares."""


def stay_silent(_: str, __: int, ___: int) -> None:
    """Take no notice of progress."""


@dataclass(frozen=True, eq=False)
class World:
    """Where cluster files and logs are: of the days to learn from, and of all days."""

    cluster: Path
    cluster_ahead: Path
    logs: Path
    logs_ahead: Path
    names: Names

    @cached_property
    def learnt(self) -> Cluster:
        """The cluster as it was known when learning ended."""
        return open_cluster((str(self.cluster),), RANGES)

    @cached_property
    def capture(self) -> Capture:
        """The days to learn from."""
        return read_capture(Logs((str(self.logs),)), self.learnt.inventory, stay_silent)

    @cached_property
    def learnt_truth(self) -> Legitimacy:
        """What is true of the edges to learn from."""
        return self.names.judge(self.capture.settled)

    @cached_property
    def ahead(self) -> Cluster:
        """The cluster from the first day to the last."""
        return open_cluster((str(self.cluster_ahead),), RANGES)

    @cached_property
    def held_out(self) -> Capture:
        """The days after."""
        return read_capture(Logs((str(self.logs_ahead),)), self.ahead.inventory, stay_silent)

    @cached_property
    def held_out_truth(self) -> Legitimacy:
        """What is true of the edges of the days after."""
        return self.names.judge(self.held_out.settled)
