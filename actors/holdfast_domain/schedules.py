"""Schedules: when a strategy wants to be called, and which moments are due.

Pure: a market's sessions come through the port `Calendar`, cron lines through
`CronLine`, so that the same function serves the scheduler of a live run, a replay and
a restarted strategy that catches up.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

MARKET_OPEN = "market_open"
MARKET_CLOSE = "market_close"


class Schedule(Struct, frozen=True, kw_only=True, gc=False):
    """One call that a strategy asked for with `self.schedule`."""

    name: str
    """The strategy's method to call."""

    at: str
    """``market_open``, ``market_close``, or a cron line of five fields in UTC."""

    offset_minutes: int = 0
    """Added to the open or close; negative is before it."""

    instrument: str | None = None
    """Whose calendar is meant; a cron line has none."""

    timezone: str = "UTC"
    """The zone in which a cron line is read."""


class Trigger(Struct, frozen=True, gc=False):
    """A moment at which one schedule is due."""

    time_us: int
    index: int
    """Which of the strategy's schedules, counted from 0."""

    name: str


class Calendar(Protocol):
    """A market's sessions; all times are microseconds UTC."""

    def opens_us(self, after_us: int, until_us: int) -> Iterable[int]:
        """Yield session opens in (after_us, until_us], ascending."""

    def closes_us(self, after_us: int, until_us: int) -> Iterable[int]:
        """Yield session closes in (after_us, until_us], ascending."""


class Calendars(Protocol):
    """Where calendars and cron lines are read."""

    def calendar_of(self, instrument: str) -> Calendar | None:
        """Return the calendar of ``instrument``; ``None`` trades around the clock."""

    def cron_us(
        self, line: str, timezone: str, after_us: int, until_us: int
    ) -> Iterable[int]:
        """Yield the moments of a cron ``line`` in (after_us, until_us], ascending."""


def triggers_between(
    schedules: Sequence[Schedule],
    calendars: Calendars,
    after_us: int,
    until_us: int,
) -> Iterator[Trigger]:
    """Yield what is due in (after_us, until_us], by time and then by declaration."""
    rows = [
        _of(index, schedule, calendars, after_us, until_us)
        for index, schedule in enumerate(schedules)
    ]
    return heapq.merge(*rows, key=lambda due: (due.time_us, due.index))


def _of(
    index: int, schedule: Schedule, calendars: Calendars, after_us: int, until_us: int
) -> Iterator[Trigger]:
    for time_us in _moments(schedule, calendars, after_us, until_us):
        yield Trigger(time_us, index, schedule.name)


def _moments(
    schedule: Schedule, calendars: Calendars, after_us: int, until_us: int
) -> Iterable[int]:
    if schedule.at not in (MARKET_OPEN, MARKET_CLOSE):
        return calendars.cron_us(schedule.at, schedule.timezone, after_us, until_us)
    calendar = calendars.calendar_of(schedule.instrument or "")
    if calendar is None:
        return ()
    shift = schedule.offset_minutes * 60_000_000
    reading = calendar.opens_us if schedule.at == MARKET_OPEN else calendar.closes_us
    return (at + shift for at in reading(after_us - shift, until_us - shift))
