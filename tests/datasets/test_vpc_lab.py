"""Flow logs derived from what a kernel really sent between two nodes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from datasets.recorder.vpc_logs import Capture, derive
from tests.sources.samples import ledger_of, read

PROGRAMS = ("ip", "tcpdump", "nc", "ping")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}"),
]

PREFIX = f"synth-vpc{os.getpid()}-"
NODES = {
    1: (f"{PREFIX}1", "10.0.0.11", "2001:db8::11", "10.244.1.5", "2001:db8:1::5"),
    2: (f"{PREFIX}2", "10.0.0.12", "2001:db8::12", "10.244.2.7", "2001:db8:2::7"),
}
"""Namespace, its addresses on the link between the two, and the addresses of its pod."""
Row = dict[str, Any]


def run(command: str) -> None:
    """Run a command that must succeed."""
    subprocess.run(command.split(), check=True, capture_output=True, timeout=20)


def inside(number: int, command: str) -> list[str]:
    """Return the command as run on a node."""
    return ["ip", "netns", "exec", NODES[number][0], *command.split()]


def wait_for(path: Path, word: str) -> None:
    """Return when the word stands in the file."""
    for _ in range(200):
        if word in path.read_text():
            return
        time.sleep(0.05)
    message = f"{path}: no {word!r}"
    raise TimeoutError(message)


@pytest.fixture
def nodes() -> Iterator[None]:
    """Make two nodes with a link between them, each with the address of a pod."""
    with ExitStack() as stack:
        for name, *_ in NODES.values():
            run(f"ip netns add {name}")
            stack.callback(run, f"ip netns del {name}")
        ends = [f"name eth0 netns {name}" for name, *_ in NODES.values()]
        run(f"ip link add {ends[0]} type veth peer {ends[1]}")
        for name, four, six, *pods in NODES.values():
            run(f"ip -n {name} link set lo up")
            run(f"ip -n {name} link set eth0 up")
            run(f"ip -n {name} address add {four}/24 dev eth0")
            run(f"ip -n {name} address add {six}/64 dev eth0 nodad")
            for pod in pods:
                run(f"ip -n {name} address add {pod} dev lo")
        for here, there in ((1, 2), (2, 1)):
            _, four, six, *pods = NODES[there]
            for via, pod in zip((four, six), pods, strict=True):
                run(f"ip -n {NODES[here][0]} route add {pod} via {via}")
        yield


def record(folder: Path) -> list[Capture]:
    """Return the captures of both nodes while the pods of node 1 talked to those of node 2."""
    with ExitStack() as stack:
        captures = [start_capture(number, folder, stack) for number in NODES]
        _, _, _, *servers = NODES[2]
        _, _, _, *clients = NODES[1]
        for client, server in zip(clients, servers, strict=True):
            listening = subprocess.Popen(inside(2, f"nc -l -N -s {server} -p 8080"))
            stack.callback(listening.kill)
            talk(client, server)
            assert listening.wait(10) == 0
        refused = subprocess.run(inside(1, f"nc -z -s {clients[0]} {servers[0]} 9090"), check=False)
        assert refused.returncode == 1
        run(" ".join(inside(1, f"ping -c 2 -i 0.2 -I {clients[0]} {servers[0]}")))
        time.sleep(0.3)
    return captures


def talk(client: str, server: str) -> None:
    """Send 5 bytes from the client to the server, once it listens."""
    for _ in range(100):
        sent = subprocess.run(
            inside(1, f"nc -N -p 40123 -s {client} {server} 8080"), input=b"hello", check=False
        )
        if sent.returncode == 0:
            return
        time.sleep(0.1)
    raise TimeoutError(server)


def start_capture(number: int, folder: Path, stack: ExitStack) -> Capture:
    """Return the capture of a node, which ends with the stack."""
    name, four, six, *pods = NODES[number]
    pcap, said = folder / f"{name}.pcap", folder / f"{name}.err"
    # Otherwise the kernel hands packets over once a second, and the last ones never.
    command = inside(number, f"tcpdump -i eth0 -n -s 128 -U --immediate-mode -Z root -w {pcap}")
    dump = subprocess.Popen(command, stderr=stack.enter_context(said.open("w")))
    stack.callback(dump.wait, 10)
    stack.callback(dump.send_signal, signal.SIGINT)
    wait_for(said, "listening on")
    return Capture(f"node{number}", f"eni-{number}", f"i-{number}", (four, six), tuple(pods), pcap)


@pytest.mark.usefixtures("nodes")
def test_real_packets_between_two_nodes(tmp_path: Path) -> None:
    captures = record(tmp_path)
    derive(captures, tmp_path / "out")
    rows: list[Row] = []
    for path in (tmp_path / "out" / "parquet").rglob("*.log.parquet"):
        rows += pq.ParquetFile(path).read().to_pylist()
    _, four, six, *clients = NODES[1]
    _, _, _, *servers = NODES[2]
    for here, client, server in zip((four, six), clients, servers, strict=True):
        opened = pick(rows, "eni-1", client, server, 8080)
        answered = pick(rows, "eni-1", server, client, 40123)
        assert {row["srcaddr"] for row in opened} == {row["dstaddr"] for row in answered} == {here}
        assert total(opened, "tcp_flags") & 2
        assert total(answered, "tcp_flags") & 18 == 18
        # The other interface saw the same packets, from the other side.
        heard = pick(rows, "eni-2", client, server, 8080)
        assert {row["flow_direction"] for row in heard} == {"ingress"}
        assert total(heard, "bytes") == total(opened, "bytes") > 5
    refusal = [row for row in rows if row["srcport"] == 9090]
    assert {(row["tcp_flags"], row["bytes"]) for row in refusal} == {(4, 40)}
    pings = [row for row in rows if row["protocol"] == 1]
    assert total(pings, "packets") == 8  # two there, two back, at two interfaces
    assert {(row["srcport"], row["dstport"]) for row in pings} == {(0, 0)}
    assert {row["protocol"] for row in rows if row["log_status"] == "OK"} == {1, 6}
    for source, pattern in (("vpc-text", "*.log.gz"), ("vpc-parquet", "*.log.parquet")):
        for path in (tmp_path / "out").rglob(pattern):
            skipped = ledger_of(read(path, source)).counts
            assert skipped.keys() <= {"no-data", "no-policy-semantics"}


def pick(rows: list[Row], interface: str, src: str, dst: str, port: int) -> list[Row]:
    """Return the interface's records from src to dst on the port; there is one at least."""
    ends = (interface, src, dst, port)
    names = ("interface_id", "pkt_srcaddr", "pkt_dstaddr", "dstport")
    found = [row for row in rows if tuple(row[name] for name in names) == ends]
    assert found
    return found


def total(rows: list[Row], name: str) -> int:
    """Return the sum over the records; of flags, all that were set."""
    numbers = [int(row[name]) for row in rows]
    if name != "tcp_flags":
        return sum(numbers)
    every = 0
    for number in numbers:
        every |= number
    return every
