"""Bars from trades: aligned to time, and closed by the clock where trades fail to."""

from __future__ import annotations

from decimal import Decimal

from holdfast_domain.marketdata import Bar, Trade, us_of, utc_from_us
from holdfast_domain.money import ZERO, to_decimal


class BarBuilder:
    """Builds one instrument's bars of one length.

    Bars start at whole multiples of their length since 1970, in UTC, and cover their
    start but not their end. Trades are taken in the order in which they come. An
    interval without trades gives no bar unless ``fills_gaps`` asks for flat ones.
    """

    def __init__(
        self,
        instrument: str,
        interval_us: int,
        *,
        fills_gaps: bool = False,
        grace_us: int = 0,
    ) -> None:
        """Take the length of a bar, and how long the clock waits for late trades.

        Raises:
            ValueError: ``interval_us`` is below 1, or ``grace_us`` below 0.
        """
        if interval_us < 1 or grace_us < 0:
            message = f"expected a length above 0 µs, got {interval_us}, {grace_us}"
            raise ValueError(message)
        self.instrument = instrument
        self.interval_us = interval_us
        self.late = 0
        """Trades of bars that were closed already; they are in none."""
        self._fills_gaps = fills_gaps
        self._grace_us = grace_us
        self._open: _Open | None = None
        self._closed_us: int | None = None
        """The end of the last interval that is over."""
        self._last_close: float | None = None

    def trade(self, trade: Trade) -> list[Bar]:
        """Take a trade; return the bars that it shows to be over, oldest first."""
        at_us = us_of(trade.traded_at)
        start_us = at_us - at_us % self.interval_us
        if self._closed_us is not None and start_us < self._closed_us:
            self.late += 1
            return []
        if self._open is not None and start_us < self._open.start_us:
            self.late += 1
            return []
        over = self._close_before(start_us)
        if self._open is None:
            self._open = _Open(start_us, trade.price)
        self._open.add(trade)
        return over

    def follow(self, bar: Bar) -> None:
        """Go on after ``bar``, which was made elsewhere.

        What was in the making until then is given up; its close is the last price.
        """
        end_us = us_of(bar.ended_at)
        if self._closed_us is not None and self._closed_us >= end_us:
            return
        if self._open is not None and self._open.start_us < end_us:
            self._open = None
        self._closed_us, self._last_close = end_us, bar.close

    def clock(self, now_us: int) -> list[Bar]:
        """Return the bars that are over at market time ``now_us``, oldest first."""
        settled_us = now_us - self._grace_us
        return self._close_before(settled_us - settled_us % self.interval_us)

    @property
    def due_us(self) -> int | None:
        """When `clock` closes the next bar; None where none would be."""
        if self._open is not None:
            return self._open.start_us + self.interval_us + self._grace_us
        if self._fills_gaps and self._closed_us is not None:
            return self._closed_us + self.interval_us + self._grace_us
        return None

    @property
    def so_far(self) -> Bar | None:
        """The bar that is being built; None before its first trade."""
        if self._open is None:
            return None
        return self._open.bar(self.instrument, self.interval_us)

    def _close_before(self, start_us: int) -> list[Bar]:
        """Close what is over when the interval from ``start_us`` begins."""
        over: list[Bar] = []
        if self._open is not None and self._open.start_us < start_us:
            bar = self._open.bar(self.instrument, self.interval_us)
            over.append(bar)
            self._closed_us = self._open.start_us + self.interval_us
            self._last_close = bar.close
            self._open = None
        if self._open is None and self._closed_us is not None:
            if self._fills_gaps:
                over += self._flat(start_us)
            self._closed_us = max(self._closed_us, start_us)
        return over

    def _flat(self, until_us: int) -> list[Bar]:
        assert self._closed_us is not None
        assert self._last_close is not None
        return [
            _Open(start_us, self._last_close).bar(self.instrument, self.interval_us)
            for start_us in range(self._closed_us, until_us, self.interval_us)
        ]


class _Open:
    """A bar in the making; its volume is summed without rounding."""

    def __init__(self, start_us: int, price: float) -> None:
        self.start_us = start_us
        self._open = self._high = self._low = self._close = price
        self._volume: Decimal = ZERO

    def add(self, trade: Trade) -> None:
        price = trade.price
        self._high = max(self._high, price)
        self._low = min(self._low, price)
        self._close = price
        self._volume += to_decimal(trade.size)

    def bar(self, instrument: str, interval_us: int) -> Bar:
        return Bar(
            instrument=instrument,
            ended_at=utc_from_us(self.start_us + interval_us),
            open=self._open,
            high=self._high,
            low=self._low,
            close=self._close,
            volume=float(self._volume),
        )
