"""What the guard asks of an order's terms: of the grid, the limits and the account.

Nothing is reserved here, and nothing remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from holdfast_actors.clock import PriceBoard
from holdfast_actors.messages import Draft, Verdict
from holdfast_actors.reservations import Reservation, Reservations
from holdfast_domain.fills import HOUSE
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Money
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms, OrderType, Side

_BUY, _MARKET = Side.BUY, OrderType.MARKET


@attrs.frozen(kw_only=True)
class Limits:
    """What the guard lets through; None is no limit. Times are market time."""

    max_order_notional: Decimal | None = None
    orders: int | None = None
    """Orders that a strategy may make within ``orders_period_s``."""

    orders_period_s: int = 60
    commission: Decimal = ZERO
    """The expected fee as a fraction of the notional; cash must cover it."""

    submit_valid_s: int = 60
    """How long after its decision an order may still be sent."""

    stale_after_s: int = 60
    """A new order on an input older than this is refused."""

    @property
    def recent_us(self) -> int:
        """How long an order counts against ``orders``; 0 where there is no limit."""
        return 0 if self.orders is None else self.orders_period_s * 1_000_000


def off_grid(instrument: Instrument, terms: OrderTerms) -> str:
    """Return why ``terms`` are not on the grid of ``instrument``; empty if they are."""
    quantity = terms.quantity.value
    if not quantity or not instrument.is_on_lot(quantity):
        return f"expected a multiple of the lot {instrument.lot}, was {quantity}"
    if terms.type is _MARKET:
        return ""
    for price in (terms.limit_price, terms.stop_price, terms.trail):
        if price is not None and not instrument.is_on_tick(price.value):
            tick = instrument.tick_at(price.value)
            return f"expected a multiple of the tick {tick}, was {price.value}"
    shown = terms.shown
    if shown is not None and not (
        shown.value <= quantity and instrument.is_on_lot(shown.value)
    ):
        return (
            f"expected to show a multiple of the lot {instrument.lot} up to "
            f"{quantity}, was {shown.value}"
        )
    return ""


def crosses(new: OrderTerms, resting: OrderTerms, last: Decimal) -> bool:
    """Tell whether ``new`` could trade with a sibling's ``resting`` limit order."""
    limit = resting.limit_price
    if limit is None:
        return False
    price = last if new.limit_price is None else new.limit_price.value
    return price >= limit.value if new.side is Side.BUY else price <= limit.value


