"""The exchange's own bars (klines), of which it makes those that it does not have.

Source: binance-spot-api-docs, rest-api.md, "Kline/Candlestick data"; USD-M futures,
"Kline/Candlestick Data". A kline covers its open time but not the next one's, and the
last one of an answer may still be forming.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import trio
from msgspec import Struct

from holdfast_adapters.binance.rest import Rest
from holdfast_domain.errors import OutcomeUnknown, VenueRefused
from holdfast_domain.marketdata import Bar, us_of, utc_from_us
from holdfast_domain.money import ZERO

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 60 * MINUTE_US

INTERVALS: Final = {
    "1s": MINUTE_US // 60,
    "1m": MINUTE_US,
    "3m": 3 * MINUTE_US,
    "5m": 5 * MINUTE_US,
    "15m": 15 * MINUTE_US,
    "30m": 30 * MINUTE_US,
    "1h": HOUR_US,
    "2h": 2 * HOUR_US,
    "4h": 4 * HOUR_US,
    "6h": 6 * HOUR_US,
    "8h": 8 * HOUR_US,
    "12h": 12 * HOUR_US,
    "1d": 24 * HOUR_US,
}
"""Those that begin at whole multiples of their length since 1970, as our bars do."""

PAGE: Final = 1000
"""The most klines in one answer that both exchanges give."""

PAGES: Final = 100
"""The most answers for one question."""

DEADLINE_S: Final = 20.0


class KlineRow(Struct, frozen=True, array_like=True, gc=False):
    """One kline; what follows the number of trades is not read."""

    open_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    close_ms: int
    """Its last millisecond."""

    quote_volume: Decimal
    trades: int


class Klines:
    """The `PastBars` of one exchange."""

    def __init__(self, rest: Rest, symbols: Sequence[str], interval_us: int) -> None:
        """Ask by ``rest``, which is open only while something is asked."""
        self._rest = rest
        self._symbols = symbols
        self._interval_us = interval_us

    async def last(self, count: int, until_us: int) -> list[Bar]:
        """Return the last bars of each symbol; see `PastBars.last`."""
        return await self._all(until_us - count * self._interval_us, until_us)

    async def between(self, after_us: int, until_us: int) -> list[Bar]:
        """Return the bars of a time; see `PastBars.between`."""
        return await self._all(after_us, until_us)

    async def _all(self, after_us: int, until_us: int) -> list[Bar]:
        name = self._finest()
        self._rest.open()
        try:
            with trio.fail_after(DEADLINE_S):
                return [
                    bar
                    for symbol in self._symbols
                    for bar in merged(
                        symbol,
                        await self._rows(symbol, name, after_us, until_us),
                        self._interval_us,
                    )
                    if after_us + self._interval_us <= us_of(bar.ended_at) <= until_us
                ]
        except trio.TooSlowError:
            message = f"{self._rest.name}: no klines within {DEADLINE_S:g} s"
            raise OutcomeUnknown(message) from None
        finally:
            with trio.CancelScope(shield=True):
                await self._rest.close()

    def _finest(self) -> str:
        """Return the longest interval of the exchange that makes up ours.

        Raises:
            VenueRefused: there is none.
        """
        shortest_us = self._rest.routes.shortest_kline_us
        for name in reversed(INTERVALS):
            each_us = INTERVALS[name]
            if each_us >= shortest_us and not self._interval_us % each_us:
                return name
        length_s, shortest_s = self._interval_us / 1e6, shortest_us / 1e6
        reason = f"it has no klines of {length_s:g} s, its shortest have {shortest_s:g}"
        raise VenueRefused(f"{self._rest.name}: {reason}", "interval")

    async def _rows(
        self, symbol: str, name: str, after_us: int, until_us: int
    ) -> list[KlineRow]:
        """Return the klines that begin at ``after_us`` or later and are over."""
        rows: list[KlineRow] = []
        begin_ms, until_ms = -(-after_us // 1000), until_us // 1000
        for _ in range(PAGES):
            page = await self._rest.ask(
                self._rest.routes.klines,
                {
                    "symbol": symbol,
                    "interval": name,
                    "startTime": begin_ms,
                    "endTime": until_ms - 1,
                    "limit": PAGE,
                },
                list[KlineRow],
                signed=False,
            )
            rows += [each for each in page if each.close_ms < until_ms]
            if len(page) < PAGE:
                return rows
            begin_ms = page[-1].close_ms + 1
        message = f"{self._rest.name}: {symbol} has more than {PAGES} pages of klines"
        raise OutcomeUnknown(message)


def merged(symbol: str, rows: Iterable[KlineRow], interval_us: int) -> Iterator[Bar]:
    """Yield the bars that klines of the same or a shorter length make up."""
    held: list[KlineRow] = []
    for row in rows:
        if held and _bucket(held[0], interval_us) != _bucket(row, interval_us):
            yield _bar(symbol, held, interval_us)
            held = []
        held.append(row)
    if held:
        yield _bar(symbol, held, interval_us)


def _bucket(row: KlineRow, interval_us: int) -> int:
    return row.open_ms * 1000 // interval_us


def _bar(symbol: str, every: Sequence[KlineRow], interval_us: int) -> Bar:
    # A quiet kline has the last price of the one before, at which nobody traded in it.
    rows = [each for each in every if each.trades] or every
    return Bar(
        instrument=symbol,
        ended_at=utc_from_us((_bucket(rows[0], interval_us) + 1) * interval_us),
        open=float(rows[0].open),
        high=float(max(each.high for each in rows)),
        low=float(min(each.low for each in rows)),
        close=float(rows[-1].close),
        volume=float(sum((each.volume for each in rows), ZERO)),
    )
