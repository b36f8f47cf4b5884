"""What was traded on a desk by interval: its own trades, and some before it opened."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - a symbol has one past
from typing import Final

import attrs

from holdfast_adapters.simulators.walk import Stepped, walk
from holdfast_domain.money import ZERO

SECOND_MS: Final = 1000
DAY_MS: Final = 86_400_000
APART_MS: Final = 20 * SECOND_MS
"""How far the trades of the past are apart."""


@attrs.define(eq=False)
class Second:
    """What was traded in one second, or in an interval of more."""

    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal = ZERO
    worth: Decimal = ZERO
    trades: int = 0

    @classmethod
    def at(cls, start_ms: int, price: Decimal) -> Second:
        """Return one in which nothing was traded yet."""
        return cls(start_ms, price, price, price, price)

    def add(self, price: Decimal, quantity: Decimal) -> None:
        """Count a trade."""
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.close = price
        self.volume += quantity
        self.worth += quantity * price
        self.trades += 1

    def follow(self, later: Second) -> None:
        """Count what was traded after it."""
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.volume += later.volume
        self.worth += later.worth
        self.trades += later.trades


class TradeBook:
    """All trades of one symbol, by the second."""

    def __init__(self, symbol: Stepped, name: str, past_days: int) -> None:
        """Let it have been traded for ``past_days`` before its first trade here.

        One ``name`` has one past.
        """
        self._symbol = symbol
        self._name = name
        self._past_ms = past_days * DAY_MS
        self._seconds: list[Second] = []
        self._before: Iterator[tuple[Decimal, Decimal]] | None = None
        self._listed_ms = 0

    def trade(self, at_ms: int, price: Decimal, quantity: Decimal) -> None:
        """Count a trade, which is not before the last one."""
        start_ms = at_ms - at_ms % SECOND_MS
        if not self._seconds:
            self._before = walk(self._symbol, price, Random(self._name))
            next(self._before)
            self._listed_ms = start_ms - self._past_ms
        if not self._seconds or self._seconds[-1].start_ms < start_ms:
            self._seconds.append(Second.at(start_ms, price))
        self._seconds[-1].add(price, quantity)

    def _reach(self, start_ms: int) -> None:
        """Make up what was traded before, as far back as ``start_ms``."""
        if not self._seconds or self._before is None:
            return
        new: list[Second] = []
        at_ms = self._seconds[0].start_ms - APART_MS
        while at_ms >= max(self._listed_ms, start_ms - APART_MS):
            price, quantity = next(self._before)
            new.append(Second.at(at_ms, price))
            new[-1].add(price, quantity)
            at_ms -= APART_MS
        self._seconds[:0] = reversed(new)

    def between(self, every_ms: int, first_ms: int, end_ms: int) -> Iterator[Second]:
        """Yield the intervals that begin between both, quiet ones too."""
        self._reach(first_ms)
        seconds = self._seconds
        at = bisect_left(seconds, first_ms, key=lambda each: each.start_ms)
        last = seconds[at - 1].close if at else None
        for begin_ms in range(first_ms, end_ms + 1, every_ms):
            until = at
            while (
                until < len(seconds) and seconds[until].start_ms < begin_ms + every_ms
            ):
                until += 1
            whole = _whole(begin_ms, seconds[at:until], last)
            at = until
            if whole is not None:
                last = whole.close
                yield whole


def _whole(
    begin_ms: int, parts: Sequence[Second], last: Decimal | None
) -> Second | None:
    """Return what was traded in an interval; None where it never was before."""
    if parts:
        whole = Second.at(begin_ms, parts[0].open)
        for each in parts:
            whole.follow(each)
        return whole
    return None if last is None else Second.at(begin_ms, last)
