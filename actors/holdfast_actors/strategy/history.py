"""Coarser bars from finer ones, up to the current moment."""

from __future__ import annotations

import re
from bisect import bisect_left

import polars as pl

from holdfast_domain.errors import DomainError
from holdfast_domain.marketdata import FIELDS, BarColumns

_UNITS_US = {
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}


def frequency_us(text: str) -> int:
    """Return the length of a frequency such as ``15m`` or ``1d``, in microseconds.

    Raises:
        DomainError: if ``text`` is no frequency.
    """
    match = re.fullmatch(r"(\d+)([smhdw])", text)
    if match is None or not int(match[1]):
        message = f"expected a frequency such as 1m, 15m, 1h or 1d, got {text!r}"
        raise DomainError(message)
    return int(match[1]) * _UNITS_US[match[2]]


class Resampled:
    """One instrument's bars at a coarser frequency.

    Buckets are aligned to UTC. The last value is that of the current bucket so far.
    """

    def __init__(self, columns: BarColumns, every_us: int) -> None:
        self._columns = columns
        # A bar belongs to the bucket in which its interval lies, so its end counts to
        # the bucket that it closes.
        self._buckets = [(end - 1) // every_us for end in columns.ends_us]
        marks = columns.frame.with_columns(pl.Series("bucket", self._buckets))
        whole = marks.group_by("bucket", maintain_order=True).agg(
            pl.col("open").first(),
            pl.col("high").max(),
            pl.col("low").min(),
            pl.col("close").last(),
            pl.col("volume").sum(),
        )
        self._keys: list[int] = whole["bucket"].to_list()
        self._whole = whole

    def tail(self, field: str, count: int, seen: int) -> pl.Series:
        """Return the last ``count`` values of ``field``, ``seen`` bars being known."""
        if not seen:
            return pl.Series(field, [], dtype=pl.Float64)
        key = self._buckets[seen - 1]
        place = bisect_left(self._keys, key)
        start = bisect_left(self._buckets, key, 0, seen)
        part = self._columns.series[field].slice(start, seen - start)
        first = max(0, place - count + 1)
        before = self._whole[field].slice(first, place - first)
        now = pl.Series(field, [_whole_of(field, part)], dtype=pl.Float64)
        return before.append(now) if len(before) else now


def _whole_of(field: str, part: pl.Series) -> float:
    value = {
        "open": part.first,
        "high": part.max,
        "low": part.min,
        "close": part.last,
        "volume": part.sum,
    }[field]()
    return float(value)  # type: ignore[arg-type]


__all__ = ["FIELDS", "Resampled", "frequency_us"]
