"""Parts of a day that are known before: such as when a venue restarts each night."""

from __future__ import annotations

from datetime import time
from zoneinfo import ZoneInfo

import attrs

from holdfast_domain.marketdata import utc_from_us


@attrs.frozen(kw_only=True)
class DailyWindow:
    """From one time of day to another, which may be of the next day.

    >>> night = DailyWindow(begin=time(23, 45), end=time(0, 45), zone="UTC")
    >>> night.holds(0), night.holds(3_600_000_000)
    (True, False)
    """

    begin: time
    end: time
    """The first moment after it."""

    zone: str
    """Whose clocks show these times."""

    def holds(self, now_us: int) -> bool:
        """Tell whether a moment, in microseconds UTC, is in it."""
        now = utc_from_us(now_us).astimezone(ZoneInfo(self.zone)).time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end

    def __str__(self) -> str:
        return f"{self.begin:%H:%M} to {self.end:%H:%M} {self.zone}"
