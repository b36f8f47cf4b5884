"""Steps of a live market: bars that are whole, in an order that a tape can keep."""

from __future__ import annotations

from typing import Any

from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Bar, Quote, Trade, us_of, utc_from_us
from holdfast_domain.stepping import News, Span, StepMaker, steps_before

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


# --- bars that are asked of the venue ----------------------------------------------


def bar(end_s: int, close: float = 7.0, symbol: str = "A") -> Bar:
    return Bar(
        instrument=symbol, ended_at=utc_from_us(end_s * S), open=close, high=close,
        low=close, close=close, volume=1.0,
    )  # fmt: skip


def asks(told_s: int = 10, **given: Any) -> StepMaker:
    return maker(told_us=told_s * S, after_us=told_s * S, asks=True, **given)


def marks(steps: list[Seen]) -> list[tuple[int, str]]:
    return [(step.time_us // S, step.fetched) for step in steps]


def test_what_is_missing_ends_where_the_first_whole_bar_begins() -> None:
    make = asks()
    assert make.hole(news(45, whole_s=None)) is None
    heard = news(45, trade(44), whole_s=43.0)
    assert make.hole(heard) == Span(10 * S, 40 * S)
    late = make.fill(Span(10 * S, 40 * S), [bar(20), bar(30), bar(40)], 45 * S)
    assert marks(late) == [(20, "late"), (30, "late"), (40, "in time")]
    assert make.take(heard) == []
    # The bar that is forming when the market is heard again is asked for when it ends.
    assert make.hole(news(51.9, trade(51), whole_s=43.0)) is None
    over = news(52, trade(51, 2.0), whole_s=43.0)
    assert make.hole(over) == Span(40 * S, 50 * S)
    assert marks(make.fill(Span(40 * S, 50 * S), [bar(50)], 52 * S)) == [
        (50, "in time")
    ]
    assert make.hole(over) is None
    assert make.take(over) == []
    (first,) = make.take(news(62, whole_s=43.0))
    assert (first.time_us, first.fetched, bars([first])) == (
        60 * S,
        "",
        [(60, "A", 2.0)],
    )


def test_a_quiet_interval_after_what_was_missing_has_its_last_price() -> None:
    make = asks()
    make.fill(Span(10 * S, 20 * S), [bar(20, 9.0)], 22 * S)
    assert bars(make.take(news(32, whole_s=15.0))) == [(30, "A", 9.0)]


def test_what_is_whole_waits_for_what_is_missing_before_it() -> None:
    make = StepMaker(("A", "B"), 10 * S, grace_us=12 * S, told_us=10 * S, asks=True)
    both = (trade(21), trade(21, symbol="B"), trade(31), trade(31, symbol="B"))
    heard = news(31, *both, whole_s=19.0)
    assert make.hole(heard) is None
    assert make.take(heard) == []
    hole = make.hole(news(32, whole_s=19.0))
    assert hole == Span(10 * S, 20 * S)
    steps = make.fill(hole, [bar(20, symbol="B"), bar(20)], 32 * S)
    assert [each.instrument for each in steps[0].bars] == ["A", "B"]
    assert bars(make.take(news(32, whole_s=19.0))) == [(30, "A", 1.0), (30, "B", 1.0)]


def test_a_venue_that_does_not_answer_is_given_up() -> None:
    make, at_s, given_up = asks(), 32.0, []
    make.take(news(31, trade(21), whole_s=19.0))
    while (hole := make.hole(news(at_s, whole_s=19.0))) is not None:
        assert bars(make.take(news(at_s, whole_s=19.0))) == []
        given_up.append(make.failed(hole, round(at_s * S)))
        assert make.hole(news(at_s + 4.9, whole_s=19.0)) is None
        at_s += 5
    assert given_up == [False, False, True]
    assert bars(make.take(news(at_s, whole_s=19.0))) == [
        (end_s, "A", 1.0) for end_s in (30, 40)
    ]


def test_only_what_is_new_comes_in_time_and_of_a_long_hole_only_the_newest() -> None:
    make = asks()
    day_s = 86_400
    hole = make.hole(news(day_s, whole_s=day_s - 65.0))
    assert hole == Span((day_s - 60 - 50_000) * S, (day_s - 60) * S)
    (last,) = make.fill(hole, [bar(day_s - 60)], day_s * S)
    assert last.fetched == "in time"
    (late,) = asks().fill(hole, [bar(day_s - 60)], day_s * S + 1)
    assert late.fetched == "late"


def test_what_the_venue_does_not_have_is_not_waited_for() -> None:
    make = asks()
    heard = news(32, trade(21), whole_s=19.0)
    assert make.fill(Span(10 * S, 20 * S), [], 32 * S) == []
    assert make.hole(heard) is None
    assert bars(make.take(heard)) == [(30, "A", 1.0)]


def test_history_is_marked_and_in_the_order_of_the_symbols() -> None:
    steps = steps_before(["B", "A"], [bar(20), bar(30), bar(20, symbol="B")])
    assert marks(steps) == [(20, "before"), (30, "before")]
    assert [each.instrument for each in steps[0].bars] == ["B", "A"]
