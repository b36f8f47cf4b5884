"""Small markets for tests, made from rows of prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData

T0 = datetime(2024, 1, 2, tzinfo=UTC)
_DAY = timedelta(days=1)


def columns(
    symbol: str,
    rows: Sequence[Sequence[float]],
    *,
    start: datetime = T0,
    every: timedelta = _DAY,
    at: Sequence[int] | None = None,
) -> BarColumns:
    """Return bars from rows of open, high, low, close.

    The first begins at ``start``, and then there is one ``every`` so often; ``at`` says
    for each row how many intervals after ``start`` it is, where there are gaps.
    """
    places = range(len(rows)) if at is None else at
    frame = pl.DataFrame(
        {
            "timestamp": [start + every * place for place in places],
            **{
                name: [float(row[index]) for row in rows]
                for index, name in enumerate(FIELDS[:4])
            },
            "volume": [1e6] * len(rows),
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return BarColumns(symbol, frame)


def market_of(*columns: BarColumns) -> MarketData:
    """Return several instruments on one timeline."""
    return MarketData({each.symbol: each for each in columns})


def market(**rows: Sequence[Sequence[float]]) -> MarketData:
    """Return daily bars of several symbols from 2 January 2024 on."""
    return market_of(*(columns(name, each) for name, each in rows.items()))


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    """Return bars that stand still, each at its price."""
    return [(price, price, price, price) for price in prices]
