"""The mutable parts of the engine: an order that works, a bar that is matched."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from math import inf
from typing import Final

from msgspec import Struct

from holdfast_adapters.matching.model import NEVER_US, SessionEnd
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, to_decimal
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce
from holdfast_domain.ports import VenueOrder

AFTER_TRIGGER: Final = {
    OrderType.STOP: OrderType.MARKET,
    OrderType.STOP_LIMIT: OrderType.LIMIT,
    OrderType.TRAILING_STOP: OrderType.MARKET,
}
"""What a stop becomes once it is triggered."""

_BPS: Final = Decimal(10_000)
_BUY, _MARKET, _DAY = Side.BUY, OrderType.MARKET, TimeInForce.DAY
_AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.FOK)


class Working(Struct, eq=False):
    """An order in the book; its `terms` are unpacked because matching is hot."""

    order_id: str
    terms: OrderTerms
    instrument: Instrument
    since_us: int
    """The order takes part in bars that open at this moment or later."""

    expires_us: int
    leg: Leg | None
    """What binds it to others."""

    buy: bool
    kind: OrderType
    """As which it works: a stop becomes another when it is triggered."""

    immediate: bool
    """IOC or FOK: one moment in the market, then the rest is cancelled."""

    filled: Decimal = ZERO
    limit: Decimal = ZERO
    stop: Decimal = ZERO
    makes: bool = False
    """Post-only: it only ever rests, and fills at its own price."""

    best: Decimal | None = None
    """The best price that a trailing stop has seen; its stop follows it."""

    edge: float = 0.0
    """A bar that does not come to here certainly does not reach the order's price."""

    waits_below: bool = False
    """Whether the order waits for a low price (else for a high one)."""

    ceiling: Decimal | None = None
    """How much of its quantity may be filled by now; None is all."""

    def take(self, terms: OrderTerms) -> None:
        """Take ``terms`` of the same side and type; what was triggered stays so."""
        self.terms, self.immediate = terms, terms.time_in_force in _AT_ONCE
        if terms.type is not _MARKET:
            self.take_prices(terms)

    def take_prices(self, terms: OrderTerms) -> None:
        """Take what the prices of ``terms`` are, of an order that has any."""
        self.limit = terms.limit_price.value if terms.limit_price else ZERO
        self.stop = terms.stop_price.value if terms.stop_price else ZERO
        self.makes = terms.post_only
        if self.kind is not _MARKET:
            self._find_edge()

    def better(self, price: Decimal) -> Decimal:
        """Return the best price that was seen, ``price`` included."""
        if self.best is None:
            return price
        return min(self.best, price) if self.buy else max(self.best, price)

    def stop_behind(self, best: Decimal) -> Decimal:
        """Return where a trailing stop stands behind ``best``: on a tick, or beyond."""
        terms = self.terms
        if terms.trail is not None:
            by = terms.trail.value
        else:
            by = best * (terms.trail_bps or 0) / _BPS
        if self.buy:
            return self.instrument.round_price(best + by, ROUND_CEILING).value
        return self.instrument.round_price(best - by, ROUND_FLOOR).value

    def trigger(self) -> None:
        """Become the market or limit order that a triggered stop is."""
        self.kind = AFTER_TRIGGER.get(self.kind, self.kind)
        if self.kind is OrderType.LIMIT:
            self._find_edge()

    def is_out_of_reach(self, low: float, high: float) -> bool:
        """Tell whether a bar between ``low`` and ``high`` cannot concern the order.

        A quick look that errs on the safe side; prices are compared as `Decimal`.
        """
        if self.immediate or self.kind is _MARKET:
            return False
        return low > self.edge if self.waits_below else high < self.edge

    def _find_edge(self) -> None:
        if self.kind is OrderType.TRAILING_STOP:
            # Each bar may move it, if it does not reach it.
            self.waits_below, self.edge = True, inf
            return
        is_limit = self.kind is OrderType.LIMIT
        self.waits_below = self.buy is is_limit
        price = float(self.limit if is_limit else self.stop)
        ticks = [each.tick for each in self.instrument.bands]
        margin = float(max([self.instrument.tick or 0, *ticks])) + abs(price) * 1e-9
        self.edge = price + margin if self.waits_below else price - margin


def working(
    order: VenueOrder, instrument: Instrument, session_end_us: SessionEnd
) -> Working:
    """Return ``order`` as it enters the book."""
    terms, leg = order.terms, order.leg
    since_us, expires_us = order.placed_at_us, NEVER_US
    kind, force = terms.type, terms.time_in_force
    if force is _DAY:
        expires_us = session_end_us(terms.instrument, since_us)
    if leg is not None and leg.is_held:
        # No bar opens so late: it waits for its entry.
        since_us = NEVER_US
    made = Working(
        order.order_id,
        terms,
        instrument,
        since_us,
        expires_us,
        leg,
        terms.side is _BUY,
        kind,
        force in _AT_ONCE,
    )
    if kind is not _MARKET:
        made.take_prices(terms)
    return made


class MatchBar:
    """A bar while it is matched: its prices as `Decimal` on demand, and what is left.

    ``available`` is the quantity that may still be filled; ``None`` is no limit.
    """

    __slots__ = (
        "_prices",
        "available",
        "close",
        "ended_at_us",
        "high",
        "instrument",
        "low",
        "open",
        "opened_at_us",
    )

    def __init__(
        self,
        instrument: Instrument,
        prices: tuple[float, float, float, float],
        opened_at_us: int,
        ended_at_us: int,
        available: Decimal | None,
    ) -> None:
        """Take ``prices`` as open, high, low, close."""
        self.instrument = instrument
        self.open, self.high, self.low, self.close = prices
        self.opened_at_us = opened_at_us
        self.ended_at_us = ended_at_us
        self.available = available
        self._prices: dict[float, Decimal] = {}

    def price(self, value: float) -> Decimal:
        """Return ``value`` as a price on the instrument's grid."""
        known = self._prices.get(value)
        if known is None:
            known = to_decimal(value)
            if self.instrument.tick is not None:
                known = self.instrument.round_price(known).value
            self._prices[value] = known
        return known
