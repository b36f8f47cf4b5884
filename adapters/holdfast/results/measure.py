"""The result of a run: a pure projection of its journal and its market data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs
import polars as pl

from holdfast.results.books import Book, books_of, currency_of
from holdfast.results.curve import (
    Closes,
    by_symbol,
    cash_change,
    equity_curve,
    units_change,
)
from holdfast.results.numbers import decimal_text, finite
from holdfast.results.ratios import max_drawdown, sharpe_ratio, total_return
from holdfast.results.trades import fill_table, round_trips
from holdfast_domain.events import Entry
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData
from holdfast_domain.money import ZERO


@attrs.frozen(kw_only=True, eq=False)
class RunResult:
    """What a run came to; money is in `currency`, fractions are of 1."""

    currency: str
    capital: Decimal
    final_equity: Decimal
    """Cash and the value of the positions at the last closes, exactly."""

    cash: Decimal
    commission: Decimal
    """All fees that were charged, minus rebates."""

    positions: dict[str, Decimal]
    """Signed units by symbol; those that are zero are left out."""

    fills: int
    """How many executions there were."""

    orders: int
    """How many orders the strategies made, refused ones included."""

    bars: int
    total_return: float | None
    max_drawdown: float | None
    sharpe: float | None
    bars_per_s: float | None
    equity: pl.DataFrame
    """``timestamp, equity, drawdown`` at each step of the data."""

    trades: pl.DataFrame
    """Every fill: the columns of `trades.TRADES`."""

    round_trips: pl.DataFrame
    """Every closed lot: the columns of `trades.ROUND_TRIPS`."""

    strategies: dict[str, RunResult] = attrs.field(factory=dict)
    """The same for each strategy and its capital; theirs are empty."""

    def to_json(self) -> dict[str, object]:
        """Return the figures without the tables, for `json.dumps`; never NaN."""
        return {
            "final_equity": decimal_text(self.final_equity),
            "cash": decimal_text(self.cash),
            "commission": decimal_text(self.commission),
            "positions": {
                symbol: decimal_text(units) for symbol, units in self.positions.items()
            },
            "fills": self.fills,
            "orders": self.orders,
            "bars": self.bars,
            "total_return": self.total_return,
            "max_drawdown": self.max_drawdown,
            "sharpe": self.sharpe,
            "bars_per_s": self.bars_per_s,
            "strategies": {
                name: result.to_json() for name, result in self.strategies.items()
            },
        }


def measure(
    entries: Iterable[Entry],
    data: MarketData,
    instruments: Mapping[str, Instrument],
    *,
    wall_s: float | None,
) -> RunResult:
    """Return what the run in ``entries`` over ``data`` came to.

    ``entries`` is read once. ``wall_s`` is how long the run took, in seconds;
    ``None`` leaves `bars_per_s` empty. Positions are valued at the last close of the
    data, so measure a run that has come to its end.

    Raises:
        InputError: what traded is in several currencies.
    """
    books = books_of(entries)
    measuring = _Measuring(
        closes=Closes(data),
        instruments=instruments,
        currency=currency_of(books, instruments),
        bars_per_s=finite(data.bars / wall_s) if wall_s else None,
    )
    whole = measuring.result(books.whole)
    if len(books.strategies) == 1:  # its book is the whole book
        parts = dict.fromkeys(books.strategies, whole)
    else:
        parts = {
            name: measuring.result(book) for name, book in books.strategies.items()
        }
    return attrs.evolve(whole, strategies=parts)


@attrs.frozen(kw_only=True)
class _Measuring:
    """What all books of one run are measured with."""

    closes: Closes
    instruments: Mapping[str, Instrument]
    currency: str
    bars_per_s: float | None

    def result(self, book: Book) -> RunResult:
        change = cash_change(self.instruments)
        cash = book.capital + sum(map(change, book.fills), ZERO)
        positions = _positions(book, self.instruments)
        final = cash + sum(map(self._value, positions, positions.values()), ZERO)
        curve = equity_curve(book, self.closes, self.instruments)
        return RunResult(
            currency=self.currency,
            capital=book.capital,
            final_equity=final,
            cash=cash,
            commission=sum(
                (
                    b.fill.fee_value(self.instruments[b.fill.instrument])
                    for b in book.fills
                ),
                ZERO,
            ),
            positions=positions,
            fills=len(book.fills),
            orders=len(book.orders),
            bars=self.closes.data.bars,
            total_return=total_return(final, book.capital),
            max_drawdown=max_drawdown(curve),
            sharpe=sharpe_ratio(curve),
            bars_per_s=self.bars_per_s,
            equity=curve,
            trades=fill_table(book.fills, self.instruments),
            round_trips=round_trips(book.fills, self.instruments),
        )

    def _value(self, symbol: str, units: Decimal) -> Decimal:
        return units * self.closes.last(symbol) * self.instruments[symbol].multiplier


def _positions(book: Book, instruments: Mapping[str, Instrument]) -> dict[str, Decimal]:
    change = units_change(instruments)
    held = {
        symbol: sum(map(change, fills), ZERO)
        for symbol, fills in by_symbol(book.fills).items()
    }
    return {symbol: units for symbol, units in sorted(held.items()) if units}
