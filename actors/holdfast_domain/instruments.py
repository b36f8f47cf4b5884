"""What can be traded, and the grid that its prices and quantities live on."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

import attrs

from holdfast_domain.money import ZERO, Currency, Money, Price, Quantity

_ONE = Decimal(1)


@attrs.frozen
class Band:
    """A step of prices, from a price on."""

    low: Decimal
    tick: Decimal


@attrs.frozen(kw_only=True)
class Instrument:
    """One tradable thing at one venue.

    >>> spy = Instrument(symbol="SPY", tick=Decimal("0.01"))
    >>> spy.round_price(Decimal("10.017")).value
    Decimal('10.02')
    """

    symbol: str
    """The name by which users, orders and data know it."""

    venue: str = ""
    """Where it trades; empty: at the engine's first venue."""

    currency: Currency = "USD"
    """The currency in which prices are quoted and fills are settled."""

    tick: Decimal | None = None
    """The step of prices; ``None`` where every price is legal.

    Where there are `bands`, it is the smallest of theirs, or smaller.
    """

    # Not shown: instruments that were journaled before there were any stay the same.
    bands: tuple[Band, ...] = attrs.field(default=(), repr=False)
    """The steps of prices where they depend on the price, ascending."""

    base: Currency = attrs.field(default="", repr=False)
    """The asset that a unit is, where it is one that fees are taken in: of a pair.

    Empty where a position is no asset of its own, as of a share or a future.
    """

    lot: Decimal = _ONE
    """The step of quantities: 1 for whole units."""

    min_notional: Decimal = ZERO
    """The smallest order, in ``currency``."""

    multiplier: Decimal = _ONE
    """Units of the underlying for one unit of quantity."""

    calendar: str | None = None
    """The market calendar (such as ``XNYS``); ``None`` trades around the clock."""

    def notional(self, price: Decimal, quantity: Decimal) -> Decimal:
        """Return what units at ``price`` are worth in `currency`, with their sign."""
        return price * quantity * self.multiplier

    def in_kind(self, fee: Money) -> Decimal:
        """Return what ``fee`` takes of the units themselves; 0 if it is paid in cash.

        At a spot exchange what is bought may pay for itself: of 1 BTC, 0.999 come.
        """
        return fee.amount if fee.currency == self.base else ZERO

    def round_price(self, price: Decimal, towards: str = ROUND_HALF_EVEN) -> Price:
        """Return ``price`` on the tick grid; ``towards`` is a `decimal` rounding."""
        tick = self.tick_at(price)
        if tick is None:
            return Price(price)
        steps = (price / tick).to_integral_value(rounding=towards)
        return Price(steps * tick)

    def round_quantity(self, quantity: Decimal) -> Quantity:
        """Return the largest legal quantity that is not above ``quantity``."""
        steps = (quantity / self.lot).to_integral_value(rounding=ROUND_DOWN)
        return Quantity(steps * self.lot)

    def is_on_lot(self, quantity: Decimal) -> bool:
        """Tell whether ``quantity`` is a whole number of lots."""
        return not quantity % self.lot

    def is_on_tick(self, price: Decimal) -> bool:
        """Tell whether ``price`` is a whole number of ticks."""
        tick = self.tick_at(price)
        return tick is None or not price % tick

    def tick_at(self, price: Decimal) -> Decimal | None:
        """Return the step of prices at ``price``; below the lowest band, that band's.

        >>> bands = (Band(ZERO, Decimal("0.05")), Band(Decimal(3), Decimal("0.1")))
        >>> option = Instrument(symbol="SPX", tick=Decimal("0.05"), bands=bands)
        >>> option.tick_at(Decimal("2.95")), option.tick_at(Decimal(3))
        (Decimal('0.05'), Decimal('0.1'))
        """
        if not self.bands:
            return self.tick
        held = [each.tick for each in self.bands if each.low <= price]
        return held[-1] if held else self.bands[0].tick


ROUND_UP_TO_TICK = ROUND_CEILING
ROUND_DOWN_TO_TICK = ROUND_FLOOR
