"""``--choose`` and ``--compare``: what the API leaves open, decided on the command line."""

from collections.abc import Iterable
from typing import Annotated

import typer

from synth.cli.options import JUDGING
from synth.errors import Fault, UsageError
from synth.evaluator.options import BY_NAME, CHOICES

EVERY = "all"

Choose = Annotated[
    list[str],
    typer.Option(
        metavar="NAME=VALUE",
        help="Decide what the API leaves open, the default first: "
        + ", ".join(f"{one.name}={'|'.join(one.values)}" for one in CHOICES)
        + ". Repeatable.",
        rich_help_panel=JUDGING,
        show_default=False,
    ),
]
Compare = Annotated[
    list[str],
    typer.Option(
        metavar="NAME|all",
        help="List the edges and records whose verdict depends on this choice. Repeatable.",
        rich_help_panel=JUDGING,
        show_default=False,
    ),
]


def chosen_of(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return name and value of each choice.

    >>> chosen_of(["hairpin=police"])
    (('hairpin', 'police'),)

    Raises
    ------
    UsageError
        If a choice or a value does not exist, or a choice is made twice; all faults at once.

    """
    found: dict[str, str] = {}
    faults = []
    for text in texts:
        name, _, value = text.partition("=")
        fault = _fault_of(text, name, value, found)
        if fault:
            faults.append(fault)
        else:
            found[name] = value
    if faults:
        raise UsageError(*faults)
    return tuple(found.items())


def compared_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the choices to compare, in their order.

    Raises
    ------
    UsageError
        If one does not exist.

    """
    names = set(texts)
    unknown = sorted(names - BY_NAME.keys() - {EVERY})
    if unknown:
        expected = f"one of {', '.join(BY_NAME)}, {EVERY}"
        raise UsageError(*(Fault("--compare", expected, repr(name)) for name in unknown))
    return tuple(name for name in BY_NAME if name in names or EVERY in names)


def _fault_of(text: str, name: str, value: str, found: dict[str, str]) -> Fault | None:
    if name not in BY_NAME:
        return Fault("--choose", f"NAME=VALUE with one of {', '.join(BY_NAME)}", repr(text))
    if value not in BY_NAME[name].values:
        return Fault("--choose", f"{name}={'|'.join(BY_NAME[name].values)}", repr(text))
    if found.get(name, value) != value:
        return Fault("--choose", "each choice once", f"{name}={found[name]} and {text}")
    return None
