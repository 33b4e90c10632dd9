"""What the options of ``synth explain`` say, as values."""

import re
from typing import TYPE_CHECKING

from synth.errors import Fault, UsageError

if TYPE_CHECKING:
    from synth.evaluator.sides import RuleRef
    from synth.policy.ports import Protocol

_RULE = re.compile(
    r"(?P<namespace>[^/:\s]+)/(?P<policy>[^/:\s]+)[:\s]\s*"
    r"(?P<direction>ingress|egress)\[(?P<index>[0-9]{1,6})\]",
    re.IGNORECASE,
)


def port_of(text: str) -> "tuple[Protocol, int]":
    """Return protocol and number of ``N[/PROTO]``.

    >>> port_of("53/udp")[1]
    53

    Raises
    ------
    UsageError
        If the text is neither.

    """
    from synth.policy.ports import LAST_PORT, Protocol

    number, _, name = text.partition("/")
    protocol = (name or "TCP").upper()
    digits = number.isascii() and number.isdigit()
    if not digits or not 1 <= int(number[:6]) <= LAST_PORT or protocol not in set(Protocol):
        expected = f"a port of 1 to {LAST_PORT}, alone or followed by /TCP, /UDP or /SCTP"
        raise UsageError(Fault("--port", expected, repr(text)))
    return Protocol(protocol), int(number)


def row_of(text: str) -> tuple[str, int]:
    """Return file and number of ``FILE:N``.

    >>> row_of("logs/a.log:12")
    ('logs/a.log', 12)

    Raises
    ------
    UsageError
        If the text is not that.

    """
    file, _, number = text.rpartition(":")
    digits = number.isascii() and number.isdigit()
    if not file or not digits or not 1 <= int(number[:16]) < 10**15:
        raise UsageError(Fault("--row", "FILE:N, N a line or row from 1", repr(text)))
    return file, int(number)


def rule_of(text: str) -> "RuleRef":
    """Return the rule of ``namespace/policy:ingress[0]``, or as reports write it.

    >>> str(rule_of("shop/db:ingress[0]")), str(rule_of("shop/db egress[2]"))
    ('shop/db ingress[0]', 'shop/db egress[2]')

    Raises
    ------
    UsageError
        If the text is neither.

    """
    from synth.evaluator.sides import RuleRef
    from synth.policy.model import Direction

    found = _RULE.fullmatch(text.strip())
    if found is None:
        expected = "a rule such as 'shop/db:ingress[0]', numbered from 0 as in the file"
        raise UsageError(Fault("--rule", expected, repr(text)))
    direction = Direction(found["direction"].capitalize())
    return RuleRef(found["namespace"], found["policy"], direction, int(found["index"]))
