"""What TWS tells of a market, and what that means."""

from __future__ import annotations

from typing import Final, NamedTuple

import attrs

from holdfast_domain.errors import DomainError
from holdfast_domain.marketdata import Quote, Trade, utc_from_us

RT_VOLUME: Final = 48
"""A trade: ``price;size;time in ms;volume of the day;average;by one maker``."""

WANTED: Final = "233"
"""What asks for it."""

BID, ASK, BID_SIZE, ASK_SIZE = 1, 2, 0, 3
PARTS: Final = 6


class Tick(NamedTuple):
    """One tick of one contract."""

    con_id: int
    kind: int
    price: float = 0.0
    size: float = 0.0
    text: str = ""


def trade_of(symbol: str, tick: Tick) -> Trade | None:
    """Return the trade that a tick tells, if it tells one.

    >>> told = "100.25;3;1767625200123;3;100.25;true"
    >>> trade_of("AAPL", Tick(1, RT_VOLUME, text=told)).size
    3.0

    Raises:
        DomainError: it says something else than a trade.
    """
    if tick.kind != RT_VOLUME:
        return None
    parts = tick.text.split(";")
    try:
        if len(parts) != PARTS:
            raise ValueError(f"{len(parts)} parts")
        if not parts[0]:
            return None  # volume without a trade
        return Trade(
            instrument=symbol,
            traded_at=utc_from_us(int(parts[2]) * 1000),
            price=float(parts[0]),
            size=float(parts[1]),
        )
    except ValueError as error:
        message = f"expected a trade of {symbol}, got {tick.text!r}: {error}"
        raise DomainError(message) from error


@attrs.define
class _Side:
    price: float = 0.0
    size: float = 0.0


class Quotes:
    """Makes quotes of ticks, which tell one side at a time."""

    def __init__(self) -> None:
        self._sides: dict[tuple[str, bool], _Side] = {}

    def take(self, symbol: str, tick: Tick, now_us: int) -> Quote | None:
        """Return the quote, once both sides are known."""
        if tick.kind not in (BID, ASK, BID_SIZE, ASK_SIZE):
            return None
        side = self._sides.setdefault((symbol, tick.kind in (BID, BID_SIZE)), _Side())
        side.size = tick.size
        if tick.kind in (BID, ASK):
            side.price = tick.price
        bid = self._sides.get((symbol, True))
        ask = self._sides.get((symbol, False))
        if bid is None or ask is None or bid.price <= 0 or ask.price <= 0:
            return None
        return Quote(
            instrument=symbol,
            quoted_at=utc_from_us(now_us),
            bid=bid.price,
            ask=ask.price,
            bid_size=bid.size,
            ask_size=ask.size,
        )
