"""Every bar is looked at: what cannot have been traded is refused, by its row."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import polars as pl

from holdfast_adapters.data.refusals import at_row, first_true, refusal, shown
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import utc_from_us

TOLERANCE = 1e-9
"""How far, as a fraction, open and close may lie outside of low and high.

Prices that were adjusted by a factor differ by such roundings.
"""

PRICES = ("open", "high", "low", "close")


def check_bars(frame: pl.DataFrame, path: Path) -> None:
    """Look at prices and volumes; the columns are finite float64.

    Raises:
        InputError: a price is not above 0, a volume is negative, the high is below
            the low, or open or close are outside of them.
    """
    refuse = partial(_refuse, frame, path)
    for name in PRICES:
        refuse(column=name, bad=frame[name] <= 0, expected="a price above 0")
    bad, expected = frame["volume"] < 0, "a volume of at least 0"
    refuse(column="volume", bad=bad, expected=expected)
    low, high = frame["low"], frame["high"]
    expected = "a high that is not below the low"
    refuse(column="high", bad=high < low, expected=expected, beside="low")
    for name in ("open", "close"):
        above = frame[name] > high * (1 + TOLERANCE)
        below = frame[name] < low * (1 - TOLERANCE)
        expected = f"{_article(name)} between low and high"
        refuse(column=name, bad=above, expected=expected, beside="high")
        refuse(column=name, bad=below, expected=expected, beside="low")


def _article(name: str) -> str:
    return "an open" if name == "open" else "a close"


def _refuse(
    frame: pl.DataFrame,
    path: Path,
    *,
    column: str,
    bad: pl.Series,
    expected: str,
    beside: str | None = None,
) -> None:
    row = first_true(bad)
    if row is None:
        return
    came = shown(frame[column][row])
    if beside is not None:
        came = f"{came} ({beside} {shown(frame[beside][row])})"
    raise refusal(path, row, column, expected, came)


def check_order(frame: pl.DataFrame, path: Path, symbol: str) -> None:
    """Look at the time stamps (µs) of one symbol; ``row`` counts the file's rows.

    Raises:
        InputError: a time stamp is not above the one before it.
    """
    if frame["timestamp"].is_sorted() and not _repeats(frame["timestamp"]):
        return
    row, stamp, before = _step_back(frame)
    where = at_row(path, row, "timestamp")
    expected = f"time stamps of {shown(symbol)} that ascend"
    if stamp == before:
        came, todo = f"{_utc(stamp)} twice", "drop one of the two rows"
    else:
        came, todo = f"{_utc(stamp)} after {_utc(before)}", "sort the file by time"
    raise InputError(where, expected, came, todo)


def _repeats(stamps: pl.Series) -> bool:
    return bool((stamps == stamps.shift(1)).any())


def _step_back(frame: pl.DataFrame) -> tuple[int, int, int]:
    """Return number and stamp of the first row not to ascend, and the stamp before."""
    stamps = frame["timestamp"]
    bad = frame.with_columns(before=stamps.shift(1)).filter(stamps <= stamps.shift(1))
    row, stamp, before = bad.select("row", "timestamp", "before").row(0)
    return row, stamp, before


def _utc(time_us: int) -> str:
    return utc_from_us(time_us).isoformat()
