"""A range of time as a user writes it: inclusive, and a date as the whole day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

import attrs

from holdfast_adapters.calendars.zones import zone_of
from holdfast_adapters.data.refusals import shown
from holdfast_domain.errors import InputError

_US = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the offset is taken off apart


@attrs.frozen(kw_only=True)
class Span:
    """The moments from ``start_us`` to ``end_us``, both included; ``None`` is open."""

    start_us: int | None
    end_us: int | None


def span_of(
    start: str | datetime | None, end: str | datetime | None, timezone: str | None
) -> Span:
    """Return the range from ``start`` to ``end``; naive ones are in ``timezone``.

    Without ``timezone`` they are in UTC. A date as ``start`` is its first moment,
    as ``end`` its last microsecond.

    Raises:
        InputError: one of them is no ISO date or time, or start is after end.
    """
    zone = zone_of(timezone) if timezone is not None else UTC
    span = Span(
        start_us=None if start is None else _bound("--start", start, zone, last=False),
        end_us=None if end is None else _bound("--end", end, zone, last=True),
    )
    _refuse_backwards(span, start, end)
    return span


def _refuse_backwards(span: Span, start: object, end: object) -> None:
    if span.start_us is None or span.end_us is None or span.start_us <= span.end_us:
        return
    expected = f"a time that is not after --end ({shown(end)})"
    raise InputError("--start", expected, shown(start), "swap them")


def _bound(where: str, value: str | datetime, zone: tzinfo, *, last: bool) -> int:
    try:
        moment = value if isinstance(value, datetime) else _day(value)
        if not isinstance(moment, datetime):
            moment = datetime.combine(moment, time.max if last else time.min)
        # A local time that comes twice: the range includes both.
        local = moment.replace(tzinfo=zone, fold=1 if last else 0)
        return _us(moment if moment.tzinfo else local)
    except (ValueError, OverflowError, TypeError) as error:
        raise InputError(
            where,
            "an ISO date or time",
            shown(value),
            "write it as 2024-03-08 or 2024-03-08T16:00:00-05:00",
        ) from error


def _day(text: str) -> date | datetime:
    text = text.strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text)


def _us(moment: datetime) -> int:
    # Not by way of `astimezone`, which fails at the ends of the calendar.
    offset = moment.utcoffset() or timedelta()
    return (moment.replace(tzinfo=None) - _EPOCH - offset) // _US
