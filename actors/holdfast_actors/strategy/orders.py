"""The desk that takes a strategy's wishes for orders, and keeps its orders.

The desk writes a decision: it mints ids and remembers what was asked during one call.
The same call on the same input mints the same ids, so that a decision that is made
again after a crash is the same decision.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from holdfast_actors.messages import Change, Draft
from holdfast_actors.strategy.amount import Amount
from holdfast_actors.strategy.views import OrderView, SavedOrder, plain_of
from holdfast_domain import events as ev
from holdfast_domain.errors import DomainError, InputError
from holdfast_domain.ids import ClientOrderId
from holdfast_domain.instruments import Instrument
from holdfast_domain.money import ZERO, Numeric, Price, Quantity, to_decimal
from holdfast_domain.orderlists import ROLES, Leg, OrderList
from holdfast_domain.orders import OrderTerms, OrderType, Side, TimeInForce

_FORCES = {each.value: each for each in TimeInForce}
_BUY, _SELL = Side.BUY, Side.SELL
_MARKET, _LIMIT = OrderType.MARKET, OrderType.LIMIT
_STOP, _STOP_LIMIT = OrderType.STOP, OrderType.STOP_LIMIT

INDEX_BITS = 16
"""Orders of one decision: the low bits of an id's sequence."""

_MOST_DRAFTS = 1 << INDEX_BITS


