"""The topology of a YAML file, checked: all faults of the file are told together."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final, Literal, cast

import yaml

from datasets.recorder.topology import (
    CLIENTS,
    OWNERS,
    SERVERS,
    Call,
    CallOnce,
    Exposure,
    Node,
    Outsider,
    Ping,
    Replace,
    RunJob,
    Scan,
    Server,
    Step,
    TakeOver,
    Topology,
    Workload,
)
from synth.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_PORT_NAMES: Final = {"nginx": "http", "mysql": "mysql", "dns": "dns"}
_LAST_PORT: Final = 65_535


class Entry:
    """A mapping of the file; what is wrong with it is added to the file's faults."""

    def __init__(self, value: object, place: str, faults: list[Fault]) -> None:
        """Take the mapping as empty if it is none, which is a fault."""
        self.place, self.faults = place, faults
        self._value: dict[str, Any] = value if isinstance(value, dict) else {}
        self._read: set[str] = set()
        if not isinstance(value, dict):
            self.blame("a mapping", value)

    def blame(self, expected: str, got: object, name: str = "") -> None:
        """Add a fault."""
        place = f"{self.place} {name}".rstrip()
        shown = "nothing" if got is None else repr(got)
        self.faults.append(Fault(place, expected, shown))

    def has(self, name: str) -> bool:
        """Return whether the mapping has the name."""
        return name in self._value

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text."""
        value = self._take(name, default)
        if not isinstance(value, str) or (not value and default is None):
            self.blame("a text", value, name)
            return ""
        return value

    def one_of(self, name: str, words: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the words."""
        value = self._take(name, default)
        if value not in words:
            self.blame(" or ".join(words), value, name)
            return words[0]
        return cast("str", value)

    def number(self, name: str, default: float | None = None, *, least: float = 0) -> float:
        """Return a number, not below the least."""
        value = self._take(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            self.blame(f"a number of at least {least:g}", value, name)
            return float(least)
        return float(value)

    def port(self, name: str, default: int | None = None) -> int:
        """Return a port."""
        value = self._take(name, default)
        if type(value) is not int or not 1 <= value <= _LAST_PORT:
            self.blame("a port of 1 to 65535", value, name)
            return 1
        return value

    def flag(self, name: str) -> bool:
        """Return true or false; false where it is left out."""
        value = self._take(name, default=False)
        if not isinstance(value, bool):
            self.blame("true or false", value, name)
        return value is True

    def texts(
        self, name: str, check: Callable[[str], object], expected: str, least: int = 0
    ) -> tuple[str, ...]:
        """Return a list of texts that the check does not refuse with a ValueError."""
        listed = self._list(name, least)
        for one in listed:
            try:
                check(one if isinstance(one, str) else "")
            except ValueError:
                self.blame(expected, one, name)
        return tuple(str(one) for one in listed)

    def entries(self, name: str, least: int = 0) -> Iterator[Entry]:
        """Yield the mappings of a list."""
        for number, one in enumerate(self._list(name, least), 1):
            label = one.get("name", number) if isinstance(one, dict) else number
            yield Entry(one, f"{self.place} {name}[{label}]", self.faults)

    def mapping(self, name: str) -> Entry:
        """Return a mapping within this one."""
        return Entry(self._take(name, {}), f"{self.place} {name}", self.faults)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return all names with their texts."""
        return tuple((name, self.text(name)) for name in sorted(self._value))

    def close(self) -> None:
        """Blame every name that nobody asked for."""
        for name in sorted(self._value.keys() - self._read, key=str):
            self.blame("no such name", str(name))

    def _take(self, name: str, default: object) -> Any:  # noqa: ANN401 - a loaded document
        self._read.add(name)
        return self._value.get(name, default)

    def _list(self, name: str, least: int) -> list[Any]:
        value = self._take(name, [])
        if not isinstance(value, list) or len(value) < least:
            self.blame(f"a list of {least} or more", value, name)
            return []
        return value


def read_topology(path: Path) -> Topology:
    """Return the topology of the file.

    Raises
    ------
    InputError
        With every fault of the file.

    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(Fault(str(path), "a YAML file", reason)) from error
    faults: list[Fault] = []
    topology = _read(Entry(document, str(path), faults))
    if not faults:
        faults += [Fault(str(path), *pair) for pair in _contradictions(topology)]
    if faults:
        raise InputError(*faults)
    return topology


def _read(entry: Entry) -> Topology:
    topology = Topology(
        name=entry.text("name"),
        seconds=entry.number("seconds", least=1),
        nodes=tuple(map(_node, entry.entries("nodes", 1))),
        service_cidrs=entry.texts("services", ip_network, "a CIDR", 1),
        outsiders=tuple(map(_outsider, entry.entries("outside"))),
        workloads=tuple(map(_workload, entry.entries("workloads", 1))),
        steps=tuple(map(_step, entry.entries("steps"))),
        time_wait=int(entry.number("time-wait", 1, least=1)),
        prompt_expiry=entry.flag("prompt-expiry"),
        begin_second=int(entry.number("begin-second")) if entry.has("begin-second") else None,
    )
    entry.close()
    return topology


def _node(entry: Entry) -> Node:
    node = Node(
        name=_checked_name(entry),
        addresses=entry.texts("addresses", ip_address, "an address", 1),
        pod_cidrs=entry.texts("pods", ip_network, "a CIDR", 1),
    )
    entry.close()
    return node


def _outsider(entry: Entry) -> Outsider:
    outsider = Outsider(
        name=entry.text("name"),
        addresses=entry.texts("addresses", ip_address, "an address", 1),
        servers=tuple(map(_server, entry.entries("serves"))),
        calls=tuple(map(_call, entry.entries("calls"))),
    )
    entry.close()
    return outsider


def _workload(entry: Entry) -> Workload:
    namespace, _, name = entry.text("name").partition("/")
    if not (_NAME.fullmatch(namespace) and _NAME.fullmatch(name)):
        entry.blame("namespace/name, in small letters", entry.text("name"), "name")
    servers = tuple(map(_server, entry.entries("serves")))
    exposure = _exposure(entry.mapping("exposed")) if entry.has("exposed") else None
    workload = Workload(
        namespace=namespace,
        name=name,
        owner=entry.one_of("owner", OWNERS, "Deployment"),
        nodes=entry.texts("nodes", str, "a node"),
        labels=entry.mapping("labels").pairs(),
        servers=servers,
        calls=tuple(map(_call, entry.entries("calls"))),
        exposure=exposure,
        dual_stack=entry.flag("dual-stack"),
        probed=entry.flag("probed"),
        service=entry.text("service", name) if servers else "",
    )
    entry.close()
    return workload


def _server(entry: Entry) -> Server:
    kind = entry.one_of("kind", SERVERS)
    name = entry.text("name", _PORT_NAMES.get(kind, kind))
    server = Server(kind=kind, port=entry.port("port"), name=name)
    entry.close()
    return server


def _call(entry: Entry) -> Call:
    call = _contact(entry)
    entry.close()
    return call


def _contact(entry: Entry) -> Call:
    return Call(
        to=entry.text("to"),
        kind=entry.one_of("kind", CLIENTS),
        port=entry.port("port") if entry.has("port") else 0,
        every=entry.number("every", least=0.1) if entry.has("every") else None,
        name=entry.text("ask", ""),
    )


def _exposure(entry: Entry) -> Exposure:
    policy = cast("Literal['Local', 'Cluster']", entry.one_of("policy", ("Local", "Cluster")))
    exposure = Exposure(entry.port("node-port"), policy)
    entry.close()
    return exposure


def _step(entry: Entry) -> Step:
    step = _STEPS[entry.one_of("do", tuple(_STEPS))](entry, entry.number("at"))
    entry.close()
    return step


def _call_once(entry: Entry, at: float) -> Step:
    return CallOnce(at, entry.text("from"), _contact(entry), entry.text("node", ""))


def _ping(entry: Entry, at: float) -> Step:
    return Ping(at, entry.text("from"), entry.text("to"))


def _scan(entry: Entry, at: float) -> Step:
    first, _, last = entry.text("ports").partition("-")
    if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= _LAST_PORT):
        entry.blame("ports such as 6000-6063", entry.text("ports"), "ports")
        first = last = "1"
    targets = entry.texts("to", str, "a workload", 1)
    return Scan(at, entry.text("from"), targets, int(first), int(last))


