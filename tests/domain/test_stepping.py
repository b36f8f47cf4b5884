"""Steps of a live market: bars that are whole, in an order that a tape can keep."""

from __future__ import annotations

from typing import Any

from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Quote, Trade, us_of, utc_from_us
from holdfast_domain.stepping import News, StepMaker

S = 1_000_000


def trade(at_s: float, price: float = 1.0, symbol: str = "A") -> Trade:
    at = utc_from_us(round(at_s * S))
    return Trade(instrument=symbol, traded_at=at, price=price, size=1.0)


def maker(*symbols: str, **given: Any) -> StepMaker:
    return StepMaker(symbols or ("A",), 10 * S, grace_us=2 * S, **given)


def news(now_s: float, *trades: Trade, whole_s: float | None = 0.0) -> News:
    whole_us = None if whole_s is None else round(whole_s * S)
    return News(now_us=round(now_s * S), trades=trades, whole_from_us=whole_us)


def bars(steps: list[Seen]) -> list[tuple[int, str, float]]:
    return [
        (us_of(bar.ended_at) // S, bar.instrument, bar.close)
        for step in steps
        for bar in step.bars
    ]


def test_a_bar_waits_for_late_trades_and_is_closed_by_the_clock() -> None:
    make = maker()
    assert make.take(news(10.5, trade(3), trade(9, 2.0))) == []
    assert make.take(news(11.9, trade(9.5, 3.0))) == []
    (step,) = make.take(news(12))
    assert (step.time_us, bars([step])) == (10 * S, [(10, "A", 3.0)])


def test_a_quiet_interval_is_flat() -> None:
    make = maker()
    make.take(news(1, trade(1, 5.0)))
    assert bars(make.take(news(33))) == [(10, "A", 5.0), (20, "A", 5.0), (30, "A", 5.0)]


def test_a_bar_that_was_not_heard_from_its_start_is_left_out() -> None:
    make = maker()
    first = make.take(news(12, trade(5), whole_s=4.0))
    second = make.take(news(22, trade(15), whole_s=4.0))
    assert (bars(first), bars(second)) == ([], [(20, "A", 1.0)])


def test_nothing_is_made_up_while_the_market_is_not_heard() -> None:
    make = maker()
    make.take(news(1, trade(1)))
    assert make.take(news(42, whole_s=None)) == []
    assert bars(make.take(news(62, trade(45), trade(51, 7.0), whole_s=44.0))) == [
        (60, "A", 7.0)
    ]


def test_bars_of_one_moment_are_one_step_in_configured_order() -> None:
    make = maker("B", "A")
    made = make.take(news(11, trade(1), trade(2, 2.0, "B"), trade(10.5)))
    assert made == []
    (step,) = make.take(news(11.5, trade(11, 2.0, "B")))
    assert bars([step]) == [(10, "B", 2.0), (10, "A", 1.0)]


def test_one_that_has_no_bar_holds_the_others_up_for_its_grace_alone() -> None:
    make = maker("A", "B")
    assert make.take(news(11, trade(1), trade(10.5))) == []
    assert bars(make.take(news(12))) == [(10, "A", 1.0)]


def test_times_rise_whatever_the_clock_does() -> None:
    make = maker(tells_trades=True, tells_quotes=True)
    quote = Quote(
        instrument="A", quoted_at=utc_from_us(0), bid=1.0, ask=2.0, bid_size=1.0,
        ask_size=1.0,
    )  # fmt: skip
    made = make.take(news(11, trade(1)))
    made += make.take(news(5, trade(2)))
    made += make.take(News(now_us=13 * S, quotes=(quote,), whole_from_us=0))
    times = [step.time_us for step in made]
    assert times == sorted(set(times))
    assert [len(each.trades) for each in made] == [1, 1, 0, 0]
    assert [len(each.bars) for each in made] == [0, 0, 1, 0]
    assert made[-1].quotes == (quote,)


def test_a_new_maker_tells_no_bar_twice() -> None:
    again = maker(after_us=10 * S)
    assert again.take(news(12, trade(5))) == []
    assert bars(again.take(news(22, trade(15)))) == [(20, "A", 1.0)]
