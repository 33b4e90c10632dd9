"""Differences as values: what was added, removed or changed between two states of anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Added(Generic[T_co]):
    """What only the new state holds."""

    new: T_co


@dataclass(frozen=True, slots=True)
class Removed(Generic[T_co]):
    """What only the old state holds."""

    old: T_co


@dataclass(frozen=True, slots=True)
class Changed(Generic[T_co]):
    """What both states hold under one key, but differently; or, renamed, alike under two keys."""

    old: T_co
    new: T_co


Edit = Added[T] | Removed[T] | Changed[T]


def diff(old: Mapping[Key, T], new: Mapping[Key, T]) -> tuple[Edit[T], ...]:
    """Return the edits that lead from the old state to the new one, in the order of the keys.

    >>> diff({"a": 1, "b": 2}, {"b": 3, "c": 4})
    (Removed(old=1), Changed(old=2, new=3), Added(new=4))
    """
    keys: list[Any] = sorted({*old, *new})
    return tuple(
        edit_of(old[key], new[key])
        if key in old and key in new
        else Removed(old[key])
        if key in old
        else Added(new[key])
        for key in keys
        if key not in old or key not in new or old[key] != new[key]
    )


def edit_of(old: T | None, new: T | None) -> Edit[T]:
    """Return the edit between two values, of which one may be missing.

    Raises
    ------
    ValueError
        If both are missing.

    """
    if old is not None and new is not None:
        return Changed(old, new)
    if old is not None:
        return Removed(old)
    if new is None:
        raise ValueError("nothing became nothing")
    return Added(new)


def ends_of(edit: Edit[T]) -> tuple[T | None, T | None]:
    """Return what was before and what is after; None where there is nothing."""
    if isinstance(edit, Added):
        return None, edit.new
    if isinstance(edit, Removed):
        return edit.old, None
    return edit.old, edit.new


def subject_of(edit: Edit[T]) -> T:
    """Return what is after, or, if nothing is, what was before."""
    return edit.old if isinstance(edit, Removed) else edit.new


def invert(edits: Iterable[Edit[T]]) -> tuple[Edit[T], ...]:
    """Return the edits that lead back, in the same order."""
    return tuple(edit_of(new, old) for old, new in map(ends_of, edits))