def _replace(entry: Entry, at: float) -> Step:
    return Replace(at, entry.text("workload"), entry.text("node"), entry.number("drain"))


def _take_over(entry: Entry, at: float) -> Step:
    return TakeOver(at, entry.text("workload"), entry.text("address-of"), entry.number("delay"))


def _run_job(entry: Entry, at: float) -> Step:
    return RunJob(at, entry.text("workload"), entry.text("node"), entry.number("seconds", least=1))


_STEPS: Final[dict[str, Callable[[Entry, float], Step]]] = {
    "call": _call_once,
    "ping": _ping,
    "replace": _replace,
    "run-job": _run_job,
    "scan": _scan,
    "take-over": _take_over,
}


def _checked_name(entry: Entry) -> str:
    name = entry.text("name")
    if not _NAME.fullmatch(name):
        entry.blame("a name in small letters", name, "name")
    return name


def _contradictions(topology: Topology) -> Iterator[tuple[str, str]]:
    """Yield what the parts say of each other that cannot be: what was expected, and got."""
    yield from _doubles(topology)
    yield from _unknown(topology)
    for one in topology.workloads:
        if one.exposure and not one.servers:
            yield "an exposed workload to listen", one.key
        if one.owner == "CronJob" and (one.nodes or one.servers):
            yield "a CronJob without nodes and servers: a step runs it", one.key
        if one.owner != "CronJob" and not one.nodes:
            yield "a node or more under `nodes`", one.key


