"""Paths as people read them: without the folders that all of them share."""

from collections.abc import Iterable, Mapping
from itertools import takewhile


def shared_folder(paths: Iterable[str]) -> str:
    """Return the folder that all the paths share, ending with a slash; empty if none.

    >>> shared_folder(["/a/logs/x/1", "/a/logs/2"])
    '/a/logs/'
    """
    folders = zip(*(path.split("/")[:-1] for path in sorted(paths)), strict=False)
    shared = [names[0] for names in takewhile(lambda names: len(set(names)) == 1, folders)]
    return "".join(f"{name}/" for name in shared)


def relative_names(paths: Iterable[str]) -> Mapping[str, str]:
    """Return path → its end below the folder that all share, so that it is alike everywhere.

    >>> sorted(relative_names(["/a/logs/x/1", "/a/logs/2"]).values())
    ['2', 'x/1']
    """
    found = sorted(set(paths))
    folder = shared_folder(found)
    return {path: path.removeprefix(folder) for path in found}
