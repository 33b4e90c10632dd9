"""Runs a notebook and prints it with what its cells gave: ``execute.py NOTEBOOK FOLDER KERNEL``.

A process of its own, because Jupyter's packages leave sockets open for the collector to find.
"""

import sys

import nbformat
from nbclient import NotebookClient

PROBE = "import sys; print(sys.executable, __debug__)"
"""A last cell, by which the test knows the kernel."""
SECONDS = 120


def main() -> None:
    """Run every cell; the first that fails ends the process with its traceback."""
    notebook, folder, kernel = sys.argv[1:]
    book = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
    book.cells.append(nbformat.v4.new_code_cell(PROBE))  # type: ignore[no-untyped-call]
    place = {"metadata": {"path": folder}}
    NotebookClient(book, kernel_name=kernel, timeout=SECONDS, resources=place).execute()
    sys.stdout.write(nbformat.writes(book))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