class Desk:
    """Takes a strategy's orders during one call, and keeps those that are open."""

    def __init__(
        self,
        *,
        engine: int,
        epoch: int,
        index: int,
        instruments: Mapping[str, Instrument],
    ) -> None:
        made = ClientOrderId(engine=engine, epoch=epoch, sequence=0, strategy=index)
        self._ids = made.template
        self._instruments = instruments
        self.number = 0
        """The strategy's last decision."""

        self.drafts: list[Draft] = []
        self.cancels: tuple[str, ...] = ()
        self.changes: tuple[Change, ...] = ()
        self.open: dict[str, OrderView] = {}
        self._ended: dict[str, OrderView | SavedOrder] = {}
        """Orders that have ended: a fill of one may still come, late or too many.

        Those of a snapshot are as it has them, for of most of them nothing comes.
        """

    # --- during a call -------------------------------------------------------

    def place(self, terms: OrderTerms, leg: Leg | None = None) -> str:
        """Take an order, alone or as the ``leg`` of a list; return its id."""
        order_id, asset = self._next_id(), self._instruments[terms.instrument]
        self.drafts.append(Draft(order_id, terms, leg))
        self.open[order_id] = OrderView(order_id, asset, terms, leg)
        return order_id

    def place_list(self, orders: OrderList) -> list[str]:
        """Take the orders of a list; return their ids, in the order of its legs."""
        kind, first = orders.kind, self._next_id()
        return [
            self.place(terms, Leg(list_id=first, kind=kind, role=role))
            for role, terms in zip(ROLES[kind], orders.legs, strict=True)
        ]

    def _next_id(self) -> str:
        index = len(self.drafts)
        if index >= _MOST_DRAFTS:
            message = f"expected at most {_MOST_DRAFTS} orders in one decision"
            raise DomainError(message)
        return self._ids % ((self.number + 1) << INDEX_BITS | index)

    def cancel(self, order_id: str) -> None:
        """Take a cancel; one of a finished order does nothing."""
        if order_id in self.open and order_id not in self.cancels:
            self.cancels += (order_id,)

    def change(
        self,
        order_id: str,
        quantity: Numeric | None,
        limit_price: Numeric | None,
        stop_price: Numeric | None,
    ) -> None:
        """Take new terms for an open order; what is None stays."""
        view = self.open.get(order_id)
        if view is None:
            message = f"expected an open order, got {order_id}"
            raise DomainError(message)
        if view.leg is not None:
            came = f"the {view.role} of a list"
            todo = "cancel the list and place it anew"
            raise InputError("modify_order", "an order alone", came, todo)
        asked = [each for each in self.changes if each.order_id == order_id]
        terms = asked[0].terms if asked else view.terms
        if quantity is not None:
            terms = replace(terms, quantity=Quantity(abs(to_decimal(quantity))))
        if limit_price is not None:
            terms = replace(terms, limit_price=Price.of(limit_price))
        if stop_price is not None:
            terms = replace(terms, stop_price=Price.of(stop_price))
        for place, draft in enumerate(self.drafts):
            if draft.order_id == order_id:
                # Not decided yet: it is the order itself that changes.
                self.drafts[place] = Draft(order_id, terms)
                view.terms = terms
                return
        others = (each for each in self.changes if each.order_id != order_id)
        self.changes = (*others, Change(order_id, terms))

    def clear(self) -> None:
        """Begin the next call."""
        self.drafts = []
        self.cancels = self.changes = ()

    # --- from the journal ----------------------------------------------------

    def apply(self, event: ev.Event) -> OrderView | None:
        """Take a record of an own order; return the order as it is now."""
        if type(event) is ev.OrderFilled:
            return self.fill(event)
        match event:
            case ev.OrderIntended() | ev.OrderRefused():
                view = self.open.get(event.order_id)
                leg = getattr(event, "leg", None)
                view = view or self._open(event.order_id, event.terms, leg)
                if isinstance(event, ev.OrderRefused):
                    return self._close(event.order_id, "rejected")
                return view
            case ev.FillCorrected() | ev.FillBusted():
                return self._correct(event)
            case ev.ChangeRefused() | ev.ReplaceRefused():
                return self.open.get(event.order_id)
            case ev.OrderReplaced():
                return self._replace(event)
            case ev.OrderReopened():
                return self._reopen(event)
            case _:
                status = _ended_as(event)
                return self._close(event.order_id, status) if status else None  # type: ignore[union-attr]

    def fill(self, event: ev.OrderFilled) -> OrderView | None:
        """Take a fill; return the order, if it is known."""
        fill = event.fill
        view = self.open.get(fill.order_id) or self._that_ended(fill.order_id)
        if view is None:
            return None
        view.filled = view.filled.plus(fill.traded())
        if event.complete:
            self._end(view, "filled")
        return view

    def save(self) -> list[SavedOrder]:
        """Return all orders as plain values, for a snapshot.

        Those that have ended, too: a fill of one is told, be it after a restart.
        """
        return [
            each if isinstance(each, dict) else plain_of(each)
            for each in (*self._ended.values(), *self.open.values())
        ]

    def load(self, saved: list[SavedOrder]) -> None:
        """Have the orders that `save` returned, and no others."""
        self.open.clear()
        self._ended.clear()
        for each in saved:
            # Snapshots of older versions have open orders alone, without a status.
            if each.get("status", "open") == "open":
                self._unpack(each)
            else:
                self._ended[each["order_id"]] = each

    def _unpack(self, saved: SavedOrder) -> OrderView:
        terms = msgspec.convert(saved["terms"], OrderTerms)
        leg = msgspec.convert(saved.get("leg"), Leg | None)
        view = self._open(saved["order_id"], terms, leg)
        view.filled = Amount(saved["filled"])
        return view

    def _that_ended(self, order_id: str) -> OrderView | None:
        found = self._ended.get(order_id)
        if isinstance(found, dict):
            view = self._unpack(found)
            self._end(view, found["status"])
            return view
        return found

    def _open(
        self, order_id: str, terms: OrderTerms, leg: Leg | None = None
    ) -> OrderView:
        asset = self._instruments[terms.instrument]
        self.open[order_id] = view = OrderView(order_id, asset, terms, leg)
        return view

    def _correct(self, event: ev.FillCorrected | ev.FillBusted) -> OrderView | None:
        view = self.open.get(event.order_id)
        if view is None or not event.bookings:
            return None
        for fill in event.bookings:
            view.filled = view.filled.plus(fill.traded())
        return view

    def _reopen(self, event: ev.OrderReopened) -> OrderView:
        view = self._open(event.order_id, event.terms)
        view.filled = Amount(event.filled.value * event.terms.side.sign)
        return view

    def _replace(self, event: ev.OrderReplaced) -> OrderView | None:
        view = self.open.get(event.order_id)
        if view is not None:
            view.terms = event.terms
        return view

    def _close(self, order_id: str, status: str) -> OrderView | None:
        view = self.open.get(order_id)
        if view is not None:
            self._end(view, status)
        return view

    def _end(self, view: OrderView, status: str) -> None:
        view.status = status
        self.open.pop(view.id, None)
        self._ended[view.id] = view


