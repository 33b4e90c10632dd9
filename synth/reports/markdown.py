"""A page as Markdown, for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator

from synth.reports.page import (
    Block,
    Items,
    Page,
    Patch,
    Prose,
    Section,
    Table,
    Tone,
    clean,
)

_SPECIAL = re.compile(r"([\\`*_\[\]#|~!])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "@<!-- -->"}
"""Signs that Markdown leaves to HTML; ``@name`` would call a person."""


def to_markdown(page: Page) -> str:
    """Return the page as GitHub-flavoured Markdown."""
    parts = [f"## {escape(page.title)}\n"]
    parts += ["\n".join(_section(section)) for section in page.sections]
    return "\n".join(parts)


def escape(text: str) -> str:
    r"""Return the text as Markdown that shows just this text.

    >>> escape("a|b <c>")
    'a\\|b &lt;c&gt;'
    """
    return "".join(_ENTITIES.get(sign, sign) for sign in _SPECIAL.sub(r"\\\1", clean(text)))


def _section(section: Section) -> Iterator[str]:
    title = escape(section.title)
    if section.folded:
        yield f"<details>\n<summary>{title}</summary>\n"
    else:
        yield f"### {title}\n"
    for block in section.blocks:
        yield from _block(block)
        yield ""
    if section.folded:
        yield "</details>\n"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Prose):
        text = escape(block.text)
        yield f"**{text}**" if block.tone is Tone.BAD else text
    elif isinstance(block, Table):
        yield from _table(block)
    elif isinstance(block, Items):
        mark = "1." if block.numbered else "-"
        yield from (f"{mark} {escape(item)}" for item in block.items)
    elif isinstance(block, Patch):
        yield from _fenced(block.lines, "diff")
    else:
        yield from _fenced(block.lines, "sh")


def _table(block: Table) -> Iterator[str]:
    yield _row(tuple(column.title for column in block.columns))
    yield "|" + "|".join("---:" if column.number else "---" for column in block.columns) + "|"
    for number, row in enumerate(block.rows, start=1):
        yield _row(row, bold=block.total and number == len(block.rows))


def _row(cells: tuple[str, ...], *, bold: bool = False) -> str:
    shown = (f"**{escape(cell)}**" if bold and cell else escape(cell) for cell in cells)
    return "| " + " | ".join(shown) + " |"


def _fenced(texts: Iterable[str], language: str) -> Iterator[str]:
    lines = [clean(text) for text in texts]
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{language}", *lines, fence)
