"""One truth table: policies as YAML, a small cluster, and the verdict on every probe.

| key of the file | meaning |
|---|---|
| tags, lines | what the case is about; which of ``LINES`` it proves |
| namespaces | name → labels |
| pods | name → ``in`` (namespace), ``labels``, ``ip`` (one or two), ``ports`` (``http TCP 80``), |
| | ``node``, ``hostNetwork``, ``phase``, ``silent`` (never an end of a probe) |
| nodes, outside | name → address |
| services | name → address |
| policies | the YAML of NetworkPolicies, in ``shop`` unless they say otherwise |
| choices | what the API leaves open, where not the default |
| probes | protocol and port, tried between every two ends of one family |
| itself | whether pods also probe themselves |
| default | the verdict on every probe but the ``exceptions`` |
| exceptions | ``verdict client > server PROTOCOL port``, with ``*``; the last that fits holds |
| through | ``verdict client > service:port > server PROTOCOL port`` |

The second address of a pod is the end ``name.6``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests import reference

HERE = Path(__file__).parent / "cases"
KEYS = frozenset(
    {
        *("tags", "lines", "namespaces", "pods", "nodes", "outside", "services", "policies"),
        *("choices", "probes", "itself", "default", "exceptions", "through", "title"),
    }
)
POD_KEYS = frozenset(
    {"in", "labels", "ip", "ports", "node", "hostNetwork", "phase", "silent", "name"}
)


@dataclass(frozen=True)
class End:
    """One end of a probe: a pod under one of its addresses, a node, or an address outside."""

    name: str
    address: str
    pod: str = ""


@dataclass(frozen=True)
class Probe:
    """One connection that is tried, and the verdict expected."""

    client: End
    server: End
    protocol: str
    port: int
    verdict: str
    service: str = ""
    asked_port: int = 0

    def __str__(self) -> str:
        """Return the probe as the file writes it."""
        through = f"{self.service}:{self.asked_port} > " if self.service else ""
        end = f"{through}{self.server.name} {self.protocol} {self.port}"
        return f"{self.verdict} {self.client.name} > {end}"


@dataclass(frozen=True)
class Case:
    """A truth table."""

    name: str
    told: dict[str, Any]

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(self.told["tags"])

    @property
    def lines(self) -> frozenset[str]:
        return frozenset(self.told["lines"])

    @property
    def pods(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self.told["pods"]
        return found

    @property
    def nodes(self) -> dict[str, str]:
        found: dict[str, str] = self.told.get("nodes", {})
        return found

    @property
    def namespaces(self) -> dict[str, dict[str, str]]:
        return {name: labels or {} for name, labels in self.told["namespaces"].items()}

    @property
    def services(self) -> dict[str, str]:
        found: dict[str, str] = self.told.get("services", {})
        return found

    @property
    def choices(self) -> dict[str, str]:
        found: dict[str, str] = self.told.get("choices", {})
        return found

    @property
    def policies(self) -> str:
        text: str = self.told["policies"]
        return text

    def ends(self) -> Iterator[End]:
        """Yield every end of probes."""
        for name, pod in self.pods.items():
            for suffix, address in zip(("", ".6"), addresses_of(pod), strict=False):
                if not pod.get("silent"):
                    yield End(name + suffix, address, name)
        for name, address in (*self.nodes.items(), *self.told.get("outside", {}).items()):
            yield End(name, address)

    def probes(self) -> Iterator[Probe]:
        """Yield every probe with the verdict expected."""
        ends = list(self.ends())
        for client in ends:
            for server in ends:
                if self._apart(client, server):
                    for text in self.told["probes"]:
                        protocol, port = text.split()
                        verdict = self._verdict(f"{client.name} > {server.name} {text}")
                        yield Probe(client, server, protocol, int(port), verdict)
        named = {end.name: end for end in ends}
        for text in self.told.get("through", ()):
            verdict, one, _, service, _, other, protocol, port = text.split()
            asked, _, asked_port = service.partition(":")
            ends_ = named[one], named[other]
            yield Probe(*ends_, protocol, int(port), verdict, asked, int(asked_port))

    def _apart(self, client: End, server: End) -> bool:
        """Return whether the two can be tried: of one family, and not one thing."""
        if (":" in client.address) != (":" in server.address) or not (client.pod or server.pod):
            return False
        if client.address == server.address:
            return client.name == server.name and bool(self.told.get("itself"))
        return True

    def _verdict(self, probe: str) -> str:
        verdict: str = self.told["default"]
        for text in self.told.get("exceptions", ()):
            word, _, pattern = text.partition(" ")
            if fnmatchcase(probe, pattern):
                verdict = word
        return verdict

    def judge(self, probe: Probe) -> str:
        """Return what the scalar reference says of the probe."""
        documents = [
            {**one, "metadata": {"namespace": "shop", **one["metadata"]}}
            for one in yaml.safe_load_all(self.policies)
            if one
        ]
        chosen = {name.replace("-", "_"): value for name, value in self.choices.items()}
        judge = reference.Reference(documents, self.namespaces, chosen, nodes=self.nodes.values())
        client, server = map(self._reference_end, (probe.client, probe.server))
        flow = reference.Flow(
            client,
            client,
            server,
            probe.protocol,
            probe.port,
            same_node=self._is_node_of(probe.client, probe.server),
            to_node=self._is_node_of(probe.server, probe.client),
            asked=self.services[probe.service] if probe.service else None,
            asked_port=probe.asked_port,
        )
        return "allowed" if judge.judge(flow).allowed else "denied"

    def _reference_end(self, end: End) -> reference.Endpoint:
        if not end.pod:
            return end.address
        pod = self.pods[end.pod]
        ports = [text.split() for text in pod.get("ports", ())]
        return reference.Pod(
            namespace=pod.get("in", "shop"),
            name=end.pod,
            labels=pod.get("labels") or {},
            address=end.address,
            ports=tuple((name, protocol, int(port)) for name, protocol, port in ports),
            node=pod.get("node", ""),
            host_network=pod.get("hostNetwork", False),
            phase=pod.get("phase", "Running"),
        )

    def _is_node_of(self, node: End, pod: End) -> bool:
        """Return whether the one address is that of the node that the other runs on."""
        home = self.pods[pod.pod].get("node", "") if pod.pod else ""
        return bool(home) and self.nodes.get(home) == node.address


def addresses_of(pod: dict[str, Any]) -> list[str]:
    found = pod["ip"]
    return found if isinstance(found, list) else [found]


@cache
def cases() -> tuple[Case, ...]:
    """Return every case, by name.

    Raises
    ------
    ValueError
        If a file says what no case can say.

    """
    found = []
    for path in sorted(HERE.glob("*.yaml")):
        told = yaml.safe_load(path.read_text())
        unknown = (
            set(told) - KEYS | {key for pod in told["pods"].values() for key in pod} - POD_KEYS
        )
        if unknown:
            raise ValueError(f"{path.name}: unknown {sorted(unknown)}")
        found.append(Case(path.stem, told))
    return tuple(found)
