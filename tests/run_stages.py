"""Runs the stages of ``make test`` one after the other and tells the seconds of each.

All stages run, whatever came before; the exit code is 1 if any failed. pytest is the last, so
that its own summary closes the output. Under CI=true nothing may be skipped.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

ROOT: Final = Path(__file__).resolve().parent.parent
IN_CI: Final = os.environ.get("CI", "").lower() in {"1", "true"}
PYTEST: Final = "pytest -q -n 2 --dist worksteal"

Outcome = Literal["ok", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Stage:
    """A named command; ``in_ci_only`` leaves it out where a person waits.

    ``packages`` are Debian's that it needs; where CI=true, those that are missing are installed.
    """

    name: str
    command: tuple[str, ...]
    in_ci_only: bool = False
    packages: tuple[str, ...] = ()


LAB: Final = (
    *("bind9-dnsutils", "conntrack", "curl", "dnsmasq-base", "iproute2", "ipset", "iptables"),
    *("iputils-ping", "mariadb-client-core", "mariadb-server-core", "netcat-openbsd"),
    *("nftables", "nginx-light", "procps", "tcpdump"),
)
"""What the cluster of network namespaces is made of."""

FUZZ: Final = "python -m tests.fuzz.policy_reader -max_total_time=60 -len_control=0 -max_len=1000"

JUDGE: Final = "python -m benchmarks.judge --matrix small --out build/judge --check"

STAGES: Final = (
    Stage("ruff check", ("ruff", "check", "--quiet", ".")),
    Stage("ruff format", ("ruff", "format", "--quiet", "--check", ".")),
    Stage("mypy", ("mypy",)),
    Stage("import rules", ("lint-imports", "--no-logo")),
    Stage("spelling", ("typos",)),
    Stage("judge", tuple(JUDGE.split())),
    Stage("fuzzing", tuple(FUZZ.split()), in_ci_only=True),
    Stage(
        "namespace lab",
        ("pytest", "-q", "-m", "lab and not stress"),
        in_ci_only=True,
        packages=LAB,
    ),
    Stage(
        "slow tests", (*PYTEST.split(), "-m", "slow and not stress and not lab"), in_ci_only=True
    ),
    Stage("tests", (*PYTEST.split(), "-m", "not slow and not stress and not lab")),
)


def main() -> int:
    """Return 0 if no stage failed, else 1."""
    failed = [stage.name for stage in STAGES[:-1] if run(stage) == "failed"]
    if failed:
        say(f"stages failed so far: {', '.join(failed)}")
    last = run(STAGES[-1])
    if failed:
        say(f"stages failed before the tests: {', '.join(failed)}")
    return int(bool(failed) or last != "ok")


def run(stage: Stage) -> Outcome:
    """Return how the stage ended, having printed its seconds or why it was skipped."""
    reason = why_skipped(stage) or install(stage.packages)
    if reason:
        say(f"stage {stage.name} … skipped: {reason}")
        return "failed" if IN_CI else "skipped"
    if stage is STAGES[-1]:
        say(f"stage {stage.name} …")  # its seconds stand in pytest's summary
        return "ok" if call(stage, quiet=False) == 0 else "failed"
    started = time.monotonic()
    outcome: Outcome = "ok" if call(stage, quiet=True) == 0 else "failed"
    say(f"stage {stage.name} … {outcome} {time.monotonic() - started:.1f} s")
    return outcome


def why_skipped(stage: Stage) -> str:
    """Return the reason for leaving the stage out, or nothing."""
    if stage.in_ci_only and not IN_CI:
        return "runs where CI=true"
    if shutil.which(stage.command[0]) is None:
        return f"{stage.command[0]} is not installed"
    return ""


def install(packages: tuple[str, ...]) -> str:
    """Return why packages are missing, or nothing; where CI=true, they have been installed."""
    missing = [one for one in packages if quiet("dpkg", "-s", one).returncode]
    if not missing:
        return ""
    if not IN_CI or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return f"these Debian packages are not installed: {' '.join(missing)}"
    options = ["-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120"]
    quiet("apt-get", "update", "-qq")
    done = quiet("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", *options, *missing)
    return f"apt-get could not install {' '.join(missing)}" if done.returncode else ""


def quiet(*command: str) -> subprocess.CompletedProcess[bytes]:
    """Return how the command ended, having kept its output from the screen."""
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)


def call(stage: Stage, *, quiet: bool) -> int:
    """Return the command's exit code; a quiet one's output is shown only if it failed."""
    done = subprocess.run(
        stage.command,
        cwd=ROOT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
    )
    if done.returncode and quiet:
        say(done.stdout.rstrip())
    return done.returncode


def say(line: str) -> None:
    """Print at once, so that the order holds where output is a file."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
