"""Numbers as people and JSON read them: plain decimals, and no NaN."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal


def decimal_text(number: Decimal) -> str:
    """Return ``number`` in plain notation, without an exponent or idle zeros.

    >>> decimal_text(Decimal("100000.000")), decimal_text(Decimal("1E+5"))
    ('100000', '100000')
    >>> decimal_text(Decimal("-0.00"))
    '0'
    """
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def finite(number: float | None) -> float | None:
    """Return ``number``, or ``None`` if it is not finite: JSON has no NaN."""
    return number if number is not None and math.isfinite(number) else None


def grouped(number: Decimal | float, places: int = 2) -> str:
    """Return ``number`` rounded to ``places``, its thousands set off by commas.

    >>> grouped(Decimal("-1234567.891")), grouped(-0.001)
    ('-1,234,567.89', '0.00')
    """
    text = f"{number:,.{places}f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text


def aligned(numbers: Iterable[float], fewest: int = 0) -> list[str]:
    """Return a column of ``numbers`` with as many decimals each as it needs.

    At least ``fewest``, and at most 4, or 8 where a number is below 1.

    >>> aligned([105.0, 27.875]), aligned([10.0, 3.0]), aligned([0.00012345], 2)
    (['105.000', '27.875'], ['10', '3'], ['0.00012345'])
    """
    column = list(numbers)
    small = any(0 < abs(number) < 1 for number in column)
    texts = (f"{number:.{8 if small else 4}f}".rstrip("0") for number in column)
    places = max((len(text.partition(".")[2]) for text in texts), default=0)
    return [grouped(number, max(places, fewest)) for number in column]


def percent(fraction: float | None) -> str:
    """Return ``fraction`` as a percentage; ``n/a`` where there is none.

    >>> percent(-0.4798), percent(None)
    ('-47.98%', 'n/a')
    """
    return "n/a" if fraction is None else f"{grouped(fraction * 100)}%"


def ratio(number: float | None) -> str:
    """Return ``number`` with two decimals; ``n/a`` where there is none."""
    return "n/a" if number is None else grouped(number)
