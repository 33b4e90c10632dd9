"""Numbers and times as people read them."""

from datetime import UTC, datetime, timedelta

from synth.edges.schema import NEVER, Edges
from synth.policy.ports import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = {protocol.number: protocol.value for protocol in Protocol}
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def number(value: int) -> str:
    """Return the number with thousands separators.

    >>> number(1234567)
    '1,234,567'
    """
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """Return the number and its noun.

    >>> counted(1, "record"), counted(2_000, "record")
    ('1 record', '2,000 records')
    """
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"


def share(part: int, whole: int) -> str:
    """Return the percentage; a part is never rounded to nothing nor to all.

    >>> share(1, 3), share(1, 100_000), share(99_999, 100_000), share(0, 0)
    ('33.3 %', '<0.1 %', '>99.9 %', '')
    """
    if not whole:
        return ""
    percent = 100 * part / whole
    if 0 < percent < 0.05:  # noqa: PLR2004 - what would be rounded to 0.0
        return "<0.1 %"
    if 99.95 <= percent < 100:  # noqa: PLR2004 - what would be rounded to 100.0
        return ">99.9 %"
    return f"{percent:.1f} %"


def protocol_name(protocol: int) -> str:
    """Return the name of the IANA protocol number, or the number."""
    return _NAMES.get(protocol, f"protocol {protocol}")


def instant(microseconds: int) -> str:
    """Return the time since 1970 UTC in ISO 8601.

    >>> instant(1_500_000)
    '1970-01-01T00:00:01.500000Z'
    """
    moment = (_EPOCH + timedelta(microseconds=microseconds)).replace(tzinfo=None)
    return f"{moment.isoformat()}Z"


def span(start: int, end: int) -> str:
    """Return from when to when, and how long that is.

    >>> span(0, 86_400_000_000)
    '1970-01-01 00:00:00 to 1970-01-02 00:00:00 UTC (1 day)'
    """
    first, last = (_EPOCH + timedelta(microseconds=at) for at in (start, end))
    ends = f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
    return f"{ends} ({_length((end - start) // 1_000_000)})"


def _length(seconds: int) -> str:
    for unit, size in _UNITS:
        if seconds >= size:
            return counted(seconds // size, unit)
    return "less than a second"


def seen(edges: Edges) -> tuple[int, int] | None:
    """Return first and last time of the edges, microseconds; None if none carries a time."""
    timed = edges.first != NEVER
    if not timed.any():
        return None
    return int(edges.first[timed].min()), int(edges.last[timed].max())
