"""Markdown tables, and figures short enough for them."""

from collections.abc import Sequence

from benchmarks.judge.statistics import Summary

NONE = "-"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a markdown table whose first ``left`` columns are text, and the others figures."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def show(value: float | None) -> str:
    """Return the value with three digits that count, or a dash.

    >>> [show(one) for one in (None, 0.0, 0.000123, 0.99876, 0.5, 12.34, 12345.6)]
    ['-', '0', '1.23e-4', '0.9988', '0.5', '12.3', '12,346']
    """
    if value is None:
        return NONE
    size = abs(value)
    if size >= 1_000:
        return f"{value:,.0f}"
    if 0 < size < 0.001:
        digits, _, power = f"{value:.2e}".partition("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    if 0.99 < size < 1:
        return f"{value:.4f}".rstrip("0").rstrip(".")
    return f"{value:.3g}"


def show_interval(one: Summary | None) -> str:
    """Return the median and its interval; the median alone where nothing is wider."""
    if one is None:
        return NONE
    low, middle, high = show(one.low), show(one.median), show(one.high)
    return middle if low == middle == high else f"{middle} [{low}, {high}]"
