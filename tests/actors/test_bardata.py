"""`data`: what a strategy sees of the market is the past, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, strategies as st

from holdfast_actors.clock import MarketClock, PriceBoard
from holdfast_actors.strategy.data import BarData, StaleData
from holdfast_actors.strategy.history import frequency_us
from holdfast_domain.errors import DomainError
from holdfast_domain.marketdata import FIELDS, BarColumns, MarketData

from .desk import SPY

T0 = datetime(2024, 1, 1, tzinfo=UTC)


def minutes(symbol: str, ends: Sequence[int]) -> BarColumns:
    """Return bars that end at ``ends`` minutes; values differ by bar and by field."""
    frame = pl.DataFrame(
        {
            "timestamp": [T0 + timedelta(minutes=end) for end in ends],
            **{
                name: [(end * 7 % 101) + at * 0.125 for end in ends]
                for at, name in enumerate(FIELDS)
            },
        },
        schema_overrides={"timestamp": pl.Datetime("us", "UTC")},
    )
    return BarColumns(symbol, frame)


def shown(
    data: MarketData,
    step: int,
    now_us: int | None = None,
    max_age_s: float | None = None,
) -> BarData:
    board = PriceBoard(data)
    board.show(step)
    view = BarData(data, board, MarketClock(now_us or data.times_us[step]))
    view.limit_age(max_age_s)
    return view


ONE = MarketData({"SPY": minutes("SPY", range(1, 11))})
TWO = MarketData(
    {"SPY": minutes("SPY", [1, 2, 4, 5]), "QQQ": minutes("QQQ", [2, 3, 5])}
)


def test_current_is_the_newest_bar_that_has_ended() -> None:
    values = TWO.columns["SPY"].values

    assert shown(TWO, 2).current(SPY) == values["close"][1]
    assert shown(TWO, 3).current(SPY, "high") == values["high"][2]
    assert shown(TWO, 3).current("SPY", "price") == values["close"][2]


def test_before_the_first_bar_there_is_nothing_to_read() -> None:
    view = shown(TWO, 0)

    assert view.can_trade("SPY")
    assert not view.can_trade("QQQ")
    with pytest.raises(DomainError, match="no bar of QQQ yet"):
        view.current("QQQ")
    assert len(view.history("QQQ", "close", 5)) == 0


@pytest.mark.parametrize(
    ("symbol", "field", "message"),
    [("GLD", "close", "one of SPY, got 'GLD'"), ("SPY", "bid", "open, high, low")],
)
def test_an_unknown_symbol_or_field_is_named(
    symbol: str, field: str, message: str
) -> None:
    view = shown(ONE, 3)

    with pytest.raises(DomainError, match=message):
        view.current(symbol, field)
    with pytest.raises(DomainError, match=f"'{symbol}', '{field}'"):
        view.history(symbol, field, 2)


@given(st.integers(0, 9), st.integers(1, 12), st.sampled_from(FIELDS))
def test_history_is_the_tail_of_what_has_ended(
    step: int, count: int, field: str
) -> None:
    expected = ONE.columns["SPY"].values[field][: step + 1][-count:]

    series = shown(ONE, step).history(SPY, field, count)

    assert isinstance(series, pl.Series)
    assert series.dtype == pl.Float64
    assert series.to_list() == expected


@given(st.integers(0, 9), st.integers(1, 12), st.booleans())
def test_the_mean_is_that_of_the_history(step: int, count: int, known: bool) -> None:
    view = shown(ONE, step)
    history = view.history(SPY, "close", count) if known else None

    mean = view.mean(SPY, "close", count)

    if count > step + 1:
        assert math.isnan(mean)
    else:
        history = view.history(SPY, "close", count) if history is None else history
        assert mean == pytest.approx(history.mean())


def test_a_mean_of_nothing_is_refused() -> None:
    with pytest.raises(DomainError, match="at least 1 value, got 0"):
        shown(ONE, 3).mean(SPY, "close", 0)


def test_several_fields_give_a_column_for_each() -> None:
    frame = shown(ONE, 4).history(SPY, ["open", "close"], 3)

    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == ["open", "close"]
    assert frame["close"].to_list() == ONE.columns["SPY"].values["close"][2:5]


def test_several_assets_give_a_column_for_each_as_long_as_the_shortest() -> None:
    frame = shown(TWO, 2).history((SPY, "QQQ"), "close", 3)

    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == ["SPY", "QQQ"]
    assert frame["SPY"].to_list() == TWO.columns["SPY"].values["close"][:2]
    assert frame["QQQ"].to_list() == TWO.columns["QQQ"].values["close"][:2]
    with pytest.raises(DomainError, match="one field"):
        shown(TWO, 2).history([SPY, "QQQ"], ["open"], 3)  # type: ignore[call-overload]


# --- coarser bars -------------------------------------------------------------


def plainly(columns: BarColumns, seen: int, every_us: int) -> list[dict[str, float]]:
    """Resample without cleverness: one bar after the other."""
    buckets: dict[int, list[int]] = {}
    for row in range(seen):
        # A bar that ends on the mark is the last of the bucket that ends there.
        buckets.setdefault(-(-columns.ends_us[row] // every_us), []).append(row)
    value = columns.values
    return [
        {
            "open": value["open"][rows[0]],
            "high": max(value["high"][row] for row in rows),
            "low": min(value["low"][row] for row in rows),
            "close": value["close"][rows[-1]],
            "volume": sum(value["volume"][row] for row in rows),
        }
        for rows in buckets.values()
    ]


ends = st.lists(st.integers(1, 400), min_size=3, max_size=80, unique=True).map(sorted)


@given(
    ends.filter(lambda row: minutes("SPY", row).interval_us <= 300_000_000),
    st.sampled_from(["5m", "15m", "1h", "1d"]),
    st.integers(1, 8),
    st.sampled_from(FIELDS),
    st.data(),
)
def test_coarser_bars_are_those_of_a_plain_computation(
    row: list[int], frequency: str, count: int, field: str, data: st.DataObject
) -> None:
    columns = minutes("SPY", row)
    market = MarketData({"SPY": columns})
    step = data.draw(st.integers(0, len(row) - 1))
    expected = plainly(columns, step + 1, frequency_us(frequency))
    if frequency_us(frequency) == columns.interval_us:
        expected = plainly(columns, step + 1, 1)

    series = shown(market, step).history(SPY, field, count, frequency)

    assert isinstance(series, pl.Series)
    assert series.to_list() == pytest.approx([b[field] for b in expected[-count:]])
    assert series.name == field


def test_the_current_bucket_is_not_finished() -> None:
    series = shown(ONE, 6).history(SPY, "high", 5, "5m")

    high = ONE.columns["SPY"].values["high"]
    assert list(series) == [max(high[:5]), max(high[5:7])]


def test_a_frequency_finer_than_the_data_is_an_error() -> None:
    with pytest.raises(DomainError, match="at least 60 s, the interval of the data"):
        shown(ONE, 3).history(SPY, "close", 2, "30s")


@pytest.mark.parametrize("text", ["", "m", "0m", "1.5h", "1y", "-1d", "1 m"])
def test_what_is_no_frequency_is_refused(text: str) -> None:
    with pytest.raises(DomainError, match="expected a frequency such as"):
        frequency_us(text)


# --- age ----------------------------------------------------------------------


def test_a_value_older_than_its_limit_is_refused() -> None:
    view = shown(TWO, 1, max_age_s=60)
    assert view.current("SPY") == TWO.columns["SPY"].values["close"][1]

    view = shown(TWO, 2, max_age_s=60)
    assert view.age("SPY") == 60
    assert view.can_trade("SPY")
    view = shown(TWO, 2, TWO.times_us[2] + 1, max_age_s=60)

    assert view.is_stale("SPY")
    assert not view.can_trade("SPY")
    for read in (
        lambda: view.current("SPY"),
        lambda: view.history("SPY", "close", 2),
    ):
        with pytest.raises(StaleData, match="older than its limit"):
            read()
    assert not view.is_stale("QQQ")


def test_without_a_limit_nothing_is_stale() -> None:
    view = shown(ONE, 0, ONE.times_us[9])

    assert view.age("SPY") == 540
    assert not view.is_stale("SPY")
