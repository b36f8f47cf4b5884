"""Market calendars and cron lines, without pandas in the trading process.

From the bottom up: `names` knows which calendars there are, `tables` computes one in
a process of its own, `cache` keeps it as a file, `sessions` answers from it, `cron`
reads cron lines, `markets` puts them behind the port `Calendars`.
"""

from __future__ import annotations

from holdfast_adapters.calendars.cron import check_cron
from holdfast_adapters.calendars.markets import MarketCalendars
from holdfast_adapters.calendars.sessions import TableCalendar

__all__ = ["MarketCalendars", "TableCalendar", "check_cron"]
