"""The newest trades and quotes of a live feed; those before them are on its tape."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from holdfast_domain.marketdata import Quote, Trade

if TYPE_CHECKING:
    from holdfast_domain.growing import Seen

KEPT: Final = 20_000
"""Trades and quotes that stay in memory: what a restart mostly asks for."""

Recall = Callable[[int], "Seen"]
"""Returns a step that is on the tape; may block for as long as it takes to read it."""

News = tuple[tuple[Trade, ...], tuple[Quote, ...]]

_NOTHING: Final[News] = ((), ())


class Recent:
    """Trades and quotes by step. What is not kept any more is recalled.

    Without a ``recall`` all is kept. With it the memory does not grow with the market,
    and a strategy that must be fed from further back is fed from the tape.
    """

    def __init__(
        self, symbols: Sequence[str], recall: Recall | None = None, kept: int = KEPT
    ) -> None:
        self._recall = recall
        self._kept = kept
        self._steps = 0
        self._first = 0
        """The first step of which all is here."""

        self._skimmed = 0
        """Up to here steps came without what is to be recalled of them."""

        self._news: deque[News] = deque()
        self._count = 0
        self._trades: dict[str, deque[tuple[int, Trade]]] = {
            name: deque() for name in symbols
        }
        """The last trade of each step that had one; from before `_first`, the last."""

    def skim(self) -> None:
        """Add the next step, of which trades and quotes are to be recalled.

        All such steps come before the others.
        """
        self._steps += 1
        self._first = self._skimmed = self._steps

    def append(self, trades: tuple[Trade, ...], quotes: tuple[Quote, ...]) -> None:
        """Add the next step."""
        for trade in {trade.instrument: trade for trade in trades}.values():
            self._trades[trade.instrument].append((self._steps, trade))
        self._news.append((trades, quotes) if trades or quotes else _NOTHING)
        # A step counts too, though nothing came at it.
        self._count += len(trades) + len(quotes) + 1
        self._steps += 1
        if self._recall is not None:
            while self._count > self._kept and len(self._news) > 1:
                self._drop()

    def news(self, step: int) -> News:
        """Return the trades and quotes of ``step``."""
        if step >= self._first:
            return self._news[step - self._first]
        found = self._recalled(step)
        return found.trades, found.quotes

    def last_trade(self, symbol: str, step: int) -> Trade | None:
        """Return the last trade of ``symbol`` that had come by ``step``."""
        trades = self._trades[symbol]
        if trades and trades[-1][0] <= step:
            return trades[-1][1]
        at = bisect_right(trades, step, key=itemgetter(0))
        if at:
            return trades[at - 1][1]
        # The last one before the first step is here, unless that was skimmed over.
        until = step if step < self._first else self._skimmed - 1
        for before in range(until, -1, -1):
            for trade in reversed(self._recalled(before).trades):
                if trade.instrument == symbol:
                    if step >= self._first:
                        trades.appendleft((before, trade))
                    return trade
        return None

    def _drop(self) -> None:
        """Keep the first step that is here no longer."""
        trades, quotes = self._news.popleft()
        self._count -= len(trades) + len(quotes) + 1
        self._first += 1
        for name in {trade.instrument for trade in trades}:
            known = self._trades[name]
            while len(known) > 1 and known[1][0] <= self._first:
                known.popleft()

    def _recalled(self, step: int) -> Seen:
        assert self._recall is not None
        return self._recall(step)
