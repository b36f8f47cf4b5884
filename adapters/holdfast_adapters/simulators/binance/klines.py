"""The klines of one symbol: of the exchange's own trades, and of some before it opened.

Source: binance-spot-api-docs, rest-api.md, "Kline/Candlestick data".
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Final

from holdfast_adapters.simulators.binance.model import EIGHT, Refused
from holdfast_adapters.simulators.intervals import DAY_MS, SECOND_MS, Second, TradeBook

MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS

INTERVALS_MS: Final = {
    "1s": SECOND_MS,
    **{f"{count}m": count * MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * HOUR_MS for count in (1, 2, 4, 6, 8, 12)},
    "1d": DAY_MS,
}


def interval_ms(name: str, shortest_ms: int) -> int:
    """Return the length of the klines of that name.

    Raises:
        Refused: the exchange has none.
    """
    every_ms = INTERVALS_MS.get(name, 0)
    if every_ms < shortest_ms:
        raise Refused(-1120, "Invalid interval.")
    return every_ms


class KlineBook(TradeBook):
    """The trades of one symbol, as klines."""

    def rows(
        self,
        every_ms: int,
        now_ms: int,
        limit: int,
        start_ms: int | None,
        end_ms: int,
    ) -> list[list[object]]:
        """Return klines by their open time; the last one may still be forming."""
        end_ms = min(end_ms, now_ms)
        if start_ms is None:
            start_ms = end_ms - end_ms % every_ms - (limit - 1) * every_ms
        first_ms = -(-start_ms // every_ms) * every_ms
        made = islice(self.between(every_ms, first_ms, end_ms), limit)
        return [_row(each, every_ms) for each in made]


def _row(made: Second, interval_ms: int) -> list[object]:
    """Return an interval as it is sent; half of it was taken from the book."""
    end_ms, half = made.start_ms + interval_ms - 1, Decimal("0.5")
    prices = (made.open, made.high, made.low, made.close)
    return [
        made.start_ms,
        *(_eight(each) for each in prices),
        _eight(made.volume),
        end_ms,
        _eight(made.worth),
        made.trades,
        _eight(made.volume * half),
        _eight(made.worth * half),
        "0",
    ]


def _eight(number: Decimal) -> str:
    return format(number.quantize(EIGHT), "f")
