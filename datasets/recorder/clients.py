"""The programs that open connections, and what their exit codes mean."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datasets.recorder.topology import Call, Topology

Outcome = Literal["answered", "refused", "unanswered", "failed"]
USER: Final = "shop"
QUERY: Final = "SELECT COUNT(*) FROM shop.orders"
GREETING: Final = "PING\n"
"""What clients of TCP and UDP send; the others read nothing."""
_CURL_REFUSED, _CURL_LATE = 7, 28
_REFUSED: Final = re.compile(r"connection refused|\(111\b", re.IGNORECASE)
_LATE: Final = re.compile(r"timed out|timeout|\(110\b|\(115\b|no route to host", re.IGNORECASE)


def find_target(topology: Topology, call: Call) -> tuple[str, int]:
    """Return the name or address that the client is given, and the port."""
    for workload in topology.workloads:
        if workload.key == call.to:
            port = call.port or (workload.servers[0].port if workload.servers else 0)
            return workload.host, port
    for outsider in topology.outsiders:
        if outsider.name == call.to:
            return outsider.name, call.port or outsider.servers[0].port
    return call.to, call.port


def build_command(call: Call, host: str, port: int) -> tuple[str, ...]:
    """Return the command of a real client that makes the call once."""
    if call.kind == "http":
        shown = f"[{host}]" if _is_six(host) else host
        limits = ("--max-time", "5", "--output", "/dev/null", "--silent", "--show-error")
        written = ("--write-out", "%{http_code}")
        return ("curl", "--noproxy", "*", *limits, *written, f"http://{shown}:{port}/")
    if call.kind == "tcp":
        return ("nc", "-v", "-N", "-w", "3", host, str(port))
    if call.kind == "udp":
        return ("nc", "-u", "-w", "1", host, str(port))
    if call.kind == "mysql":
        where = (f"--host={host}", f"--port={port}", "--connect-timeout=3")
        who = (f"--user={USER}", f"--password={USER}", "--protocol=TCP")
        return ("mariadb", "--no-defaults", *where, *who, "--batch", f"--execute={QUERY}")
    transport = ("+tcp",) if call.kind == "dns-tcp" else ()
    return ("dig", "+tries=1", "+time=2", *transport, call.name or host)


def judge(kind: str, code: int, told: str, said: str) -> Outcome:
    """Return how the contact ended, as the client saw it."""
    if kind == "udp":
        return "answered" if told else "unanswered"
    if code == 0:
        return "answered"
    if kind == "http" and code == _CURL_LATE:
        return "unanswered"
    if _REFUSED.search(said) or (kind == "http" and code == _CURL_REFUSED):
        return "refused"
    return "unanswered" if _LATE.search(f"{said} {told}") else "failed"


def _is_six(host: str) -> bool:
    try:
        return ip_address(host).version == 6
    except ValueError:
        return False
