"""Reads logs, cluster and policies a second time, in the plainest way, to judge what synth says.

Nothing of synth is used. A record of connection tracking is one flow: its original source asked,
its reply source answered, and the reply destination is the client as the server sees it. Its ends
are who held the addresses when the connection was opened. A record of its end tells only about
when that was; if just one pair of those who may be meant opened one, it is theirs. A record
of VPC flow logs was opened by whoever sent the SYN; without one, by the side whose port no
container declares.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.reference import Endpoint, Flow, Pod

Document = dict[str, Any]
Contact = tuple[str, str, str, int]
"""Client, server, protocol and port, in the words of the reports."""

NUMBERS = {"6": "TCP", "17": "UDP", "132": "SCTP"}
ALWAYS = (float("-inf"), float("inf"))
CONNTRACK_SLACK = (1.0, 1.0)
VPC_SLACK = (60.0, 0.0)
SWEEP, EXPIRY = 60.0, 120.0
"""Seconds until an expired entry is swept, and until an idle one expires."""
"""Seconds by which a pod may have held the address before or after the time of the record."""
NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Record:
    """A log record that policies can speak about.

    ``flows`` holds one flow; where an address changed hands within the slack of the record's
    time, one for each pod that may have been meant.
    """

    flows: tuple[Flow, ...]
    contact: Contact

    @property
    def flow(self) -> Flow:
        """The flow, or the first of those it may have been."""
        return self.flows[0]


class Cluster:
    """Pods with their lives, namespaces and nodes, from kubectl's output.

    ``held`` tells each pod under each of its addresses, and from when to when it held it.
    """

    def __init__(self, folder: Path) -> None:
        objects = _latest(folder)
        self.namespaces = {
            one["metadata"]["name"]: one["metadata"].get("labels")
            for one in objects
            if one["kind"] == "Namespace"
        }
        self.nodes = {
            address["address"]: one["metadata"]["name"]
            for one in objects
            if one["kind"] == "Node"
            for address in one["status"]["addresses"]
            if address["type"] == "InternalIP"
        }
        self._owners = {
            (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]): one
            for one in objects
        }
        self.pods = [one for one in objects if one["kind"] == "Pod"]
        self.workload_of = {
            (one["metadata"]["namespace"], one["metadata"]["name"]): self._top(one)
            for one in self.pods
        }
        self.held = [held for one in self.pods for held in _holdings(one)]

    def _top(self, one: Document) -> str:
        """Return ``namespace/name`` of the top-level owner."""
        namespace = one["metadata"]["namespace"]
        for owner in one["metadata"].get("ownerReferences", ()):
            if found := self._owners.get((owner["kind"], namespace, owner["name"])):
                return self._top(found)
            return f"{namespace}/{owner['name']}"
        return f"{namespace}/{one['metadata']['name']}"

    def holders(self, address: str, time: float, slack: tuple[float, float]) -> list[Endpoint]:
        """Return the pods that may have held the address then, or the address."""
        early, late = time - slack[0], time + slack[1]
        pods = [pod for pod, start, end in self.held if start <= late and early < end]
        found: list[Endpoint] = [pod for pod in pods if pod.address == address]
        return found or [address]

    def name(self, endpoint: Endpoint) -> str:
        """Return the endpoint in the words of the reports."""
        if isinstance(endpoint, Pod):
            return self.workload_of[endpoint.namespace, endpoint.name]
        return f"node {self.nodes[endpoint]}" if endpoint in self.nodes else endpoint

    def select(self, selector: Mapping[str, Any], namespace: str) -> set[str]:
        """Return the names of the namespace's pods that the selector picks."""
        return {
            one["metadata"]["name"]
            for one in self.pods
            if one["metadata"]["namespace"] == namespace
            and not one["spec"].get("hostNetwork")
            and matches(selector, one["metadata"].get("labels", {}))
        }

    def pods_of(self, workload: str) -> set[str]:
        """Return the names of the workload's pods."""
        return {name for (_, name), top in self.workload_of.items() if top == workload}

    def record(
        self,
        time: float | tuple[float, float],
        ends: tuple[str, str, str],
        service: tuple[str, int],
        slack: tuple[float, float] = CONNTRACK_SLACK,
    ) -> Record:
        """Return the record; ``ends`` are client, client as the server sees it, and server.

        ``time`` may be a stretch of it; ``service`` is the protocol and the server's port.
        """
        early, late = time if isinstance(time, tuple) else (time, time)
        slack = slack[0] + late - early, slack[1]
        clients, seen, servers = (self.holders(end, late, slack) for end in ends)
        flows = tuple(
            Flow(
                client,
                client if ends[0] == ends[1] else seen[0],
                server,
                *service,
                isinstance(server, Pod) and self.nodes.get(ends[1]) == server.node,
            )
            for client, server in product(clients, servers)
        )
        names = [" or ".join(sorted({*map(self.name, some)})) for some in (clients, servers)]
        return Record(flows, (names[0], names[1], *service))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a LabelSelector holds for the labels."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for term in selector.get("matchExpressions", []):
        held = labels.get(term["key"])
        within = held is not None and held in term.get("values", [held])
        if within != (term["operator"] in ("In", "Exists")):
            return False
    return True


