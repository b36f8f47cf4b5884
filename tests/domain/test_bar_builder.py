"""Bars from trades, aligned to time; a quiet one is closed by the clock."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, strategies as st

from holdfast_domain.barbuilder import BarBuilder
from holdfast_domain.marketdata import Bar, Trade, us_of, utc_from_us

MINUTE_US = 60_000_000


def trade(at_s: float, price: float = 1.0, size: float = 1.0) -> Trade:
    return Trade(
        instrument="X", traded_at=utc_from_us(int(at_s * 1e6)), price=price, size=size
    )


def builder(**more: object) -> BarBuilder:
    return BarBuilder("X", MINUTE_US, **more)  # type: ignore[arg-type]


def test_a_bar_covers_its_start_and_not_its_end() -> None:
    building = builder()

    assert building.trade(trade(60.0, 5.0, 0.1)) == []
    assert building.trade(trade(61.0, 7.0, 0.2)) == []
    assert building.trade(trade(119.999, 4.0, 0.3)) == []
    (bar,) = building.trade(trade(120.0, 9.0))

    assert bar == Bar(
        instrument="X",
        ended_at=utc_from_us(120_000_000),
        open=5.0,
        high=7.0,
        low=4.0,
        close=4.0,
        volume=0.6,
    )


def test_the_clock_closes_a_quiet_bar_once_and_not_before_its_time() -> None:
    building = builder()
    building.trade(trade(61.0))

    assert building.due_us == 120_000_000
    assert building.clock(119_999_999) == []
    assert [us_of(bar.ended_at) for bar in building.clock(120_000_000)] == [120_000_000]
    assert building.clock(500_000_000) == []
    assert building.due_us is None


def test_the_clock_waits_for_late_trades_as_long_as_it_was_told() -> None:
    building = builder(grace_us=2_000_000)
    building.trade(trade(61.0))

    assert building.clock(121_999_999) == []
    building.trade(trade(119.0, 3.0))
    assert [bar.close for bar in building.clock(122_000_000)] == [3.0]


def test_a_gap_without_trades_has_no_bars() -> None:
    building = builder()
    building.trade(trade(61.0))

    assert [us_of(bar.ended_at) for bar in building.trade(trade(400.0))] == [
        120_000_000
    ]


def test_a_gap_has_flat_bars_where_that_is_declared() -> None:
    building = builder(fills_gaps=True)
    building.trade(trade(61.0, 2.0))

    bars = building.trade(trade(250.0, 3.0))

    assert [us_of(bar.ended_at) // 1_000_000 for bar in bars] == [120, 180, 240]
    assert [(bar.open, bar.close, bar.volume) for bar in bars[1:]] == [
        (2.0, 2.0, 0)
    ] * 2
    assert building.due_us == 300_000_000


def test_a_trade_of_a_closed_bar_is_counted_and_in_none() -> None:
    building = builder()
    building.trade(trade(61.0))
    building.clock(120_000_000)

    assert building.trade(trade(119.0, 99.0)) == []
    assert building.late == 1
    assert building.so_far is None


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 50)), max_size=40))
def test_no_volume_is_lost_however_trades_and_clock_come(
    rows: list[tuple[int, int]],
) -> None:
    building = builder()
    bars: list[Bar] = []
    for at_s, tenths in sorted(rows):
        bars += building.clock(at_s * 1_000_000)
        bars += building.trade(trade(at_s, tenths, tenths / 10))
    bars += building.clock(10_000_000_000)

    assert round(sum(bar.volume for bar in bars) * 10) == sum(t for _, t in rows)
    assert building.late == 0
    assert all(one.ended_at < other.ended_at for one, other in pairwise(bars))
    assert all(us_of(bar.ended_at) % MINUTE_US == 0 for bar in bars)
    assert all(bar.low <= min(bar.open, bar.close) for bar in bars)
    assert all(bar.high >= max(bar.open, bar.close) for bar in bars)
