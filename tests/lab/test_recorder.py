"""A short recording by real servers; whatever happens to it, nothing of it stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from datasets.recorder import network
from datasets.recorder.reading import read_topology
from datasets.recorder.recording import missing_for_recording, record
from synth.inventory.read import read_cluster

pytestmark = [pytest.mark.lab, pytest.mark.slow]

ROOT: Final = Path(__file__).resolve().parents[2]
PREFIX: Final = "synthlab"
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}
TOPOLOGY: Final[dict[str, Any]] = {
    "name": "short",
    "seconds": 13,
    "prompt-expiry": True,
    "nodes": [
        {
            "name": f"node{n}",
            "addresses": [f"172.31.253.{n}", f"fd00:172:31:253::{n}"],
            "pods": [f"10.247.{n}.0/24", f"fd00:10:247:{n}::/64"],
        }
        for n in (1, 2)
    ],
    "services": ["10.99.0.0/16", "fd00:10:99::/112"],
    "outside": [
        {
            "name": "pay.example.com",
            "addresses": ["203.0.113.77"],
            "serves": [{"kind": "http", "port": 443}],
        },
        {
            "name": "user",
            "addresses": ["198.51.100.77"],
            "calls": [{"to": "shop/web", "kind": "http", "every": 0.5}],
        },
    ],
    "workloads": [
        {
            "name": "kube-system/coredns",
            "labels": {"k8s-app": "kube-dns"},
            "service": "kube-dns",
            "nodes": ["node1"],
            "serves": [{"kind": "dns", "port": 53}],
        },
        {
            "name": "shop/web",
            "labels": {"role": "web"},
            "nodes": ["node1", "node2"],
            "serves": [{"kind": "nginx", "port": 80}],
            "exposed": {"node-port": 30090, "policy": "Local"},
            "calls": [{"to": "shop/api", "kind": "http"}],
        },
        {
            "name": "shop/api",
            "labels": {"role": "api"},
            "nodes": ["node1", "node2"],
            "dual-stack": True,
            "serves": [{"kind": "http", "port": 5000}],
            "probed": True,
            "calls": [{"to": "pay.example.com", "kind": "http", "every": 1}],
        },
        {
            "name": "shop/other",
            "labels": {"role": "other"},
            "nodes": ["node1"],
            "calls": [{"to": "shop/web", "kind": "http", "every": 1}],
        },
    ],
    "steps": [
        {
            "at": 1,
            "do": "call",
            "from": "shop/other",
            "to": "shop/api",
            "kind": "tcp",
            "port": 5001,
        },
        {"at": 2, "do": "replace", "workload": "shop/api", "node": "node2", "drain": 3},
        {
            "at": 3,
            "do": "take-over",
            "workload": "shop/other",
            "address-of": "shop/api",
            "delay": 2,
        },
    ],
}


@pytest.fixture(autouse=True)
def _able() -> None:
    """Skip, with the reason, where nothing can be recorded; in CI that is a failure."""
    reason = missing_for_recording()
    if reason and IN_CI:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def topology(tmp_path: Path) -> Path:
    path = tmp_path / "short.yaml"
    path.write_text(yaml.safe_dump(TOPOLOGY))
    return path


def look_around() -> dict[str, str]:
    """Return what a recording could leave behind on the host."""
    commands = {
        "namespaces": ("ip", "netns", "list"),
        "links": ("ip", "-o", "link"),
        "rules": ("nft", "list", "ruleset"),
    }
    seen = {
        name: subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for name, command in commands.items()
    }
    # Other recordings of this machine, if any, are not ours to judge.
    seen["namespaces"] = "".join(
        line for line in seen["namespaces"].splitlines(keepends=True) if line.startswith(PREFIX)
    )
    seen["etc"] = str(sorted(map(str, network.ETC.glob(f"{PREFIX}-*"))))
    seen["temporary"] = str(sorted(map(str, Path("/tmp").glob(f"{PREFIX}*"))))  # noqa: S108
    seen["processes"] = str(list_processes())
    return seen


def list_processes() -> list[str]:
    """Return the processes that were started within a namespace or folder of the prefix."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(f"{PREFIX}-".encode() in word for word in words):
            found.append(str(words))
    return found