def read_records(cluster: Cluster, paths: Iterable[Path]) -> list[Record]:
    """Return the records of text logs that a NetworkPolicy can speak about."""
    found = [one for path in paths for one in _records(cluster, path.read_text())]
    return _joined(cluster, found)


def read_policies(folder: Path) -> list[Document]:
    """Return the NetworkPolicies below the folder."""
    found = [one for path in sorted(folder.rglob("*.yaml")) for one in read_yaml(path)]
    return [one for one in found if one["kind"] == "NetworkPolicy"]


def read_yaml(path: Path) -> list[Any]:
    """Return the documents of the file."""
    return list(yaml.safe_load_all(path.read_text()))


@dataclass(frozen=True, slots=True)
class _Told:
    """A record, and what it tells of a connection; ``ends`` are the addresses."""

    record: Record
    ends: tuple[str, str] = ("", "")
    tracked: bool = False
    opens: bool = False
    answered: bool = False

    @property
    def contacts(self) -> list[Contact]:
        """Return who and whom it may be of."""
        client, server, service = *self.record.contact[:2], self.record.contact[2:]
        pairs = product(client.split(" or "), server.split(" or "))
        return [(one, other, *service) for one, other in pairs]

    @property
    def group(self) -> tuple[object, ...]:
        """Return what records of one doubt have in common."""
        sides = zip(self.record.contact[:2], self.ends, strict=True)
        return self.record.contact, *(end for name, end in sides if " or " in name)


def _joined(cluster: Cluster, found: list[_Told]) -> list[Record]:
    """Return the records; doubtful ones of late events as the only contact that they can be of."""
    clear = [one for one in found if len(one.contacts) == 1]
    opened = {one.record.contact for one in clear if one.opens}
    answered = {one.record.contact for one in clear if one.answered}
    doubts: dict[object, list[_Told]] = {}
    for one in found:
        doubts.setdefault(one.group, []).append(one)
    homes: dict[object, Contact] = {}
    for group, some in doubts.items():
        if all(one.tracked and not one.opens for one in some) and len(some[0].contacts) > 1:
            asked = opened & answered if any(one.answered for one in some) else opened
            likely = [contact for contact in some[0].contacts if contact in asked]
            if len(likely) == 1:
                homes[group] = likely[0]
    return [_at_home(cluster, one.record, homes.get(one.group)) for one in found]


def _at_home(cluster: Cluster, record: Record, home: Contact | None) -> Record:
    if home is None:
        return record
    flows = (
        flow
        for flow in record.flows
        if (cluster.name(flow.client), cluster.name(flow.server)) == home[:2]
    )
    return Record(tuple(flows), home)


def _records(cluster: Cluster, text: str) -> Iterator[_Told]:
    lines = text.splitlines()
    if not lines[0].startswith("version"):
        yield from filter(None, (_tracked(cluster, line) for line in lines))
        return
    names = lines[0].split()
    for line in lines[1:]:
        row = dict(zip(names, line.split(), strict=True))
        if row["log-status"] == "OK":
            yield _Told(_logged(cluster, row))


