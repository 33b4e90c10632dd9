"""Namespaces of a cluster with an agent in each: policies are enforced there, and probed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Final

from datasets.recorder.network import build_network
from datasets.recorder.processes import CommandError, must, run, undisturbed, within
from tests.lab import translate
from tests.lab.world import HERE, find_cluster, find_topology, list_all_pods

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datasets.recorder.network import Network
    from datasets.recorder.topology import Topology
    from tests.conformance.case import Case, End, Probe

PROGRAMS: Final = {
    "conntrack": "conntrack",
    "ip": "iproute2",
    "nft": "nftables",
    "sysctl": "procps",
}
"""What must be installed → Debian's package."""
SECONDS: Final = 2.0
"""How long an answer may take."""
PATIENCE: Final = 10.0
WORDS: Final = {"answered": "allowed", "refused": "denied"}


def missing_for_wall() -> str:
    """Return why nothing can be enforced here; nothing if it can."""
    if os.geteuid() != 0:
        return "enforcing policies needs root, for network namespaces"
    absent = [package for name, package in PROGRAMS.items() if shutil.which(name) is None]
    return f"not installed; Debian's packages are {' '.join(absent)}" if absent else ""


@dataclass
class Wall:
    """A running cluster whose nodes enforce policies."""

    network: Network
    case: Case
    agents: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    """Namespace → its agent."""

    def enforce(self, policies: Sequence[translate.Object], end: str = "reject") -> None:
        """Make every node enforce these policies in place of those before them."""
        cluster = find_cluster(self.case)
        rules = {
            node: translate.translate(policies, cluster, node, end) for node in self.case.nodes
        }
        load(self.network, rules)

    def lift(self) -> None:
        """Make every node enforce nothing."""
        load(self.network, dict.fromkeys(self.case.nodes, ()))

    def try_all(self, probes: Sequence[Probe], seconds: float = SECONDS) -> list[str]:
        """Return ``allowed``, ``denied`` or what else came of each probe.

        What nobody answered is tried a second time, in peace: a busy machine denies nothing.
        """
        found = self._ask(probes, seconds)
        again = [number for number, outcome in enumerate(found) if outcome == "silent"]
        for number, outcome in zip(
            again, self._ask([probes[one] for one in again], seconds), strict=True
        ):
            found[number] = outcome
        return [WORDS.get(outcome, outcome) for outcome in found]

    def start(self) -> None:
        """Attach the pods, and start every agent."""
        for pod in list_all_pods(self.case):
            if pod.subject_to_policies:
                node = self.network.topology.node(pod.node)
                self.network.attach(pod.name, node, pod.addresses, "")
                self._start_agent(self.network.pod(pod.name), pod.name, pod.addresses)
        for name in self.case.nodes:
            self._start_agent(self.network.node(name), name, ())
            _unlimit(self.network.node(name))
        outside = [one for each in self.network.topology.outsiders for one in each.addresses]
        self._start_agent(self.network.outside, "outside", outside)
        for namespace, agent in self.agents.items():
            if _output(agent).readline() != "ready\n":
                raise CommandError(f"the agent of {namespace} does not start")

    def stop(self) -> None:
        """End every agent."""
        for agent in self.agents.values():
            for pipe in (agent.stdin, agent.stdout):
                if pipe:
                    with contextlib.suppress(OSError):
                        pipe.close()
            agent.kill()
            agent.wait()

    def _start_agent(self, namespace: str, name: str, addresses: Sequence[str]) -> None:
        settings = {"name": name, "addresses": addresses, "ports": self.case.told["probes"]}
        agent = (sys.executable, "-I", str(HERE / "agent.py"), json.dumps(settings))
        self.agents[namespace] = subprocess.Popen(
            within(namespace, *agent),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _ask(self, probes: Sequence[Probe], seconds: float) -> list[str]:
        """Return how each probe ended; all agents try theirs at the same time."""
        asked: dict[str, list[int]] = defaultdict(list)
        for number, probe in enumerate(probes):
            asked[self._namespace(probe.client)].append(number)
        for namespace, numbers in asked.items():
            tried = [self._describe(probes[number]) for number in numbers]
            _tell(self.agents[namespace], {"seconds": seconds, "probes": tried})
        found = [""] * len(probes)
        for namespace, numbers in asked.items():
            outcomes = json.loads(_output(self.agents[namespace]).readline())
            for number, outcome in zip(numbers, outcomes, strict=True):
                found[number] = outcome
        return found

    def _describe(self, probe: Probe) -> list[str | int]:
        server = probe.server.pod or "outside"
        ends = (probe.client.address, probe.server.address)
        return [probe.protocol, *ends, probe.port, server]

    def _namespace(self, end: End) -> str:
        if end.pod:
            return self.network.pod(end.pod)
        if end.name in self.case.nodes:
            return self.network.node(end.name)
        return self.network.outside


@contextlib.contextmanager
def build_wall(prefix: str, case: Case, topology: Topology | None = None) -> Iterator[Wall]:
    """Yield the running cluster, which enforces nothing yet; nothing of it stays behind.

    The topology is the network of the case, where that is not the one of ``world.yaml``.
    """
    with hold(prefix), build_network(prefix, topology or find_topology(case)) as network:
        wall = Wall(network, case)
        try:
            wall.start()
            yield wall
        finally:
            with undisturbed():
                wall.stop()


def load(network: Network, rules: Mapping[str, Sequence[str]]) -> None:
    """Give each node its rules in place of those before, and forget connections under way."""
    for node, lines in rules.items():
        text = "\n".join(
            (f"add table {translate.TABLE}", f"delete table {translate.TABLE}", *lines)
        )
        must(within(network.node(node), "nft", "-f", "-"), given=f"{text}\n")
        must(within(network.node(node), "conntrack", "-F"))


def _unlimit(namespace: str) -> None:
    """Let the node say no as often as it has to; kernels differ in which limits they have."""
    limits = ("ipv4.icmp_ratelimit=0", "ipv6.icmp.ratelimit=0", "ipv4.icmp_msgs_per_sec=1000000")
    for limit in limits:
        run(within(namespace, "sysctl", "-e", "-q", "-w", f"net.{limit}"))


def _tell(agent: subprocess.Popen[str], task: dict[str, Any]) -> None:
    assert agent.stdin is not None
    agent.stdin.write(f"{json.dumps(task)}\n")
    agent.stdin.flush()


def _output(agent: subprocess.Popen[str]) -> IO[str]:
    assert agent.stdout is not None
    return agent.stdout


@contextlib.contextmanager
def hold(prefix: str) -> Iterator[None]:
    """Hold the prefix against other runs, whose namespaces would be taken away; wait for them."""
    with socket.socket(socket.AF_UNIX) as held:
        deadline = time.monotonic() + 180
        while True:
            try:
                held.bind(f"\0{prefix}-recorder")
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise CommandError(f"another lab with the prefix {prefix} runs") from error
                time.sleep(0.5)
        yield
