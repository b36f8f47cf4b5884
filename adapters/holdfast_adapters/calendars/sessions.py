"""A market's sessions, answered from two sorted tables."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from holdfast_domain.errors import InputError
from holdfast_domain.marketdata import utc_from_us


class TableCalendar:
    """The sessions of one market; times are microseconds UTC, ascending.

    A session lasts from its open to its close; breaks within it (lunch in Hong Kong)
    are not told apart. Implements the port `Calendar`.

    >>> day = TableCalendar("XNYS", [100, 300], [200, 400])
    >>> day.session_of(200), day.session_of(250), day.close_after(200)
    ((100, 200), None, 400)
    """

    def __init__(self, name: str, opens: Sequence[int], closes: Sequence[int]) -> None:
        """Take the opens and the closes of the sessions, pairwise."""
        self.name = name
        self._opens = array("q", opens)
        self._closes = array("q", closes)

    @property
    def first_us(self) -> int:
        """The open of the first session; the calendar knows nothing before it."""
        return self._opens[0]

    @property
    def last_us(self) -> int:
        """The close of the last session; the calendar knows nothing after it."""
        return self._closes[-1]

    def opens_us(self, after_us: int, until_us: int) -> Sequence[int]:
        """Return session opens in (after_us, until_us], ascending."""
        return _between(self._opens, after_us, until_us)

    def closes_us(self, after_us: int, until_us: int) -> Sequence[int]:
        """Return session closes in (after_us, until_us], ascending."""
        return _between(self._closes, after_us, until_us)

    def session_of(self, time_us: int) -> tuple[int, int] | None:
        """Return open and close of the session that ``time_us`` lies in, if any.

        Open and close belong to it: the bar that ends a session is of that session.
        Where one session ends as the next begins, the moment is of the one that ends.
        """
        row = bisect_left(self._closes, time_us)
        if row == len(self._closes) or self._opens[row] > time_us:
            return None
        return self._opens[row], self._closes[row]

    def close_after(self, time_us: int) -> int:
        """Return the first close after ``time_us``: the end of a day order's day.

        Raises:
            InputError: the calendar has no session after ``time_us``.
        """
        row = bisect_right(self._closes, time_us)
        if row < len(self._closes):
            return self._closes[row]
        raise InputError(
            f"calendar {self.name}",
            f"a time before its last close, {utc_from_us(self.last_us).isoformat()}",
            utc_from_us(time_us).isoformat(),
            "install a newer exchange_calendars",
        )


def _between(times: array[int], after_us: int, until_us: int) -> Sequence[int]:
    return times[bisect_right(times, after_us) : bisect_right(times, until_us)]
