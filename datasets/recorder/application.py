"""A small server, run inside a pod: HTTP, lines over TCP, or datagrams over UDP.

``python application.py SETTINGS`` takes one JSON object: ``kind``, ``address`` and ``port`` to
listen on, ``calls`` (commands, each with what it is given to read) to run for each request, and
``log``, a file that gets one line for each of those. An HTTP request is answered with 200 if all
calls worked, else with 502. This file needs nothing but Python.
"""

from __future__ import annotations

import json
import socket
import socketserver
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {}
LOCK = threading.Lock()


def run_calls() -> bool:
    """Return whether every call of a request worked; none is made after one that did not."""
    return all(run_call(number, call) for number, call in enumerate(SETTINGS["calls"]))


def run_call(number: int, call: dict[str, Any]) -> bool:
    """Return whether the call worked, having logged it."""
    began, clock = time.time(), time.monotonic()
    done = subprocess.run(
        call["command"], check=False, input=call["given"].encode(), capture_output=True
    )
    line = {
        "call": number,
        "at": began,
        "seconds": time.monotonic() - clock,
        "exit": done.returncode,
        "told": done.stdout.decode(errors="replace"),
        "said": done.stderr.decode(errors="replace"),
    }
    with LOCK, Path(SETTINGS["log"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
    return done.returncode == 0


class Pages(BaseHTTPRequestHandler):
    """Answers GET; ``/healthz`` calls nobody."""

    def do_GET(self) -> None:
        """Answer one request."""
        works = self.path == "/healthz" or run_calls()
        body = b"ok\n" if works else b"failed\n"
        self.send_response(200 if works else 502)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: the connections are what is recorded."""


class Web(ThreadingHTTPServer):
    """An HTTP server on one address of either family."""

    def server_bind(self) -> None:
        """Bind without asking DNS for the host's own name, as the parent class does."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "application", self.server_address[1]


class Lines(socketserver.StreamRequestHandler):
    """Answers each line with one of its own."""

    def handle(self) -> None:
        """Answer until the client has no more."""
        for _ in self.rfile:
            self.wfile.write(b"+PONG\r\n" if run_calls() else b"-ERR\r\n")


class LineServer(socketserver.ThreadingTCPServer):
    """A TCP server on one address of either family."""

    allow_reuse_address, daemon_threads = True, True


def serve_datagrams() -> None:
    """Answer each datagram with one of the same text."""
    with socket.socket(Web.address_family, socket.SOCK_DGRAM) as listening:
        listening.bind((SETTINGS["address"], SETTINGS["port"]))
        while True:
            text, client = listening.recvfrom(2048)
            run_calls()
            listening.sendto(text, client)


def main() -> None:
    """Serve until killed."""
    SETTINGS.update(json.loads(sys.argv[1]))
    where = SETTINGS["address"], SETTINGS["port"]
    family = socket.AF_INET6 if ":" in SETTINGS["address"] else socket.AF_INET
    Web.address_family = LineServer.address_family = family
    if SETTINGS["kind"] == "udp":
        serve_datagrams()
    elif SETTINGS["kind"] == "http":
        Web(where, Pages).serve_forever()
    else:
        LineServer(where, Lines).serve_forever()


if __name__ == "__main__":
    main()
