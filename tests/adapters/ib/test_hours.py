"""When contracts trade: what IB tells becomes a calendar that goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from msgspec.structs import replace

from holdfast_adapters.calendars import MarketCalendars
from holdfast_adapters.ib.hours import Hours, ToldCalendar, sessions_of
from holdfast_domain.errors import VenueRefused
from holdfast_domain.instruments import Instrument
from holdfast_domain.orders import TimeInForce
from holdfast_domain.ports import Ended, Found
from holdfast_domain.schedules import Schedule, triggers_between

from .desk import office
from .test_venue import order, trading, venue_at

NEW_YORK = "US/Eastern"
DAY = TimeInForce.DAY


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


MONDAY = (us("2026-01-05T14:30"), us("2026-01-05T21:00"))
TUESDAY = (us("2026-01-06T14:30"), us("2026-01-06T21:00"))
EARLY = (us("2026-01-06T14:30"), us("2026-01-06T18:00"))


@pytest.mark.parametrize(
    ("text", "zone", "sessions"),
    [
        ("20260105:0930-20260105:1600;20260106:0930-20260106:1600", NEW_YORK,
         [MONDAY, TUESDAY]),
        ("20260105:0930-1600;20260106:0930-1300", NEW_YORK, [MONDAY, EARLY]),
        ("20260105:0930-20260105:1600;20260106:CLOSED", NEW_YORK, [MONDAY]),
        # In summer the clocks of New York are an hour nearer.
        ("20260706:0930-20260706:1600", NEW_YORK,
         [(us("2026-07-06T13:30"), us("2026-07-06T20:00"))]),
        # A pair trades from one evening to the next.
        ("20260104:1715-20260105:1700", NEW_YORK,
         [(us("2026-01-04T22:15"), us("2026-01-05T22:00"))]),
        # Two parts of a day, as in Hong Kong.
        ("20260105:0930-20260105:1200,20260105:1300-20260105:1600", "Asia/Hong_Kong",
         [(us("2026-01-05T01:30"), us("2026-01-05T04:00")),
          (us("2026-01-05T05:00"), us("2026-01-05T08:00"))]),
        ("", NEW_YORK, []),
        ("20260105:0930-20260105:1600", "Nowhere/At_All", []),
    ],
)  # fmt: skip
def test_what_ib_writes_is_read(
    text: str, zone: str, sessions: list[tuple[int, int]]
) -> None:
    assert sessions_of(text, zone) == sessions


def test_what_is_told_now_replaces_the_future_and_leaves_the_past() -> None:
    calendar = ToldCalendar("AAPL", [MONDAY, TUESDAY])
    calendar.learn([EARLY])
    assert calendar.sessions == [MONDAY, EARLY]
    calendar.learn([])
    assert calendar.sessions == [MONDAY, EARLY]
    assert calendar.close_after(MONDAY[1]) == EARLY[1]
    # Of what nothing is told yet, a day order ends with the day.
    assert calendar.close_after(EARLY[1]) == us("2026-01-07T00:00")
    assert ToldCalendar("x").close_after(us("2026-01-05T12:00")) == us("2026-01-06")


def test_what_was_kept_and_what_is_told_are_one() -> None:
    hours = Hours()
    hours.learn("AAPL", [EARLY])
    hours.learn("ES", [])
    hours.load({"AAPL": [MONDAY, TUESDAY], "EUR.USD": [MONDAY]})
    assert hours.saved() == {"AAPL": [MONDAY, EARLY], "EUR.USD": [MONDAY]}


async def test_each_connection_teaches_the_calendar_that_schedules_go_by(
    tmp_path: Path,
) -> None:
    hours = Hours()
    async with office() as desk:
        venue = venue_at(desk, hours=hours)
        await venue.connect()
        await venue.close()
        assert hours.saved() == {"AAPL": [MONDAY, TUESDAY]}
        listed = {"AAPL": Instrument(symbol="AAPL")}
        calendars = MarketCalendars(listed, tmp_path, hours.calendars)
        (contract,) = desk.desk.contracts.values()
        early = "20260106:0930-20260106:1300"
        desk.desk.contracts[contract.con_id] = attrs.evolve(contract, hours=early)
        await venue.connect()
        await venue.close()
    close = Schedule(
        name="report", at="market_close", offset_minutes=-15, instrument="AAPL"
    )
    due = triggers_between([close], calendars, MONDAY[0], us("2026-01-08T00:00"))
    minutes_15 = 15 * 60_000_000
    assert [each.time_us for each in due] == [
        MONDAY[1] - minutes_15, EARLY[1] - minutes_15,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours", "code"),
    [(0.0, "201"), (5.99, "201"), (6.0, "market_closed"), (23.0, "market_closed"),
     (23.5, "201"), (30.0, "201")],
)  # fmt: skip
async def test_who_is_rejected_while_the_market_is_closed_is_told_so(
    hours: float, code: str
) -> None:
    async with trading() as (desk, venue, _):  # at ten in the morning of Monday
        desk.clock.go_on(3600 * hours)
        desk.simulator.faults.on("refused", "submit", value=201)
        with pytest.raises(VenueRefused) as caught:
            await venue.submit(order())
        assert caught.value.code == code


async def test_a_day_order_ends_with_the_session_of_its_contract() -> None:
    async with trading() as (desk, venue, _):
        day = replace(order(1), terms=replace(order(1).terms, time_in_force=DAY))
        await venue.submit(day)
        await venue.submit(order(2))
        desk.clock.go_on(6 * 3600 - 60)
        desk.market(100)
        assert len((await venue.open_orders()).orders) == 2
        desk.clock.go_on(120)
        desk.market(100)
        (left,) = (await venue.open_orders()).orders
        assert left.order_id == order(2).order_id
        found = await venue.lookup(day.order_id)
        assert isinstance(found, Found)
        assert isinstance(found.events[-1], Ended)