class Judge:
    """Says of terms whether they pass, and what they need."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        limits: Limits,
        prices: PriceBoard,
        reservations: Reservations,
    ) -> None:
        """Look at ``reservations``, and change nothing of them."""
        self._instruments = instruments
        self._limit = limits.max_order_notional
        self._with_fee = 1 + limits.commission
        self._prices = prices
        self._reservations = reservations

    def terms(
        self,
        strategy: str,
        terms: OrderTerms,
        known: Reservation | None = None,
        leg: Leg | None = None,
    ) -> Verdict:
        """Judge a new order, or new terms for the ``known`` one.

        An exit of a bracket, by its ``leg``, gives back what its entry trades: it needs
        no cash that is there before, and opens nothing.
        """
        symbol, limit = terms.instrument, terms.limit_price
        instrument, last = self._instruments.get(symbol), self._prices.last(symbol)
        if instrument is None or last is None:
            return Verdict(None, f"no price of {symbol} yet")
        price = last if limit is None else limit.value
        notional = instrument.notional(price, terms.quantity.value)
        reason = off_grid(instrument, terms) or self._over_limits(instrument, notional)
        accounts = self._reservations.accounts
        if not reason and (terms.reduce_only or len(accounts) > 1):
            reason = self._clashes(strategy, terms, last, known)
        if reason:
            return Verdict(None, reason)
        if strategy == HOUSE:
            return self._vet_house(instrument, terms)
        if terms.side is not _BUY:
            return self._sell(strategy, instrument, terms, last, known, leg)
        if limit is not None and price >= last:
            notional = instrument.notional(last, terms.quantity.value)
        need = notional * self._with_fee
        if leg is None or not leg.is_held:
            account = accounts[strategy]
            free = account.cash - account.reserved
            if known is not None:
                free += known.money
            if need > free:
                return Verdict(None, f"not enough cash: needs {need}, has {free}")
        return Verdict(Money(need, instrument.currency))

    def _sell(
        self,
        strategy: str,
        instrument: Instrument,
        terms: OrderTerms,
        last: Decimal,
        known: Reservation | None,
        leg: Leg | None,
    ) -> Verdict:
        """Ask whether there is equity enough for the part that opens a position."""
        need = ZERO
        if leg is None or not leg.is_held:
            units = terms.quantity.value
            closing = self._closable(strategy, terms, known)
            if known is not None:
                # What is filled of it is no longer held, and no longer to be sold.
                closing += known.filled
            if closing > ZERO:
                units -= closing
            if units > ZERO:
                need = instrument.notional(last, units) * self._with_fee
                if need > ZERO and self._is_short_of(strategy, need, known):
                    return Verdict(None, f"not enough equity to sell {need} short")
        return Verdict(Money(need, instrument.currency))

    def _is_short_of(
        self, strategy: str, need: Decimal, known: Reservation | None
    ) -> bool:
        """Tell whether there is too little equity to sell so much more short."""
        equity = self._equity(strategy) + (ZERO if known is None else known.money)
        return self._shorted(strategy) + need > equity

    def legs(self, strategy: str, drafts: Sequence[Draft]) -> list[Verdict]:
        """Judge the legs of a list; none of them counts against another."""
        return [self.terms(strategy, each.terms, None, each.leg) for each in drafts]

    def _vet_house(self, instrument: Instrument, terms: OrderTerms) -> Verdict:
        """Let the house close what it holds, and no more; it has no cash of its own."""
        closable = max(ZERO, self._closable(HOUSE, terms, None))
        if terms.quantity.value > closable:
            return Verdict(None, f"the house has only {closable} to close")
        return Verdict(Money(ZERO, instrument.currency))

    def _closable(
        self, strategy: str, terms: OrderTerms, known: Reservation | None
    ) -> Decimal:
        """Return how much of the position no other order of that side closes."""
        name = terms.instrument
        held = self._reservations.accounts[strategy].positions.get(name, ZERO)
        pending = self._reservations.pending_units(strategy, name, terms.side)
        if known is not None:
            pending -= known.left
        return (-held if terms.side is _BUY else held) - pending

    def _worth(self, name: str, units: Decimal) -> Decimal:
        last = self._prices.last(name) or ZERO
        return self._instruments[name].notional(last, units)

    def _equity(self, strategy: str) -> Decimal:
        account = self._reservations.accounts[strategy]
        worth = (self._worth(name, units) for name, units in account.positions.items())
        return account.cash + sum(worth, ZERO)

    def _shorted(self, strategy: str) -> Decimal:
        """Return the value of all short positions, and of sells that may open some."""
        account = self._reservations.accounts[strategy]
        shorts = (
            -self._worth(name, units)
            for name, units in account.positions.items()
            if units < 0
        )
        pending = self._reservations.pending_money(strategy, Side.SELL)
        return sum(shorts, pending)

    def _over_limits(self, instrument: Instrument, notional: Decimal) -> str:
        if notional < instrument.min_notional:
            return f"notional {notional} is below {instrument.min_notional}"
        limit = self._limit
        if limit is not None and notional > limit:
            return f"notional {notional} is above the limit {limit}"
        return ""

    def _clashes(
        self,
        strategy: str,
        terms: OrderTerms,
        last: Decimal,
        known: Reservation | None,
    ) -> str:
        """Return why ``terms`` do not go with what is held and with other orders."""
        if terms.reduce_only:
            filled = known.filled if known is not None else ZERO
            closable = max(ZERO, self._closable(strategy, terms, known))
            if terms.quantity.value - filled > closable:
                return f"reduce-only, but only {closable} are left to close"
        if len(self._reservations.accounts) > 1:
            return self._trades_with_sibling(strategy, terms, last)
        return ""

    def _trades_with_sibling(
        self, strategy: str, terms: OrderTerms, last: Decimal
    ) -> str:
        for order_id, other in self._reservations.open_at(terms.instrument).items():
            if (
                other.strategy != strategy
                and other.terms.side is not terms.side
                and other.terms.limit_price is not None
                and crosses(terms, other.terms, last)
            ):
                return f"would trade with order {order_id} of {other.strategy}"
        return ""
