"""What is captured on each node: connection tracking events, its tables, and packets."""

from __future__ import annotations

import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from datasets.recorder.processes import CommandError, must, run, within

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from datasets.recorder.network import Network
    from datasets.recorder.processes import Processes

BUFFER: Final = 32 * 1024 * 1024
"""Bytes for events that wait to be read; with too few, the kernel drops some."""
SNAPSHOT: Final = 128
"""Bytes kept of each packet: all headers, no content."""
PRINTED: Final = "timestamp,extended,id"
PATIENCE: Final = 10.0
SWEEP_EVERY: Final = 0.5


@dataclass(frozen=True, slots=True)
class Captured:
    """The files of one node."""

    node: str
    events: Path
    table: Path
    packets: Path


class Captures:
    """The captures of all nodes, from ``begin`` to ``end``."""

    def __init__(self, network: Network, processes: Processes, folder: Path) -> None:
        """Capture nothing yet."""
        self._network, self._processes, self._folder = network, processes, folder
        self._running: list[subprocess.Popen[bytes]] = []
        self._ended = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, daemon=True)

    @property
    def files(self) -> list[Captured]:
        """The files, node by node."""
        return [
            Captured(
                node.name,
                self._folder / f"{node.name}.events.txt",
                self._folder / f"{node.name}.table.txt",
                self._folder / f"{node.name}.pcap",
            )
            for node in self._network.topology.nodes
        ]

    def begin(self) -> None:
        """Begin on every node; return when all of them listen."""
        self._folder.mkdir(parents=True)
        for one in self.files:
            where = self._network.node(one.node)
            tracker = ("conntrack", "-E", "-o", PRINTED, "-b", str(BUFFER))
            dump = ("tcpdump", "-i", "eth0", "-s", str(SNAPSHOT), "--immediate-mode", "-U", "-n")
            written = (*dump, "-B", "16384", "-Z", "root", "-w", str(one.packets))
            self._running += [
                self._processes.start(
                    within(where, *tracker), self._log(one, "conntrack"), one.events
                ),
                self._processes.start(within(where, *written), self._log(one, "tcpdump")),
            ]
        self._wait_until_listening()
        if self._network.topology.prompt_expiry:
            self._sweeper.start()

    def end(self) -> None:
        """End on every node, having listed what is still tracked.

        Raises
        ------
        CommandError
            If a capture ended early or lost events.

        """
        ended = [one for one in self._running if one.poll() is not None]
        self._ended.set()
        if self._sweeper.is_alive():
            self._sweeper.join()
        for one in self.files:
            where = self._network.node(one.node)
            lists = [
                must(within(where, "conntrack", "-L", "-f", family, "-o", "extended,id"))
                for family in ("ipv4", "ipv6")
            ]
            one.table.write_text("".join(lists), encoding="ascii")
        self._processes.stop(*self._running, how=signal.SIGINT)
        self._running = []
        logs = "".join(self._log(one, "conntrack").read_text() for one in self.files)
        if ended or "ENOBUFS" in logs or "too small" in logs:
            raise CommandError(f"a capture ended early or lost events. {' '.join(logs.split())}")

    def _log(self, one: Captured, program: str) -> Path:
        return self._folder / f"{one.node}.{program}.log"

    def _sweep(self) -> None:
        """List the tables again and again: the kernel ends what has expired when it meets it.

        By itself it looks for that about once a minute, and tells of an end no sooner.
        """
        while not self._ended.wait(SWEEP_EVERY):
            for one in self.files:
                for family in ("ipv4", "ipv6"):
                    run(within(self._network.node(one.node), "conntrack", "-L", "-f", family))

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + PATIENCE
        for one in self.files:
            while "listening on" not in self._log(one, "tcpdump").read_text():
                if time.monotonic() > deadline:
                    raise CommandError(f"tcpdump on {one.node} does not listen")
                time.sleep(0.05)
        time.sleep(0.5)  # conntrack says nothing when it begins