def start(topology: Path, out: Path) -> subprocess.Popen[str]:
    """Return the recorder as it starts, with nothing of this process's environment."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "datasets.recorder", str(topology)),
            *("--out", str(out), "--prefix", PREFIX),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    """Read what the recorder says up to the word."""
    assert process.stderr is not None
    for line in process.stderr:
        if word in line:
            return
    pytest.fail(f"the recorder ended without a word of {word}")


def end(process: subprocess.Popen[str]) -> int:
    """Return the exit code, having read everything."""
    process.communicate(timeout=60)
    return process.returncode


def test_a_recording_is_whole_and_leaves_nothing(topology: Path, tmp_path: Path) -> None:
    before, out = look_around(), tmp_path / "out"
    process = start(topology, out)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert look_around() == before
    assert sorted(path.name for path in out.iterdir()) == ["cluster", "flows", "recording.json"]
    manifest = json.loads((out / "recording.json").read_text())
    outcomes = Counter((one["server"], one["outcome"]) for one in manifest["contacts"])
    assert outcomes["shop/web", "answered"] > 10
    assert outcomes["shop/api", "answered"] > 10
    assert outcomes["pay.example.com", "answered"] > 3
    refused = [one for one in manifest["contacts"] if one["outcome"] != "answered"]
    assert [(one["client"], one["port"]) for one in refused] == [("shop/other", 5001)]
    check_flows(out)
    check_hand_over(out)
    learn(out)


def check_flows(out: Path) -> None:
    """Check that both nodes saw what they had to see."""
    texts = [path.read_text() for path in sorted((out / "flows" / "conntrack").iterdir())]
    both = "".join(texts)
    assert len(texts) == 2
    assert all("[DESTROY]" in text for text in texts)
    assert "ipv6     10 tcp" in both  # nginx was given both addresses of api
    assert "src=198.51.100.77 dst=172.31.253.1" in both  # Local: the user's own address
    assert "dst=172.31.253.2 sport=443" in both  # masqueraded to the payment service
    for folder, ending in (("tables", ".txt"), ("parquet", ".parquet"), ("vpc", ".log.gz")):
        assert list((out / "flows" / folder).rglob(f"*{ending}")), folder


def check_hand_over(out: Path) -> None:
    """Check that one pod held the address after the other, and only then."""
    held = sorted(
        (pod.start or 0, pod.end or 0, pod.workload)
        for pod in read_cluster([str(out / "cluster")]).pods
        if "10.247.2.11" in pod.addresses
    )
    assert [workload for *_, workload in held] == ["Deployment/api", "Deployment/other"]
    assert held[0][1] <= held[1][0] < held[0][1] + 5_000_000


def learn(out: Path) -> None:
    """Check that what was recorded can be learned from, and the hand-over leaves no wrong edge."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "synth", "learn", str(out / "flows" / "conntrack")),
            *("--cluster", str(out / "cluster"), "--out", str(out / "learned")),
        ],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    policies = {path.stem: path.read_text() for path in (out / "learned").rglob("shop/*.yaml")}
    assert "port: 5000" not in policies.get("other", "")
    assert "role: other" not in policies["api"]


def test_an_exception_leaves_nothing(topology: Path, tmp_path: Path) -> None:
    before = look_around()

    def fail(line: str) -> None:
        if line == "recording":
            raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="recording"):
        record(read_topology(topology), tmp_path / "out", PREFIX, fail)
    assert look_around() == before
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("word", ["starting servers", "recording"])
def test_an_interrupt_leaves_nothing(
    topology: Path, tmp_path: Path, number: signal.Signals, word: str
) -> None:
    before = look_around()
    process = start(topology, tmp_path / "out")
    wait_for(process, word)
    time.sleep(0.7)
    process.send_signal(number)
    assert end(process) == 128 + number
    assert look_around() == before
    assert not (tmp_path / "out").exists()


def test_leftovers_of_a_killed_recording_are_removed_by_the_next(
    topology: Path, tmp_path: Path
) -> None:
    before = look_around()
    process = start(topology, tmp_path / "out")
    wait_for(process, "recording")
    process.kill()
    end(process)
    assert look_around() != before
    network.remove_leftovers(PREFIX)
    left = look_around()
    assert {name for name in left if left[name] != before[name]} <= {"temporary"}
    with pytest.raises(RuntimeError, match="building"):
        record(read_topology(topology), tmp_path / "out", PREFIX, stop_at_once)
    assert look_around() == before


def stop_at_once(line: str) -> None:
    """Stop before anything is built."""
    raise RuntimeError(line)


def test_two_recordings_do_not_share_a_prefix(topology: Path, tmp_path: Path) -> None:
    first = start(topology, tmp_path / "one")
    wait_for(first, "building")
    second = start(topology, tmp_path / "two")
    said = second.communicate(timeout=30)[1]
    assert second.returncode == 1
    assert f"another recording with the prefix {PREFIX} runs" in said
    first.send_signal(signal.SIGINT)
    assert end(first) == 128 + signal.SIGINT
