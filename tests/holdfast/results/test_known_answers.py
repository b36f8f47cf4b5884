"""Results against the numbers that other engines publish for the same trades."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from holdfast_domain.marketdata import BarColumns, MarketData
from holdfast_domain.money import to_decimal

from .story import Story

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
ANSWERS = DATA / "known_answers"

pytestmark = pytest.mark.skipif(
    not ANSWERS.is_dir(), reason="the known answers are not on this machine"
)


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ANSWERS / f"{name}.json").read_text())
    return dict(found["expected"])


def table(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=None)


def columns_of(symbol: str, days: list[str], prices: pl.DataFrame) -> BarColumns:
    stamps = [datetime.fromisoformat(day).replace(tzinfo=UTC) for day in days]
    frame = prices.cast(pl.Float64).with_columns(
        pl.Series("timestamp", stamps, dtype=pl.Datetime("us", "UTC"))
    )
    return BarColumns(symbol, frame)


def flat(closes: Sequence[float]) -> pl.DataFrame:
    names = ("open", "high", "low", "close", "volume")
    return pl.DataFrame(dict.fromkeys(names, closes))


def test_zipline_buy_and_hold_has_the_same_value_sharpe_and_drawdown() -> None:
    answer = expected("zipline_buy_and_hold")
    held = table(ANSWERS / "zipline_buy_and_hold.positions.csv.gz")
    # zipline counts a first return of nothing, so two days without a position lead.
    idle = ["2008-01-01", "2008-01-02"]
    columns = {}
    for symbol in ("AAPL", "MSFT"):
        rows = held.filter(pl.col("symbol") == symbol)
        closes = [1.0, 1.0, *rows["last_sale_price"]]
        columns[symbol] = columns_of(symbol, [*idle, *rows["date"]], flat(closes))
    story = Story(MarketData(columns))
    story.capital("10000000")
    bought = table(ANSWERS / "zipline_buy_and_hold.transactions.csv.gz")
    for row in bought.iter_rows(named=True):
        story.fill(2, row["symbol"], row["amount"], row["price"], fee="1")

    result = story.result()

    value = answer["final_portfolio_value"]
    assert float(result.final_equity) == pytest.approx(value, abs=1e-6)
    assert float(result.cash) == pytest.approx(answer["final_cash"], abs=1e-6)
    assert result.sharpe == pytest.approx(answer["sharpe"], rel=1e-9)
    assert result.max_drawdown == pytest.approx(answer["max_drawdown"], rel=1e-9)
    daily = table(ANSWERS / "zipline_buy_and_hold.daily.csv.gz")
    equity = result.equity["equity"].to_list()[1:]
    assert equity == pytest.approx(daily["portfolio_value"].to_list(), abs=1e-6)


def test_backtesting_py_sma_cross_has_the_same_trades_and_drawdown() -> None:
    answer = expected("backtestingpy_goog_sma_cross")
    story = Story(goog())
    story.capital("10000")
    for step, units, price in reversals(story.data.columns["GOOG"].values):
        story.fill(step, "GOOG", units, price)

    result = story.result()
    trips = result.round_trips

    assert float(result.final_equity) == pytest.approx(answer["Equity Final [$]"])
    assert result.max_drawdown == pytest.approx(answer["Max. Drawdown [%]"] / 100)
    assert result.equity["equity"].max() == pytest.approx(answer["Equity Peak [$]"])
    assert result.total_return == pytest.approx(answer["Return [%]"] / 100)
    assert len(trips) == answer["# Trades"]
    won = (trips["profit_and_loss"] > 0).sum() / len(trips)
    assert won * 100 == pytest.approx(answer["Win Rate [%]"])
    assert trips["return"].to_list() == pytest.approx(list(in_percent(trips)))
    best, worst = trips["return"].sort()[-1] * 100, trips["return"].sort()[0] * 100
    assert best == pytest.approx(answer["Best Trade [%]"])
    assert worst == pytest.approx(answer["Worst Trade [%]"])


def in_percent(trips: pl.DataFrame) -> Iterator[float]:
    """The return of each trade from its prices alone."""
    for row in trips.iter_rows(named=True):
        sign = 1 if row["side"] == "long" else -1
        yield sign * (row["exit_price"] / row["entry_price"] - 1)


def goog() -> MarketData:
    prices = table(DATA / "backtesting_py" / "GOOG.csv.gz")
    days = prices.to_series(0).to_list()
    named = prices.select(pl.exclude("")).rename(str.lower)
    return MarketData({"GOOG": columns_of("GOOG", days, named)})


def reversals(
    bar: Mapping[str, Sequence[float]],
) -> Iterator[tuple[int, Decimal, Decimal]]:
    """The strategy in words: all in at each cross, out at the last bar's open."""
    cash, held = Decimal(10000), Decimal(0)
    closes, last = bar["close"], len(bar["close"]) - 1
    for step in range(31, last + 1):
        side = cross(closes, step - 1) if step < last else 0
        if not side and step < last:
            continue
        price = to_decimal(bar["open"][step])
        if held:
            yield step, -held, price
            cash, held = cash + held * price, Decimal(0)
        if side:
            held = side * (cash // price)
            cash -= held * price
            yield step, held, price


def cross(closes: Sequence[float], row: int) -> int:
    before, now = (fast_over_slow(closes, at) for at in (row - 1, row))
    return (now > 0) - (now < 0) if before * now < 0 else 0


def fast_over_slow(closes: Sequence[float], row: int) -> float:
    fast, slow = (closes[row + 1 - length : row + 1] for length in (10, 30))
    return sum(fast) / len(fast) - sum(slow) / len(slow)
