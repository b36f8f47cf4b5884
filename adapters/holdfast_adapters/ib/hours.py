"""When contracts trade, as IB tells it: sessions for a calendar that goes on.

IB tells the days from today on, for about a week, with each contract's details; so
what is known is added to at each connect, and kept by who starts the engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from holdfast_adapters.calendars.sessions import TableCalendar
from holdfast_domain.marketdata import us_of

Sessions: TypeAlias = Sequence[tuple[int, int]]
"""Opens and closes, in microseconds UTC, ascending."""

DAY_US: Final = 86_400_000_000
CLOSED: Final = "CLOSED"


def sessions_of(text: str, zone: str) -> list[tuple[int, int]]:
    """Return the sessions that ``text`` tells, in a time zone by the words of IB.

    None where the zone is not known: then nothing is known of the hours.
    Source: TWS API, `ContractDetails.liquidHours`: days are divided by semicolons, and
    parts of a day by commas; the end of a part may leave its day out.

    >>> sessions_of("20260105:0930-20260105:1600;20260106:CLOSED", "UTC")
    [(1767605400000000, 1767628800000000)]
    """
    try:
        clocks = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return []
    parts = [part for day in text.split(";") for part in _parts(day)]
    found = {(_us(begin, clocks), _us(end, clocks)) for begin, end in parts}
    return sorted(each for each in found if each[0] < each[1])


def _parts(day: str) -> list[tuple[str, str]]:
    """Return begins and ends of the parts of a day, each with its date."""
    date, _, rest = day.strip().partition(":")
    if not rest or rest == CLOSED:
        return []
    parts = []
    for part in rest.split(","):
        begin, _, end = part.partition("-")
        begin = begin if ":" in begin else f"{date}:{begin}"
        parts.append((begin, end if ":" in end else f"{begin[:8]}:{end}"))
    return parts


def _us(moment: str, clocks: ZoneInfo) -> int:
    naive = datetime.strptime(moment, "%Y%m%d:%H%M")  # noqa: DTZ007 - the zone follows
    return us_of(naive.replace(tzinfo=clocks))


class ToldCalendar(TableCalendar):
    """The sessions of one contract, which are told as time goes on."""

    def __init__(self, name: str, sessions: Sessions = ()) -> None:
        super().__init__(name, [], [])
        self.learn(sessions)

    @property
    def sessions(self) -> list[tuple[int, int]]:
        """All that are known."""
        return list(zip(self._opens, self._closes, strict=True))

    def learn(self, sessions: Sessions) -> None:
        """Take what is told now: it replaces what was known from its begin on.

        What is over is not told any more, and stays as it was.
        """
        if not sessions:
            return
        first_us = sessions[0][0]
        known = [each for each in self.sessions if each[1] <= first_us]
        whole = [*known, *sessions]
        self._opens[:] = type(self._opens)("q", [each[0] for each in whole])
        self._closes[:] = type(self._closes)("q", [each[1] for each in whole])

    def close_after(self, time_us: int) -> int:
        """Return the first close after ``time_us``, or midnight UTC if none is told."""
        if not self._closes or self.last_us <= time_us:
            return (time_us // DAY_US + 1) * DAY_US
        return super().close_after(time_us)


class Hours:
    """The calendars of all contracts of a venue; sessions of it teach them."""

    def __init__(self) -> None:
        self.calendars: dict[str, ToldCalendar] = {}
        """By symbol; what IB tells no hours of has none."""

    def learn(self, symbol: str, sessions: Sessions) -> None:
        """Take what is told of a contract now."""
        if sessions:
            self.calendars.setdefault(symbol, ToldCalendar(symbol)).learn(sessions)

    def saved(self) -> dict[str, list[tuple[int, int]]]:
        """Return all that is known, as plain values."""
        return {name: each.sessions for name, each in self.calendars.items()}

    def load(self, saved: Mapping[str, Sessions]) -> None:
        """Know what was known at an earlier start, and what was told since."""
        for name, sessions in saved.items():
            calendar = ToldCalendar(name, sessions)
            if name in self.calendars:
                calendar.learn(self.calendars[name].sessions)
            self.calendars[name] = calendar
