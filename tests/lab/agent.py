"""Listens inside one network namespace, and opens connections from there as it is told.

``python agent.py SETTINGS`` takes a JSON object: ``name``, ``addresses`` and ``ports`` (as
``TCP 80``) to listen on. It prints ``ready``. Each line that it then reads is a JSON object:
``seconds`` that an answer may take, and ``probes``, each ``[protocol, own address, address, port,
name of the server]``; it prints how each ended, as one JSON list. It ends with its input.

=============  =================================================================================
answered       the server meant has answered, and saw the client's own address
refused        a reset, or an ICMP error: somebody said no
silent         nothing came
anything else  what went wrong
=============  =================================================================================

This file needs nothing but Python.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from typing import Any

AT_ONCE = 64
KINDS = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}
RESET = struct.pack("ii", 1, 0)
"""Close at once and leave nothing behind that waits."""


class Greeter(asyncio.Protocol):
    """Tells each client the server's name and the client's address."""

    def __init__(self, name: str) -> None:
        """Serve under the name."""
        self.name = name

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - of either transport
        """Greet; the client closes."""
        transport.write(greet(self.name, transport.get_extra_info("peername")))


class Echo(asyncio.DatagramProtocol):
    """Answers each datagram alike."""

    def __init__(self, name: str) -> None:
        """Serve under the name."""
        self.name = name
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's own types vary
        """Keep what answers go through."""
        self.transport = transport

    def datagram_received(self, _: bytes, addr: Any) -> None:  # noqa: ANN401 - of either family
        """Answer."""
        self.transport.sendto(greet(self.name, addr), addr)


def greet(name: str, client: tuple[Any, ...]) -> bytes:
    """Return the answer to a client."""
    return f"{name} {client[0]}\n".encode()


async def serve(settings: dict[str, Any]) -> list[object]:
    """Return what listens."""
    loop, name, serving = asyncio.get_running_loop(), settings["name"], list[object]()
    for address in settings["addresses"]:
        for text in settings["ports"]:
            protocol, port = text.split()
            where = address, int(port)
            if protocol == "TCP":
                made = await loop.create_server(lambda: Greeter(name), *where, backlog=1024)
                serving.append(made)
            else:
                serving.append(await loop.create_datagram_endpoint(lambda: Echo(name), where))
    return serving


async def probe(one: list[Any], seconds: float, turn: asyncio.Semaphore) -> str:
    """Return how the probe ended."""
    async with turn:
        try:
            return await asyncio.wait_for(ask(*one), seconds)
        except TimeoutError:
            return "silent"
        except ConnectionError:
            return "refused"
        except OSError as error:
            return str(error)


async def ask(protocol: str, own: str, address: str, port: int, server: str) -> str:
    """Return ``answered``, or what else was said."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, KINDS[protocol]) as client:
        client.settimeout(0)
        client.bind((own, 0))
        if protocol == "TCP":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await loop.sock_connect(client, (address, port))
        if protocol == "UDP":
            await loop.sock_sendall(client, b"?")
        told = (await loop.sock_recv(client, 256)).decode().strip()
    return "answered" if told == f"{server} {own}" else f"answered by {told!r}"


async def work(settings: dict[str, Any]) -> None:
    """Serve, and probe what the input asks for, until it ends."""
    serving = await serve(settings)
    say("ready")
    while line := await asyncio.to_thread(sys.stdin.readline):
        task, turn = json.loads(line), asyncio.Semaphore(AT_ONCE)
        probes = (probe(one, task["seconds"], turn) for one in task["probes"])
        say(json.dumps(await asyncio.gather(*probes)))
    serving.clear()


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(work(json.loads(sys.argv[1])))
