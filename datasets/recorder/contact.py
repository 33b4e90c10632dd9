"""One contact: a real client program makes it, and how it ended goes into the truth."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasets.recorder.clients import GREETING, build_command, judge
from datasets.recorder.processes import run, within
from datasets.recorder.truth import Contact, Truth, tell_time

if TYPE_CHECKING:
    from datasets.recorder.cluster import Pod
    from datasets.recorder.network import Network
    from datasets.recorder.topology import Call, Outsider


@dataclass(frozen=True, slots=True)
class Client:
    """Who opens connections: its name, its pod (if any), its namespace and own address."""

    name: str
    namespace: str
    pod: str = ""
    address: str = ""

    @classmethod
    def of_pod(cls, network: Network, pod: Pod) -> Client:
        """Return the client that is a pod."""
        return cls(pod.workload.key, network.pod(pod.name), pod.name)

    @classmethod
    def of_outsider(cls, network: Network, outsider: Outsider) -> Client:
        """Return the client that is somebody outside."""
        return cls(outsider.name, network.outside, address=outsider.addresses[0])

    @classmethod
    def of_node(cls, network: Network, node: str) -> Client:
        """Return the client that is a node."""
        return cls(f"node/{node}", network.node(node))


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call goes: a name or an address, a port, and the path (of HTTP only)."""

    host: str
    port: int
    path: str = ""


def make_contact(truth: Truth, client: Client, call: Call, target: Target) -> Contact:
    """Return the contact that the client has just made."""
    command = list(build_command(call, target.host, target.port))
    if call.kind == "http":
        command[-1] += target.path
        if client.address:
            command[-1:-1] = ["--interface", client.address]
    given = GREETING if call.kind in ("tcp", "udp") else ""
    began, clock = time.time(), time.monotonic()
    done = run(within(client.namespace, *command), given=given)
    contact = Contact(
        at=tell_time(began),
        client=client.name,
        pod=client.pod,
        server=call.to,
        protocol=call.protocol,
        port=target.port,
        outcome=judge(call.kind, done.returncode, done.stdout, done.stderr),
        seconds=round(time.monotonic() - clock, 3),
        program=command[0],
        address=target.host if target.host[0].isdigit() or ":" in target.host else "",
    )
    truth.add(contact)
    return contact
