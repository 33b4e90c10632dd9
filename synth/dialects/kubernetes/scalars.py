"""What an unquoted YAML scalar means to an API server, and which strings must be quoted.

YAML 1.1, YAML 1.2 and the parser of ``kubectl`` read some scalars differently. No field of a
NetworkPolicy takes a fraction, an octal number or an exponent, so every number that is not a plain
decimal integer becomes an ``UnclearNumber``, which no field accepts.
"""

import re
from dataclasses import dataclass

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
TRUES = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
FALSES = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})

LONGEST_INTEGER = 20

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(
    r"""[-+]?(
        0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+
        | ([0-9][0-9_]*(\.[0-9_]*)? | \.[0-9][0-9_]*)([eE][-+]?[0-9]+)?
        | \.(inf|Inf|INF)
    ) | \.(nan|NaN|NAN)""",
    re.VERBOSE,
)
_SEXAGESIMAL_OR_DATE = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?|[0-9]{4}-[0-9].*")


@dataclass(frozen=True, slots=True)
class UnclearNumber:
    """A number that YAML dialects read differently, or that no integer field can hold."""

    text: str

    def __repr__(self) -> str:
        """Return the text as it was written."""
        return self.text


def resolve(text: str) -> object:
    """Return what the unquoted scalar means: None, a bool, an int, an UnclearNumber or a str.

    >>> [resolve(text) for text in ("80", "080", "no", "web")]
    [80, 080, False, 'web']
    """
    if text in NULLS:
        return None
    if text in TRUES or text in FALSES:
        return text in TRUES
    if _INTEGER.fullmatch(text):
        return integer(text)
    return UnclearNumber(text) if _NUMBER.fullmatch(text) else text


def integer(text: str) -> int | UnclearNumber:
    """Return the decimal integer, or an UnclearNumber if it exceeds every integer field by far."""
    return int(text) if len(text) <= LONGEST_INTEGER else UnclearNumber(text)


def misread(text: str) -> bool:
    """Return whether some YAML reader would take the unquoted text for something else than text."""
    return not isinstance(resolve(text), str) or bool(_SEXAGESIMAL_OR_DATE.fullmatch(text))
