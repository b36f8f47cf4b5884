"""What a live market tells, cut into steps: bars that are whole, and batches of news.

Pure: it is given the time. A bar of which a part may be missing is left out, for a
strategy could not tell it from one that is right; the venue's own bar may stand there
instead, if it is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from holdfast_domain.barbuilder import BarBuilder
from holdfast_domain.growing import Fetched, Seen
from holdfast_domain.marketdata import Bar, Quote, Trade, us_of


class News(Struct, frozen=True, kw_only=True, gc=False):
    """What came since the last time, and how much of it is known to be whole."""

    now_us: int
    """The venue's time."""

    trades: tuple[Trade, ...] = ()
    quotes: tuple[Quote, ...] = ()
    whole_from_us: int | None = None
    """Since when every trade was heard; None while it is not so."""


class Span(Struct, frozen=True, gc=False):
    """Bars that begin at ``after_us`` or later, and end at ``until_us`` or before."""

    after_us: int
    until_us: int


ASKED_MAX: Final = 5_000
"""Bars of an instrument that are asked for at once; of a longer hole the newest."""

TRIES: Final = 3
"""How often a venue is asked for what is missing, before it is told to be missing."""

PAUSE_US: Final = 5_000_000
"""Between those times."""

TIMELY_US: Final = 60_000_000
"""How old a bar may be to be acted upon: as old as the guard lets an input be."""


class StepMaker:
    """Makes steps of news; a new one goes on after a moment that was reached.

    Where missing bars are asked for, what comes after them waits until they are there,
    or given up.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        interval_us: int,
        *,
        grace_us: int,
        tells_trades: bool = False,
        tells_quotes: bool = False,
        after_us: int = 0,
        told_us: int = 0,
        asks: bool = False,
    ) -> None:
        """Bars wait ``grace_us`` for late trades; no step is at ``after_us`` or before.

        The last bar that was told ended at ``told_us``; 0 if there was none. With
        ``asks``, those that are missing since then are asked for.
        """
        self._builders = {
            symbol: BarBuilder(symbol, interval_us, fills_gaps=True, grace_us=grace_us)
            for symbol in symbols
        }
        self._interval_us = interval_us
        self._grace_us = grace_us
        self._tells_trades = tells_trades
        self._tells_quotes = tells_quotes
        self._last_us = after_us
        self._over: dict[int, dict[str, Bar]] = {}
        """Bars that have ended, by their end; until those of the others have, too."""

        self._told_us = told_us or after_us
        """No bar that ends by then is told any more."""

        self._asks = asks
        self._whole_us = 0
        """Where the first bar begins that is heard as a whole."""

        self._tries = 0
        self._again_us = 0
        """When the venue may be asked again."""

    # --- what is missing -----------------------------------------------------------

    def hole(self, news: News) -> Span | None:
        """Return which bars are missing now, and over; before ``news`` is taken."""
        self._look(news.whole_from_us)
        if not self._is_behind or news.now_us < self._again_us:
            return None
        settled_us = news.now_us - self._grace_us
        until_us = min(self._whole_us, settled_us - settled_us % self._interval_us)
        if until_us <= self._told_us:
            return None
        first_us = until_us - ASKED_MAX * self._interval_us
        return Span(max(self._told_us, first_us), until_us)

    def fill(self, hole: Span, bars: Iterable[Bar], now_us: int) -> list[Seen]:
        """Return the steps of ``bars``, with which the venue has filled a ``hole``.

        Only the newest can come in time: one that follows was heard as a whole.
        """
        steps: list[Seen] = []
        for end_us, ended in by_end(bars):
            if not hole.after_us < end_us <= hole.until_us:
                continue
            is_timely = end_us == hole.until_us and now_us - end_us <= TIMELY_US
            steps.append(
                self._fetched(end_us, ended, "in time" if is_timely else "late")
            )
        self._close(hole)
        return steps

    def failed(self, hole: Span, now_us: int) -> bool:
        """Take it that the venue did not answer; return whether it is given up."""
        self._tries += 1
        self._again_us = now_us + PAUSE_US
        if self._tries < TRIES:
            return False
        self._close(hole)
        return True

    @property
    def _is_behind(self) -> bool:
        return self._asks and 0 < self._told_us < self._whole_us

    def _look(self, whole_from_us: int | None) -> None:
        if whole_from_us is not None:
            self._whole_us = -(-whole_from_us // self._interval_us) * self._interval_us

    def _fetched(self, end_us: int, ended: Sequence[Bar], how: Fetched) -> Seen:
        for bar in ended:
            self._builders[bar.instrument].follow(bar)
        found = {bar.instrument: bar for bar in ended}
        ordered = tuple(found[name] for name in self._builders if name in found)
        return Seen(time_us=self._next_us(end_us), bars=ordered, fetched=how)

    def _close(self, hole: Span) -> None:
        self._told_us, self._tries, self._again_us = hole.until_us, 0, 0
        self._over = {
            end_us: bars
            for end_us, bars in self._over.items()
            if end_us > self._told_us
        }

    # --- what is heard --------------------------------------------------------------

    def take(self, news: News) -> list[Seen]:
        """Return the steps that ``news`` completes, in order."""
        self._look(news.whole_from_us)
        over: list[Bar] = []
        for trade in news.trades:
            over += self._builders[trade.instrument].trade(trade)
        for builder in self._builders.values():
            over += builder.clock(news.now_us)
        for bar in over:
            self._keep(bar, news.whole_from_us)
        steps = self._bars(news.now_us)
        trades = news.trades if self._tells_trades else ()
        quotes = news.quotes if self._tells_quotes else ()
        if trades or quotes:
            time_us = self._next_us(news.now_us)
            steps.append(Seen(time_us=time_us, trades=trades, quotes=quotes))
        return steps

    def _keep(self, bar: Bar, whole_from_us: int | None) -> None:
        end_us = us_of(bar.ended_at)
        is_whole = (
            whole_from_us is not None and end_us - self._interval_us >= whole_from_us
        )
        if is_whole and end_us > self._told_us:
            self._over.setdefault(end_us, {})[bar.instrument] = bar

    def _bars(self, now_us: int) -> list[Seen]:
        steps: list[Seen] = []
        for end_us in sorted(self._over):
            if self._is_behind and end_us > self._whole_us:
                break
            bars = self._over[end_us]
            if len(bars) < len(self._builders) and now_us < end_us + self._grace_us:
                break
            ordered = tuple(bars[name] for name in self._builders if name in bars)
            steps.append(Seen(time_us=self._next_us(end_us), bars=ordered))
            del self._over[end_us]
            self._told_us = end_us
        return steps

    def _next_us(self, time_us: int) -> int:
        self._last_us = max(time_us, self._last_us + 1)
        return self._last_us


def by_end(bars: Iterable[Bar]) -> list[tuple[int, list[Bar]]]:
    """Return ``bars`` by the end of their interval, ascending."""
    found: dict[int, list[Bar]] = {}
    for bar in bars:
        found.setdefault(us_of(bar.ended_at), []).append(bar)
    return sorted(found.items())


def steps_before(symbols: Sequence[str], bars: Iterable[Bar]) -> list[Seen]:
    """Return the steps of a history from before the first start."""
    steps: list[Seen] = []
    for end_us, ended in by_end(bars):
        ordered = tuple(sorted(ended, key=lambda bar: symbols.index(bar.instrument)))
        steps.append(Seen(time_us=end_us, bars=ordered, fetched="before"))
    return steps
