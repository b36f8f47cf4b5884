"""A program that writes a calendar's sessions to a file; it alone imports pandas.

Run as ``python -m holdfast_adapters.calendars.tables NAME OUT``. It ends with status
0, or with `UNKNOWN` when there is no such calendar.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FIRST_DAY = "1970-01-01"
LAST_DAY = "2050-12-31"
"""Sessions beyond the years that an exchange has published follow its present rules."""

UNKNOWN = 3
"""The exit status for a name that no calendar has."""

_US = 1_000


def main(arguments: list[str]) -> int:
    """Write the sessions of the calendar to a file as JSON; return the exit status."""
    name, out = arguments
    # pandas stays out of every process that imports this module for its names.
    from exchange_calendars import errors, get_calendar  # noqa: PLC0415

    try:
        kind = type(get_calendar(name))
    except errors.InvalidCalendarName:
        return UNKNOWN
    calendar = kind(start=_first(kind), end=_last(kind))
    table = {"opens": _us(calendar.opens), "closes": _us(calendar.closes)}
    Path(out).write_text(json.dumps(table), encoding="utf-8")
    return 0


def _first(kind: Any) -> str:  # noqa: ANN401 - a class of an untyped library
    bound = kind.bound_min()
    return FIRST_DAY if bound is None else max(FIRST_DAY, str(bound.date()))


def _last(kind: Any) -> str:  # noqa: ANN401 - a class of an untyped library
    bound = kind.bound_max()
    return LAST_DAY if bound is None else min(LAST_DAY, str(bound.date()))


def _us(times: Any) -> list[int]:  # noqa: ANN401 - a pandas series
    return [time.value // _US for time in times]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
