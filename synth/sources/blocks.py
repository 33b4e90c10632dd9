"""A text file as blocks of whole lines, so that memory does not grow with the file."""

from collections.abc import Iterator
from dataclasses import dataclass

from synth.sources.files import open_text, reading

BLOCK_BYTES = 16 << 20
LINE_BYTES = 64 << 10
"""A longer line is no record; no more of it than this, and one byte, is kept."""
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, each ended by a line feed; ``line`` is the number of the first, from 1."""

    line: int
    data: bytes


def read_blocks(path: str) -> Iterator[Block]:
    """Yield the file's lines in blocks of about ``BLOCK_BYTES``, without a byte order mark.

    Raises
    ------
    InputError
        If the file cannot be read or decompressed to its end.

    """
    line = 1
    for data in _whole_lines(path):
        yield Block(line, data)
        line += data.count(b"\n")


def _whole_lines(path: str) -> Iterator[bytes]:
    rest = b""
    at_start = True
    for piece in _pieces(path):
        text = rest + piece
        if at_start and len(text) < len(BOM):
            rest = text
            continue
        if at_start:
            text = text.removeprefix(BOM)
            at_start = False
        end = text.rfind(b"\n") + 1
        rest = text[end:][: LINE_BYTES + 1]
        if end:
            yield text[:end]
    if rest:
        yield rest + b"\n"


def _pieces(path: str) -> Iterator[bytes]:
    with reading(path):
        stream = open_text(path)
    with stream:
        while True:
            with reading(path):
                piece: bytes = stream.read(BLOCK_BYTES)
            if not piece:
                return
            yield piece