def _doubles(topology: Topology) -> Iterator[tuple[str, str]]:
    names = {
        "node": [one.name for one in topology.nodes],
        "workload": [one.key for one in topology.workloads],
        "name outside": [one.name for one in topology.outsiders],
        "node port": [str(one.exposure.node_port) for one in topology.workloads if one.exposure],
        "address": [
            *(address for one in topology.nodes for address in one.addresses),
            *(address for one in topology.outsiders for address in one.addresses),
        ],
    }
    for what, some in names.items():
        for name in sorted({one for one in some if some.count(one) > 1}):
            yield f"each {what} once", name


def _unknown(topology: Topology) -> Iterator[tuple[str, str]]:
    callers: list[Workload | Outsider] = [*topology.workloads, *topology.outsiders]
    serving = {one.key for one in topology.workloads if one.servers}
    serving |= {one.name for one in topology.outsiders if one.servers}
    for call in (call for caller in callers for call in caller.calls):
        if call.to not in serving and not _is_address(call.to):
            yield "a call to who listens, or to an address", f"a call to {call.to}"
    nodes = {one.name for one in topology.nodes}
    for workload in topology.workloads:
        for node in sorted(set(workload.nodes) - nodes):
            yield f"a node of this file for {workload.key}", node
    for step in topology.steps:
        yield from _unknown_in(step, topology, nodes)


def _unknown_in(step: Step, topology: Topology, nodes: set[str]) -> Iterator[tuple[str, str]]:
    workloads = {one.key for one in topology.workloads}
    known = workloads | {one.name for one in topology.outsiders}
    for field in ("source", "workload", "address_of"):
        key = getattr(step, field, None)
        if key is not None and key not in workloads:
            yield "a workload of this file in a step", key
    node = getattr(step, "node", "")
    if node and node not in nodes:
        yield "a node of this file in a step", node
    for target in _targets(step):
        if target not in known and not _is_address(target):
            yield "a step to a workload, a name outside or an address", target


def _targets(step: Step) -> tuple[str, ...]:
    if isinstance(step, CallOnce):
        return (step.call.to,)
    if isinstance(step, Ping):
        return (step.to,)
    return step.to if isinstance(step, Scan) else ()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
