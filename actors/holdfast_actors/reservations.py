"""What the guard sets aside: a pure projection of intents, fills and ends."""

from __future__ import annotations

from decimal import Decimal

import attrs

from holdfast_domain.events import (
    CapitalAllotted,
    Event,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderNotPlaced,
    OrderRejected,
    ReplaceRequested,
)
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.orders import OrderTerms, Side

_ENDS = (OrderCanceled, OrderExpired, OrderNotPlaced, OrderRejected)


@attrs.define
class Reservation:
    """What one open order may still cost and move."""

    strategy: str
    terms: OrderTerms
    left: Decimal
    """Units that are not filled."""

    money: Decimal
    """Cash set aside for what is left."""


@attrs.define
class Account:
    """One strategy's cash and positions, as the guard counts them."""

    cash: Decimal = ZERO
    positions: dict[str, Decimal] = attrs.field(factory=dict)
    reserved: Decimal = ZERO

    @property
    def free(self) -> Decimal:
        """Cash that is neither spent nor set aside."""
        return self.cash - self.reserved


class Reservations:
    """Every strategy's account, and every open order's reservation."""

    def __init__(self, instruments: dict[str, Instrument]) -> None:
        self._instruments = instruments
        self.accounts: dict[str, Account] = {}
        self.open: dict[str, Reservation] = {}
        self._finished: set[str] = set()

    def account(self, strategy: str) -> Account:
        """Return the account of ``strategy``, empty at first."""
        found = self.accounts.get(strategy)
        if found is None:
            found = self.accounts[strategy] = Account()
        return found

    def pending_units(self, strategy: str, instrument: str, side: Side) -> Decimal:
        """Return what open orders on one side may still trade."""
        return sum(
            (
                each.left
                for each in self.open.values()
                if each.strategy == strategy
                and each.terms.instrument == instrument
                and each.terms.side is side
            ),
            ZERO,
        )

    def reserve(
        self, order_id: str, strategy: str, terms: OrderTerms, money: Decimal
    ) -> None:
        """Set ``money`` aside for an order; a second time is the same time."""
        if order_id in self._finished:
            return
        known = self.open.get(order_id)
        if known is None:
            quantity = terms.quantity.value
            self.open[order_id] = Reservation(strategy, terms, quantity, money)
            self.account(strategy).reserved += money
        elif known.terms != terms:
            filled = known.terms.quantity.value - known.left
            more = max(money, known.money) - known.money
            known.money += more
            known.left = max(ZERO, terms.quantity.value - filled)
            known.terms = terms
            self.account(strategy).reserved += more

    def apply(self, event: Event) -> None:
        """Take one record."""
        if isinstance(event, OrderFilled):
            self._fill(event)
        elif isinstance(event, OrderIntended):
            self.reserve(
                event.order_id, event.strategy, event.terms, event.reserved.amount
            )
        elif isinstance(event, ReplaceRequested):
            self.reserve(
                event.order_id, event.strategy, event.terms, event.reserved.amount
            )
        elif isinstance(event, _ENDS):
            self._end(event.order_id)
        elif isinstance(event, CapitalAllotted):
            self.account(event.strategy).cash += event.money.amount

    def _fill(self, event: OrderFilled) -> None:
        """Move a fill from the reservation to the position, in one step."""
        fill = event.fill
        instrument = self._instruments[fill.instrument]
        account = self.account(fill.strategy)
        units = fill.quantity.value * fill.side.sign
        account.cash -= instrument.notional(fill.price.value, units).amount
        if fill.fee.currency == instrument.currency:
            account.cash -= fill.fee.amount
        held = account.positions.get(fill.instrument, ZERO)
        account.positions[fill.instrument] = held + units
        reservation = self.open.get(fill.order_id)
        if reservation is None:
            return
        if event.complete or reservation.left <= fill.quantity.value:
            self._end(fill.order_id)
            return
        part = reservation.money * fill.quantity.value / reservation.left
        reservation.left -= fill.quantity.value
        reservation.money -= part
        account.reserved -= part

    def _end(self, order_id: str) -> None:
        self._finished.add(order_id)
        reservation = self.open.pop(order_id, None)
        if reservation is not None:
            self.account(reservation.strategy).reserved -= reservation.money
