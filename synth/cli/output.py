"""What leaves the program: results on standard output, everything else on standard error."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

import typer

from synth.cli.options import Format

if TYPE_CHECKING:
    from synth.reports.page import Page

NARROWEST, WIDEST, USUAL = 60, 100, 80
BROKEN_PIPE = 141
"""What a shell reports of a program that a closed pipe ended."""

PLAINER = {"→": "->", "↔": "<->", "─": "-", "…": "..."}


def show(shape: Format, page: Callable[[], "Page"], values: Callable[[], object]) -> None:
    """Write the result to standard output in the wanted form."""
    if shape is Format.JSON:
        import json

        emit(json.dumps(values(), indent=2, ensure_ascii=False) + "\n")
    elif shape is Format.MARKDOWN:
        from synth.reports.markdown import to_markdown

        emit(to_markdown(page()))
    else:
        from synth.reports.text import to_text

        emit(to_text(page(), width=width_of(sys.stdout), colour=coloured(sys.stdout, os.environ)))


def emit(text: str) -> None:
    """Write the text to standard output.

    Raises
    ------
    typer.Exit
        If nobody reads any more.

    """
    try:
        sys.stdout.write(_encodable(text, sys.stdout))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(BROKEN_PIPE) from None


def warn(warnings: Iterable[str], *, quiet: bool) -> None:
    """Write warnings to standard error, unless a person reads them in the report anyway."""
    if quiet or sys.stdout.isatty():
        return
    from synth.reports.page import clean

    for warning in warnings:
        sys.stderr.write(_encodable(f"synth: warning: {clean(warning)}\n", sys.stderr))


def coloured(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Return whether colour is welcome: a terminal, and no NO_COLOR."""
    dumb = environment.get("TERM") == "dumb"
    return stream.isatty() and not environment.get("NO_COLOR") and not dumb


def width_of(stream: TextIO) -> int:
    """Return the columns to fill: the terminal's within reason, 80 where there is none."""
    if not stream.isatty():
        return USUAL
    return min(max(shutil.get_terminal_size().columns, NARROWEST), WIDEST)


def _encodable(text: str, stream: TextIO) -> str:
    """Return the text, in plainer signs where the stream's encoding lacks them."""
    encoding = stream.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in PLAINER.items():
            text = text.replace(sign, plain)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
