"""What an equity curve is summed up in: return, drawdown and Sharpe ratio."""

from __future__ import annotations

import math
from decimal import Decimal

import polars as pl

from holdfast.results.numbers import finite

TRADING_DAYS = 252
"""Trading days of a year, by which the Sharpe ratio is annualised."""

_RETURNS_MIN = 2


def total_return(final: Decimal, capital: Decimal) -> float | None:
    """Return the gain as a fraction of ``capital``; ``None`` without capital."""
    return finite(float(final / capital - 1)) if capital > 0 else None


def max_drawdown(curve: pl.DataFrame) -> float | None:
    """Return the deepest drawdown as a fraction, at most 0; ``None`` without data."""
    deepest = curve["drawdown"].min()
    return finite(deepest) if isinstance(deepest, float) else None


def sharpe_ratio(curve: pl.DataFrame) -> float | None:
    """Return the annualised Sharpe ratio of the daily returns, at a rate of 0.

    A day is a UTC day and its equity the last one in it. ``None`` with fewer than two
    returns, and where they do not vary.
    """
    days = curve.group_by(pl.col("timestamp").dt.date(), maintain_order=True)
    returns = days.agg(pl.col("equity").last())["equity"].pct_change().drop_nulls()
    if len(returns) < _RETURNS_MIN:
        return None
    mean, spread = returns.mean(), returns.std(ddof=1)
    if not isinstance(mean, float) or not isinstance(spread, float) or not spread:
        return None
    return finite(mean / spread * math.sqrt(TRADING_DAYS))
