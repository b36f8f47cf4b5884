"""When the day of a contract ends, by the hours that the desk tells of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from holdfast_adapters.matching.model import utc_day_end_us

END: Final = re.compile(r"-(\d{8}):(\d{4})")
NEAR_US: Final = 4 * 86_400_000_000
"""A close that is further away is of hours that say nothing of now."""


def day_end_us(hours: str, zone: str, at_us: int) -> int:
    """Return the next close after ``at_us``, or midnight UTC where none is near.

    >>> hours = "20260105:0930-20260105:1600;20260106:CLOSED"
    >>> day_end_us(hours, "UTC", 1_767_628_799_000_000)
    1767628800000000
    """
    clocks = ZoneInfo(zone)
    closes = (
        datetime.strptime(f"{day}{clock}", "%Y%m%d%H%M").replace(tzinfo=clocks)
        for day, clock in END.findall(hours)
    )
    ends_us = (int(close.timestamp()) * 1_000_000 for close in closes)
    near = [each for each in ends_us if at_us < each <= at_us + NEAR_US]
    return min(near, default=utc_day_end_us("", at_us))
