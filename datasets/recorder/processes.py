"""Programs that run inside network namespaces, each ended by its own process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a program to end."""
PATIENCE: Final = 5.0
"""Seconds for which a program may take to end when asked."""


class CommandError(Exception):
    """A command that had to work did not; the text tells what it said."""


def run(
    command: Sequence[str], *, given: str | None = None, seconds: float = 30
) -> subprocess.CompletedProcess[str]:
    """Return the finished command, whatever its exit code; its session is its own."""
    try:
        return subprocess.run(
            command,
            check=False,
            input=given or "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(command)}: no end within {seconds:g} s") from error


def must(command: Sequence[str], *, given: str | None = None, seconds: float = 30) -> str:
    """Return what the command printed.

    Raises
    ------
    CommandError
        If it failed.

    """
    done = run(command, given=given, seconds=seconds)
    if done.returncode:
        told = " ".join((done.stderr or done.stdout).split())
        raise CommandError(f"{' '.join(command)}: exit code {done.returncode}. {told}")
    return done.stdout


def within(namespace: str, *command: str) -> tuple[str, ...]:
    """Return the command as it runs inside a network namespace."""
    return ("ip", "netns", "exec", namespace, *command)


class Processes:
    """The programs of one recording that run until they are ended."""

    def __init__(self) -> None:
        """Start with none."""
        self._running: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def start(
        self, command: Sequence[str], log: Path, output: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Return the started program; what it says goes to the log, its output where it is told."""
        with contextlib.ExitStack() as stack:
            said = stack.enter_context(log.open("ab"))
            printed = stack.enter_context(output.open("wb")) if output else said
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=said,
                start_new_session=True,
            )
        with self._lock:
            self._running.append(process)
        return process

    def stop(self, *processes: subprocess.Popen[bytes], how: int = signal.SIGTERM) -> None:
        """End these programs and what they started; kill what does not end."""
        for process in processes:
            _signal(process, how)
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            _signal(process, signal.SIGKILL)
            process.wait()
        with self._lock:
            self._running = [one for one in self._running if one not in processes]

    def stop_all(self) -> None:
        """End every program that still runs."""
        with undisturbed():
            self.stop(*self._running)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Keep signals away while things are taken down: half of that would be worse than none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    """Send the signal to the program's whole session, whose id is the program's."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
