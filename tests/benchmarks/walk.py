"""The data that every backtest reads: a random walk of integer cents, as minute bars.

The same bytes on every machine, so that figures and fills can be compared with those
of another day.  Our engine reads Parquet, the peers CSV; the prices are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

BARS = 500_000
"""About a year of minutes, around the clock."""

SEVERAL = 20
"""How many walks there are beside the one, of together as many bars."""

FIRST_US = 1_577_836_860_000_000
"""The end of the first bar: 2020-01-01 00:01 UTC, in µs since 1970."""

MINUTE_US = 60_000_000


def cents(seed: int, bars: int) -> dict[str, np.ndarray]:
    """Open, high, low and close in whole cents, and the volume in whole units."""
    rng = np.random.default_rng(seed)
    close = np.maximum(1_000, 10_000 + np.cumsum(rng.integers(-5, 6, bars)))
    open_ = np.concatenate([[10_000], close[:-1]])
    high = np.maximum(open_, close) + rng.integers(0, 4, bars)
    low = np.minimum(open_, close) - rng.integers(0, 4, bars)
    volume = rng.integers(1, 1_000, bars)
    return {"open": open_, "high": high, "low": low, "close": close, "volume": volume}


def frame(seed: int = 1, bars: int = BARS) -> pl.DataFrame:
    """The bars in dollars, with the end of each bar as its time stamp in UTC."""
    columns = cents(seed, bars)
    ends = FIRST_US + MINUTE_US * np.arange(bars, dtype=np.int64)
    prices = {name: columns[name] / 100.0 for name in ("open", "high", "low", "close")}
    stamps = pl.Series(ends).cast(pl.Datetime("us", "UTC"))
    volume = columns["volume"].astype(np.float64)
    return pl.DataFrame({"timestamp": stamps, **prices, "volume": volume})


def write(folder: Path) -> None:
    """Write ``walk.parquet`` and ``walk.csv``, unless both are there.

    And as many bars of `SEVERAL` walks, in ``several`` and ``several_csv``.
    """
    _write(folder / "walk.parquet", folder / "walk.csv", 1, BARS)
    for number in range(SEVERAL):
        name = name_of(number)
        parquet = folder / "several" / f"{name}.parquet"
        csv = folder / "several_csv" / f"{name}.csv"
        _write(parquet, csv, 1 + number, BARS // SEVERAL)


def name_of(number: int) -> str:
    """The symbol of one of several walks, by its number from 0."""
    return f"w{number:02d}"


def _write(parquet: Path, csv: Path, seed: int, count: int) -> None:
    if parquet.exists() and csv.exists():
        return
    bars = frame(seed, count)
    for path in (parquet, csv):
        path.parent.mkdir(parents=True, exist_ok=True)
    bars.write_parquet(parquet)
    bars.write_csv(csv, datetime_format="%Y-%m-%dT%H:%M:%S+00:00")
