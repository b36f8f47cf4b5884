"""The calendars of the instruments that are traded, and their cron lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from holdfast_adapters.calendars.cache import table_calendar
from holdfast_adapters.calendars.cron import CronMoments
from holdfast_adapters.calendars.sessions import TableCalendar
from holdfast_domain.instruments import Instrument


class MarketCalendars:
    """Implements the port `Calendars` for the given instruments.

    All tables are read on construction, so that nothing is computed while trading.
    """

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        cache_dir: Path,
        told: Mapping[str, TableCalendar] | None = None,
    ) -> None:
        """Read the calendar of each instrument; ``cache_dir`` keeps computed tables.

        What is ``told`` by a venue, by symbol, holds where an instrument names none.

        Blocks for some seconds for each calendar that is not in ``cache_dir`` yet.

        Raises:
            InputError: a calendar is not known, or ``cache_dir`` cannot be written.
        """
        wanted = {each.calendar for each in instruments.values()}
        names = sorted(name for name in wanted if name is not None)
        tables = {name: table_calendar(name, cache_dir) for name in names}
        self._of = dict(told or {}) | {
            symbol: tables[each.calendar]
            for symbol, each in instruments.items()
            if each.calendar is not None
        }
        self._crons: dict[tuple[str, str], CronMoments] = {}

    def calendar_of(self, instrument: str) -> TableCalendar | None:
        """Return the calendar of ``instrument``; ``None`` trades around the clock."""
        return self._of.get(instrument)

    def cron_us(
        self, line: str, timezone: str, after_us: int, until_us: int
    ) -> Iterable[int]:
        """Return the moments of a cron ``line`` in (after_us, until_us], ascending.

        Cheap for questions that go forward in small steps; lazy for long spans.

        Raises:
            InputError: the line or the time zone is wrong.
        """
        key = (line, timezone)
        if key not in self._crons:
            self._crons[key] = CronMoments(line, timezone)
        return self._crons[key].between(after_us, until_us)
