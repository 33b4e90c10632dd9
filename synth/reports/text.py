"""A page as text for a terminal, or for a file when nothing is coloured."""

from collections.abc import Iterator
from io import StringIO
from itertools import count

from rich.box import Box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from synth.reports.page import Commands, Items, Page, Patch, Prose, Section, Table, Tone, clean

STYLES = {Tone.PLAIN: "", Tone.GOOD: "green", Tone.BAD: "bold red", Tone.QUIET: "dim"}
PATCH_STYLES = {"+": "green", "-": "red"}
INDENT = 2
RULED = Box("    \n    \n ── \n    \n ── \n    \n    \n    \n")
"""A line below the headings, and one above the sum."""


def to_text(page: Page, *, width: int = 80, colour: bool = False) -> str:
    """Return the page in lines of at most ``width`` columns."""
    stream = StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    console.print(Text(clean(page.title), style="bold"))
    for section in page.sections:
        console.print()
        for one in _section(section):
            console.print(one, soft_wrap=isinstance(one, Text) and bool(one.no_wrap))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _section(section: Section) -> Iterator[RenderableType]:
    yield Text(clean(section.title), style="bold cyan")
    for number, block in enumerate(section.blocks):
        if number and isinstance(section.blocks[number - 1], Table):
            yield Text("")
        if isinstance(block, Commands):
            yield from _commands(block)
        elif isinstance(block, Patch):
            yield from _patch(block)
        else:
            yield Padding(_block(block), (0, 0, 0, INDENT))


def _block(block: Prose | Items | Table) -> RenderableType:
    if isinstance(block, Prose):
        return Text(clean(block.text), style=STYLES[block.tone])
    if isinstance(block, Table):
        return _table(block)
    return _items(block)


def _table(block: Table) -> RichTable:
    table = RichTable(
        box=RULED, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 1)
    )
    for column in block.columns:
        table.add_column(
            Text(clean(column.title)),
            justify="right" if column.number else "left",
            no_wrap=column.number,
            overflow="fold",
        )
    for number, row in enumerate(block.rows, start=1):
        ends = block.total and number == len(block.rows) - 1
        table.add_row(*(Text(clean(cell)) for cell in row), end_section=ends)
    return table


def _items(block: Items) -> RichTable:
    grid = RichTable.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for number, item in zip(count(1), block.items, strict=False):
        grid.add_row(f"{number}." if block.numbered else "-", Text(clean(item)))
    return grid


def _patch(block: Patch) -> Iterator[Text]:
    """Return the lines whole, in the colours that diffs have."""
    for line in block.lines:
        heading = line.startswith(("+++", "---", "@@"))
        style = "bold" if heading else PATCH_STYLES.get(line[:1], "")
        yield Text(f"{'':{INDENT}}{clean(line)}", style=style, no_wrap=True)


def _commands(block: Commands) -> Iterator[Text]:
    """Return the lines whole: a command that is wrapped cannot be copied."""
    for line in block.lines:
        yield Text(f"{'':{2 * INDENT}}{clean(line)}", style="green", no_wrap=True)