def _tracked(cluster: Cluster, line: str) -> _Told | None:
    found = re.findall(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)", line)
    number = re.search(r"ipv[46] +\d+ +\w+ +(\d+)", line)
    if len(found) != 2 or number is None or number[1] not in NUMBERS:
        return None
    (client, *_), (server, seen, port, _) = found
    answered = _is_answered(line, tcp=number[1] == "6")
    ends, service = (client, seen, server), (NUMBERS[number[1]], int(port))
    record = cluster.record(_when_opened(line, answered=answered), ends, service)
    opens = "[NEW]" in line
    return _Told(record, (client, server), tracked=True, opens=opens, answered=answered)


def _is_answered(line: str, *, tcp: bool) -> bool:
    if "[UNREPLIED]" in line:
        return False
    return not tcp or bool(re.search(r"\[ASSURED\]|ESTABLISHED|_WAIT|LAST_ACK", line))


def _when_opened(line: str, *, answered: bool) -> tuple[float, float]:
    """Return the earliest and the latest time that the connection may be of."""
    time = float(line[1 : line.index("]")])
    if "[DESTROY]" in line and not re.search(r"SYN_SENT|UNREPLIED", line):
        if " CLOSE " in line and not answered:
            return time, time
        age = re.search(r"delta-time=(\d+)", line)
        last = time - float(age[1]) if age else time
        return last - SWEEP - (0 if age else EXPIRY), last
    if "[UPDATE]" in line and re.search(r"_WAIT|LAST_ACK|CLOSE.*ASSURED", line):
        return time - SWEEP, time
    return time, time


def _logged(cluster: Cluster, row: Mapping[str, str]) -> Record:
    here = (row["pkt-srcaddr"], int(row["srcport"]))
    there = (row["pkt-dstaddr"], int(row["dstport"]))
    flags, time = int(row["tcp-flags"]), float(row["start"])
    holder = cluster.holders(here[0], time, VPC_SLACK)[0]
    answers = bool(flags & 16) if flags & 2 else _declares(holder, here[1])
    client, server = (there, here) if answers else (here, there)
    ends = (client[0], client[0], server[0])
    return cluster.record(time, ends, (NUMBERS[row["protocol"]], server[1]), VPC_SLACK)


def _declares(endpoint: Endpoint, port: int) -> bool:
    return isinstance(endpoint, Pod) and port in [number for _, _, number in endpoint.ports]


def _latest(folder: Path) -> list[Document]:
    """Return each object as it was told last; a pod, as it was told last with an address."""
    told = [one for path in sorted(folder.rglob("*.*")) for one in _items(path)]
    told = [one for one in told if one["kind"] != "Pod" or "podIPs" in one["status"]]
    told.sort(key=lambda one: int(one["metadata"].get("resourceVersion", 0)))
    # Without a uid nobody knows whether two of a name are one.
    last = {one["metadata"].get("uid", number): one for number, one in enumerate(told)}
    return list(last.values())


def _items(path: Path) -> Iterator[Document]:
    for whole in _values(path):
        yield from whole.get("items", [whole.get("object", whole)])


def _values(path: Path) -> Iterator[Document]:
    """Yield what the file holds; the values of a watch stream stand in a row."""
    text = path.read_text().strip()
    if path.suffix != ".json":
        yield from filter(None, yaml.safe_load_all(text))
        return
    decoder = json.JSONDecoder()
    while text:
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:].lstrip()


def _holdings(one: Document) -> Iterator[tuple[Pod, float, float]]:
    """Yield the pod under each of its addresses, with the time that it held it.

    It is told as running, as it was then.
    """
    meta, spec, status = one["metadata"], one["spec"], one["status"]
    if spec.get("hostNetwork"):
        return
    ends = [
        _seconds(state["terminated"]["finishedAt"])
        for state in (held["state"] for held in status.get("containerStatuses", ()))
        if "terminated" in state
    ]
    ports = [port for box in spec["containers"] for port in box.get("ports", ())]
    for address in status["podIPs"]:
        pod = Pod(
            meta["namespace"],
            meta["name"],
            meta.get("labels", {}),
            address["ip"],
            tuple((p.get("name", ""), p.get("protocol", "TCP"), p["containerPort"]) for p in ports),
            spec["nodeName"],
        )
        yield pod, _seconds(status["startTime"]), max(ends, default=ALWAYS[1])


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
