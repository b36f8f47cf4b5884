"""The equity of a book at each step, from its fills and the data's closes.

Nothing here walks over bars in Python: a fill is a change of a step function, and
polars spreads it over the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import polars as pl

from holdfast.results.books import Book, Booked
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import ZERO, to_decimal

Change = Callable[[Booked], Decimal]


class Closes:
    """The last close of each symbol at each step, worked out once per symbol."""

    def __init__(self, data: MarketData) -> None:
        self.data = data
        self.times = _times(data)
        """The moment of each step, as ``timestamp`` (datetime, µs, UTC)."""

        self._known: dict[str, pl.Series] = {}

    def at_steps(self, symbol: str) -> pl.Series:
        """Return the last close at or before each step; null before the first bar."""
        if symbol not in self._known:
            self._known[symbol] = self._spread(symbol)
        return self._known[symbol]

    def last(self, symbol: str) -> Decimal:
        """Return the last close in the data, exactly."""
        return to_decimal(self.data.columns[symbol].series["close"][-1])

    def _spread(self, symbol: str) -> pl.Series:
        close = self.data.columns[symbol].series["close"].rename(symbol)
        seen = self.data.seen[symbol]
        if isinstance(seen, range):  # every step is a bar of the only symbol
            return close
        rows = pl.Series(seen, dtype=pl.Int64) - 1
        return close.gather(rows.set(rows < 0, None))


def _times(data: MarketData) -> pl.Series:
    stamps = pl.Series("timestamp", data.times_us, dtype=pl.Int64)
    return stamps.cast(pl.Datetime("us", "UTC"))


def equity_curve(
    book: Book, closes: Closes, instruments: Mapping[str, Instrument]
) -> pl.DataFrame:
    """Return ``timestamp, equity, drawdown`` at each step.

    Equity is cash and the value of all positions at their last close; drawdown is its
    distance from the highest equity so far (the capital included), zero or negative,
    as a fraction.
    """
    steps = len(closes.times)
    change, moved = cash_change(instruments), units_change(instruments)
    equity = _function(book.fills, change, book.capital, steps)
    for symbol, fills in by_symbol(book.fills).items():
        units = _function(fills, moved, ZERO, steps)
        multiplier = float(instruments[symbol].multiplier)
        value = units * closes.at_steps(symbol) * multiplier
        equity = equity + value.fill_null(0.0)
    frame = pl.DataFrame([closes.times, equity.alias("equity")])
    return frame.with_columns(drawdown=_drawdown(float(book.capital)))


def _drawdown(capital: float) -> pl.Expr:
    peak = pl.max_horizontal(pl.col("equity").cum_max(), pl.lit(capital))
    fraction = pl.col("equity") / peak - 1.0
    # Without any capital there is no peak to measure from.
    return pl.when(peak > 0.0).then(fraction).otherwise(0.0)


def by_symbol(fills: Iterable[Booked]) -> dict[str, list[Booked]]:
    """Return the fills of each symbol, in order of first appearance."""
    found: dict[str, list[Booked]] = {}
    for booked in fills:
        found.setdefault(booked.fill.instrument, []).append(booked)
    return found


def cash_change(instruments: Mapping[str, Instrument]) -> Change:
    """Return what tells how a fill changes the cash, its fee included."""

    def change(booked: Booked) -> Decimal:
        fill = booked.fill
        instrument = instruments[fill.instrument]
        paid = fill.price.value * fill.traded() * instrument.multiplier
        return -paid if instrument.in_kind(fill.fee) else -paid - fill.fee.amount

    return change


def units_change(instruments: Mapping[str, Instrument]) -> Change:
    """Return what tells how a fill changes the position, in signed units."""

    def change(booked: Booked) -> Decimal:
        return booked.fill.units(instruments[booked.fill.instrument])

    return change


def _function(
    fills: Iterable[Booked], change: Change, start: Decimal, steps: int
) -> pl.Series:
    """Return the sum of ``start`` and all changes up to each step.

    The sums are exact; each is rounded once, when it becomes a float.
    """
    after: dict[int, float] = {0: float(start)}
    total = start
    for booked in sorted(fills, key=lambda booked: booked.step):
        total += change(booked)
        after[min(booked.step, steps - 1)] = float(total)
    stairs = pl.DataFrame(
        {"step": after.keys(), "value": after.values()},
        schema={"step": pl.Int64, "value": pl.Float64},
    )
    every = pl.DataFrame({"step": pl.int_range(steps, eager=True)})
    return every.join_asof(stairs.set_sorted("step"), on="step")["value"]
