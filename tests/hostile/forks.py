"""Runs many command lines from one process: a fork each, within bounds of time and memory.

Reads one JSON object a line (``arguments``, ``folder``), writes one a line (``code``, ``out``,
``err``, ``seconds``). Before the first fork the commands have been told of a missing file, which
loads all that they need.
"""

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

SECONDS = 20
MEMORY = 3 << 30


def preload() -> None:
    """Import what commands import when they are called."""
    from synth.cli.main import run
    from synth.reports import learn_html  # noqa: F401 - loads what draws pages

    flags = ["--cluster", "missing", "--policies", "missing"]
    asked = ["--from", "a", "--to", "b", "--port", "1"]
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        for command in ("describe missing", "learn missing --out missing", "replay missing"):
            words = command.split()
            run(words if "replay" not in words else [*words, *flags])
        run(["explain", *asked, *flags])
        run(["learn", __file__, "--cluster", __file__, "--out", "missing"])
    gc.collect()
    gc.freeze()


def run_one(arguments: list[str], folder: str) -> dict[str, Any]:
    """Return how the program ended, having run in a child."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        child = os.fork()
        if not child:
            become(arguments, folder, out.fileno(), err.fileno())
        _, status = os.waitpid(child, 0)
        seconds = time.monotonic() - began
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    code = os.waitstatus_to_exitcode(status)
    return {"code": code, "out": texts[0], "err": texts[1], "seconds": seconds}


def become(arguments: list[str], folder: str, out: int, err: int) -> None:
    """Run the program in this process, and end it."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(folder)
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.argv = ["synth", *arguments]
    from synth.cli.main import main

    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        sys.excepthook(*sys.exc_info())
        os._exit(70)


if __name__ == "__main__":
    preload()
    for line in sys.stdin:
        answer = run_one(**json.loads(line))
        print(json.dumps(answer), flush=True)  # noqa: T201 - the answer
