"""Writes the pages that are readings of the code: ``python docs/generate.py``."""

import os
import subprocess
import sys
from pathlib import Path

from synth.learner.screen import STEPS

DOCS = Path(__file__).resolve().parent
COMMANDS = ("describe", "learn", "replay", "explain")


def pages() -> dict[str, str]:
    """Return file name → text of every generated page."""
    return {"commands.md": commands_page(), "screening.md": screening_page()}


def commands_page() -> str:
    """Return the help of every command, as a terminal of 80 columns shows it."""
    parts = ["# Commands", ""]
    for words in ((), *((command,) for command in COMMANDS)):
        name = " ".join(("synth", *words))
        parts += [f"## {name}", "", "```", help_of(words), "```", ""]
    return "\n".join(parts).rstrip() + "\n"


def help_of(words: tuple[str, ...]) -> str:
    """Return what ``synth … --help`` prints."""
    environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-m", "synth", *words, "--help"],
        capture_output=True,
        check=True,
        text=True,
        env=environment,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def screening_page() -> str:
    """Return the table of the screen's steps."""
    rows = [f"| {at} | {text} | {word.word} |" for at, (_, word, text) in enumerate(STEPS, 1)]
    return (
        "\n".join(
            [SCREENING_HEAD, "| | what is true of the edge | it is |", "|---|---|---|", *rows]
        )
        + "\n"
    )


SCREENING_HEAD = """# Screening

Every edge meets these tests in this order; the first that holds decides. *Accepted* edges become
rules. *Quarantined* and *unresolved* ones are questions: they succeeded, or may have, and nothing
says that they are wanted. *Rejected* ones failed, and *retired* ones are of workloads that no
longer exist: neither is a question. An ambiguous edge is no question either if each of its
candidates would make an accepted one.

*Answered* means that a record shows a completed handshake or a reply. A *declared* port is a
container port, or the target port of a Service. A configuration *names* a server if the client's
environment, arguments or command name a Service of it. A client *failed to reach many other ports*
from ten different failed contacts on, if it has fewer than half as many successful ones.
"""


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text)
