"""Time stamps of any common form as microseconds UTC."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from holdfast_adapters.calendars.zones import zone_of
from holdfast_adapters.data.refusals import at_row, first_true, refusing, shown
from holdfast_domain.errors import InputError

EARLIEST_US = -5_364_662_400_000_000
"""1800-01-01; an earlier stamp is a mistake of unit or format."""

LATEST_US = 7_258_118_400_000_000
"""2200-01-01."""

_FORMS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y%m%dT%H%M%S")
_OFFSET = r"(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
_AWARE = r"T.*" + _OFFSET
_EPOCHS = ((100_000_000_000, 1_000_000), (100_000_000_000_000, 1_000))
"""Below so much, an integer is seconds (or milliseconds): times what gives µs."""

_MICROSECONDS_BELOW = 100_000_000_000_000_000
_DAYS = (19_000_101, 21_001_231)
"""Integers in this range are dates such as 20000103, and no seconds of 1970."""


def with_utc(frame: pl.DataFrame, path: Path, timezone: str | None) -> pl.DataFrame:
    """Return ``frame`` with its time stamps as datetimes in UTC, to the microsecond.

    Naive ones are read in ``timezone``. A date is the midnight that it begins with.
    Integers are seconds, milliseconds, microseconds or nanoseconds since 1970 by
    their magnitude, or dates such as 20000103.

    Raises:
        InputError: a stamp cannot be read, is naive while ``timezone`` is not given,
            or is a local time that does not exist or exists twice.
    """
    raw = frame["timestamp"]
    _refuse(path, raw, raw.is_null(), "a time stamp", "fill it in, or drop the row")
    with refusing(path, "time stamps that can be read"):
        stamps = _utc(raw, path, timezone)
    far = (stamps.dt.epoch("us") < EARLIEST_US) | (stamps.dt.epoch("us") > LATEST_US)
    todo = "check its unit: s, ms, µs or ns since 1970"
    _refuse(path, raw, far, "a time between 1800 and 2200", todo)
    return frame.with_columns(stamps)


def _utc(raw: pl.Series, path: Path, timezone: str | None) -> pl.Series:
    kind = raw.dtype
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return raw.cast(pl.Datetime("us", kind.time_zone)).dt.convert_time_zone("UTC")
    if isinstance(kind, pl.Datetime) or kind == pl.Date:
        return _localized(raw.cast(pl.Datetime("us")), raw, path, timezone)
    if kind.is_integer():
        return _from_integers(raw, path, timezone)
    if kind == pl.String:
        return _from_text(raw, path, timezone)
    expected = "ISO 8601 text, dates, datetimes or integers since 1970"
    where = f"{path}, column 'timestamp'"
    raise InputError(where, expected, f"a column of {kind}", "convert the column")


def _from_integers(raw: pl.Series, path: Path, timezone: str | None) -> pl.Series:
    numbers = raw.cast(pl.Int64)
    if bool(numbers.is_between(*_DAYS).all()):
        days = numbers.cast(pl.String).str.to_datetime("%Y%m%d", strict=False)
        _refuse_unread(path, raw, days)
        return _localized(days.cast(pl.Datetime("us")), raw, path, timezone)
    return _microseconds(numbers).cast(pl.Datetime("us", "UTC"))


def _microseconds(numbers: pl.Series) -> pl.Series:
    def all_below(limit: int) -> bool:
        return bool(numbers.is_between(-limit, limit, closed="none").all())

    for limit, factor in _EPOCHS:
        if all_below(limit):
            return numbers * factor
    return numbers if all_below(_MICROSECONDS_BELOW) else numbers // 1_000


def _from_text(raw: pl.Series, path: Path, timezone: str | None) -> pl.Series:
    text = raw.str.strip_chars()
    if bool(text.str.contains(r"^-?\d+$").all()):
        numbers = text.cast(pl.Int64, strict=False)
        _refuse_unread(path, raw, numbers)
        return _from_integers(numbers, path, timezone)
    text = text.str.to_uppercase().str.replace(r"^(\S+) +", "${1}T")
    aware = text.str.contains(_AWARE)
    body = text.str.replace(r"(T.*?) *" + _OFFSET, "${1}") if aware.any() else text
    naive = _naive(body)
    _refuse_unread(path, raw, naive)
    if not aware.any():
        return _localized(naive, raw, path, timezone)
    utc = (naive - _offsets(text)).dt.replace_time_zone("UTC")
    if aware.all():
        return utc
    local = _localized(naive.zip_with(~aware, _nulls(naive)), raw, path, timezone)
    return utc.zip_with(aware, local)


def _nulls(like: pl.Series) -> pl.Series:
    return pl.Series(like.name, [None], dtype=like.dtype).new_from_index(0, len(like))


def _naive(text: pl.Series) -> pl.Series:
    """Read every row by the first form that fits it; null where none does."""
    stamps = _nulls(text.cast(pl.String)).cast(pl.Datetime("us"))
    for form in _FORMS:
        read = text.str.to_datetime(form, time_unit="us", strict=False)
        stamps = stamps.zip_with(stamps.is_not_null(), read)
        if stamps.null_count() == 0:
            break
    return stamps


def _offsets(text: pl.Series) -> pl.Series:
    """Return the offsets from UTC that end the texts, as durations; null is none."""
    parts = text.to_frame("text").select(
        sign=pl.col("text").str.extract(r"([+-])\d{2}:?\d{0,2}$"),
        hours=pl.col("text").str.extract(r"[+-](\d{2}):?\d{0,2}$").cast(pl.Int64),
        minutes=pl.col("text").str.extract(r"[+-]\d{2}:?(\d{2})$").cast(pl.Int64),
    )
    minutes = pl.col("hours").fill_null(0) * 60 + pl.col("minutes").fill_null(0)
    signed = pl.when(pl.col("sign") == "-").then(-minutes).otherwise(minutes)
    return parts.select(pl.duration(minutes=signed, time_unit="us")).to_series()


def _localized(
    naive: pl.Series, raw: pl.Series, path: Path, timezone: str | None
) -> pl.Series:
    """Read ``naive`` in ``timezone``; null stays null."""
    if timezone is None:
        row = first_true(naive.is_not_null())
        raise InputError(
            at_row(path, row or 0, "timestamp"),
            "a time stamp with its offset from UTC",
            shown(raw[row or 0]),
            "name the zone of the file's times, such as --tz America/New_York",
        )
    name = zone_of(timezone).key
    utc = naive.dt.replace_time_zone(name, ambiguous="null", non_existent="null")
    row = first_true(utc.is_null() & naive.is_not_null())
    if row is None:
        return utc.dt.convert_time_zone("UTC")
    either = naive[row : row + 1].dt.replace_time_zone(
        name, ambiguous="earliest", non_existent="null"
    )
    why = "does not exist" if either.null_count() else "exists twice"
    raise InputError(
        at_row(path, row, "timestamp"),
        f"a local time that exists once in {name}",
        f"{shown(raw[row])}, which {why} when the clocks change",
        "write time stamps with their offset, or in UTC",
    )


def _refuse_unread(path: Path, raw: pl.Series, read: pl.Series) -> None:
    expected = "a time stamp such as 2024-03-08T16:00:00-05:00"
    _refuse(path, raw, read.is_null(), expected, "write it in ISO 8601")


def _refuse(
    path: Path, raw: pl.Series, bad: pl.Series, expected: str, todo: str
) -> None:
    row = first_true(bad)
    if row is not None:
        came = "no value" if raw[row] is None else shown(raw[row])
        raise InputError(at_row(path, row, "timestamp"), expected, came, todo)
