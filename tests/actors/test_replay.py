"""The feed and the scheduler: one canonical order of inputs, wherever one starts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st
from tests.sampling import examples

from holdfast_actors.clock import MarketClock
from holdfast_actors.messages import (
    Advance,
    AskDue,
    AskSchedules,
    NextDue,
    Slice,
    TimeTo,
    Triggered,
)
from holdfast_actors.scheduler import PastTriggers, declared
from holdfast_adapters.calendars import MarketCalendars
from holdfast_domain import events as ev
from holdfast_domain.cursor import ADVANCE_SLOT, SLICE_SLOT, cursor_at
from holdfast_domain.growing import GrowingData, Seen
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import MarketData, us_of
from holdfast_domain.schedules import Schedule

from .desk import DAY_US, T0_US, market
from .replay import Replay

DATA = market(SPY=[float(at) for at in range(1, 9)])
"""Eight days from 2 January 2024 on; each bar ends at midnight."""

NOON = Schedule(name="noon", at="0 12 * * *")
MIDNIGHT = Schedule(name="midnight", at="0 0 * * *")
OPEN = Schedule(name="opening", at="market_open", instrument="SPY")
CLOSE = Schedule(
    name="closing", at="market_close", offset_minutes=-15, instrument="SPY"
)
MANY = {
    "one": (NOON, MIDNIGHT, Schedule(name="both", at="0 0,12 * * *")),
    "two": (OPEN, CLOSE, NOON),
    "none": (),
}


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> MarketCalendars:
    spy = Instrument(symbol="SPY", calendar="XNYS")
    return MarketCalendars({"SPY": spy}, tmp_path_factory.mktemp("calendars"))


def moment(message: object) -> str:
    """Return the market time of an input, such as ``03 14:30``."""
    at = datetime.fromtimestamp(message.time_us / 1e6, UTC)  # type: ignore[attr-defined]
    return f"{at:%d %H:%M}"


# --- the order of inputs ------------------------------------------------------


def test_a_step_is_triggers_advance_triggers_of_its_moment_slice(
    calendars: MarketCalendars,
) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON, MIDNIGHT)})

    replay.run()

    day_two = [
        (type(message).__name__, message.cursor, moment(message))
        for _, message in replay.told
        if not isinstance(message, AskSchedules) and message.cursor >> 16 == 2
    ]
    assert day_two == [
        ("Triggered", cursor_at(1, 1), "02 12:00"),
        ("Advance", cursor_at(1, ADVANCE_SLOT), "03 00:00"),
        ("Triggered", cursor_at(1, ADVANCE_SLOT + 1), "03 00:00"),
        ("Slice", cursor_at(1, SLICE_SLOT), "03 00:00"),
    ]


def test_nothing_is_due_before_the_first_bar_ends(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON, MIDNIGHT)})

    replay.run()

    first = replay.of("one", Triggered)[0]
    assert (first.cursor, moment(first)) == (cursor_at(0, ADVANCE_SLOT + 1), "02 00:00")
    assert len(replay.of("one", Triggered)) == 8 + 7


def test_all_strategies_get_the_slice_and_each_its_own_triggers(
    calendars: MarketCalendars,
) -> None:
    replay = Replay(DATA, calendars, MANY)

    replay.run()

    for name in MANY:
        assert [m.step for m in replay.of(name, Slice)] == list(range(8))
    assert not replay.of("none", Triggered)
    assert {each.names for each in replay.of("one", Triggered)} == {
        ("noon", "both"),
        ("midnight", "both"),
    }
    assert [moment(each) for each in replay.of("two", Triggered)][:4] == [
        "02 12:00",
        "02 14:30",
        "02 20:45",
        "03 12:00",
    ]


def test_the_clock_and_the_prices_move_with_the_inputs(
    calendars: MarketCalendars,
) -> None:
    replay = Replay(DATA, calendars, {"one": ()})

    seen = []
    while replay.step():
        seen.append((replay.clock.now_us, replay.clock.cursor, replay.prices.step))

    assert seen == sorted(seen)
    assert replay.prices.last("SPY") == 8
    assert replay.clock.cursor == cursor_at(7, SLICE_SLOT)


def test_a_venue_that_wants_no_data_is_not_advanced(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": (MIDNIGHT,)}, wanted=lambda step: step > 3)

    replay.run()

    assert [each.step for each in replay.of("session", Advance)] == [4, 5, 6, 7]
    cursors = {each.cursor & 0xFFFF for each in replay.of("one", Triggered)}
    assert cursors == {ADVANCE_SLOT + 1}


def test_at_the_end_the_run_is_finished_once(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": ()})

    replay.run()

    assert replay.finished == 1
    (end,) = [each for each in replay.journal if isinstance(each, ev.RunFinished)]
    assert (end.bars, end.at.day) == (8, 9)


def test_at_a_speed_the_next_step_comes_by_a_timer(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": ()}, speed=3_600.0)

    replay.run()

    assert not replay.finished
    ((delay_s, message),) = replay.timers.set
    assert delay_s == 24.0
    replay.to_feed.tell(message)
    replay.run()
    assert len(replay.of("one", Slice)) == 2


# --- restarts -----------------------------------------------------------------


def inputs(replay: Replay) -> list[tuple[str, object]]:
    return [each for each in replay.told if not isinstance(each[1], AskSchedules)]


@pytest.mark.parametrize("who", ["feed", "scheduler", "both"])
def test_a_restart_after_any_input_publishes_the_same_inputs(
    calendars: MarketCalendars, who: str
) -> None:
    whole = Replay(DATA, calendars, MANY)
    whole.run()
    expected = inputs(whole)

    for cut in range(1, len(whole.told)):
        replay = Replay(DATA, calendars, MANY)
        replay.run(until=cut)
        before = inputs(replay)
        if who == "feed":
            replay.build_feed()
        elif who == "scheduler":
            replay.build_scheduler()
        else:
            # What waits between them is lost; the clock outlives them.
            replay.to_scheduler.take()
            replay.begin()
        replay.run()
        assert inputs(replay) == expected, (cut, before[-1:])


def test_a_process_that_starts_at_a_cursor_goes_on_there(
    calendars: MarketCalendars,
) -> None:
    whole = Replay(DATA, calendars, MANY)
    whole.run()
    expected = inputs(whole)

    for cut, (_, message) in enumerate(expected[:-1], start=1):
        cursor: int = message.cursor  # type: ignore[attr-defined]
        if expected[cut][1].cursor == cursor:  # type: ignore[attr-defined]
            continue
        clock = MarketClock(message.time_us, cursor)  # type: ignore[attr-defined]
        replay = Replay(DATA, calendars, MANY, clock=clock)
        replay.run()
        assert inputs(replay) == expected[cut:], moment(message)


def test_a_new_scheduler_asks_for_schedules_and_says_what_is_next(
    calendars: MarketCalendars,
) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON,)})

    replay.build_scheduler()

    assert replay.strategies["one"].told == [AskSchedules(), AskSchedules()]
    assert isinstance(replay.to_feed.told[-1], NextDue)


def test_a_declaration_is_journaled_when_it_is_another(
    calendars: MarketCalendars,
) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON,)})
    for _ in range(3):
        replay.build_scheduler()
        while replay.to_scheduler.told:
            replay.step()

    assert declared(replay.journal) == {"one": (NOON,)}
    assert len(replay.journal) == 1


def test_after_the_end_of_the_data_nothing_is_due(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON,)})
    while replay.step() and not replay.finished:
        pass
    replay.to_feed.take()

    replay.scheduler.handle(AskDue(T0_US + 20 * DAY_US))

    assert replay.to_feed.told == [NextDue(None)]


# --- the past -----------------------------------------------------------------

crons = st.sampled_from(
    ["0 12 * * *", "0 0 * * *", "*/30 9-11 * * 1,3", "15 0,1 * * *"]
)
schedules = st.one_of(
    st.builds(lambda at: Schedule(name="cron", at=at), crons),
    st.builds(
        lambda at, shift: Schedule(
            name="day", at=at, offset_minutes=shift, instrument="SPY"
        ),
        st.sampled_from(["market_open", "market_close"]),
        st.sampled_from([-30, 0, 30]),
    ),
)
several = st.dictionaries(
    st.sampled_from(["one", "two", "three"]),
    st.lists(schedules, max_size=3).map(tuple),
    min_size=1,
)


@examples(60)
@given(several, st.data())
def test_the_past_of_a_schedule_is_what_was_told(
    calendars: MarketCalendars,
    many: dict[str, tuple[Schedule, ...]],
    data: st.DataObject,
) -> None:
    bars = data.draw(st.sampled_from([DATA, gappy()]))
    replay = Replay(bars, calendars, many)
    replay.run()
    past = PastTriggers(many, calendars, bars.times_us)
    end = cursor_at(len(bars) - 1, SLICE_SLOT)
    after = data.draw(st.integers(0, end))
    until = data.draw(st.integers(after, end))

    for name in many:
        told = replay.of(name, Triggered)
        assert list(past.of(name, 0, end)) == told
        span = [each for each in told if after < each.cursor <= until]
        assert list(past.of(name, after, until)) == span


def gappy() -> MarketData:
    """Bars of two instruments that do not end at the same moments."""
    whole = market(SPY=[1.0] * 9, QQQ=[2.0] * 9).columns
    for keep, columns in zip(([0, 1, 5, 8], [1, 2, 8]), whole.values(), strict=True):
        columns.__init__(columns.symbol, columns.frame[keep])  # type: ignore[misc]
    return MarketData(whole)


def test_a_trigger_at_the_moment_of_a_bar_waits_for_the_advance(
    calendars: MarketCalendars,
) -> None:
    clock = MarketClock(T0_US + DAY_US, cursor_at(1, ADVANCE_SLOT))

    assert clock.fired_us == T0_US + DAY_US - 1
    clock.move(T0_US + DAY_US, cursor_at(1, ADVANCE_SLOT + 1))
    assert clock.fired_us == T0_US + DAY_US


def test_a_moment_fires_for_those_whose_it_is(calendars: MarketCalendars) -> None:
    replay = Replay(DATA, calendars, {"one": (NOON,), "two": (MIDNIGHT,)})
    while replay.to_scheduler.told:
        replay.step()
    replay.told.clear()

    replay.to_scheduler.tell(TimeTo(cursor_at(1, 1), T0_US + DAY_US // 2))
    replay.step()

    assert replay.told == [
        ("one", Triggered(cursor_at(1, 1), T0_US + DAY_US // 2, ("noon",)))
    ]


def test_what_is_due_is_asked_again_if_the_first_step_comes_in_between(
    calendars: MarketCalendars,
) -> None:
    """Before the first step nothing is due; that must not be all that is known."""
    data = GrowingData(["SPY"], DAY_US)
    replay = Replay(data, calendars, {"one": (NOON,)})
    while replay.to_scheduler.told:  # it was asked, and has said that nothing is due
        replay.step()
    assert replay.to_feed.told
    for row in range(3):
        bar = DATA.columns["SPY"].bar(row)
        data.append(Seen(time_us=us_of(bar.ended_at), bars=(bar,)))
    replay.run()
    assert [each.names for each in replay.of("one", Triggered)] == [("noon",)] * 2
    assert len(replay.of("one", Slice)) == 3
