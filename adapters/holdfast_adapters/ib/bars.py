"""Bars that IB keeps, as `PastBars`: asked for slowly, for IB limits who asks for them.

Source: TWS API, "Historical Bar Data" and "Historical Data Limitations": no question
twice within 15 s, no more than 60 in ten minutes; after a violation error 162.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import attrs

from holdfast_adapters.ib.session import Session
from holdfast_domain.errors import OutcomeUnknown, VenueError, VenueRefused
from holdfast_domain.marketdata import Bar, utc_from_us
from holdfast_domain.ports import WallClock

SECOND_US: Final = 1_000_000
SIZES: Final = {
    1: "1 secs",
    5: "5 secs",
    10: "10 secs",
    15: "15 secs",
    30: "30 secs",
    60: "1 min",
    120: "2 mins",
    180: "3 mins",
    300: "5 mins",
    600: "10 mins",
    900: "15 mins",
    1200: "20 mins",
    1800: "30 mins",
}
"""By their length in seconds. Longer ones begin with a session; these make them up."""

SPANS_S: Final = {1: 1_800, 5: 3_600, 10: 14_400, 15: 14_400, 30: 28_800}
"""How much of each may be asked for at once, where it is less than a day."""

DAY_S: Final = 86_400
ASKED_MAX: Final = 20
"""Questions about one instrument; what is further back is left out."""

IDENTICAL_S: Final = 15.0
WINDOW_S: Final = 600.0
IN_WINDOW: Final = 60

TRIES: Final = 3
PAUSE_S: Final = 1.0
NO_DATA: Final = "no data"
HISTORY: Final = "162"
"""The code of all that is wrong with such a question; the words say what."""


@attrs.define(eq=False)
class HistoryPacer:
    """When a question about the past may be asked. Pure: it is given the time."""

    _asked: deque[tuple[float, object]] = attrs.field(factory=deque)

    def wait_s(self, question: object, now_s: float) -> float:
        """Return how long to wait before it may be asked; 0 if it may be now."""
        while self._asked and self._asked[0][0] <= now_s - WINDOW_S:
            self._asked.popleft()
        free_s = [at_s + IDENTICAL_S for at_s, each in self._asked if each == question]
        if len(self._asked) >= IN_WINDOW:
            free_s.append(self._asked[-IN_WINDOW][0] + WINDOW_S)
        return max(0.0, max(free_s, default=now_s) - now_s)

    def note(self, question: object, now_s: float) -> None:
        """Count a question that is asked now."""
        self._asked.append((now_s, question))


class IBBars:
    """Asks for bars by a session of its own, which is there while it is asked."""

    def __init__(
        self,
        symbols: Sequence[str],
        interval_us: int,
        visit: Callable[[], AbstractAsyncContextManager[Session]],
        clock: WallClock,
        sleep: Callable[[float], Awaitable[object]],
    ) -> None:
        """Ask about ``symbols``, in the sessions that ``visit`` gives."""
        self._symbols = symbols
        self._interval_us = interval_us
        self._visit = visit
        self._clock = clock
        self._sleep = sleep
        self._pacer = HistoryPacer()

    async def last(self, count: int, until_us: int) -> list[Bar]:
        """Return the last bars of each symbol; see `PastBars.last`."""
        return await self._all(count, 0, until_us)

    async def between(self, after_us: int, until_us: int) -> list[Bar]:
        """Return the bars of a time; see `PastBars.between`."""
        return await self._all(0, after_us, until_us)

    async def _all(self, count: int, after_us: int, until_us: int) -> list[Bar]:
        size_s = self._finest()
        for left in reversed(range(TRIES)):
            try:
                async with self._visit() as session:
                    return [
                        bar
                        for symbol in self._symbols
                        for bar in await self._of(
                            session, symbol, size_s, count, after_us, until_us
                        )
                    ]
            except (VenueError, ConnectionError) as error:
                # A client id may be taken for a moment by the visit before.
                if not left:
                    if isinstance(error, VenueError):
                        raise
                    raise OutcomeUnknown(str(error)) from error
            await self._sleep(PAUSE_S)
        raise AssertionError  # the last try returns or raises

    def _finest(self) -> int:
        """Return the longest size that makes up our interval, in seconds.

        Raises:
            VenueRefused: there is none.
        """
        for size_s in reversed(SIZES):
            if not self._interval_us % (size_s * SECOND_US):
                return size_s
        reason = f"IB has no bars that make up {self._interval_us / SECOND_US:g} s"
        raise VenueRefused(reason, "interval")

    async def _of(
        self,
        session: Session,
        symbol: str,
        size_s: int,
        count: int,
        after_us: int,
        until_us: int,
    ) -> list[Bar]:
        """Return the bars of one symbol, asked for from the newest backwards."""
        span_us = SPANS_S.get(size_s, DAY_S) * SECOND_US
        if count:
            span_us = min(span_us, count * self._interval_us)
        end_us, rows = until_us, dict[int, Any]()
        for _ in range(ASKED_MAX):
            begin_us = max(after_us, end_us - span_us)
            length_s = -(-(end_us - begin_us) // SECOND_US)
            for row in await self._asked(session, symbol, size_s, end_us, length_s):
                rows[int(row.date)] = row
            bars = merged(symbol, rows, size_s, self._interval_us, begin_us, until_us)
            if begin_us <= after_us or (count and len(bars) >= count):
                return bars[-count:]
            end_us = begin_us
            span_us = SPANS_S.get(size_s, DAY_S) * SECOND_US
        return bars[-count:]

    async def _asked(
        self, session: Session, symbol: str, size_s: int, end_us: int, length_s: int
    ) -> list[Any]:
        question = (symbol, size_s, end_us, length_s)
        while wait_s := self._pacer.wait_s(question, self._now_s()):
            await self._sleep(wait_s)
        self._pacer.note(question, self._now_s())
        end = utc_from_us(end_us).strftime("%Y%m%d-%H:%M:%S")
        contract = session.listed[symbol].contract
        history = session.there().history
        try:
            return await session.ask(
                history, contract, end, f"{length_s} S", SIZES[size_s]
            )
        except VenueRefused as error:
            if error.code == HISTORY and NO_DATA in error.reason:
                return []  # nothing was traded, such as in a night
            raise

    def _now_s(self) -> float:
        return self._clock.now_us() / SECOND_US


def merged(
    symbol: str,
    rows: dict[int, Any],
    size_s: int,
    interval_us: int,
    after_us: int,
    until_us: int,
) -> list[Bar]:
    """Return the bars of ``interval_us`` that ``rows``, by their begin, make up."""
    parts: dict[int, list[Any]] = {}
    for begin_s in sorted(rows):
        begin_us = begin_s * SECOND_US
        if after_us <= begin_us and begin_us + size_s * SECOND_US <= until_us:
            parts.setdefault(begin_us // interval_us, []).append(rows[begin_s])
    return [
        _bar(symbol, (at + 1) * interval_us, each)
        for at, each in sorted(parts.items())
        if after_us <= at * interval_us and (at + 1) * interval_us <= until_us
    ]


def _bar(symbol: str, end_us: int, rows: Iterable[Any]) -> Bar:
    every = list(rows)
    return Bar(
        instrument=symbol,
        ended_at=utc_from_us(end_us),
        open=every[0].open,
        high=max(each.high for each in every),
        low=min(each.low for each in every),
        close=every[-1].close,
        volume=sum(each.volume for each in every),
    )
