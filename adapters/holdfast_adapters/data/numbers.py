"""Prices and volumes as finite float64 columns; anything else is refused by row."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from holdfast_adapters.data.refusals import first_true, refusal, refusing, shown
from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import FIELDS


def with_floats(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Return ``frame`` with `FIELDS` as finite float64.

    Raises:
        InputError: a value is missing, no number, NaN or infinite.
    """
    return frame.with_columns(_floats(frame[name], path) for name in FIELDS)


def _floats(raw: pl.Series, path: Path) -> pl.Series:
    kind = raw.dtype
    if not (kind.is_numeric() or kind in (pl.String, pl.Null)):
        where = f"{path}, column {raw.name!r}"
        raise InputError(where, "numbers", f"a column of {kind}", "convert the column")
    with refusing(path, f"numbers in the column {raw.name!r}"):
        numbers = _cast(raw)
    if numbers.null_count() == 0 and bool(numbers.is_finite().all()):
        return numbers
    row = first_true(numbers.is_null() | ~numbers.is_finite())
    assert row is not None
    came = "no value" if raw[row] is None else shown(raw[row])
    raise refusal(path, row, raw.name, "a finite number", came)


def _cast(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Float32:
        # By its shortest text: 0.1 stays 0.1 and is not 0.10000000149011612.
        return raw.cast(pl.String).cast(pl.Float64)
    if raw.dtype != pl.String:
        return raw.cast(pl.Float64)
    numbers = raw.cast(pl.Float64, strict=False)
    if numbers.null_count() == raw.null_count():
        return numbers
    return raw.str.strip_chars().cast(pl.Float64, strict=False)
