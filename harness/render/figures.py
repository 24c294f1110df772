"""Figures of a comparison as text, the same at the terminal and in Markdown."""

from collections.abc import Iterable, Sequence

from mmbench.harness.render.plain import markdown_text

COVERED = 0.9995
"""Coverage from which on a share of scored items rounds to all, and is not shown."""

_COARSE = 1.5
"""From here on a figure is a rank, a count or a percentage; an end of an interval may lie a little past 1."""

_LARGE = 100
"""From here on a figure has one decimal, where others have three."""


def signed(value: float | None) -> str:
    """Return a difference with its sign.

    >>> signed(0.0123), signed(-12.0), signed(-0.0001), signed(None)
    ('+0.012', '-12.0', '0.000', '-')
    """
    if value is None:
        return "-"
    shown = f"{value:+z.3f}" if abs(value) < _COARSE else f"{value:+,.1f}"
    return "0.000" if shown == "+0.000" else shown


def span(low: float | None, high: float | None) -> str:
    """Return an interval of differences.

    >>> span(-0.01, 0.02), span(None, None)
    ('-0.010 … +0.020', '-')
    """
    return "-" if low is None or high is None else f"{signed(low)} … {signed(high)}"


def gained(value: float, low: float | None, high: float | None) -> str:
    """Return a gain with its interval.

    >>> gained(0.25, 0.1, 0.4), gained(0.25, None, None)
    ('+0.250 (+0.100 … +0.400)', '+0.250')
    """
    return f"{value:+.3f}" if low is None or high is None else f"{value:+.3f} ({low:+.3f} … {high:+.3f})"


def probability(p: float | None) -> str:
    """Return a p-value.

    >>> probability(0.0004), probability(0.034), probability(None)
    ('<0.001', '0.034', '-')
    """
    if p is None:
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """Return a share in percent, with no more decimals than it has.

    >>> percent(0.95), percent(0.999), percent(1 - 2 * 0.05)
    ('95 %', '99.9 %', '90 %')
    """
    return f"{100 * share:.4g} %"


def count(number: int, noun: str) -> str:
    """Return a number of things.

    >>> count(1, "task"), count(2000, "item")
    ('1 task', '2,000 items')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def some(names: Sequence[str], most: int) -> str:
    """Return the first names, and how many more there are.

    >>> some(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table.

    >>> print(markdown(["a", "b"], [["1", "x|y"]]))
    | a | b |
    | --- | --- |
    | 1 | x\\|y |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(markdown_text(cell) for cell in line) + " |" for line in lines)


def number(value: float | None) -> str:
    """Return a score as tables show it, a dash where there is none.

    >>> number(0.25), number(-0.0001), number(83.2), number(None)
    ('0.250', '0.000', '83.2', '-')
    """
    if value is None:
        return "-"
    return f"{value:z.3f}" if abs(value) < _COARSE else f"{value:,.1f}"


def interval(low: float | None, high: float | None) -> str:
    """Return the ends of an interval as tables show them, a dash where there is none.

    >>> interval(0.25, 1.0), interval(None, None)
    ('0.250 … 1.000', '-')
    """
    return "-" if low is None else f"{number(low)} … {number(high)}"


def fine(value: float | None) -> str:
    """Return a figure of any size by itself, where small ones and large ones stand in one column.

    >>> fine(-3.98412), fine(187.25), fine(-0.0001), fine(None)
    ('-3.984', '187.2', '0.000', '-')
    """
    if value is None:
        return "-"
    return f"{value:z.3f}" if abs(value) < _LARGE else f"{value:,.1f}"


def fine_interval(low: float | None, high: float | None) -> str:
    """Return its interval.

    >>> fine_interval(2.0, 2.5), fine_interval(None, None)
    ('2.000 … 2.500', '-')
    """
    return "-" if low is None else f"{fine(low)} … {fine(high)}"
