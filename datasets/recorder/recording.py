"""A recording from beginning to end: the network is built, things happen, files are written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import socket
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datasets.recorder import conntrack_parquet, vpc_logs
from datasets.recorder.capture import Captures
from datasets.recorder.cluster import now
from datasets.recorder.happenings import Story
from datasets.recorder.lab import Lab
from datasets.recorder.network import build_network
from datasets.recorder.processes import CommandError, Processes, run
from datasets.recorder.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from datasets.recorder.capture import Captured
    from datasets.recorder.topology import Topology

PROGRAMS: Final = {
    "conntrack": ("conntrack", "--version"),
    "curl": ("curl", "--version"),
    "dig": ("dig", "-v"),
    "dnsmasq": ("dnsmasq", "--version"),
    "ip": ("ip", "-V"),
    "mariadb": ("mariadb", "--version"),
    "mariadb-install-db": (),
    "mariadbd": ("mariadbd", "--version"),
    "nc": (),
    "nft": ("nft", "--version"),
    "nginx": ("nginx", "-v"),
    "ping": ("ping", "-V"),
    "ss": (),
    "sysctl": (),
    "tcpdump": ("tcpdump", "--version"),
}
"""What must be installed → how it tells its version."""
PACKAGES: Final = (
    "bind9-dnsutils conntrack curl dnsmasq-base iproute2 iputils-ping mariadb-client-core "
    "mariadb-server-core netcat-openbsd nftables nginx-light procps tcpdump"
)
PARTS: Final = ("cluster", "flows", "recording.json")
"""What a recording writes; whatever else is in its folder is left alone."""
_SETTLING: Final = 2.0
_MINUTE: Final = 60.0


def missing_for_recording() -> str:
    """Return why nothing can be recorded here; nothing if it can."""
    if os.geteuid() != 0:
        return "recording needs root, for network namespaces"
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed; Debian's packages are {PACKAGES}"
    return ""


def record(topology: Topology, out: Path, prefix: str, say: Callable[[str], None]) -> None:
    """Record the topology into the folder; nothing stays behind, and a failure writes nothing.

    Raises
    ------
    CommandError
        If a program failed, or a capture lost something.

    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_only_one(prefix))
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}-recording-*"):
            shutil.rmtree(left)
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{prefix}-recording-"))
        )
        say("building the network")
        network = stack.enter_context(build_network(prefix, topology))
        processes = Processes()
        stack.callback(processes.stop_all)
        lab = Lab(topology, network, folder / "pods", processes)
        files = _run(lab, folder, say)
        say("writing")
        _write(lab, files, folder, out)


def _run(lab: Lab, folder: Path, say: Callable[[str], None]) -> list[Captured]:
    """Return the captured files."""
    lab.folder.mkdir()
    say("starting servers")
    lab.start()
    captures = Captures(lab.network, lab.processes, folder / "captures")
    _wait_for_second(lab.topology.begin_second, say)
    lab.journal.take_snapshot(folder / "cluster" / "before")
    captures.begin()
    traffic = Traffic(lab)
    say("recording")
    began = time.monotonic()
    traffic.begin()
    Story(lab, traffic, say).tell(began, lab.topology.seconds)
    traffic.end()
    time.sleep(lab.topology.time_wait + _SETTLING)
    captures.end()
    lab.journal.take_snapshot(folder / "cluster" / "after")
    lab.journal.write_watch(folder / "cluster" / "watch" / "pods.json")
    lab.read_logs()
    if traffic.faults:
        raise CommandError("; ".join(traffic.faults))
    return captures.files


def _wait_for_second(second: int | None, say: Callable[[str], None]) -> None:
    if second is None:
        return
    pause = (second - time.time()) % _MINUTE
    say(f"waiting {pause:.0f} s for second {second} of a minute")
    time.sleep(pause)


def _write(lab: Lab, files: list[Captured], folder: Path, out: Path) -> None:
    """Write everything beside the folder first, then move it in."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
        fresh = Path(name)
        shutil.copytree(folder / "cluster", fresh / "cluster")
        _write_flows(lab, files, fresh / "flows")
        manifest = json.dumps(_describe(lab), indent=1)
        (fresh / "recording.json").write_text(f"{manifest}\n", encoding="utf-8")
        for part in PARTS:
            _remove(out / part)
            (fresh / part).rename(out / part)


def _write_flows(lab: Lab, files: list[Captured], flows: Path) -> None:
    for name in ("conntrack", "tables", "parquet"):
        (flows / name).mkdir(parents=True)
    for one in files:
        events = flows / "conntrack" / one.events.name
        shutil.copyfile(one.events, events)
        shutil.copyfile(one.table, flows / "tables" / one.table.name)
        conntrack_parquet.export(events, flows / "parquet" / f"{one.node}.parquet")
    vpc_logs.derive([_as_interface(lab, one) for one in files], flows / "vpc")


def _as_interface(lab: Lab, one: Captured) -> vpc_logs.Capture:
    node = lab.topology.node(one.node)
    return vpc_logs.Capture(
        node=node.name,
        interface_id=f"eni-{_hexadecimal(lab.topology.name, 'eni', node.name)}",
        instance_id=f"i-{_hexadecimal(lab.topology.name, 'i', node.name)}",
        addresses=node.addresses,
        pod_cidrs=node.pod_cidrs,
        pcap=one.packets,
    )


def _hexadecimal(*parts: str) -> str:
    return hashlib.blake2b("/".join(parts).encode()).hexdigest()[:17]


def _describe(lab: Lab) -> dict[str, Any]:
    """Return the manifest: when, with what, and which contacts were really made."""
    return {
        "topology": lab.topology.name,
        "began": _stamp(lab.cluster.began),
        "ended": _stamp(now()),
        "kernel": platform.release(),
        "programs": {name: _version(command) for name, command in PROGRAMS.items() if command},
        "contacts": lab.truth.rows(),
    }


def _version(command: tuple[str, ...]) -> str:
    done = run(command)
    return next(iter((done.stdout + done.stderr).splitlines()), "")


def _stamp(time_: datetime) -> str:
    return time_.isoformat(timespec="seconds")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _only_one(prefix: str) -> Iterator[None]:
    """Hold the prefix: a second recording would remove the namespaces of the first.

    An abstract socket is no file, and is gone with its process, however that ends.
    """
    with socket.socket(socket.AF_UNIX) as held:
        try:
            held.bind(f"\0{prefix}-recorder")
        except OSError as error:
            raise CommandError(f"another recording with the prefix {prefix} runs") from error
        yield