def _ended_as(event: ev.Event) -> str:
    """Return the status with which ``event`` ends its order; empty if it does not."""
    match event:
        case ev.OrderRejected():
            return "rejected"
        case ev.OrderNotPlaced():
            return "canceled" if event.canceled else "rejected"
        case ev.OrderResolved():
            return "rejected" if event.outcome == "not_placed" else "canceled"
        case ev.OrderCanceled():
            return "canceled"
        case ev.OrderExpired():
            return "expired"
        case _:
            return ""


def terms_of(
    asset: Instrument,
    quantity: Numeric,
    limit_price: Numeric | None,
    stop_price: Numeric | None,
    time_in_force: str,
    reduce_only: bool = False,
    post_only: bool = False,
    trail: Numeric | None = None,
    trail_bps: int | None = None,
    shown: Numeric | None = None,
) -> OrderTerms | None:
    """Return the terms for signed ``quantity``; None where it is zero.

    Raises:
        InputError: an unknown time in force, or terms that no order has together.
    """
    units = to_decimal(quantity)
    if not units:
        return None
    try:
        force = _FORCES[time_in_force]
    except KeyError:
        known = ", ".join(_FORCES)
        raise InputError("time_in_force", f"one of {known}", time_in_force) from None
    if limit_price is None:
        kind = _MARKET if stop_price is None else _STOP
    else:
        kind = _LIMIT if stop_price is None else _STOP_LIMIT
    plain = OrderTerms(
        asset.symbol,
        _BUY if units > ZERO else _SELL,
        Quantity(abs(units)),
        kind,
        force,
        None if limit_price is None else Price.of(limit_price),
        None if stop_price is None else Price.of(stop_price),
        reduce_only,
    )
    if trail is None and trail_bps is None and shown is None and not post_only:
        return plain
    return _with_more(plain, trail, trail_bps, shown, post_only)


def _with_more(
    plain: OrderTerms,
    trail: Numeric | None,
    trail_bps: int | None,
    shown: Numeric | None,
    post_only: bool,
) -> OrderTerms:
    """Return ``plain`` as a trailing stop, post-only, or shown in part."""
    kind = plain.type
    if trail is not None or trail_bps is not None:
        _check_distance(kind, trail, trail_bps)
        kind = OrderType.TRAILING_STOP
    if post_only or shown is not None:
        where = "post_only" if post_only else "shown"
        _check_rests(where, kind, plain.time_in_force)
    return replace(
        plain,
        type=kind,
        post_only=post_only,
        trail=None if trail is None else Price.of(trail),
        trail_bps=trail_bps,
        shown=None if shown is None else Quantity(to_decimal(shown)),
    )


def _check_distance(
    kind: OrderType, trail: Numeric | None, trail_bps: int | None
) -> None:
    where, far = ("trail", trail) if trail is not None else ("trail_bps", trail_bps)
    if kind is not _MARKET:
        came = f"a distance with a {kind.value} order"
        raise InputError(where, "no limit price and no stop price", came)
    if trail is not None and trail_bps is not None:
        raise InputError(where, "one distance", f"{trail} and {trail_bps} basis points")
    if trail_bps is not None and not isinstance(trail_bps, int):
        raise InputError(where, "a whole number of basis points", repr(trail_bps))
    if far is None or to_decimal(far) <= 0:
        raise InputError(where, "a distance above 0", str(far))


def _check_rests(where: str, kind: OrderType, force: TimeInForce) -> None:
    at_once = force in (TimeInForce.IOC, TimeInForce.FOK)
    if kind is not _LIMIT or at_once:
        came = f"a {kind.value} order that is {force.value}"
        todo = "give it a limit_price, and let it rest"
        raise InputError(where, "a limit order that may rest", came, todo)
