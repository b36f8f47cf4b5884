"""Which moments of a schedule are due: on a real market's calendar, and by cron."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from holdfast_adapters.calendars import MarketCalendars
from holdfast_domain.instruments import Instrument
from holdfast_domain.marketdata import utc_from_us
from holdfast_domain.schedules import Schedule, Trigger, triggers_between


def us(text: str) -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> MarketCalendars:
    instruments = {
        "SPY": Instrument(symbol="SPY", calendar="XNYS"),
        "BTC": Instrument(symbol="BTC"),
    }
    return MarketCalendars(instruments, tmp_path_factory.mktemp("calendars"))


def due(
    calendars: MarketCalendars, after: str, until: str, *schedules: Schedule
) -> list[str]:
    """List what is due, each as its moment and the name to call."""
    found = triggers_between(schedules, calendars, us(after), us(until))
    return [f"{utc_from_us(each.time_us):%m-%d %H:%M} {each.name}" for each in found]


OPEN = Schedule(name="open", at="market_open", instrument="SPY")
CLOSE = Schedule(name="close", at="market_close", instrument="SPY")


def test_a_market_opens_and_closes_by_its_calendar(calendars: MarketCalendars) -> None:
    # The 4th of July is a holiday, the day before it ends early.
    assert due(calendars, "2024-07-02T00:00", "2024-07-06T00:00", OPEN, CLOSE) == [
        "07-02 13:30 open",
        "07-02 20:00 close",
        "07-03 13:30 open",
        "07-03 17:00 close",
        "07-05 13:30 open",
        "07-05 20:00 close",
    ]


def test_an_offset_moves_the_moment_and_not_the_choice_of_the_day(
    calendars: MarketCalendars,
) -> None:
    late = Schedule(name="late", at="market_close", offset_minutes=30, instrument="SPY")
    early = Schedule(
        name="early", at="market_open", offset_minutes=-15, instrument="SPY"
    )

    assert due(calendars, "2024-07-03T13:15", "2024-07-05T13:15", late, early) == [
        "07-03 17:30 late",
        "07-05 13:15 early",
    ]


def test_what_is_due_at_one_moment_comes_in_the_order_of_declaration(
    calendars: MarketCalendars,
) -> None:
    first = Schedule(name="first", at="0 20 * * *")
    last = Schedule(name="last", at="0 20 * * *")

    assert due(
        calendars, "2024-07-02T19:59", "2024-07-02T20:00", first, CLOSE, last
    ) == ["07-02 20:00 first", "07-02 20:00 close", "07-02 20:00 last"]


def test_the_span_leaves_its_beginning_out_and_its_end_in(
    calendars: MarketCalendars,
) -> None:
    hourly = Schedule(name="hourly", at="0 * * * *")

    assert due(calendars, "2024-07-02T01:00", "2024-07-02T03:00", hourly) == [
        "07-02 02:00 hourly",
        "07-02 03:00 hourly",
    ]


def test_a_cron_line_is_read_in_its_zone(calendars: MarketCalendars) -> None:
    line = Schedule(name="noon", at="0 12 * * *", timezone="America/New_York")

    assert due(calendars, "2024-03-09T00:00", "2024-03-11T00:00", line) == [
        "03-09 17:00 noon",
        "03-10 16:00 noon",
    ]


def test_what_trades_around_the_clock_never_opens(calendars: MarketCalendars) -> None:
    coin = Schedule(name="open", at="market_open", instrument="BTC")

    assert due(calendars, "2024-01-01T00:00", "2024-02-01T00:00", coin) == []


def test_a_trigger_names_the_place_of_its_schedule(calendars: MarketCalendars) -> None:
    found = triggers_between(
        [OPEN, CLOSE], calendars, us("2024-07-02T14:00"), us("2024-07-02T21:00")
    )

    assert list(found) == [Trigger(us("2024-07-02T20:00"), 1, "close")]


@given(st.lists(st.integers(0, 14 * 24 * 60), max_size=6))
def test_however_a_span_is_cut_the_same_moments_are_due(
    calendars: MarketCalendars, minutes: list[int]
) -> None:
    schedules = [OPEN, CLOSE, Schedule(name="cron", at="*/45 9-17 * * 1-5")]
    begin, end = us("2024-06-28T00:00"), us("2024-07-12T00:00")
    cuts = [begin, *sorted(begin + each * 60_000_000 for each in minutes), end]

    pieces = [
        trigger
        for after, until in itertools.pairwise(cuts)
        for trigger in triggers_between(schedules, calendars, after, until)
    ]

    assert pieces == list(triggers_between(schedules, calendars, begin, end))
