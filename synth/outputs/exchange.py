"""One folder put in the place of another, so that readers see the old or the new, never half."""

import ctypes
import errno
import os
import shutil
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM})


def put_in_place(new: Path, target: Path) -> None:
    """Let ``target`` be what ``new`` is; what was there before, if anything, is then at ``new``.

    Raises
    ------
    OSError
        If that is impossible; ``target`` is then as it was.

    """
    if not target.exists():
        new.rename(target)
    elif not exchange(new, target):
        _rename_twice(new, target)


def exchange(one: Path, other: Path) -> bool:
    """Return whether the two paths were exchanged in one step, which not every system can.

    Raises
    ------
    OSError
        If the system can, but not these two.

    """
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if done == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(other))


def _rename_twice(new: Path, target: Path) -> None:
    """Exchange the two with a moment between in which ``target`` is missing."""
    aside = new.with_name(f"{new.name}.old")
    target.rename(aside)
    try:
        new.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    try:
        aside.rename(new)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)


def sync(folder: Path) -> None:
    """Return when everything in the folder has reached the disk."""
    for here, _, files in os.walk(folder):
        for path in (*(Path(here, name) for name in files), Path(here)):
            sync_one(path)


def sync_one(path: Path) -> None:
    """Return when the file, or the list of names of the folder, has reached the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
