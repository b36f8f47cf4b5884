"""What the guard sets aside: a pure projection of intents, fills and ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

import msgspec
from msgspec import Struct

from holdfast_actors.accounts import Account
from holdfast_actors.bonds import Bond, Bonds, together
from holdfast_domain.events import (
    BooksAdjusted,
    CapitalAllotted,
    Event,
    ExternalFilled,
    FillBusted,
    FillCorrected,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntended,
    OrderNotPlaced,
    OrderRejected,
    OrderReopened,
    OrderReplaced,
    OrderResolved,
    ReplaceRefused,
    ReplaceRequested,
    StrategyForked,
)
from holdfast_domain.fills import HOUSE, Fill
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO
from holdfast_domain.orderlists import Leg
from holdfast_domain.orders import OrderTerms, Side
from holdfast_domain.reconciliation import Subject

_ENDS = (
    OrderCanceled,
    OrderExpired,
    OrderNotPlaced,
    OrderRejected,
    OrderResolved,
)


_TAKEN = frozenset({
    *_ENDS,
    BooksAdjusted,
    CapitalAllotted,
    ExternalFilled,
    FillBusted,
    FillCorrected,
    OrderIntended,
    OrderReopened,
    OrderReplaced,
    ReplaceRefused,
    ReplaceRequested,
    StrategyForked,
})  # fmt: skip
"""What reserves or books, fills apart; by their very type, for speed."""

_CENT_OF_A_CENT = Decimal("0.0001")


class Reservation(Struct, gc=False):
    """What one open order may still cost and move."""

    strategy: str
    terms: OrderTerms
    whole: Decimal
    """Cash that the order needs for its whole quantity."""

    filled: Decimal = ZERO
    wanted: OrderTerms | None = None
    """New terms that the venue has not answered; until then either may trade."""

    wanted_whole: Decimal = ZERO
    leg: Leg | None = None
    """What binds it to others, with which it is counted."""

    @property
    def left(self) -> Decimal:
        """Units that may still trade."""
        quantity = self.terms.quantity.value
        if self.wanted is not None:
            quantity = max(quantity, self.wanted.quantity.value)
        return max(ZERO, quantity - self.filled)

    @property
    def money(self) -> Decimal:
        """Cash set aside for what is left: the larger need of old and new terms."""
        if self.wanted is None and not self.filled:
            return self.whole
        need = self._part(self.whole, self.terms)
        if self.wanted is not None:
            need = max(need, self._part(self.wanted_whole, self.wanted))
        return need

    def _part(self, whole: Decimal, terms: OrderTerms) -> Decimal:
        if not self.filled or not terms.quantity.value:
            return whole
        left = max(ZERO, terms.quantity.value - self.filled)
        return self.part(whole, terms, left)

    @staticmethod
    def part(whole: Decimal, terms: OrderTerms, units: Decimal) -> Decimal:
        """Return what of ``whole`` is for so many units of ``terms``."""
        # Rounded, so that sums of it are exact in whatever order they are made.
        share = whole * units / terms.quantity.value
        return share.quantize(_CENT_OF_A_CENT, ROUND_CEILING)


class Reservations:
    """Every strategy's account, and every open order's reservation."""

    def __init__(self, instruments: dict[str, Instrument]) -> None:
        self._instruments = instruments
        self.accounts = defaultdict[str, Account](Account)
        """By strategy, empty at first."""

        self.open: dict[str, Reservation] = {}
        self._at = defaultdict[str, dict[str, Reservation]](dict)
        """Those that are open, by instrument: a verdict looks at those of its own."""

        self._bonds = Bonds()
        # No set: of as many orders as a run has, one is two to five times as large.
        self._finished: dict[str, None] = {}
        self._adjusted: dict[str, int] = {}

    def save(self) -> dict[str, Any]:
        """Return all of it as plain values, for a snapshot."""
        return {
            "accounts": msgspec.to_builtins(self.accounts),
            "open": msgspec.to_builtins(self.open),
            "lists": msgspec.to_builtins(self._bonds.lists),
            "finished": sorted(self._finished),
            "adjusted": dict(self._adjusted),
        }

    def load(self, saved: dict[str, Any]) -> None:
        """Be what `save` returned."""
        accounts = msgspec.convert(saved["accounts"], dict[str, Account])
        self.accounts = defaultdict(Account, accounts)
        self.open = msgspec.convert(saved["open"], dict[str, Reservation])
        self._at.clear()
        for order_id, made in self.open.items():
            self._at[made.terms.instrument][order_id] = made
        # Snapshots of older versions know no lists.
        lists = msgspec.convert(saved.get("lists", {}), dict[str, Bond])
        self._bonds = Bonds(lists)
        self._finished = dict.fromkeys(saved["finished"])
        self._adjusted = dict(saved.get("adjusted", {}))

    def pending_units(self, strategy: str, instrument: str, side: Side) -> Decimal:
        """Return what open orders on one side may still trade."""
        there = self._at.get(instrument)
        if not there:
            return ZERO
        found = [
            (each.leg, self._bonds.live(each.leg, each.left))
            for each in there.values()
            if each.strategy == strategy and each.terms.side is side
        ]
        return together(found)

    def open_at(self, instrument: str) -> Mapping[str, Reservation]:
        """Return the open orders of one instrument, by their ids; the oldest first."""
        return self._at.get(instrument, {})

    def pending_money(self, strategy: str, side: Side) -> Decimal:
        """Return what is set aside for open orders on one side."""
        found = [
            (each.leg, self._money_of(each))
            for each in self.open.values()
            if each.strategy == strategy and each.terms.side is side
        ]
        return together(found)

    def reserve(
        self,
        order_id: str,
        strategy: str,
        terms: OrderTerms,
        money: Decimal,
        leg: Leg | None = None,
    ) -> None:
        """Set ``money`` aside for an order; a second time is the same time."""
        if order_id in self._finished or order_id in self.open:
            return
        made = Reservation(strategy, terms, money)
        if leg is None:
            self.open[order_id] = self._at[terms.instrument][order_id] = made
            self.accounts[strategy].reserved += money
            return
        made.leg = leg
        before = self._set_aside(made)
        self.open[order_id] = self._at[terms.instrument][order_id] = made
        self._bonds.add(order_id, leg)
        self.accounts[strategy].reserved += self._set_aside(made) - before

    def _set_aside(self, known: Reservation) -> Decimal:
        """Return the cash that an order holds back, with those it is bound to."""
        if known.leg is None:
            return known.money
        legs = self._bonds.open_legs(known.leg.list_id, self.open)
        return together([(each.leg, self._money_of(each)) for each in legs])

    def _money_of(self, known: Reservation) -> Decimal:
        leg = known.leg
        if leg is None or not leg.is_held:
            return known.money
        live = self._bonds.live(leg, known.left)
        return known.part(known.whole, known.terms, live)

    def want(self, order_id: str, terms: OrderTerms, money: Decimal) -> None:
        """Set ``money`` aside for new terms, beside the old until the venue answers."""
        self._settle(order_id, terms, money)

    def unwant(self, order_id: str) -> None:
        """Forget new terms that the venue did not take."""
        self._settle(order_id, None, ZERO)

    def _settle(self, order_id: str, wanted: OrderTerms | None, money: Decimal) -> None:
        known = self.open.get(order_id)
        if known is not None:
            before = self._set_aside(known)
            known.wanted, known.wanted_whole = wanted, money
            self._moved(known, before)

    def _moved(self, known: Reservation, before: Decimal) -> None:
        self.accounts[known.strategy].reserved += self._set_aside(known) - before

    def apply(self, event: Event) -> None:
        """Take one record."""
        kind = type(event)
        if kind is OrderFilled:
            self.fill(event)  # type: ignore[arg-type]
        elif kind in _TAKEN:
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, OrderIntended):
            self.reserve(
                event.order_id,
                event.strategy,
                event.terms,
                event.reserved.amount,
                event.leg,
            )
        elif isinstance(event, ReplaceRequested):
            self.want(event.order_id, event.terms, event.reserved.amount)
        elif isinstance(event, ReplaceRefused):
            self.unwant(event.order_id)
        elif isinstance(event, OrderReplaced):
            self._replaced(event)
        elif isinstance(event, _ENDS):
            self._end(event.order_id)
        else:
            self._rarely(event)

    def _rarely(self, event: Event) -> None:
        if isinstance(event, FillCorrected | FillBusted):
            self._correct(event)
        elif isinstance(event, OrderReopened):
            self._reopen(event)
        elif isinstance(event, CapitalAllotted):
            self.accounts[event.strategy].cash += event.money.amount
        elif isinstance(event, StrategyForked):
            self.accounts[event.strategy].fork(event)
        elif isinstance(event, ExternalFilled):
            self._external(event.fill)
        elif isinstance(event, BooksAdjusted):
            self._adjust(event)

    def fill(self, event: OrderFilled) -> None:
        """Move a fill from the reservation to the position, in one step."""
        fill = event.fill
        account = self._book(fill)
        reservation = self.open.get(fill.order_id)
        if self._bonds.lists and (reservation is None or reservation.leg is None):
            self._fill_bond(fill.order_id, fill.strategy, fill.quantity.value)
        if reservation is None:
            return
        if reservation.leg is not None:
            self._fill_leg(event, reservation)
        elif event.complete or reservation.left <= fill.quantity.value:
            self._end(fill.order_id)
        else:
            before = reservation.money
            reservation.filled += fill.quantity.value
            account.reserved += reservation.money - before

    def _fill_leg(self, event: OrderFilled, known: Reservation) -> None:
        """Count a fill of a list: it lets the exits live, or uses them up."""
        order_id, units = event.fill.order_id, event.fill.quantity.value
        before = self._set_aside(known)
        known.filled += units
        self._bonds.fill(order_id, units)
        self._moved(known, before)
        if event.complete or known.left <= ZERO:
            self._end(order_id)

    def _book(self, fill: Fill) -> Account:
        instrument = self._instruments[fill.instrument]
        account = self.accounts[fill.strategy]
        account.cash, units = fill.settle(account.cash, instrument)
        account.hold(fill.instrument, units)
        return account

    def _external(self, fill: Fill) -> None:
        """Book what another hand traded, as the books do."""
        if fill.instrument in self._instruments:
            self._book(fill)
        else:
            self.accounts[fill.strategy].hold(fill.instrument, fill.traded())

    def _adjust(self, event: BooksAdjusted) -> None:
        """Take an adjustment, unless it is here already; as the books do."""
        key = f"{event.venue}/{event.subject.value}/{event.unit}"
        if event.ordinal != self._adjusted.get(key, 0):
            return
        self._adjusted[key] = event.ordinal + 1
        account = self.accounts[HOUSE]
        if event.subject is Subject.POSITION:
            account.hold(event.unit, event.amount)
        elif event.unit in {each.currency for each in self._instruments.values()}:
            account.cash += event.amount

    def _correct(self, event: FillCorrected | FillBusted) -> None:
        """Book the difference; what is no longer filled may trade again."""
        for fill in event.bookings:
            self._book(fill)
        if event.was is None:
            return
        change = -event.was.quantity.value
        if isinstance(event, FillCorrected):
            change += event.now.quantity.value
        self._fill_bond(event.order_id, event.strategy, change)
        known = self.open.get(event.order_id)
        if known is None:
            return
        if isinstance(event, FillCorrected) and event.complete:
            self._end(event.order_id)
            return
        before = self._set_aside(known)
        known.filled = max(ZERO, known.filled + change)
        self._moved(known, before)

    def _fill_bond(self, order_id: str, strategy: str, change: Decimal) -> None:
        """Count a correction of a leg, which may have ended, for those it binds."""
        for known in self._bonds.open_with(order_id, self.open)[:1]:
            before = self._set_aside(known)
            self._bonds.fill(order_id, change)
            self.accounts[strategy].reserved += self._set_aside(known) - before

    def _reopen(self, event: OrderReopened) -> None:
        """Set aside again what an order that had ended may cost after all."""
        self._finished.pop(event.order_id, None)
        self.reserve(event.order_id, event.strategy, event.terms, event.reserved.amount)
        known = self.open[event.order_id]
        before = self._set_aside(known)
        known.filled = event.filled.value
        self._moved(known, before)

    def _replaced(self, event: OrderReplaced) -> None:
        """Let the new terms be the terms; without a request of ours, at their cost."""
        known = self.open.get(event.order_id)
        if known is None:
            return
        before = self._set_aside(known)
        if event.terms == known.wanted:
            known.whole = known.wanted_whole
        elif (now := event.terms.quantity.value) != known.terms.quantity.value:
            known.whole = known.part(known.whole, known.terms, now)
        known.terms, known.wanted = event.terms, None
        self._moved(known, before)

    def _end(self, order_id: str) -> None:
        self._finished[order_id] = None
        reservation = self.open.get(order_id)
        if reservation is None:
            return
        leg = reservation.leg
        freed = reservation.money if leg is None else self._set_aside(reservation)
        del self.open[order_id], self._at[reservation.terms.instrument][order_id]
        if leg is not None:
            freed -= self._set_aside(reservation)
            self._bonds.forget(leg.list_id, self.open)
        self.accounts[reservation.strategy].reserved -= freed
