"""``synth``: the commands, and the one place where errors become messages and exit codes.

| exit code | means |
|---|---|
| 0 | clean |
| 1 | findings, as ``--fail-on`` names them |
| 2 | wrong usage, or input that cannot be read |
| 101 | a defect of synth |
| 130, 141, 143 | interrupted; nobody reads the output any more; terminated |
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import FrameType
from typing import Annotated, NoReturn

import typer

import synth
from synth.cli import connectivity, coverage, describe, diff, explain, layout, learn, replay
from synth.cli.output import emit
from synth.errors import SynthError

WRONG_USAGE = 2
DEFECT = 101
INTERRUPTED = 130
TERMINATED = 143

app = typer.Typer(
    cls=layout.Group,
    rich_markup_mode=None,  # rich takes longer to load than `synth --help` may take
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=learn.EXAMPLES.splitlines()[0] + "\nkubectl diff -k learned/policies",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        emit(f"synth {synth.__version__}\n")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def program(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Learn minimal Kubernetes NetworkPolicies from flow logs, and prove them by replay.

    Works offline, on files. `synth COMMAND --help` tells more of each command.
    """
    if context.invoked_subcommand is None:
        emit(context.get_help() + "\n")
        raise typer.Exit(WRONG_USAGE)


def _add(command: Callable[..., None], summary: str, examples: str) -> None:
    app.command(cls=layout.Command, short_help=summary, epilog=examples)(command)


_add(describe.describe, "what flow logs hold, and lack for learning", describe.EXAMPLES)
_add(learn.learn, "policies, proof, questions and a report from flow logs", learn.EXAMPLES)
_add(replay.replay, "the verdict of policies on every logged record", replay.EXAMPLES)
_add(coverage.coverage, "how much of the traffic policies cover", coverage.EXAMPLES)
_add(connectivity.connectivity, "who may reach whom, by policies alone", connectivity.EXAMPLES)
_add(diff.diff, "what changes between two sets of policies", diff.EXAMPLES)
_add(
    explain.explain,
    "why a flow or record is allowed or denied, or a rule is there",
    explain.EXAMPLES,
)


def main() -> NoReturn:
    """Run the command line of this process, and end it."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def _terminate(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Raise, so that whoever holds a half-written folder removes it."""
    raise SystemExit(TERMINATED)


def run(arguments: Sequence[str]) -> int:
    """Return the exit code of the command line, everything having been said."""
    try:
        command = typer.main.get_command(app)
        code = command.main(list(arguments), prog_name="synth", standalone_mode=False)
    except SynthError as error:
        return _end(WRONG_USAGE, *map(str, error.faults))
    except typer.TyperException as error:
        return _end(WRONG_USAGE, _usage_line(error))
    except OSError as error:
        place = error.filename or "the operating system"
        return _end(WRONG_USAGE, f"{place}: {error.strerror or error}")
    except (KeyboardInterrupt, typer.Abort):
        return _end(INTERRUPTED, "interrupted")
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _end(DEFECT, *_defect_lines(error))
    return _end(code, "interrupted") if code == INTERRUPTED else int(code or 0)


def _end(code: int, *lines: str) -> int:
    for line in lines:
        text = "".join(sign if sign.isprintable() else " " for sign in line)
        sys.stderr.write(f"synth: {text}\n")
    return code


def _usage_line(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "synth"
    message = " ".join(error.format_message().split())
    stop = "" if message.endswith((".", "?")) else "."
    return f"{message}{stop} See `{path} --help`."


def _defect_lines(error: Exception) -> list[str]:
    told = traceback.format_exception_only(error)[-1].strip()
    lines = [f"a defect of synth {synth.__version__}: {told}"]
    if os.environ.get("SYNTH_DEBUG"):
        sys.stderr.write("".join(traceback.format_exception(error)))
    else:
        lines.append("set SYNTH_DEBUG=1 for the traceback, and report it with the project's issues")
    return lines
