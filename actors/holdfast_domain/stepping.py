"""What a live market tells, cut into steps: bars that are whole, and batches of news.

Pure: it is given the time. A bar of which a part may be missing is left out, for a
strategy could not tell it from one that is right.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from holdfast_domain.barbuilder import BarBuilder
from holdfast_domain.growing import Seen
from holdfast_domain.marketdata import Bar, Quote, Trade, us_of


class News(Struct, frozen=True, kw_only=True, gc=False):
    """What came since the last time, and how much of it is known to be whole."""

    now_us: int
    """The venue's time."""

    trades: tuple[Trade, ...] = ()
    quotes: tuple[Quote, ...] = ()
    whole_from_us: int | None = None
    """Since when every trade was heard; None while it is not so."""


class StepMaker:
    """Makes steps of news; a new one goes on after a moment that was reached."""

    def __init__(
        self,
        symbols: Sequence[str],
        interval_us: int,
        *,
        grace_us: int,
        tells_trades: bool = False,
        tells_quotes: bool = False,
        after_us: int = 0,
    ) -> None:
        """Bars wait ``grace_us`` for late trades; none ends by ``after_us``."""
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

        self._told_us = after_us
        """No bar that ends by then is told any more."""

    def take(self, news: News) -> list[Seen]:
        """Return the steps that ``news`` completes, in order."""
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
