"""Cron lines of five fields, read on the wall clock of a time zone.

What happens when the clocks change (the rule of Vixie cron):

* A line whose hours begin with ``*`` runs by elapsed time. ``*/30 * * * *`` is due
  every half hour, also through the hour that comes twice; the hour that is skipped
  does not exist for it.
* Any other line is due once for each local time that it names. A time that comes twice
  counts the first time. Times that are skipped are due once, together, at the moment
  to which the clock jumps.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from croniter import CroniterError, croniter

from holdfast_adapters.calendars.zones import FIRST_S, Stretch, stretches, zone_of
from holdfast_domain.errors import InputError

_FIELDS = 5
_LEGAL = re.compile(r"[0-9A-Za-z*/,#?-]+")
_RANDOM = re.compile(r"(?<![A-Za-z])[HRhr](?![A-Za-z])")
"""Fields that croniter fills in itself: R differs from run to run."""

_US = 1_000_000
_DAY_S = 86_400
_KEPT = 4_096
_SOME_MONDAY_S = 1_704_067_200


def check_cron(line: str) -> None:
    """Look whether ``line`` is a cron line of five fields that is due some day.

    Raises:
        InputError: it is not.
    """
    try:
        fields = line.split()
        if len(fields) != _FIELDS or not all(map(_LEGAL.fullmatch, fields)):
            raise _refused(line)
        if any(map(_RANDOM.search, fields)):
            raise _refused(line)
        croniter(" ".join(fields), start_time=float(_SOME_MONDAY_S)).get_next(float)
    except (CroniterError, ValueError, KeyError, TypeError, IndexError) as error:
        raise _refused(line) from error


def _refused(line: str) -> InputError:
    expected = "five fields (minute hour day month weekday) that are due some day"
    todo = "write it as '45 15 * * MON-FRI'"
    return InputError("cron line", expected, repr(line)[:80], todo)


class CronMoments:
    """The moments of one cron line in one zone, for questions that go forward.

    Asking step by step is cheap: the next moment is kept until time has come to it.
    """

    def __init__(self, line: str, timezone: str) -> None:
        """Take a line of five fields and an IANA name.

        Raises:
            InputError: one of them is wrong.
        """
        check_cron(line)
        self._line = " ".join(line.split())
        self._zone = zone_of(timezone, f"time zone of the cron line {self._line!r}")
        self._from_us = 0
        self._known: list[int] = []
        self._more: Iterator[int] = iter(())
        self._restart(0)

    def between(self, after_us: int, until_us: int) -> Iterable[int]:
        """Return the moments in (after_us, until_us], ascending.

        Over more than two days they are computed as they are taken, so that
        ``until_us`` may be as far away as one likes.
        """
        if until_us - after_us > 2 * _DAY_S * _US:
            return takewhile(lambda time: time <= until_us, self._after(after_us))
        return self._steps(after_us, until_us) if until_us > after_us else ()

    def _steps(self, after_us: int, until_us: int) -> Sequence[int]:
        self._seek(after_us)
        while self._known and self._known[-1] <= until_us:
            following = next(self._more, None)
            if following is None:
                break
            self._known.append(following)
        known = self._known
        return known[bisect_right(known, after_us) : bisect_right(known, until_us)]

    def _seek(self, after_us: int) -> None:
        last = self._known[-1] if self._known else self._from_us
        if after_us < self._from_us or after_us > last + _DAY_S * _US:
            self._restart(after_us)
        elif len(self._known) > _KEPT:
            del self._known[: bisect_right(self._known, after_us)]
            self._from_us = after_us

    def _restart(self, after_us: int) -> None:
        self._from_us = after_us
        self._more = self._after(after_us)
        first = next(self._more, None)
        self._known = [] if first is None else [first]

    def _after(self, after_us: int) -> Iterator[int]:
        from_s = max(after_us // _US, FIRST_S)
        # From two days before: whether a local time came already is seen by then.
        pieces = stretches(self._zone, from_s - 2 * _DAY_S)
        recent = (piece for piece in pieces if piece.end_s > from_s)
        for time_s in _due(self._line, recent, from_s):
            if time_s * _US > after_us:
                yield time_s * _US


def _due(line: str, pieces: Iterator[Stretch], from_s: int) -> Iterator[int]:
    """Yield the moments from ``from_s`` on in seconds UTC, stretch by stretch.

    The first of ``pieces`` holds ``from_s``.
    """
    elapsed = line.split()[1].startswith("*")
    walls: Iterator[int] = iter(())
    wall: int | None = None
    started = False
    for piece in pieces:
        first = piece.start_s + piece.offset_s
        again = elapsed and piece.offset_s < piece.before_s
        if again or not started:
            seen = first if elapsed else piece.start_s + piece.before_s
            walls = _walls(line, max(first, seen, from_s + piece.offset_s))
            wall, started = next(walls, None), True
        skipped = False
        while wall is not None and wall < first:
            skipped, wall = True, next(walls, None)
        if wall is None and not skipped:
            return
        if skipped and not elapsed and wall != first:
            yield piece.start_s
        while wall is not None and wall < piece.end_s + piece.offset_s:
            yield wall - piece.offset_s
            wall = next(walls, None)


def _walls(line: str, from_s: int) -> Iterator[int]:
    """Yield the wall clock times of ``line`` from ``from_s`` on, as if in UTC."""
    times = croniter(line, start_time=float(from_s - 1))
    while True:
        try:
            yield round(times.get_next(float))
        except CroniterError:
            return
