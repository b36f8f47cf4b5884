"""The order book of one instrument: what rests at each price, and whether that is true.

A book that may have missed an update is invalid, and reading it raises, until a
snapshot makes it whole. A price that is wrong looks like any other price.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

import attrs

from holdfast_domain.errors import BookInvalid, ValueTooOld

Level: TypeAlias = tuple[Decimal, Decimal]
"""A price, and the quantity that rests there; a quantity of 0 removes the level."""

Checksum: TypeAlias = Callable[[Sequence[Level], Sequence[Level]], int]
"""What a venue computes of bids and asks, both best first, to compare."""


@attrs.frozen(kw_only=True)
class BookSnapshot:
    """A whole book, best first or not."""

    instrument: str
    sequence: int | None
    """The number of the last update that is in it; None where none are numbered."""

    bids: Sequence[Level]
    asks: Sequence[Level]


@attrs.frozen(kw_only=True)
class BookUpdate:
    """New quantities at some prices; they replace, and are no differences."""

    instrument: str
    sequence: int | None
    """Its last number."""

    follows: int | None
    """The number that it comes directly after; None where none are numbered."""

    bids: Sequence[Level]
    asks: Sequence[Level]
    checksum: int | None = None
    """What the venue computed of the book after this update."""


class OrderBook:
    """One instrument's bids and asks.

    Times are seconds of one monotonic clock, that of whoever hands updates in.
    """

    def __init__(
        self,
        instrument: str,
        *,
        checksum: Checksum | None = None,
        depth_max: int | None = None,
    ) -> None:
        """Make an invalid book: it needs a snapshot.

        ``depth_max`` is for venues that tell of so many levels a side and never say
        when one falls out of them.
        """
        self.instrument = instrument
        self.sequence: int | None = None
        self._checksum = checksum
        self._depth_max = depth_max
        self._bids, self._asks = _Side(), _Side()
        self._why: str | None = "there was no snapshot yet"
        self._updated_s = 0.0

    @property
    def why_invalid(self) -> str | None:
        """Why it may not be read; None where it may."""
        return self._why

    def invalidate(self, why: str) -> None:
        """Take it that an update is missing; only a snapshot makes it whole."""
        self._why = self._why or why

    def reset(self, snapshot: BookSnapshot, now_s: float) -> None:
        """Replace everything by ``snapshot``."""
        self._bids, self._asks = _Side(), _Side()
        self._bids.put(snapshot.bids)
        self._asks.put(snapshot.asks)
        self.sequence = snapshot.sequence
        self._updated_s = now_s
        self._why = None
        self._check(None)

    def update(self, update: BookUpdate, now_s: float) -> None:
        """Apply ``update``; one that is in the book already is passed over.

        A gap before it, sides that cross after it and a checksum that differs make
        the book invalid. An invalid book takes no update.
        """
        if self._why is not None:
            return
        sequence, follows = update.sequence, update.follows
        if self.sequence is not None and sequence is not None:
            if sequence <= self.sequence:
                return
            if follows is not None and follows > self.sequence:
                self._why = f"update {follows} came not, after {self.sequence}"
                return
        self._bids.put(update.bids)
        self._asks.put(update.asks)
        self.sequence = sequence if sequence is not None else self.sequence
        self._updated_s = now_s
        self._check(update.checksum)

    def age_s(self, now_s: float) -> float:
        """Return how long ago it last changed."""
        return now_s - self._updated_s

    def best_bid(self, now_s: float, max_age_s: float) -> Level | None:
        """Return the highest bid; None where nobody bids.

        Raises:
            BookInvalid: an update may be missing.
            ValueTooOld: it did not change for longer than ``max_age_s``.
        """
        self._readable(now_s, max_age_s)
        return self._bids.highest()

    def best_ask(self, now_s: float, max_age_s: float) -> Level | None:
        """Return the lowest ask, as `best_bid` does."""
        self._readable(now_s, max_age_s)
        return self._asks.lowest()

    def bids(self, count: int, now_s: float, max_age_s: float) -> list[Level]:
        """Return up to ``count`` bids, the highest first, as `best_bid` does."""
        self._readable(now_s, max_age_s)
        return self._bids.down(count)

    def asks(self, count: int, now_s: float, max_age_s: float) -> list[Level]:
        """Return up to ``count`` asks, the lowest first, as `best_bid` does."""
        self._readable(now_s, max_age_s)
        return self._asks.up(count)

    def _readable(self, now_s: float, max_age_s: float) -> None:
        if self._why is not None:
            raise BookInvalid(self.instrument, self._why)
        if self.age_s(now_s) > max_age_s:
            raise ValueTooOld(
                f"book of {self.instrument}", self.age_s(now_s), max_age_s
            )

    def _check(self, wanted: int | None) -> None:
        if self._depth_max is not None:
            self._bids.keep_highest(self._depth_max)
            self._asks.keep_lowest(self._depth_max)
        bid, ask = self._bids.highest(), self._asks.lowest()
        if bid is not None and ask is not None and bid[0] >= ask[0]:
            self._why = f"bid {bid[0]} and ask {ask[0]} cross"
        elif wanted is not None and self._checksum is not None:
            depth = _CHECKED
            came = self._checksum(self._bids.down(depth), self._asks.up(depth))
            if came != wanted:
                self._why = f"checksum {came}, where the venue has {wanted}"


_CHECKED = 25
"""No venue's checksum reads more levels than this."""


class _Side:
    """Prices in ascending order, and what rests at each."""

    def __init__(self) -> None:
        self._prices: list[Decimal] = []
        self._levels: dict[Decimal, Level] = {}

    def put(self, levels: Sequence[Level]) -> None:
        for level in levels:
            price, quantity = level
            if quantity:
                if price not in self._levels:
                    insort(self._prices, price)
                self._levels[price] = level
            elif self._levels.pop(price, None) is not None:
                del self._prices[bisect_left(self._prices, price)]

    def highest(self) -> Level | None:
        return self._levels[self._prices[-1]] if self._prices else None

    def lowest(self) -> Level | None:
        return self._levels[self._prices[0]] if self._prices else None

    def down(self, count: int) -> list[Level]:
        return [self._levels[price] for price in self._prices[: -count - 1 : -1]]

    def up(self, count: int) -> list[Level]:
        return [self._levels[price] for price in self._prices[:count]]

    def keep_highest(self, count: int) -> None:
        for price in self._prices[:-count]:
            del self._levels[price]
        del self._prices[:-count]

    def keep_lowest(self, count: int) -> None:
        for price in self._prices[count:]:
            del self._levels[price]
        del self._prices[count:]
