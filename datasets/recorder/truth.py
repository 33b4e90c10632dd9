"""The connections that were really made, as the programs that made them saw it."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from datasets.recorder.clients import judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from datasets.recorder.topology import Call


@dataclass(frozen=True, slots=True, order=True)
class Contact:
    """One contact: who opened it, to whom, when, and how it ended for the client.

    ``client`` and ``server`` are ``namespace/workload``, a name outside, ``node/…`` or an address;
    ``pod`` is the client's pod, if it has one, and ``address`` the one of the server's that was
    asked for, if it was given by address. ``program`` tells how it was made.
    """

    at: str
    client: str
    pod: str
    server: str
    protocol: str
    port: int | None
    outcome: str
    seconds: float
    program: str
    address: str = ""


class Truth:
    """The contacts so far; threads add to it."""

    def __init__(self) -> None:
        """Start with none."""
        self._contacts: list[Contact] = []
        self._lock = threading.Lock()

    def add(self, contact: Contact) -> None:
        """Add a contact."""
        with self._lock:
            self._contacts.append(contact)

    def rows(self) -> list[dict[str, object]]:
        """Return the contacts by time."""
        with self._lock:
            return [asdict(one) for one in sorted(self._contacts, key=lambda one: one.at)]


def tell_time(seconds: float) -> str:
    """Return the time in UTC, with microseconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_log(path: Path) -> Iterator[dict[str, object]]:
    """Yield the lines of a server's log of the calls that it made; none if it made none."""
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def read_contacts(
    path: Path, client: str, pod: str, calls: Iterable[tuple[Call, int]]
) -> Iterator[Contact]:
    """Yield the contacts that a server's log tells; ``calls`` with the ports they went to."""
    listed = list(calls)
    for line in read_log(path):
        call, port = listed[int(str(line["call"]))]
        told, said = str(line["told"]), str(line["said"])
        seconds = float(str(line["seconds"]))
        yield Contact(
            # nginx stamps the end of a request, the application the beginning.
            at=tell_time(float(str(line["at"])) - ("uri" in line) * seconds),
            client=client,
            pod=pod,
            server=call.to,
            protocol=call.protocol,
            port=port,
            outcome=judge(call.kind, int(str(line["exit"])), told, said),
            seconds=round(seconds, 3),
            program="nginx" if "uri" in line else call.kind,
        )
