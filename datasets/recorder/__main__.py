"""``python -m datasets.recorder TOPOLOGY --out DIR``: record an application's traffic."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.recorder.processes import ENDING, CommandError
from datasets.recorder.reading import read_topology
from datasets.recorder.recording import missing_for_recording, record
from synth.errors import InputError

if TYPE_CHECKING:
    from types import FrameType

PREFIX = "synthrec"


def main() -> int:
    """Return 0; 2 if the topology or the machine is no good; 1 if the recording failed."""
    options = _parse()
    try:
        topology = read_topology(options.topology)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    missing = missing_for_recording()
    if missing:
        print(f"Nothing can be recorded here: {missing}.", file=sys.stderr)
        return 2
    _end_on_signals()
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {line}", file=sys.stderr, flush=True)

    try:
        record(topology, options.out, options.prefix, say)
    except CommandError as error:
        print(f"The recording failed: {error}", file=sys.stderr)
        return 1
    say(f"recorded into {options.out}")
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m datasets.recorder", description=__doc__)
    parser.add_argument("topology", type=Path, help="a YAML file, such as three-tier.yaml")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write into")
    parser.add_argument("--prefix", default=PREFIX, help="what the namespaces' names begin with")
    return parser.parse_args()


def _end_on_signals() -> None:
    """End by an exception, so that everything is taken down; a second signal changes nothing."""

    def end(number: int, _frame: FrameType | None) -> None:
        for one in ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for one in ENDING:
        signal.signal(one, end)


if __name__ == "__main__":
    # Programs are found, and print, the same way whatever the caller's environment.
    os.environ |= {"LC_ALL": "C", "TZ": "UTC"}
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin".lstrip(":")
    sys.exit(main())
