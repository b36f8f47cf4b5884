"""Time zones by their IANA names, and when their offset from UTC changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from holdfast_domain.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_S = -5_364_662_400
"""1800-01-01: no moment is looked for before it."""

LAST_S = 32_503_680_000
"""3000-01-01: nor after it."""

_STEP_S = 86_400
"""No zone changes its offset twice within a day and back, so a daily look is enough."""


def zone_of(name: str, where: str = "--tz") -> ZoneInfo:
    """Return the time zone called ``name``.

    Raises:
        InputError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        todo = "write one such as America/New_York or UTC"
        raise InputError(where, "an IANA time zone", repr(name)[:60], todo) from error


@attrs.frozen(kw_only=True)
class Stretch:
    """A time without change of offset: [start_s, end_s), in seconds UTC."""

    start_s: int
    end_s: int
    offset_s: int
    """Local wall clock minus UTC."""

    before_s: int
    """The offset just before ``start_s``; the same where there was no change."""


def offset_s(zone: ZoneInfo, time_s: int) -> int:
    """Return the local wall clock minus UTC at ``time_s``, in seconds."""
    moment = (_EPOCH + timedelta(seconds=time_s)).astimezone(zone)
    return int((moment.utcoffset() or timedelta()) / timedelta(seconds=1))


def stretches(zone: ZoneInfo, start_s: int) -> Iterator[Stretch]:
    """Yield the stretches from ``start_s`` up to `LAST_S`.

    Between two changes they come a day at a time.
    """
    before = offset_s(zone, start_s - 1)
    while start_s < LAST_S:
        here = offset_s(zone, start_s)
        end_s = start_s + _STEP_S
        if offset_s(zone, end_s) != here:
            end_s = _change(zone, start_s, end_s)
        yield Stretch(start_s=start_s, end_s=end_s, offset_s=here, before_s=before)
        start_s, before = end_s, here


def _change(zone: ZoneInfo, same_s: int, other_s: int) -> int:
    """Return the first second with another offset than at ``same_s``."""
    here = offset_s(zone, same_s)
    while other_s - same_s > 1:
        middle = (same_s + other_s) // 2
        if offset_s(zone, middle) == here:
            same_s = middle
        else:
            other_s = middle
    return other_s
