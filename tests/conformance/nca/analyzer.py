"""network-config-analyzer in an environment of its own: asked for the connectivity of a cluster."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.policy import PortRange, PortSet, Protocol
from synth.policy.ports import LAST_PORT
from tests.reference import Pod

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = ROOT / "build" / "nca"
PINNED = "network-config-analyzer==2.1.0"
SECONDS = 600
Document = Mapping[str, Any]


class Missing(Exception):  # noqa: N818 - it says why
    """Why the analyzer cannot be had."""


class Refused(Exception):  # noqa: N818 - it says what
    """What the analyzer says of a cluster that it does not take."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the analyzer's map: ``namespace/pod``, or the first and last of addresses."""

    source: str
    destination: str
    ports: PortSet


@dataclass(frozen=True, slots=True)
class Analyzer:
    """The program."""

    program: Path

    @classmethod
    def installed(cls) -> "Analyzer":
        """Return it, installed on demand.

        Raises
        ------
        Missing
            If the package cannot be installed.

        """
        done = ENVIRONMENT / PINNED
        if not done.exists():
            make: list[list[str | Path]] = [
                [sys.executable, "-m", "venv", ENVIRONMENT],
                [_python(), *_PIP, PINNED],
            ]
            for command in make:
                ended = subprocess.run(command, capture_output=True, text=True, check=False)
                if ended.returncode:
                    lines = ended.stderr.strip().splitlines() or ["no reason given"]
                    raise Missing(f"{PINNED} cannot be installed: {lines[-1]}")
            done.touch()
        return cls(ENVIRONMENT / "bin" / "nca")

    def start(self) -> None:
        """Start it, and have it end at once."""
        subprocess.run([self.program, "--version"], check=True, capture_output=True)

    def connectivity(
        self,
        pods: Sequence[Pod],
        namespaces: Mapping[str, Mapping[str, str]],
        policies: Iterable[Document],
        folder: Path,
    ) -> list[Line]:
        """Return the map: what may be opened is what any of its lines says.

        Raises
        ------
        Refused
            If it ends with an error.

        """
        cluster, written = folder / "cluster.json", folder / "policies.json"
        objects = [*map(_namespace, namespaces.items()), *map(_pod, pods)]
        cluster.write_text(json.dumps(_listed(objects)))
        written.write_text(json.dumps(_listed(policies)))
        out = folder / "map.txt"
        out.unlink(missing_ok=True)
        command: list[str | Path] = [
            *(self.program, "--connectivity", "-n", cluster, "-p", cluster, "-r", written),
            *("--output_format", "txt_no_fw_rules", "--output_endpoints", "pods", "--print_ipv6"),
            *("--file_out", out),
        ]
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"},
        )
        if not out.exists():
            raise Refused(ended.stderr.strip() or ended.stdout.strip())
        return [_line(text) for text in out.read_text().splitlines() if " => " in text]


_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"


def _listed(objects: Iterable[Document]) -> Document:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def _namespace(named: tuple[str, Mapping[str, str]]) -> Document:
    name, labels = named
    metadata = {"name": name, "labels": {**labels, "kubernetes.io/metadata.name": name}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def _pod(pod: Pod) -> Document:
    ports = [
        {"name": name, "containerPort": number, "protocol": protocol}
        for name, protocol, number in pod.ports
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": pod.namespace, "labels": dict(pod.labels)},
        "spec": {"containers": [{"name": "main", "image": "main", "ports": ports}]},
        "status": {"podIP": pod.address, "podIPs": [{"ip": pod.address}]},
    }


def _line(text: str) -> Line:
    """Return what ``shop/web => shop/db : {protocols:TCP,dst_ports:80-90,443}`` says."""
    match = _LINE.fullmatch(text.strip())
    assert match, text
    return Line(match["source"], match["destination"], _ports(match["ports"]))


_LINE = re.compile(r"(?P<source>\S+) => (?P<destination>\S+) : (?P<ports>.*)")
_PORTS = re.compile(r"{protocols:(?P<protocols>[^:]*?)(,dst_ports:(?P<ports>[-0-9,]+))?}")


def _ports(text: str) -> PortSet:
    if text == "All connections":
        return PortSet.every()
    match = _PORTS.fullmatch(text)
    assert match, text
    protocols = [Protocol(name.strip()) for name in match["protocols"].split(",")]
    ranges = (match["ports"] or f"1-{LAST_PORT}").split(",")
    return PortSet(tuple(PortRange(one, *_bounds(some)) for one in protocols for some in ranges))


def _bounds(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return max(1, int(first)), int(last or first)
