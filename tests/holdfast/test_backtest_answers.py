"""Whole runs against the trades and results that other engines publish."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from holdfast import BarData, Context, Strategy, backtest, param
from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.money import to_decimal

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
ANSWERS = DATA / "known_answers"
FIELDS = ("open", "high", "low", "close", "volume")

pytestmark = pytest.mark.skipif(
    not ANSWERS.is_dir(), reason="the known answers are not on this machine"
)


def expected(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_text())
    return dict(answer["expected"])


def bars(symbol: str, path: Path, day: str, prices: dict[str, str]) -> MarketData:
    """Read daily bars; each ends at the midnight of its date."""
    table = pl.read_csv(path, infer_schema_length=None).sort(day)
    stamps = [datetime.fromisoformat(each).replace(tzinfo=UTC) for each in table[day]]
    frame = pl.DataFrame(
        {
            "timestamp": stamps,
            **{name: table[prices[name]].cast(pl.Float64) for name in FIELDS},
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return MarketData({symbol: BarColumns(symbol, frame)})


class Crossing(Strategy):
    """Buys when the close crosses above its mean, and closes when below."""

    window = param(15)
    units = param(1)

    def initialize(self, context: Context) -> None:
        context.asset = self.symbols()[0]
        context.last = 0.0

    def handle_data(self, context: Context, data: BarData) -> None:
        closes = data.history(context.asset, "close", self.window)
        if len(closes) < self.window:
            return
        difference = closes[-1] - sum(closes) / self.window
        before, context.last = context.last, difference or context.last
        held = context.portfolio.positions[context.asset].amount
        if not held and before < 0 < difference:
            self.order(context.asset, self.units)
        elif held and before > 0 > difference:
            self.order_target(context.asset, 0)


class AboveMean(Strategy):
    """Holds ten while the close is above its mean."""

    def initialize(self, context: Context) -> None:
        context.asset = self.symbols()[0]

    def handle_data(self, context: Context, data: BarData) -> None:
        closes = data.history(context.asset, "close", 15)
        if len(closes) < 15:
            return
        mean = sum(closes) / 15
        held = context.portfolio.positions[context.asset].amount
        if not held and closes[-1] > mean:
            self.order(context.asset, 10)
        elif held and closes[-1] < mean:
            self.order_target(context.asset, 0)


def test_backtrader_crosses_its_mean_to_the_same_cent() -> None:
    answer = expected("backtrader_sma15_2006")
    names = {name: name.capitalize() for name in FIELDS}
    data = bars("INDEX", DATA / "backtrader" / "2006-day-001.txt.gz", "Date", names)

    result = backtest(Crossing, data=data, capital=10_000)

    assert str(result.final_equity) == answer["A_stock"]["final_value"]
    assert str(result.cash) == answer["A_stock"]["final_cash"]
    trades = result.trades
    for side, key in (("buy", "buy_fills"), ("sell", "sell_fills")):
        fills = trades.filter(pl.col("side") == side)["price"].to_list()
        assert fills == pytest.approx([float(each) for each in answer[key]])


def test_pyalgotrade_holds_above_its_mean_with_the_same_fills() -> None:
    answer = expected("pyalgotrade_orcl2000_sma15_trades")
    names = {name: f"Adj. {name.capitalize()}" for name in FIELDS}
    path = DATA / "pyalgotrade" / "WIKI-ORCL-2000-quandl.csv.gz"
    data = bars("ORCL", path, "Date", names)

    result = backtest(AboveMean, data=data, capital=1_000)

    fills = [
        [day_of(data, row["time"]), row["side"].upper(), f"{row['price']:.2f}"]
        for row in result.trades.iter_rows(named=True)
    ]
    assert fills == answer["fills"]
    assert f"{result.final_equity:.2f}" == answer["final_equity"]


def day_of(data: MarketData, opened_at: datetime) -> str:
    """Return the date of the bar that opened then: they are named by their end."""
    (columns,) = data.columns.values()
    opened_us = int(opened_at.timestamp() * 1_000_000)
    end_us = next(each for each in columns.ends_us if each > opened_us)
    return str(datetime.fromtimestamp(end_us / 1e6, UTC).date())


SPARE = 1_000_000
"""Cash beside the strategy's: it sizes at prices that the guard does not know yet."""


class Reversal(Strategy):
    """All in, long or short, whenever the fast mean crosses the slow one.

    The published rule sizes by the price of the fill, which is the next open.
    """

    opens: list[float]

    def initialize(self, context: Context) -> None:
        context.asset = self.symbols()[0]
        context.slices = 0
        context.above = None

    def handle_data(self, context: Context, data: BarData) -> None:
        context.slices += 1
        if context.slices == len(self.opens) - 1:
            self.order_target(context.asset, 0)
        if context.slices >= len(self.opens) - 1:
            return
        closes = data.history(context.asset, "close", 30)
        if len(closes) < 30:
            return
        above = closes.tail(10).mean() > closes.mean()
        before, context.above = context.above, above
        if before is not None and above is not before:
            self.turn(context, 1 if above else -1)

    def turn(self, context: Context, side: int) -> None:
        price = to_decimal(self.opens[context.slices])
        held = context.portfolio.positions[context.asset].amount
        equity = context.portfolio.cash - SPARE + held * price
        units = (equity / price).to_integral_value(ROUND_DOWN)
        self.order_target(context.asset, side * units)


def test_backtesting_py_reverses_to_the_same_equity_and_trades() -> None:
    answer = expected("backtestingpy_goog_sma_cross")
    names = {name: name.capitalize() for name in FIELDS}
    data = bars("GOOG", DATA / "backtesting_py" / "GOOG.csv.gz", "", names)
    opens = data.columns["GOOG"].values["open"]
    reversal = type("Reversal", (Reversal,), {"opens": opens})

    result = backtest(reversal, data=data, capital=10_000 + SPARE)

    final = float(result.final_equity - SPARE)
    assert final == pytest.approx(answer["Equity Final [$]"])
    trips = result.round_trips
    assert len(trips) == answer["# Trades"]
    won = (trips["profit_and_loss"] > 0).sum() / len(trips)
    assert won * 100 == pytest.approx(answer["Win Rate [%]"])
    assert Decimal(result.commission) == 0
