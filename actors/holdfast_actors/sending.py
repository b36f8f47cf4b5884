"""The part of `orders` that sends: what may leave for the venue, and what did not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast_actors.messages import Readmit, Readmitted, Unchanged
from holdfast_actors.orderbook import OrderBook, OrderRow
from holdfast_actors.outgoing import Outgoing
from holdfast_actors.requests import (
    GATES,
    Asked,
    Cancel,
    Replace,
    SendAgain,
    Submit,
    TryAgain,
)
from holdfast_actors.resolver import Patience
from holdfast_domain import events as ev
from holdfast_domain.money import Money
from holdfast_domain.orders import OrderState, OrderTerms
from holdfast_domain.ports import VenueOrder
from holdfast_runtime import Ref

_SENT = OrderState.SENT
_WAITING = (OrderState.INTENT, OrderState.NOT_SENT)
_UNDECIDED = (OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN)
"""Where the leg of a list stands while it may be at the venue, or may get there."""

WINDOW = 64
"""Submits in flight for each venue; the rest waits as rows."""


class Sending:
    """Gives the session what may leave, as far as the window allows."""

    def __init__(
        self,
        venue: str,
        *,
        book: OrderBook,
        session: Ref[Any],
        guard: Ref[Any],
        record: Callable[[ev.Event], None],
        after: Callable[[float, object], object],
        now_us: Callable[[], int],
        now_s: Callable[[], float],
        patience: Patience,
        incarnation: int,
    ) -> None:
        self._venue = venue
        self._book = book
        self._session = session
        self._guard = guard
        self._record = record
        self._after = after
        self._now_us = now_us
        self._now_s = now_s
        self._patience = patience
        self._number = incarnation
        self.session_number = 0
        """Of the session that is up; 0 while none is known to be."""

        self.queue = Outgoing()
        self.in_flight: set[str] = set()
        self.replacing: set[str] = set()
        """Orders whose new terms this incarnation gave to the session that is up."""

        self.unsent: set[str] = set()
        """Orders whose new terms are proven not to have left; they may do so again."""

        self.cancelling: set[str] = set()
        """The same of cancels; an answer takes an order out of the set."""

        self._pauses: dict[str, float] = {}
        """Orders that could not be sent, and how long the next pause is."""

        self._quiet_until_s = 0.0
        """Until when nothing is sent: the venue wants that, or is not there."""

    def session_up(self, number: int) -> None:
        """Send to a new session; what the one before had taken is not in flight."""
        self.session_number = number
        self.in_flight.clear()
        self.replacing.clear()
        self.cancelling.clear()
        # Connections have pauses of their own: what an order met on the last one is
        # over. It goes out now, for market time does not wait for its pause.
        paused = list(self._pauses)
        self._pauses.clear()
        self._quiet_until_s = 0.0
        for order_id in paused:
            self.ask_guard(order_id)

    def be_quiet(self, for_s: float) -> None:
        """Keep what is to be sent as rows for a while."""
        until_s = self._now_s() + for_s
        if until_s > self._quiet_until_s:
            self._quiet_until_s = until_s
            self._after(for_s, SendAgain(self._venue))

    def send_waiting(self) -> None:
        """Send what waits, as far as the window, the session and the venue allow."""
        if self._quiet_until_s and self._now_s() < self._quiet_until_s:
            return
        session, in_flight, queue = self.session_number, self.in_flight, self.queue
        while queue.waiting and session and len(in_flight) < WINDOW:
            row = queue.next()
            if row is None:
                break
            rest: tuple[VenueOrder, ...] = ()
            order = self._sent(row)
            if row.leg is not None:
                legs = self._book.legs_of(row)[1:]
                rest = tuple([self._sent(each) for each in legs])
            until_us = row.valid_until_us
            self._session.tell(
                Submit(order, self._number, session, row.generation, until_us, rest)
            )

    def _sent(self, row: OrderRow) -> VenueOrder:
        row.state, order_id, now_us = _SENT, row.order_id, self._now_us
        self.in_flight.add(order_id)
        return VenueOrder(
            order_id=order_id, terms=row.terms, placed_at_us=now_us(), leg=row.leg
        )

    def cancel(self, order_id: str, by: str) -> None:
        """Cancel an order: at the venue, when it is there, or without it."""
        row = self._book.open.get(order_id)
        if row is None or row.state is OrderState.CANCEL_PENDING:
            return
        if row.state in _WAITING:
            self._give_up(row, "canceled before it left", canceled=True)
        elif row.state is OrderState.SENT:
            row.cancel_wanted = True
        else:
            self._record(
                ev.CancelRequested(order_id=order_id, strategy=row.strategy, by=by)
            )
            self.ask_to_cancel(order_id)

    def cancel_resting(self, by: str) -> None:
        """Cancel all that works here, or may; what is to be canceled is asked again.

        No lookup is waited for: where questions fail, a cancel may still go out.
        """
        for row in list(self._book.open.values()):
            if row.venue != self._venue:
                continue
            in_doubt = row.state is OrderState.UNKNOWN and row.cancel_wanted
            if in_doubt or row.state is OrderState.CANCEL_PENDING:
                self.ask_to_cancel(row.order_id)
            else:
                self.cancel(row.order_id, by)

    def ask_to_cancel(self, order_id: str) -> None:
        """Ask the venue to cancel, unless it is being asked."""
        if order_id not in self.cancelling:
            self.cancelling.add(order_id)
            self._session.tell(Cancel(order_id, self.session_number))

    def answered(self, asked: Asked, order_id: str) -> None:
        """Count a request as ended, however."""
        if asked is Asked.SUBMIT:
            self.in_flight.discard(order_id)
        elif asked is Asked.REPLACE:
            self.replacing.discard(order_id)
        elif asked is Asked.CANCEL:
            self.cancelling.discard(order_id)
        elif asked is Asked.LOOKUP:
            self._asked_about(order_id)

    def _asked_about(self, order_id: str) -> None:
        row = self._book.open.get(order_id)
        if row is None or row.state is not OrderState.NOT_SENT:
            # The first answer that proves nothing holds up nobody any more.
            self.queue.give_place(order_id)

    def _give_up(self, row: OrderRow, reason: str, *, canceled: bool = False) -> None:
        """Give an order up; and with a leg all of its list that has not left."""
        for each in self._book.legs_of(row):
            if each.state in _WAITING:
                self._record(
                    ev.OrderNotPlaced(
                        order_id=each.order_id,
                        strategy=each.strategy,
                        reason=reason,
                        canceled=canceled,
                    )
                )

    def settle_list(self, row: OrderRow) -> None:
        """Give up legs that are proven absent, where others of their list are not.

        A list goes out again whole or not at all.
        """
        legs = self._book.legs_of(row)
        if any(each.state in _UNDECIDED for each in legs):
            return
        if not all(each.state is OrderState.NOT_SENT for each in legs):
            for each in legs:
                if each.state is OrderState.NOT_SENT:
                    self._give_up(each, "it is absent, and others of its list are not")

    def change(
        self, order_id: str, terms: OrderTerms, reserved: Money | None, reason: str
    ) -> None:
        """Ask for new terms, or record why not."""
        row = self._book.open.get(order_id)
        if row is None:
            return
        names = {"order_id": order_id, "strategy": row.strategy}
        works = row.state in (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED)
        if reserved is None or not works:
            why = reason or f"expected a working order, was {row.state.value}"
            self._record(ev.ChangeRefused(**names, reason=why))
            if reserved is not None:
                self._guard.tell(Unchanged(order_id))
            return
        self._record(ev.ReplaceRequested(**names, terms=terms, reserved=reserved))
        self.replace(row)

    def replace(self, row: OrderRow) -> None:
        """Ask for the new terms that an order waits for, unless they are asked for."""
        if row.wanted is not None and row.order_id not in self.replacing:
            self.replacing.add(row.order_id)
            self.unsent.discard(row.order_id)
            self._session.tell(Replace(row.order_id, row.wanted, self.session_number))

    def not_sent(self, row: OrderRow, proof: str, again_s: float) -> None:
        """Record the proof; the order may go out again, ever more slowly.

        And not before ``again_s``: till then nothing may be asked of the venue.
        """
        self._record(
            ev.OrderNotSent(order_id=row.order_id, strategy=row.strategy, proof=proof)
        )
        legs = self._book.legs_of(row)
        if any(each.state is not OrderState.NOT_SENT for each in legs):
            return
        row = legs[0]
        if proof in GATES:
            # A part of ours was gone, and is there again: there is nothing to wait for.
            self.ask_guard(row.order_id)
            return
        pause_s = self._pauses.get(row.order_id, 0.0)
        patience = self._patience
        self._pauses[row.order_id] = min(
            2 * pause_s or patience.first_s, patience.limit_s
        )
        pause_s = max(pause_s, again_s)
        if pause_s:
            self.queue.give_place(row.order_id)
            self._after(pause_s, TryAgain(row.order_id))
        else:
            self.ask_guard(row.order_id)

    def ask_guard(self, order_id: str) -> None:
        """Ask whether an order that is not at the venue may go out (again)."""
        row = self._book.open.get(order_id)
        if row is None or row.state is not OrderState.NOT_SENT:
            return
        legs = self._book.legs_of(row)
        if row is not legs[0] or any(each.state is not row.state for each in legs):
            # The first leg speaks for all, once none of them is at the venue.
            self.settle_list(row)
            return
        if any(each.cancel_wanted for each in legs):
            self._give_up(row, "canceled before it left", canceled=True)
            return
        self.queue.keep_place(row)
        self._guard.tell(
            Readmit(row.order_id, row.strategy, row.terms, row.valid_until_us)
        )

    def readmitted(self, message: Readmitted) -> None:
        """Send an order anew by the guard's answer, or give it up."""
        row = self._book.open.get(message.order_id)
        if row is None or row.state is not OrderState.NOT_SENT:
            return
        if message.reason:
            self._give_up(row, message.reason)
        else:
            for each in self._book.legs_of(row):
                names = {"order_id": each.order_id, "strategy": each.strategy}
                self._record(ev.OrderReadmitted(**names))
                each.generation = message.generation
            self.queue.add(row)
        self.send_waiting()
